/**
 * Which torrents are shown, and in which order.
 * @module
 */

import { IconButton } from '../../parts/button.tsx';
import { categories } from '../../state/live.ts';
import { overlay } from '../../state/overlay.ts';
import { FILTERS, type Filter, SORTS, type Sort } from '../../state/torrent-order.ts';
import { useKeys } from '../../state/use-collection.ts';
import { useValue } from '../../state/value.ts';
import { changeView, useCounts, useTags, view } from '../../state/view.ts';
import { shownName } from '../../words/shown-name.ts';

const FILTER_WORDS: Readonly<Record<Filter, string>> = {
  all: 'All',
  active: 'Active',
  downloading: 'Downloading',
  seeding: 'Seeding',
  paused: 'Waiting',
  problem: 'Problems',
};

const SORT_WORDS: Readonly<Record<Sort, string>> = {
  added: 'Added',
  name: 'Name',
  progress: 'Progress',
  size: 'Size',
  down: 'Download rate',
  up: 'Upload rate',
  eta: 'Time left',
  ratio: 'Ratio',
  peers: 'Peers',
  queue: 'Queue',
};

function Groups() {
  const { category, tag } = useValue(view);
  const names = useKeys(categories);
  const tags = useTags();
  return (
    <>
      <select
        aria-label="Category"
        value={category === undefined ? 'any' : category === null ? 'none' : `=${category}`}
        onChange={({ target: { value } }) =>
          changeView({
            category: value === 'any' ? undefined : value === 'none' ? null : value.slice(1),
          })
        }
      >
        <option value="any">All categories</option>
        <option value="none">No category</option>
        {names.map((name) => (
          <option key={name} value={`=${name}`}>
            {shownName(name)}
          </option>
        ))}
      </select>
      {tags.length === 0 ? null : (
        <select
          aria-label="Tag"
          value={tag ?? ''}
          onChange={({ target: { value } }) =>
            changeView({ tag: value === '' ? undefined : value })
          }
        >
          <option value="">All tags</option>
          {tags.map((name) => (
            <option key={name} value={name}>
              {shownName(name)}
            </option>
          ))}
        </select>
      )}
      <IconButton
        icon="tag"
        label="Categories"
        onClick={() => overlay.set({ kind: 'categories' })}
      />
    </>
  );
}

export function Filters() {
  const { filter, sort, isDescending } = useValue(view);
  const counts = useCounts();
  return (
    <div className="filters">
      <fieldset className="chips">
        <legend className="sr">Show</legend>
        {FILTERS.filter((each) => each !== 'problem' || counts.problem > 0 || filter === each).map(
          (each) => (
            <label key={each} className={each === 'problem' ? 'chip bad' : 'chip'}>
              <input
                type="radio"
                name="filter"
                checked={filter === each}
                onChange={() => changeView({ filter: each })}
              />
              {FILTER_WORDS[each]} <span className="count">{counts[each]}</span>
            </label>
          ),
        )}
      </fieldset>
      <div className="filter-more">
        <Groups />
        <select
          aria-label="Order by"
          value={sort}
          onChange={({ target: { value } }) => changeView({ sort: value as Sort })}
        >
          {SORTS.map((each) => (
            <option key={each} value={each}>
              {SORT_WORDS[each]}
            </option>
          ))}
        </select>
        <IconButton
          icon={isDescending ? 'down' : 'up'}
          label={isDescending ? 'Falling; turn round' : 'Rising; turn round'}
          onClick={() => changeView({ isDescending: !isDescending })}
        />
        <IconButton
          icon="columns"
          label="Columns"
          onClick={() => overlay.set({ kind: 'columns' })}
        />
      </div>
    </div>
  );
}
