/**
 * What a core tells of its peers, in the words of a torrent's events.
 * @module
 */
import type { EventEmitter } from 'node:events';
import type { SwarmEvent } from '../protocol/swarm/index.ts';
import { formatEndpoint } from './address.ts';
import type { TorrentEvents } from './torrent-types.ts';

/** Events that concern peers alone. */
export type PeerEvent = Extract<
  SwarmEvent,
  { type: 'piece-failed' | 'peer-connected' | 'dial-failed' | 'peer-closed' | 'peer-banned' }
>;

/** Emits the event of a torrent that stands for one of its core. */
export function tellPeerEvent(torrent: EventEmitter<TorrentEvents>, event: PeerEvent): void {
  if (event.type === 'piece-failed') {
    const peers = event.peers.map((peer) => formatEndpoint(peer));
    torrent.emit('piece-failed', { piece: event.piece, peers });
    return;
  }
  const address = formatEndpoint(event.address);
  switch (event.type) {
    case 'peer-connected':
      torrent.emit('peer-connected', { address, source: event.source });
      return;
    case 'dial-failed':
      torrent.emit('peer-failed', { address, source: event.source, reason: event.reason });
      return;
    case 'peer-closed':
      torrent.emit('peer-closed', { address, reason: event.reason });
      return;
    case 'peer-banned':
      torrent.emit('peer-banned', { address, reason: event.reason });
      return;
  }
}
