/**
 * The peers that a torrent is connected to.
 * @module
 */
import type { TorrentPeer } from '../../../contract/index.ts';
import { Name } from '../../parts/name.tsx';
import { Table } from '../../parts/table.tsx';
import { useParts } from '../../state/parts-of-torrent.ts';
import { bytesText, rateText } from '../../words/format.ts';

// Implementation limits
/** Peers shown, the fastest first: more cannot be told apart by looking. */
const MAX_SHOWN_PEERS = 200;

/** What stands between the two, in words. */
function standing(peer: TorrentPeer): string {
  const parts = [
    peer.isWebSeed ? 'web seed' : peer.isSeed ? 'seed' : 'leech',
    peer.isIncoming ? 'came in' : 'dialled',
    ...(peer.amInterested && peer.isChokingUs ? ['chokes us'] : []),
    ...(peer.isInterested && peer.amChoking ? ['choked'] : []),
    ...(peer.isSnubbed ? ['snubbed'] : []),
  ];
  return parts.join(', ');
}

export function PeersTab() {
  const peers = useParts('peer');
  if (peers.length === 0) {
    return (
      <p className="hint">
        No peer is connected. Peers come from trackers, the DHT, the local network and other peers;
        the page <a href="#/network">Network</a> tells whether this node can be reached.
      </p>
    );
  }
  const rate = (peer: TorrentPeer): number => peer.downloadBytesPerSec + peer.uploadBytesPerSec;
  const shown = [...peers]
    .sort((a, b) => rate(b) - rate(a) || a.id - b.id)
    .slice(0, MAX_SHOWN_PEERS);
  return (
    <>
      <Table
        caption="Peers"
        rows={shown}
        keyOf={({ id }) => id}
        columns={[
          { head: 'Address', cell: ({ address }) => <Name text={address} /> },
          { head: 'Client', cell: ({ client }) => <Name text={client} /> },
          { head: 'Found by', cell: ({ source }) => source },
          { head: 'Standing', cell: standing },
          { head: 'Down', isNumber: true, cell: (peer) => rateText(peer.downloadBytesPerSec) },
          { head: 'Up', isNumber: true, cell: (peer) => rateText(peer.uploadBytesPerSec) },
          { head: 'Downloaded', isNumber: true, cell: (peer) => bytesText(peer.downloadedBytes) },
          { head: 'Uploaded', isNumber: true, cell: (peer) => bytesText(peer.uploadedBytes) },
        ]}
      />
      {peers.length > shown.length ? (
        <p className="hint">and {peers.length - shown.length} more that are slower</p>
      ) : null}
    </>
  );
}
