/**
 * The part of the API that runs torrents over channels: apart, so that nothing else is loaded for it.
 * @module
 */
export { openSecureSwarm } from '../channel/secure-swarm.ts';
