/**
 * The trackers of a torrent, and its web seeds.
 * @module
 */
import type { TorrentDetails, TorrentTracker } from '../../../contract/index.ts';
import { formatTiers, type Tiers } from '../../../contract/tiers.ts';
import { Button } from '../../parts/button.tsx';
import { Name } from '../../parts/name.tsx';
import { Table } from '../../parts/table.tsx';
import { act } from '../../state/actions.ts';
import { overlay } from '../../state/overlay.ts';
import { useParts } from '../../state/parts-of-torrent.ts';
import { durationText } from '../../words/format.ts';

function byTier(trackers: readonly TorrentTracker[]): Tiers {
  const tiers = Map.groupBy(trackers, ({ tier }) => tier);
  return [...tiers.values()].map((tier) => tier.map(({ url }) => url));
}

export function TrackersTab({ details }: { readonly details: TorrentDetails }) {
  const trackers = useParts('tracker');
  const { webSeeds } = details;
  return (
    <>
      {trackers.length === 0 ? (
        <p className="hint">It has no trackers: peers are found without them.</p>
      ) : (
        <Table
          caption="Trackers"
          rows={trackers}
          keyOf={({ tier, url }) => `${tier} ${url}`}
          columns={[
            { head: 'Tier', isNumber: true, cell: ({ tier }) => tier + 1 },
            { head: 'Tracker', cell: ({ url }) => <Name text={url} /> },
            {
              head: 'State',
              cell: ({ activity, error, warning }) =>
                error === null ? (
                  <Name text={warning ?? activity} />
                ) : (
                  <Name className="bad" text={error} />
                ),
            },
            { head: 'Seeds', isNumber: true, cell: ({ seeds }) => seeds ?? '' },
            { head: 'Leeches', isNumber: true, cell: ({ leeches }) => leeches ?? '' },
            { head: 'Peers told', isNumber: true, cell: (each) => each.peersReceived },
            {
              head: 'Next in',
              isNumber: true,
              cell: ({ nextAnnounceInSeconds: next }) => (next === null ? '' : durationText(next)),
            },
          ]}
        />
      )}
      <div className="row-of-buttons">
        {trackers.length === 0 ? null : (
          <Button icon="recheck" onClick={() => void act('reannounce', [details.id])}>
            Ask them now
          </Button>
        )}
        <Button
          icon="pen"
          onClick={() =>
            overlay.set({ kind: 'trackers', id: details.id, text: formatTiers(byTier(trackers)) })
          }
        >
          Change …
        </Button>
      </div>
      {webSeeds.length === 0 ? null : (
        <Table
          caption="Web seeds"
          rows={webSeeds}
          keyOf={({ url }) => url}
          columns={[
            { head: 'Web seed', cell: ({ url }) => <Name text={url} /> },
            {
              head: 'State',
              cell: ({ isBanned, isConnected, failure }) =>
                failure !== null ? (
                  <Name className="bad" text={failure} />
                ) : isBanned ? (
                  'banned: it sent bad data'
                ) : isConnected ? (
                  'connected'
                ) : (
                  'idle'
                ),
            },
          ]}
        />
      )}
    </>
  );
}
