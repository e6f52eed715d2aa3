/**
 * The library: a node and its torrents, creating, checking and describing torrents.
 *
 * ```ts
 * import { PeerNode, readSource } from 'starling-p2p';
 * await using node = await PeerNode.open();
 * const torrent = await node.add({ source: await readSource(link), dir: 'downloads' });
 * console.log(await torrent.completed());
 * ```
 * @module
 */
export * from './api/index.ts';
export * from './api/transfer.ts';
// Not by way of the API: most commands would load it in vain.
export type { TrackerPicture } from './tracker-pages.ts';
export {
  readAllowList,
  type TrackerHealth,
  TrackerServer,
  type TrackerServerOptions,
} from './tracker-server.ts';
