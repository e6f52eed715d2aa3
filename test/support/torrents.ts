/**
 * Makes torrents of given content for tests, hashed by the layout exactly as the data plane does it.
 * @module
 */
import { concatBytes } from '../../src/lib/bytes.ts';
import {
  buildTorrent,
  type CreateFile,
  merkleRoot,
  type PieceLayout,
  type Plan,
  type PlanOptions,
  planTorrent,
  type TorrentExtras,
} from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from './node-crypto.ts';

/** A file with its bytes. */
export interface ContentFile extends Omit<CreateFile, 'lengthBytes'> {
  readonly bytes: Uint8Array;
}

/** The bytes of a piece, pads as zeros. @param contents of the layout's files, undefined for pads. */
export function pieceOf(
  layout: PieceLayout,
  contents: readonly (Uint8Array | undefined)[],
  piece: number,
): Uint8Array {
  const parts = layout.segments(piece).map((segment) => {
    const { fileIndex, fileOffsetBytes, lengthBytes } = segment;
    const bytes = contents[fileIndex] ?? new Uint8Array(fileOffsetBytes + lengthBytes);
    return bytes.subarray(fileOffsetBytes, fileOffsetBytes + lengthBytes);
  });
  return concatBytes(...parts);
}

/** The v2 root of a piece: leaves of 16 KiB of the file's own bytes, zero leaves up to `width`. */
export function pieceRootV2(bytes: Uint8Array, width: number): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) {
    leaves.push(nodeCrypto.sha256(bytes.subarray(at, at + 16_384)));
  }
  return merkleRoot(nodeCrypto, concatBytes(...leaves), width);
}

/** A torrent of given content, with its plan. */
export function makeTorrent(
  files: readonly ContentFile[],
  options: PlanOptions,
  extras: TorrentExtras = {},
): { readonly bytes: Uint8Array; readonly plan: Plan } {
  const plan = planTorrent(
    files.map(({ bytes, ...file }) => ({ ...file, lengthBytes: bytes.length })),
    options,
  );
  const contents = plan.sourceIndices.map((source) => files[source]?.bytes);
  const { layout } = plan;
  const v1: Uint8Array[] = [];
  const v2: Uint8Array[] = [];
  for (let piece = 0; piece < plan.pieceCount; piece += 1) {
    const bytes = pieceOf(layout, contents, piece);
    if (plan.version !== 'v2') v1.push(nodeCrypto.sha1(bytes));
    if (plan.version === 'v1') continue;
    v2.push(pieceRootV2(bytes.subarray(0, layout.wantedBytes(piece)), layout.v2LeafWidth(piece)));
  }
  const hashes = {
    ...(plan.version !== 'v2' && { piecesV1: concatBytes(...v1) }),
    ...(plan.version !== 'v1' && { piecesV2: concatBytes(...v2) }),
  };
  return { bytes: buildTorrent(plan, hashes, extras, nodeCrypto), plan };
}
