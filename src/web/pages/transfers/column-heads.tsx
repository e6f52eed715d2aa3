/**
 * The heads of the columns, by which the list is sorted.
 * @module
 */
import { Icon } from '../../parts/icon.tsx';
import { columns } from '../../state/columns.ts';
import type { Sort } from '../../state/torrent-order.ts';
import { useValue } from '../../state/value.ts';
import { sortBy, view } from '../../state/view.ts';
import { COLUMN_SHAPES } from './columns.tsx';

const FIXED: readonly (readonly [Sort, string, string])[] = [
  ['name', 'Name', 'c-name'],
  ['progress', 'Progress', 'c-progress'],
];

export function ColumnHeads() {
  const { sort, isDescending } = useValue(view);
  const chosen = useValue(columns).map((column) => {
    const { head, className } = COLUMN_SHAPES[column];
    return [column, head, className] as const;
  });
  return (
    <div className="line heads">
      <span className="c-check" />
      {[...FIXED, ...chosen].map(([key, words, className]) => (
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
