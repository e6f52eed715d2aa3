/**
 * Torrents without content: sizes and layout are real, hashes are drawn, so a piece is "right" when nobody marked a block of it as corrupt.
 * @module
 */

import { concatBytes } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  buildTorrent,
  type CreateFile,
  type Info,
  merkleRoot,
  PieceLayout,
  parseMetainfo,
  planTorrent,
  type TorrentVersion,
  VERSION_TRAITS,
} from '../../src/protocol/metainfo/index.ts';
import type { PieceOutcome } from '../../src/protocol/swarm/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';

/** A torrent and the truth about its pieces. */
export interface SimTorrent {
  readonly info: Info;
  readonly layout: PieceLayout;
  readonly layers: ReadonlyMap<string, Uint8Array>;
  /** What hashing a piece gives. */
  outcomeOf(piece: number, isCorrupt: boolean): PieceOutcome;
  /** What digesting the blocks of a piece gives, 32 bytes each. @param corrupt blocks with wrong bytes. */
  digestsOf(piece: number, corrupt: ReadonlySet<number>): Uint8Array;
}

/** Draws a torrent. @param seed its hashes, and so its info-hash. */
export function simTorrent(options: {
  readonly seed: number;
  readonly version?: TorrentVersion;
  readonly pieceLengthBytes?: number;
  /** Default: one file of 64 pieces less 1,000 bytes. */
  readonly files?: readonly CreateFile[];
}): SimTorrent {
  const { version = 'v1' } = options;
  const pieceLengthBytes = options.pieceLengthBytes ?? 65_536;
  const files = options.files ?? [{ path: ['a'], lengthBytes: 64 * pieceLengthBytes - 1000 }];
  const plan = planTorrent(files, {
    name: 'sim',
    isSingleFile: files.length === 1,
    version: version === 'unhashed' ? 'v1' : version,
    pieceLengthBytes,
  });
  const rng = new Rng(options.seed);
  const piecesV1 = rng.bytes(20 * plan.pieceCount);
  // Trees are real down to their leaves, since those may be asked for.
  const leafSeed = rng.bytes(8);
  const leafOf = (piece: number, block: number): Uint8Array =>
    nodeCrypto.sha256(concatBytes(leafSeed, Uint8Array.of(piece >> 16, piece >> 8, piece, block)));
  const leavesOf = (piece: number, count: number): Uint8Array =>
    concatBytes(...Array.from({ length: count }, (_, block) => leafOf(piece, block)));
  const piecesV2 = new Uint8Array(32 * plan.pieceCount);
  if (plan.version !== 'v1') {
    const shape = new PieceLayout(plan);
    for (let piece = 0; piece < plan.pieceCount; piece += 1) {
      const leaves = leavesOf(piece, shape.v2LeafCount(piece));
      piecesV2.set(merkleRoot(nodeCrypto, leaves, shape.v2LeafWidth(piece)), 32 * piece);
    }
  }
  const bytes = buildTorrent(plan, { piecesV1, piecesV2 }, {}, nodeCrypto);
  const parsed = parseMetainfo(bytes, nodeCrypto);
  if (!parsed.ok) throw new Error(`a drawn torrent did not parse: ${parsed.message}`);
  const { pieceLayers } = parsed.value;
  const info = version === 'unhashed' ? withoutHashes(parsed.value.info) : parsed.value.info;
  const layout = new PieceLayout(info);
  const { hasV1, hasV2 } = VERSION_TRAITS[info.version];
  return {
    info,
    layout,
    digestsOf(piece, corrupt) {
      const digests = leavesOf(piece, layout.blockCount(piece));
      for (const block of corrupt) digests[32 * block]! ^= 1;
      return digests;
    },
    layers: pieceLayers,
    outcomeOf(piece, isCorrupt) {
      const flip = isCorrupt ? 1 : 0;
      const digest = (all: Uint8Array, size: number): Uint8Array => {
        const own = all.slice(piece * size, (piece + 1) * size);
        own[0]! ^= flip;
        return own;
      };
      return {
        ...(hasV1 ? { v1: digest(piecesV1, 20) } : {}),
        ...(hasV2 ? { v2: digest(piecesV2, 32) } : {}),
      };
    },
  };
}

/** As a transfer between two people: nothing says what a piece must be. */
function withoutHashes({ piecesV1: _, ...info }: Info): Info {
  return { ...info, version: 'unhashed', isPrivate: true, infoBytes: new Uint8Array(0) };
}
