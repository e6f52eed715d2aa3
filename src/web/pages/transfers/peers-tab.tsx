/**
 * The peers that a torrent is connected to.
 * @module
 */
import { useState } from 'react';
import type { TorrentPeer } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Name } from '../../parts/name.tsx';
import { Table } from '../../parts/table.tsx';
import { request } from '../../state/api.ts';
import { attempt } from '../../state/notice.ts';
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

/** For a peer that somebody told of. */
function AddPeer({ id }: { readonly id: string }) {
  const [address, setAddress] = useState('');
  const add = async (): Promise<void> => {
    const body = { peers: [address.trim()] };
    const news = `Dialling ${address.trim()}.`;
    if (await attempt(() => request('POST', `/torrents/${id}/peers`, body), news)) setAddress('');
  };
  return (
    <form
      className="row-of-buttons"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <input
        type="text"
        aria-label="Address of a peer"
        placeholder="192.0.2.7:6881"
        spellCheck={false}
        value={address}
        onChange={({ target }) => setAddress(target.value)}
      />
      <Button icon="plus" isSubmit disabled={address.trim() === ''}>
        Dial
      </Button>
    </form>
  );
}

export function PeersTab({ id }: { readonly id: string }) {
  const peers = useParts('peer');
  return (
    <>
      {peers.length === 0 ? (
        <p className="hint">
          No peer is connected. Peers come from trackers, the DHT, the local network and other
          peers; the page <a href="#/network">Network</a> tells whether this node can be reached.
        </p>
      ) : (
        <PeerTable peers={peers} />
      )}
      <AddPeer id={id} />
    </>
  );
}

function PeerTable({ peers }: { readonly peers: readonly TorrentPeer[] }) {
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
