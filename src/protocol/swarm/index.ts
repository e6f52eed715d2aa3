/**
 * The swarm engine of one torrent, without I/O: see `swarm.ts` for how to drive it.
 * @module
 */
export {
  antiLeechRule,
  type ChokeCandidate,
  type ChokeRole,
  type ChokeRule,
  fastestRule,
  reciprocateRule,
  roundRobinRule,
  type SeedRuleName,
} from './choke-rules.ts';
export type { OptimisticPolicy } from './choker.ts';
export { type Deadline, type DeadlineTotals, MAX_DEADLINES } from './deadlines.ts';
export { Swarm } from './swarm.ts';
export type {
  ChokingOptions,
  ConnectedPeer,
  PeerAddress,
  PeerOrigin,
  PeerRecord,
  PeerSource,
  PeerStatus,
  PieceOutcome,
  ProvenPeer,
  SwarmEvent,
  SwarmOptions,
  SwarmOutput,
  SwarmTotals,
} from './types.ts';
