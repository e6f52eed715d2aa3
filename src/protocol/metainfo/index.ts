/**
 * Torrents and magnet links: parsed, checked, created; the layout of pieces over files; v2 hash trees.
 * @module
 */
export {
  buildTorrent,
  type CreateFile,
  type PieceHashes,
  type Plan,
  type PlanOptions,
  planTorrent,
  type TorrentExtras,
} from './create.ts';
export type {
  CreateErrorCode,
  CreateErrorDetails,
  MagnetErrorCode,
  MerkleErrorCode,
  MetainfoErrorCode,
} from './errors.ts';
export { type ParseOptions, parseInfo } from './info.ts';
export { type LayoutInfo, PieceLayout, type PieceRun } from './layout.ts';
export { BLOCK_LENGTH_BYTES, MAX_PIECE_COUNT, MAX_PIECE_LENGTH_BYTES } from './limits.ts';
export {
  formatMagnet,
  formatPublicationLink,
  type MagnetParts,
  parseMagnet,
  parsePublicationLink,
} from './magnet.ts';
export {
  HASH_RANGE_LENGTH,
  type HashRange,
  HashTree,
  merkleRoot,
  nextPowerOfTwo,
  type PieceLeaves,
  padHash,
  pieceLayerOf,
  rootOfPieceLayer,
  serveBelowPiece,
  uncleCount,
  verifyHashesProof,
} from './merkle.ts';
export { parseMetainfo, verifyPieceLayers } from './metainfo.ts';
export { type NameRules, PathSet, safeComponent, safePath } from './paths.ts';
export type {
  HashedVersion,
  Info,
  Magnet,
  Metainfo,
  PublicationLink,
  Segment,
  TorrentFile,
  TorrentVersion,
  VersionTraits,
} from './types.ts';
export { VERSION_TRAITS } from './types.ts';
