/**
 * One torrent of the list: a line of columns in a wide window, a card in a narrow one; the style sheet decides.
 * @module
 */
import { memo } from 'react';
import type { TorrentRow } from '../../../contract/index.ts';
import { Icon } from '../../parts/icon.tsx';
import { LiveBar, LiveText } from '../../parts/live.tsx';
import { Name } from '../../parts/name.tsx';
import { columns } from '../../state/columns.ts';
import { torrents } from '../../state/live.ts';
import { route } from '../../state/route.ts';
import { useIsActive, useIsSelected } from '../../state/selection.ts';
import { useRowPart } from '../../state/use-collection.ts';
import { usePart, useValue } from '../../state/value.ts';
import { bytesText, durationText, percentText, STATE_WORDS } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';
import { COLUMN_SHAPES } from './columns.tsx';

export function rowId(id: string): string {
  return `torrent-${id}`;
}

/** The second line: what it does, and how much is left to do. */
export function stateText(row: TorrentRow): string {
  const { state, error, etaSeconds, wantedBytes, doneBytes, checked } = row;
  if (error !== null) return shownName(error);
  if (state === 'checking') return `Checking ${percentText(checked ?? 0)}`;
  if (state === 'metadata') return 'Getting metadata from peers';
  if (state === 'downloading') {
    const left = etaSeconds === null ? '' : ` · ${durationText(etaSeconds)} left`;
    return `${bytesText(doneBytes)} of ${bytesText(wantedBytes)}${left}`;
  }
  return row.progress < 1
    ? `${STATE_WORDS[state]} · ${bytesText(doneBytes)} of ${bytesText(wantedBytes)}`
    : STATE_WORDS[state];
}

/** What seldom changes of a row, and so is drawn by React. */
type Look = Pick<TorrentRow, 'name' | 'state' | 'isSecure' | 'category' | 'tags'> & {
  readonly hasError: boolean;
};

function lookOf(row: TorrentRow | undefined): Look | undefined {
  if (row === undefined) return undefined;
  const { name, state, isSecure, category, tags, error } = row;
  return { name, state, isSecure, category, tags, hasError: error !== null };
}

const shareDone = (row: TorrentRow): number =>
  row.state === 'checking' ? (row.checked ?? 0) : row.progress;
const percentDone = (row: TorrentRow): string => percentText(row.progress);

function Labels({ look }: { readonly look: Look }) {
  return (
    <>
      {look.isSecure ? (
        <span className="label" title="Shared with contacts alone">
          <Icon name="lock" />
          contacts only
        </span>
      ) : null}
      {look.category === null ? null : (
        <span className="label">
          <bdi>{shownName(look.category)}</bdi>
        </span>
      )}
      {look.tags.map((tag) => (
        <span key={tag} className="label tag">
          <bdi>{shownName(tag)}</bdi>
        </span>
      ))}
    </>
  );
}

function Cells({ id, look }: { readonly id: string; readonly look: Look }) {
  const place = { of: torrents, id };
  return (
    <>
      <span className="c-name">
        <Name className="name" text={look.name} />
        <span className="sub">
          <LiveText
            {...place}
            className={look.hasError ? 'state bad' : 'state'}
            words={stateText}
          />
          <Labels look={look} />
        </span>
      </span>
      <span className="c-progress">
        <LiveBar {...place} share={shareDone} state={look.state} />
        <LiveText {...place} className="num" words={percentDone} />
      </span>
      {useValue(columns).map((column) => {
        const { className, text } = COLUMN_SHAPES[column];
        return <LiveText key={column} {...place} className={`${className} num`} words={text} />;
      })}
    </>
  );
}

export const TorrentLine = memo(function TorrentLine({
  id,
  topPx,
  index,
  count,
}: {
  readonly id: string;
  readonly topPx: number;
  readonly index: number;
  readonly count: number;
}) {
  const look = useRowPart(torrents, id, lookOf);
  const isSelected = useIsSelected(id);
  const isActive = useIsActive(id);
  const isOpen = usePart(route, ({ parts }) => parts[0] === id);
  if (look === undefined) return null;
  const className = `line row ${look.state}${isActive ? ' is-active' : ''}${isOpen ? ' is-open' : ''}`;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list holds the focus and names its active option.
    <div
      id={rowId(id)}
      className={className}
      role="option"
      aria-selected={isSelected}
      aria-posinset={index + 1}
      aria-setsize={count}
      data-id={id}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <span className="c-check" data-check="">
        <span className="check">
          <Icon name="check" />
        </span>
      </span>
      <Cells id={id} look={look} />
    </div>
  );
});
