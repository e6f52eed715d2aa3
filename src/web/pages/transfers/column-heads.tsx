/**
 * The heads of the columns, by which the list is sorted.
 * @module
 */
import { Icon } from '../../parts/icon.tsx';
import type { Sort } from '../../state/torrent-order.ts';
import { useValue } from '../../state/value.ts';
import { sortBy, view } from '../../state/view.ts';

const HEADS: readonly (readonly [Sort, string, string])[] = [
  ['name', 'Name', 'c-name'],
  ['progress', 'Progress', 'c-progress'],
  ['size', 'Size', 'c-size'],
  ['down', 'Down', 'c-rate'],
  ['up', 'Up', 'c-rate'],
  ['peers', 'Peers', 'c-peers'],
  ['ratio', 'Ratio', 'c-ratio'],
];

export function ColumnHeads() {
  const { sort, isDescending } = useValue(view);
  return (
    <div className="line heads">
      <span className="c-check" />
      {HEADS.map(([key, words, className]) => (
        <button
          key={key}
          type="button"
          className={className}
          aria-pressed={sort === key}
          title={`Order by ${words.toLowerCase()}`}
          onClick={() => sortBy(key)}
        >
          {words}
          {sort === key ? <Icon name={isDescending ? 'down' : 'up'} /> : null}
        </button>
      ))}
    </div>
  );
}
