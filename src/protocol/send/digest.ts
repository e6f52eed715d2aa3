/**
 * The digest of what was sent, comparable with what `sha256sum` says.
 *
 * Spec: docs/protocol/send-transfer.md. Of one file: its SHA-256. Of a folder: the SHA-256 of what
 * `find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum` prints in it, links left out.
 * @module
 */
import { compareBytes, concatBytes, fromLatin1, joinBytes, toHex } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';

/** A file with its digest. */
export interface DigestedFile {
  /** Names below the top folder; none for a file that is the top itself. */
  readonly path: readonly string[];
  /** SHA-256 of its bytes. */
  readonly sha256: Uint8Array;
}

/** The digest of all files together, 32 bytes. @param files in any order, each path once. */
export function contentDigest(files: readonly DigestedFile[], crypto: Crypto): Uint8Array {
  const only = files[0];
  if (files.length === 1 && only!.path.length === 0) return only!.sha256;
  const named = files.map(({ path, sha256 }) => {
    return { path: encodeUtf8(`./${path.join('/')}`), sha256 };
  });
  named.sort((a, b) => compareBytes(a.path, b.path));
  return crypto.sha256(joinBytes(named.map(lineOf)));
}

/** As `sha256sum` writes it: a backslash in front where the name needs one in it. */
function lineOf({ path, sha256 }: { path: Uint8Array; sha256: Uint8Array }): Uint8Array {
  const isPlain = path.every((byte) => byte !== 0x5c && byte !== 0x0a && byte !== 0x0d);
  const hex = toHex(sha256);
  if (isPlain) return concatBytes(fromLatin1(`${hex}  `), path, fromLatin1('\n'));
  const escaped = Array.from(path, (byte) => ESCAPES.get(byte) ?? String.fromCharCode(byte));
  return fromLatin1(`\\${hex}  ${escaped.join('')}\n`);
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x5c, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
]);
