/**
 * The swarm engine of one torrent, without I/O: see `swarm.ts` for how to drive it.
 * @module
 */
export { Swarm } from './swarm.ts';
export type {
  ConnectedPeer,
  PeerAddress,
  PeerSource,
  PeerStatus,
  PieceOutcome,
  SwarmEvent,
  SwarmOptions,
  SwarmOutput,
  SwarmTotals,
} from './types.ts';
