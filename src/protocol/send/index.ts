/**
 * Sending to a person: what a transfer consists of, and the digest both ends compare.
 * @module
 */
export { contentDigest, type DigestedFile } from './digest.ts';
export {
  decodeManifest,
  encodeManifest,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_ENTRIES,
  MAX_TEXT_BYTES,
  type Manifest,
  type ManifestEntry,
  type ManifestFile,
  type ManifestKind,
} from './manifest.ts';
export type { ManifestErrorCode } from './manifest-errors.ts';
export {
  manifestInfo,
  type Placement,
  placeEntries,
  TRANSFER_NONCE_BYTES,
  transferHash,
} from './manifest-info.ts';
