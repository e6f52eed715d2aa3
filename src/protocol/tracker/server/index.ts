/**
 * The tracker's own side: keeps swarms and answers announces and scrapes of HTTP and UDP, without I/O.
 * @module
 */
export { parseAllowList } from './access.ts';
export { UDP_REPLY_LENGTH_MAX } from './constants.ts';
export type { TrackerServerFaultCode } from './errors.ts';
export type { SwarmTally } from './swarm-store.ts';
export {
  type HttpReply,
  TrackerCore,
  type TrackerCoreOptions,
  type TrackerCounters,
} from './tracker-core.ts';
