/**
 * The test vectors of `docs/protocol/send-transfer.md`, made by the code; `tools/gen-docs.ts` writes them.
 * @module
 */
import { hash } from 'node:crypto';
import { toHex } from '../src/lib/bytes.ts';
import type { Crypto } from '../src/lib/ports.ts';
import {
  contentDigest,
  encodeManifest,
  type Manifest,
  manifestInfo,
  placeEntries,
  transferHash,
} from '../src/protocol/send/index.ts';

const crypto: Crypto = {
  sha1: (bytes) => new Uint8Array(hash('sha1', bytes, 'buffer')),
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
};

const MTIME_MS = 1_700_000_000_123;
const MANIFESTS: readonly { readonly manifest: Manifest; readonly contents: readonly string[] }[] =
  [
    {
      manifest: {
        kind: 'files',
        name: 'album',
        entries: [
          { kind: 'folder', path: [], mode: 0o755, mtimeMs: MTIME_MS },
          { kind: 'file', path: ['a-b'], sizeBytes: 3, mode: 0o644, mtimeMs: MTIME_MS },
          { kind: 'folder', path: ['a'], mode: 0o700, mtimeMs: 0 },
          { kind: 'file', path: ['a', 'ö.txt'], sizeBytes: 6, mode: 0o600, mtimeMs: -1 },
          { kind: 'folder', path: ['empty'], mode: 0o755, mtimeMs: MTIME_MS },
          { kind: 'link', path: ['latest'], target: ['a', 'ö.txt'] },
          { kind: 'file', path: ['nothing'], sizeBytes: 0, mode: 0o444, mtimeMs: MTIME_MS },
        ],
      },
      // In the order of the canonical form.
      contents: ['second', 'one', ''],
    },
    {
      manifest: {
        kind: 'text',
        name: 'message.txt',
        entries: [{ kind: 'file', path: [], sizeBytes: 5, mode: 0o600, mtimeMs: MTIME_MS }],
      },
      contents: ['hello'],
    },
  ];

/** The text of docs/protocol/vectors/manifest.json. */
export function manifestVectors(): string {
  const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);
  const vectors = MANIFESTS.map(({ manifest, contents }) => {
    const bytes = encodeManifest(manifest);
    const transfer = transferHash(bytes, nonce, crypto);
    const placed = placeEntries(manifest, 'portable');
    if (!placed.ok) throw new Error(placed.message);
    const info = manifestInfo(manifest, placed.value.paths, transfer);
    const files = manifest.entries
      .filter((entry) => entry.kind === 'file')
      .map(({ path }) => path)
      .sort((a, b) => (a.join('\0') < b.join('\0') ? -1 : 1))
      .map((path, i) => ({ path, sha256: crypto.sha256(new TextEncoder().encode(contents[i]!)) }));
    return {
      manifest,
      bytes: toHex(bytes),
      nonce: toHex(nonce),
      hash: toHex(transfer),
      pieceLength: info.pieceLengthBytes,
      contents: Object.fromEntries(files.map(({ path }, i) => [path.join('/'), contents[i]])),
      digest: toHex(contentDigest(files, crypto)),
    };
  });
  return `${JSON.stringify(vectors, undefined, 2)}\n`;
}
