/**
 * One torrent of the list: a line of columns in a wide window, a card in a narrow one; the style sheet decides.
 * @module
 */
import { memo } from 'react';
import type { TorrentRow } from '../../../contract/index.ts';
import { Bar } from '../../parts/bar.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { columns } from '../../state/columns.ts';
import { torrents } from '../../state/live.ts';
import { route } from '../../state/route.ts';
import { useIsActive, useIsSelected } from '../../state/selection.ts';
import { useRow } from '../../state/use-collection.ts';
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

function Labels({ row }: { readonly row: TorrentRow }) {
  return (
    <>
      {row.isSecure ? (
        <span className="label" title="Shared with contacts alone">
          <Icon name="lock" />
          contacts only
        </span>
      ) : null}
      {row.category === null ? null : (
        <span className="label">
          <bdi>{shownName(row.category)}</bdi>
        </span>
      )}
      {row.tags.map((tag) => (
        <span key={tag} className="label tag">
          <bdi>{shownName(tag)}</bdi>
        </span>
      ))}
    </>
  );
}

function Cells({ row }: { readonly row: TorrentRow }) {
  return (
    <>
      <span className="c-name">
        <Name className="name" text={row.name} />
        <span className="sub">
          <span className={row.error === null ? 'state' : 'state bad'}>{stateText(row)}</span>
          <Labels row={row} />
        </span>
      </span>
      <span className="c-progress">
        <Bar
          share={row.state === 'checking' ? (row.checked ?? 0) : row.progress}
          state={row.state}
        />
        <span className="num">{percentText(row.progress)}</span>
      </span>
      {useValue(columns).map((column) => {
        const { className, cell } = COLUMN_SHAPES[column];
        return (
          <span key={column} className={`${className} num`}>
            {cell(row)}
          </span>
        );
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
  const row = useRow(torrents, id);
  const isSelected = useIsSelected(id);
  const isActive = useIsActive(id);
  const isOpen = usePart(route, ({ parts }) => parts[0] === id);
  if (row === undefined) return null;
  const className = `line row ${row.state}${isActive ? ' is-active' : ''}${isOpen ? ' is-open' : ''}`;
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
      <Cells row={row} />
    </div>
  );
});
