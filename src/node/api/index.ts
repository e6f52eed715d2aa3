/**
 * What a user interface may do with a node: the command line and, later, the dashboard know only this.
 * @module
 */
export { makeFolder } from '../../io/make-folder.ts';
export { untilAborted } from '../../io/until-aborted.ts';
export { AppError } from '../../lib/errors.ts';
export type { PeerOrigin } from '../../protocol/swarm/index.ts';
export { formatEndpoint } from '../address.ts';
export { CLIENT_NAME, defaultHome, isOffline, VERSION } from '../config.ts';
export { type CreatedTorrent, type CreateOptions, createTorrent } from '../create.ts';
export { type NodeErrorCode, nodeError } from '../errors.ts';
export { hexHashes } from '../hex-hashes.ts';
export {
  browserSupportOf,
  isPlayable,
  mediaKindOf,
  mediaTypeOf,
  type Subtitles,
  subtitlesOf,
} from '../media/media.ts';
export { type ReadOptions, readTorrentFile } from '../media/reader.ts';
export {
  contentDisposition,
  type MediaRequest,
  respondMedia,
  vttHeaders,
} from '../media/respond.ts';
export { srtToVtt } from '../media/srt.ts';
export { type NodeOptions, type NodeQueue, PeerNode } from '../peer-node.ts';
export { type FoundPeer, PeerSearch } from '../peer-search.ts';
export type { NeededPiece, NeededRange } from '../playback.ts';
export { describeMapping, type PortMappingStatus } from '../port-mapping.ts';
export type { QueueLimits } from '../queue-plan.ts';
export { type Acquaintance, Reputation } from '../reputation.ts';
export { scrapeTrackers, type TrackerScrape } from '../scrape.ts';
export type { ShareAction, ShareLimits, ShareReason } from '../share-limits.ts';
export {
  describeSource,
  isPublicationLink,
  readSource,
  sourceFromBytes,
  type TorrentDescription,
} from '../source.ts';
export { Torrent } from '../torrent.ts';
export type { RateLimits } from '../torrent-gates.ts';
export type { QueueMove } from '../torrent-queue.ts';
export type {
  AddOptions,
  Summary,
  TorrentEvents,
  TorrentSource,
  TorrentState,
  TorrentStatus,
} from '../torrent-types.ts';
export { type FileReport, type VerifyReport, verifyFiles } from '../verify.ts';
export type { WebPlace, WebSeedServer } from '../web-seed-server.ts';
