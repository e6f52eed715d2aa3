/**
 * The details of one torrent, below the list; in a narrow window they are the page.
 * @module
 */
import { useEffect } from 'react';
import type { TorrentDetails } from '../../../contract/index.ts';
import { IconButton } from '../../parts/button.tsx';
import { Name } from '../../parts/name.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { act } from '../../state/actions.ts';
import { torrent, torrents, useTopics } from '../../state/live.ts';
import { overlay } from '../../state/overlay.ts';
import { historyOf } from '../../state/rate-history.ts';
import { go, href } from '../../state/route.ts';
import { useIsLoaded, useRow } from '../../state/use-collection.ts';
import { FilesTab } from './files-tab.tsx';
import { OverviewTab } from './overview-tab.tsx';
import { PeersTab } from './peers-tab.tsx';
import { PiecesTab } from './pieces-tab.tsx';
import { SourcesTab } from './sources-tab.tsx';
import { SpeedTab } from './speed-tab.tsx';
import { TrackersTab } from './trackers-tab.tsx';

const TABS = [
  ['overview', 'Overview'],
  ['files', 'Files'],
  ['peers', 'Peers'],
  ['trackers', 'Trackers'],
  ['pieces', 'Pieces'],
  ['speed', 'Speed'],
  ['sources', 'Sources'],
] as const;
type Tab = (typeof TABS)[number][0];

const GONE = 'This torrent is not here, or not any more.';

/** The row "details" of the torrent that is looked at. */
export function useDetails(): TorrentDetails | undefined {
  return useRow(torrent, 'details') as TorrentDetails | undefined;
}

function Panel({ id, tab }: { readonly id: string; readonly tab: Tab }) {
  const details = useDetails();
  const isLoaded = useIsLoaded(torrent);
  if (details === undefined) {
    return <p className="hint">{isLoaded ? GONE : 'Loading …'}</p>;
  }
  switch (tab) {
    case 'overview':
      return <OverviewTab details={details} />;
    case 'files':
      return <FilesTab id={id} />;
    case 'peers':
      return <PeersTab id={details.id} />;
    case 'trackers':
      return <TrackersTab details={details} />;
    case 'pieces':
      return <PiecesTab details={details} />;
    case 'speed':
      return <SpeedTab id={id} />;
    case 'sources':
      return <SourcesTab />;
  }
}

function Actions({ id, isPaused }: { readonly id: string; readonly isPaused: boolean }) {
  return (
    <>
      <IconButton
        icon={isPaused ? 'play' : 'pause'}
        label={isPaused ? 'Resume' : 'Pause'}
        onClick={() => void act(isPaused ? 'resume' : 'pause', [id])}
      />
      <IconButton
        icon="settings"
        label="Change"
        onClick={() => overlay.set({ kind: 'change', ids: [id] })}
      />
      <IconButton
        icon="remove"
        label="Remove"
        onClick={() => overlay.set({ kind: 'remove', ids: [id] })}
      />
      <IconButton
        icon="more"
        label="More"
        aria-haspopup="menu"
        onClick={({ currentTarget }) => {
          const { right, bottom } = currentTarget.getBoundingClientRect();
          overlay.set({ kind: 'menu', ids: [id], x: right, y: bottom });
        }}
      />
    </>
  );
}

export function Details({ id, tab }: { readonly id: string; readonly tab: string }) {
  useTopics(`torrent:${id}`);
  // The plot of rates begins when the torrent is looked at, not when its tab is.
  useEffect(() => void historyOf(id), [id]);
  const row = useRow(torrents, id);
  // The node tells nothing more of a torrent that it does not have; what it told before must not stand there as if it were so.
  const isListLoaded = useIsLoaded(torrents);
  const isGone = isListLoaded && row === undefined;
  const current = TABS.some(([key]) => key === tab) ? (tab as Tab) : 'overview';
  const isPaused = row?.state === 'paused' || row?.state === 'stopped';
  return (
    <section
      className="details"
      aria-label="Details"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        go(href('transfers'));
        document.getElementById('torrents')?.focus();
      }}
    >
      <header className="details-head">
        <h2>
          <Name text={row?.name ?? id} />
        </h2>
        {isGone ? null : <Actions id={id} isPaused={isPaused} />}
        <IconButton icon="close" label="Close the details" onClick={() => go(href('transfers'))} />
      </header>
      {isGone ? (
        <p className="hint tab-panel">{GONE}</p>
      ) : (
        <Tabs
          label="Details"
          tabs={TABS}
          value={current}
          onChange={(key) => go(href('transfers', id, key), true)}
        >
          <Panel id={id} tab={current} />
        </Tabs>
      )}
    </section>
  );
}
