/**
 * What a torrent gets from its node.
 * @module
 */
import type { ByteConnection } from '../io/tcp.ts';
import type { DhtService } from './dht-service.ts';
import type { LsdService } from './lsd-service.ts';
import type { PeerMemory } from './peer-memory.ts';
import type { Reputation } from './reputation.ts';
import type { NodePlane } from './swarm-service.ts';
import type { Torrent } from './torrent.ts';
import type { TorrentQueue } from './torrent-queue.ts';
import type { TrackerHost } from './torrent-trackers.ts';
import type { WebSeedGate } from './web-seeds.ts';

/** The node, as a torrent sees it. */
export interface TorrentHost extends TrackerHost {
  readonly plane: NodePlane;
  readonly home: string;
  readonly localHost: string | undefined;
  readonly queue: TorrentQueue<Torrent>;
  readonly reputation: Reputation;
  readonly peerMemory: PeerMemory;
  /** undefined: no local discovery. */
  readonly lsd: LsdService | undefined;
  readonly webSeedGate: WebSeedGate;
  /** Undefined: no DHT. */
  readonly dht: DhtService | undefined;
  /** Connects with a peer over a channel. @throws {AppError} ERR_PEER_UNREACHABLE. */
  readonly openWire: (peerId: string, signal: AbortSignal) => Promise<ByteConnection>;
  readonly onStopped: (torrent: Torrent) => void;
}
