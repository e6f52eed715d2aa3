/**
 * What can be done to torrents, as a menu where the pointer is: by the right button, a long touch, the menu key, or the button of the details.
 *
 * It is a popover of the platform: a click elsewhere or Escape closes it.
 * @module
 */
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { TorrentDetails } from '../../../contract/index.ts';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { act, change } from '../../state/actions.ts';
import { request } from '../../state/api.ts';
import { torrents } from '../../state/live.ts';
import { attempt } from '../../state/notice.ts';
import { closeOverlay, type Overlay, overlay } from '../../state/overlay.ts';
import { go, href } from '../../state/route.ts';
import { countOf } from '../../words/format.ts';

// Sizes and times of the display
/** Kept free between the menu and the edges of the window, in CSS pixels. */
const EDGE_PX = 8;

type Item = readonly [IconName, string, () => void] | 'line';

async function copyLinks(ids: readonly string[]): Promise<void> {
  const all = await Promise.all(ids.map((id) => request<TorrentDetails>('GET', `/torrents/${id}`)));
  await navigator.clipboard.writeText(all.map(({ magnet }) => magnet).join('\n'));
}

function itemsFor(ids: readonly string[]): readonly Item[] {
  const states = ids.map((id) => torrents.get(id)?.state);
  const resting = states.filter((state) => state === 'paused' || state === 'stopped').length;
  const [first] = ids;
  const many = ids.length > 1;
  const items: (Item | undefined)[] = [
    many ? undefined : ['file', 'Details', () => go(href('transfers', first!))],
    resting > 0 ? ['play', 'Resume', () => void act('resume', ids)] : undefined,
    resting < ids.length ? ['pause', 'Pause', () => void act('pause', ids)] : undefined,
    'line',
    [
      'copy',
      many ? 'Copy magnet links' : 'Copy magnet link',
      () =>
        void attempt(() => copyLinks(ids), many ? 'The links are copied.' : 'The link is copied.'),
    ],
    ['up', 'To the top of the queue', () => void change(ids, { queue: 'top' })],
    ['down', 'To the end of the queue', () => void change(ids, { queue: 'bottom' })],
    'line',
    ['recheck', 'Check the files again', () => void act('recheck', ids)],
    ['network', 'Ask for peers now', () => void act('reannounce', ids)],
    many ? undefined : ['pen', 'Rename …', () => overlay.set({ kind: 'rename', id: first! })],
    ['settings', 'Change …', () => overlay.set({ kind: 'change', ids })],
    ['remove', 'Remove …', () => overlay.set({ kind: 'remove', ids })],
  ];
  return items.filter((item) => item !== undefined);
}

/** Moves the focus among the items, round the ends. */
function onKey(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=menuitem]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: -1,
  };
  const to = next[event.key];
  if (event.key === 'Tab') closeOverlay();
  else if (to === undefined) return;
  else items.at(to % items.length)?.focus();
  event.preventDefault();
}

export function TorrentMenu({ ids, x, y }: Extract<Overlay, { kind: 'menu' }>) {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = menu.current!;
    const before = document.activeElement;
    const onToggle = (event: Event): void => {
      if ((event as ToggleEvent).newState === 'closed' && overlay.get()?.kind === 'menu')
        closeOverlay();
    };
    element.showPopover();
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(EDGE_PX, Math.min(x, innerWidth - width - EDGE_PX))}px`;
    element.style.top = `${Math.max(EDGE_PX, Math.min(y, innerHeight - height - EDGE_PX))}px`;
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    element.addEventListener('toggle', onToggle);
    return () => {
      element.removeEventListener('toggle', onToggle);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [x, y]);
  return (
    <div
      ref={menu}
      popover="auto"
      className="menu"
      role="menu"
      tabIndex={-1}
      aria-label={ids.length > 1 ? countOf(ids.length, 'torrent') : 'Torrent'}
      onKeyDown={onKey}
    >
      {itemsFor(ids).map((item, at) =>
        item === 'line' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing else, and none ever moves.
          <hr key={at} />
        ) : (
          <button
            key={item[1]}
            type="button"
            role="menuitem"
            tabIndex={-1}
            onClick={() => {
              closeOverlay();
              item[2]();
            }}
          >
            <Icon name={item[0]} />
            {item[1]}
          </button>
        ),
      )}
    </div>
  );
}
