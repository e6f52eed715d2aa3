/**
 * The torrents that runs are about: every version, with and without piece layers, with pads, with metadata of several pieces.
 * @module
 */
import { toHex } from '../../../src/lib/bytes.ts';
import { HashTree } from '../../../src/protocol/metainfo/index.ts';
import type { HashRange } from '../../../src/protocol/peer-wire/index.ts';
import { type SimTorrent, simTorrent } from '../../simulation/swarm-torrent.ts';
import { nodeCrypto } from '../../support/node-crypto.ts';

/** A torrent, and what an honest v2 peer knows of it. */
export interface FuzzTorrent extends SimTorrent {
  /** The right answer to a `hash-request` of the core, or undefined when an honest peer rejects it. */
  hashesFor(range: HashRange): Uint8Array | undefined;
  /** Pieces whose hash is not known without the piece layers. */
  readonly layered: ReadonlySet<number>;
  /** The pieces of the first file with this root, as first and count; undefined when there is none. */
  piecesOfRoot(root: Uint8Array): { first: number; count: number } | undefined;
}

function withHashes(torrent: SimTorrent): FuzzTorrent {
  const { info, layout } = torrent;
  const trees = new Map<string, HashTree>();
  const layered = new Set<number>();
  for (const [index, file] of info.files.entries()) {
    if (file.piecesRoot === undefined || file.lengthBytes <= info.pieceLengthBytes) continue;
    const { first, count } = layout.filePieces(index);
    const root = toHex(file.piecesRoot);
    const layer = torrent.layers.get(root)!;
    trees.set(root, new HashTree(nodeCrypto, file.piecesRoot, count, info.pieceLengthBytes, layer));
    if (info.version === 'v2') for (let i = 0; i < count; i += 1) layered.add(first + i);
  }
  const piecesOfRoot = (root: Uint8Array): { first: number; count: number } | undefined => {
    const index = info.files.findIndex(
      ({ piecesRoot }) => piecesRoot !== undefined && toHex(piecesRoot) === toHex(root),
    );
    return index < 0 ? undefined : layout.filePieces(index);
  };
  return {
    ...torrent,
    layered,
    piecesOfRoot,
    hashesFor(range) {
      if (range.baseLayer > 0) return trees.get(toHex(range.root))?.serve(range);
      const pieces = piecesOfRoot(range.root);
      if (pieces === undefined) return undefined;
      const piece = pieces.first + Math.floor(range.index / range.length);
      const leaves = new Uint8Array(range.length * 32);
      leaves.set(torrent.digestsOf(piece, new Set()));
      return leaves;
    },
  };
}

const MANY_FILES = Array.from({ length: 220 }, (_, i) => ({
  path: ['a folder with a name of some length', `file number ${i} ${'x'.repeat(60)}`],
  lengthBytes: 1 + ((i * 7_919) % 3_000),
}));

/** All of them. */
export const FUZZ_TORRENTS: readonly FuzzTorrent[] = [
  simTorrent({
    seed: 1,
    files: [{ path: ['a'], lengthBytes: 20 * 32_768 - 1_000 }],
    pieceLengthBytes: 32_768,
  }),
  simTorrent({ seed: 2, files: MANY_FILES, pieceLengthBytes: 16_384 }),
  simTorrent({
    seed: 3,
    version: 'v2',
    pieceLengthBytes: 32_768,
    files: [
      { path: ['a'], lengthBytes: 9 * 32_768 + 20_000 },
      { path: ['b'], lengthBytes: 20_000 },
      { path: ['c'], lengthBytes: 3 * 32_768 },
    ],
  }),
  simTorrent({
    seed: 4,
    version: 'hybrid',
    pieceLengthBytes: 65_536,
    files: [
      { path: ['a'], lengthBytes: 3 * 65_536 + 5 },
      { path: ['b'], lengthBytes: 20_000 },
      { path: ['c'], lengthBytes: 4 * 65_536 + 30_000 },
    ],
  }),
].map(withHashes);
