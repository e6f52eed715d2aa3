/**
 * The part of the API that `starling tracker` needs, apart from the rest, which would make its start slower.
 * @module
 */
export { readAllowList, TrackerServer } from '../tracker-server.ts';
