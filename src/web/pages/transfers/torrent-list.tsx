/**
 * The list of torrents. Only the rows in sight exist, and each is drawn again only when its own torrent changed.
 * @module
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { act } from '../../state/actions.ts';
import { torrents } from '../../state/live.ts';
import { useNarrow } from '../../state/narrow.ts';
import { overlay } from '../../state/overlay.ts';
import { go, href, route } from '../../state/route.ts';
import {
  keepOnly,
  moveTo,
  selectAll,
  selection,
  selectNone,
  selectOnly,
  selectTo,
  toggle,
} from '../../state/selection.ts';
import { usePart } from '../../state/value.ts';
import { ColumnHeads } from './column-heads.tsx';
import { rowId, TorrentLine } from './torrent-line.tsx';

// Sizes and times of the display
/** Height of a row, in CSS pixels, in a wide window and in a narrow one; the style sheet says the same. */
const ROW_PX = 52;
const CARD_PX = 76;
/** Where the menu of the keyboard begins in a row. */
const MENU_INDENT_PX = 52;
/** Rows kept beyond both edges, so that scrolling shows no gap. */
const OVERSCAN = 12;

function isPaused(id: string): boolean {
  const state = torrents.get(id)?.state;
  return state === 'paused' || state === 'stopped';
}

/** The torrents that a key means: the selected ones, or the one where the keyboard stands. */
function meant(): readonly string[] {
  const { ids, active } = selection.get();
  return ids.size > 0 ? [...ids] : active === undefined ? [] : [active];
}

function onLetter(event: KeyboardEvent, order: readonly string[]): boolean {
  const ids = meant();
  if ((event.ctrlKey || event.metaKey) && event.key === 'a') selectAll(order);
  else if (event.ctrlKey || event.metaKey || event.altKey) return false;
  else if (event.key === 'Delete' && ids.length > 0) overlay.set({ kind: 'remove', ids });
  else if (event.key === 'p' && ids.length > 0) {
    void act(ids.every(isPaused) ? 'resume' : 'pause', ids);
  } else if (event.key === 'Escape') {
    if (route.get().parts.length > 0) go(href('transfers'));
    else selectNone();
  } else return false;
  return true;
}

/** @returns whether the key was one of the list's. */
function onKey(event: KeyboardEvent, order: readonly string[], pageRows: number): boolean {
  const { active } = selection.get();
  const at = active === undefined ? -1 : order.indexOf(active);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: pageRows,
    PageUp: -pageRows,
    Home: -order.length,
    End: order.length,
  };
  const step = steps[event.key];
  if (step !== undefined) {
    const next = order[Math.min(order.length - 1, Math.max(0, at + step))];
    if (next === undefined) return true;
    if (event.shiftKey) selectTo(next, order);
    else moveTo(next);
    return true;
  }
  if (event.key === ' ' && active !== undefined) {
    toggle(active);
    return true;
  }
  if (event.key === 'Enter' && active !== undefined) {
    go(href('transfers', active));
    return true;
  }
  return onLetter(event, order);
}

function onClick(event: React.MouseEvent, order: readonly string[]): void {
  const row = (event.target as Element).closest<HTMLElement>('[data-id]');
  const id = row?.dataset['id'];
  if (id === undefined) return;
  if ((event.target as Element).closest('[data-check]') !== null) {
    if (event.shiftKey) selectTo(id, order);
    else toggle(id);
  } else if (event.shiftKey) selectTo(id, order);
  else if (event.ctrlKey || event.metaKey) toggle(id);
  else {
    // A click looks at a torrent; a second one at the same closes it again.
    const isOpen = route.get().parts[0] === id;
    selectNone();
    moveTo(id);
    go(isOpen ? href('transfers') : href('transfers', id, ...route.get().parts.slice(1, 2)));
  }
}

/** The menu of the row under the pointer, or of the one where the keyboard stands; of all that are selected when it is one of them. */
function onMenu(event: React.MouseEvent<HTMLElement>): void {
  const { active } = selection.get();
  const under = (event.target as Element).closest<HTMLElement>('[data-id]');
  const row = under ?? document.getElementById(active === undefined ? '' : rowId(active));
  const id = row?.dataset['id'];
  if (row === null || id === undefined) return;
  event.preventDefault();
  if (!selection.get().ids.has(id)) {
    selectNone();
    moveTo(id);
  }
  const { ids } = selection.get();
  const { left, bottom } = row.getBoundingClientRect();
  const [x, y] = under === null ? [left + MENU_INDENT_PX, bottom] : [event.clientX, event.clientY];
  overlay.set({ kind: 'menu', ids: ids.size > 0 ? [...ids] : [id], x, y });
}

export function TorrentList({ order }: { readonly order: readonly string[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useNarrow();
  const rowPx = isNarrow ? CARD_PX : ROW_PX;
  const virtualizer = useVirtualizer({
    count: order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: OVERSCAN,
    getItemKey: (index) => order[index]!,
  });
  const active = usePart(selection, (value) => value.active);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the height that changed.
  useEffect(() => virtualizer.measure(), [rowPx]);
  useEffect(() => keepOnly(order), [order]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a move of the keyboard scrolls, not a new order.
  useEffect(() => {
    const at = active === undefined ? -1 : order.indexOf(active);
    if (at >= 0) virtualizer.scrollToIndex(at, { align: 'auto' });
  }, [active]);
  return (
    <div className="torrents">
      <ColumnHeads />
      <div
        ref={scroller}
        id="torrents"
        className="torrent-scroll"
        role="listbox"
        aria-label="Torrents"
        aria-multiselectable="true"
        aria-activedescendant={active === undefined ? undefined : rowId(active)}
        tabIndex={0}
        onClick={(event) => onClick(event, order)}
        onContextMenu={onMenu}
        onDoubleClick={(event) => {
          const id = (event.target as Element).closest<HTMLElement>('[data-id]')?.dataset['id'];
          if (id !== undefined) selectOnly(id);
        }}
        onFocus={() => {
          const { active: place } = selection.get();
          if (place === undefined && order[0] !== undefined) moveTo(order[0]);
        }}
        onKeyDown={(event) => {
          const pageRows = Math.max(1, Math.floor(event.currentTarget.clientHeight / rowPx) - 1);
          if (onKey(event, order, pageRows)) event.preventDefault();
        }}
      >
        <div
          className="torrent-space"
          role="presentation"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map((item) => (
            <TorrentLine
              key={item.key}
              id={order[item.index]!}
              topPx={item.start}
              index={item.index}
              count={order.length}
            />
          ))}
        </div>
      </div>
    </div>
  );
}
