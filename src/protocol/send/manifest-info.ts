/**
 * A manifest as the swarm engine takes it: one dense piece space without hashes, and where each entry lies on disk.
 *
 * Spec: docs/protocol/send-transfer.md. The 20 bytes that stand for an infoHash hold a nonce that only the two ends know: nobody else can name the transfer.
 * Names are made safe by the rules of torrents (`metainfo/paths.ts`): what invisible or control characters, other systems' separators, device names
 * of Windows or letter case would do harm with is changed, and the change is told.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { Crypto } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import {
  type Info,
  type NameRules,
  PathSet,
  safeComponent,
  type TorrentFile,
} from '../metainfo/index.ts';
import type { Manifest } from './manifest.ts';
import type { ManifestErrorCode } from './manifest-errors.ts';

// Specification constants
const DOMAIN: Uint8Array = fromLatin1('starling-transfer-1');
/** Bytes of the nonce. */
export const TRANSFER_NONCE_BYTES = 16;
const INFO_HASH_BYTES = 20;
/** One part of the data plane: resuming loses little, and 16,384 of them reach 16 GiB. */
const MIN_PIECE_BYTES: number = 1024 * 1024;
const AIMED_PIECE_COUNT = 16_384;

/** How entries are called on this machine's disk. */
export interface Placement {
  /** For each entry: its names from the top down, the top's own first. */
  readonly paths: readonly (readonly string[])[];
  /** Entries that are called otherwise than the sender calls them, because their own last name is. */
  readonly renamed: readonly number[];
}

/** Gives every entry its place at the receiver's. */
export function placeEntries(
  manifest: Manifest,
  rules: NameRules,
): Result<Placement, ManifestErrorCode> {
  const paths: (readonly string[])[] = [];
  const renamed: number[] = [];
  const names = new PathSet(rules);
  // Where the folders above the entry lie: each comes before what is in it.
  const above: (readonly string[])[] = [];
  for (const [index, { path }] of manifest.entries.entries()) {
    const own = path.at(-1) ?? manifest.name;
    const safe = safeComponent(toLatin1(encodeUtf8(own)), rules);
    const folder = path.length === 0 ? [] : above[path.length - 1]!;
    const place = names.addFile([...folder, safe === '' ? '_' : safe]);
    if (place === undefined) {
      return fail(
        'ERR_MANIFEST_TOO_MANY_DUPLICATE_NAMES',
        'expected few names that differ in letter case or unsafe characters alone, got too many to rename',
      );
    }
    above[path.length] = place;
    paths.push(place);
    if (place.at(-1) !== own) renamed.push(index);
  }
  return ok({ paths, renamed });
}

/** What names a transfer, 20 bytes. @param nonce 16 bytes that the sender drew for it. @throws RangeError for a nonce of another length. */
export function transferHash(
  manifestBytes: Uint8Array,
  nonce: Uint8Array,
  crypto: Crypto,
): Uint8Array {
  if (nonce.length !== TRANSFER_NONCE_BYTES) {
    throw new RangeError(`nonce: expected ${TRANSFER_NONCE_BYTES} bytes, got ${nonce.length}`);
  }
  const digest = crypto.sha256(concatBytes(DOMAIN, manifestBytes, nonce));
  return new Uint8Array(digest.subarray(0, INFO_HASH_BYTES));
}

/** Bytes of a piece: 1 MiB, doubled until 16,384 pieces hold all. */
export function transferPieceBytes(totalBytes: number): number {
  let bytes = MIN_PIECE_BYTES;
  while (bytes * AIMED_PIECE_COUNT < totalBytes && bytes < 2 ** 29) bytes *= 2;
  return bytes;
}

/** The engine's view of a manifest. @param paths where each entry lies. Its files are the manifest's, in order; folders and links are left out. */
export function manifestInfo(
  manifest: Manifest,
  paths: Placement['paths'],
  hash: Uint8Array,
): Info {
  const files: TorrentFile[] = [];
  let totalBytes = 0;
  for (const [index, entry] of manifest.entries.entries()) {
    if (entry.kind !== 'file') continue;
    files.push({
      path: paths[index]!,
      lengthBytes: entry.sizeBytes,
      offsetBytes: totalBytes,
      isPad: false,
      isExecutable: false,
      isHidden: false,
    });
    totalBytes += entry.sizeBytes;
  }
  const pieceLengthBytes = transferPieceBytes(totalBytes);
  return {
    version: 'unhashed',
    name: paths[0]!.at(-1)!,
    isSingleFile: manifest.entries[0]!.kind === 'file',
    pieceLengthBytes,
    pieceCount: Math.ceil(totalBytes / pieceLengthBytes),
    files,
    totalBytes,
    // Nobody is told of it, nor remembered.
    isPrivate: true,
    infoHashV1: hash,
    infoBytes: new Uint8Array(0),
  };
}
