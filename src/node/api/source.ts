/**
 * The part of the API that describes torrents: apart, so that `info` starts without loading a node.
 * @module
 */
export { describeSource, readSource, type TorrentDescription } from '../source.ts';
