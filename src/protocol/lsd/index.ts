/**
 * Local service discovery (BEP 14), without I/O.
 * @module
 */
export { encodeAnnounce, type LsdAnnounce, parseAnnounce } from './codec.ts';
export { LSD_GROUPS, LSD_PORT } from './constants.ts';
export type { LsdFaultCode } from './errors.ts';
export { LocalDiscovery, type LsdOutput, type LsdUrgency } from './local-discovery.ts';
