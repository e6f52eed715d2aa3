/**
 * The page of torrents: filters, the bar of actions, the list, and the details of the one that is open.
 * @module
 */
import { lazy, Suspense } from 'react';
import { Button } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { torrents } from '../../state/live.ts';
import { overlay } from '../../state/overlay.ts';
import { route } from '../../state/route.ts';
import { useIsLoaded, useKeys } from '../../state/use-collection.ts';
import { usePart, useValue } from '../../state/value.ts';
import { changeView, useOrder } from '../../state/view.ts';
import { Filters } from './filters.tsx';
import { Toolbar } from './toolbar.tsx';
import { TorrentList } from './torrent-list.tsx';
import { TorrentMenu } from './torrent-menu.tsx';

const Details = lazy(() =>
  import('./details.tsx').then(({ Details: View }) => ({ default: View })),
);

function NothingYet() {
  return (
    <Empty icon="transfers" title="Nothing is transferred yet">
      <p>
        Drop a torrent file anywhere on this page, paste a magnet link (Ctrl&nbsp;+&nbsp;V), or add
        one here. To give files of this machine to others, open the page <a href="#/share">Share</a>
        ; to hand one to a single person, <a href="#/send">Send</a>.
      </p>
      <Button kind="primary" icon="plus" onClick={() => overlay.set({ kind: 'add' })}>
        Add a torrent
      </Button>
    </Empty>
  );
}

function NothingFound() {
  return (
    <Empty icon="search" title="No torrent is like that">
      <Button
        onClick={() =>
          changeView({ filter: 'all', category: undefined, tag: undefined, search: '' })
        }
      >
        Show all
      </Button>
    </Empty>
  );
}

function Menu() {
  const shown = useValue(overlay);
  if (shown?.kind !== 'menu') return null;
  return <TorrentMenu key={`${shown.x} ${shown.y}`} {...shown} />;
}

export function TransfersPage() {
  const isLoaded = useIsLoaded(torrents);
  const isEmpty = useKeys(torrents).length === 0;
  const order = useOrder();
  const [id, tab] = usePart(route, ({ parts }) => parts);
  const isOpen = id !== undefined && id !== '';
  return (
    <div className={isOpen ? 'transfers has-details' : 'transfers'}>
      <h1 className="sr">Transfers</h1>
      <Toolbar order={order} />
      <Filters />
      {isLoaded && isEmpty ? <NothingYet /> : null}
      {isLoaded && !isEmpty && order.length === 0 ? <NothingFound /> : null}
      {order.length > 0 ? <TorrentList order={order} /> : null}
      {isOpen ? (
        <Suspense fallback={null}>
          <Details key={id} id={id} tab={tab ?? 'overview'} />
        </Suspense>
      ) : null}
      <Menu />
    </div>
  );
}
