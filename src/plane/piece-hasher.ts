/**
 * The running hashes of one piece: SHA-1 over its bytes in order (v1), a merkle tree over its 16 KiB blocks in any order (v2).
 * Spec: BEP 3 "pieces"; BEP 52 "pieces root": SHA-256 leaves, zero hashes to the next width, parents hash 64 bytes.
 * @module
 */
import { createHash, type Hash, hash } from 'node:crypto';

// Specification constants
const BLOCK_BYTES = 16_384;
const SHA256_BYTES = 32;

const ZEROS = Buffer.alloc(256 * 1024);

/** What to compute for a piece. */
export interface HashPlan {
  /** Bytes under SHA-1, pads at the tail included; 0 for none. */
  readonly v1Bytes: number;
  /** Bytes of file data under the merkle tree. */
  readonly v2Bytes: number;
  /** Leaves of the tree after padding (a power of two); 0 for no tree. */
  readonly leafWidth: number;
}

/** The digests of a piece; an absent one was not asked for. */
export interface PieceDigests {
  readonly v1?: Uint8Array;
  readonly v2?: Uint8Array;
}

/** Hashes one piece. */
export class PieceHasher {
  readonly #plan: HashPlan;
  readonly #sha1: Hash | undefined;
  readonly #leaves: Buffer | undefined;
  #nextByte = 0;

  constructor(plan: HashPlan) {
    this.#plan = plan;
    if (plan.v1Bytes > 0) this.#sha1 = createHash('sha1');
    if (plan.leafWidth > 0) this.#leaves = Buffer.alloc(plan.leafWidth * SHA256_BYTES);
  }

  /** The first byte that SHA-1 has not seen. */
  get nextByte(): number {
    return this.#nextByte;
  }

  get isOrdered(): boolean {
    return this.#sha1 !== undefined;
  }

  /** Adds the next bytes for SHA-1; they must begin at `nextByte`. */
  updateV1(bytes: Uint8Array): void {
    this.#sha1?.update(bytes);
    this.#nextByte += bytes.length;
  }

  /** Adds whole blocks (the last one of the data may be short), starting at a multiple of 16 KiB of the piece. */
  updateV2(bytes: Uint8Array, pieceOffsetBytes: number): void {
    const leaves = this.#leaves;
    if (leaves === undefined) return;
    const end = Math.min(bytes.length, this.#plan.v2Bytes - pieceOffsetBytes);
    for (let at = 0; at < end; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, Math.min(at + BLOCK_BYTES, end));
      writeSha256(block, leaves, ((pieceOffsetBytes + at) / BLOCK_BYTES) * SHA256_BYTES);
    }
  }

  /** The digests, when every byte has been added. */
  finish(): PieceDigests {
    const sha1 = this.#sha1;
    if (sha1 !== undefined) {
      while (this.#nextByte < this.#plan.v1Bytes) {
        this.updateV1(
          ZEROS.subarray(0, Math.min(ZEROS.length, this.#plan.v1Bytes - this.#nextByte)),
        );
      }
    }
    return {
      ...(sha1 === undefined ? {} : { v1: sha1.digest() }),
      ...(this.#leaves === undefined ? {} : { v2: foldToRoot(this.#leaves) }),
    };
  }
}

/** SHA-256 of each block of a piece: the leaves of its merkle tree, without those that fill it up. */
export class BlockDigests {
  /** 32 bytes a block. */
  readonly digests: Buffer;

  /** @param lengthBytes of the piece; its last block may be short. */
  constructor(lengthBytes: number) {
    this.digests = Buffer.alloc(Math.ceil(lengthBytes / BLOCK_BYTES) * SHA256_BYTES);
  }

  /** Adds whole blocks (the last one of the piece may be short), starting at a multiple of 16 KiB of the piece. */
  add(bytes: Uint8Array, pieceOffsetBytes: number): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, Math.min(at + BLOCK_BYTES, bytes.length));
      writeSha256(block, this.digests, ((pieceOffsetBytes + at) / BLOCK_BYTES) * SHA256_BYTES);
    }
  }
}

/** Folds `leaves` (a power of two of 32-byte hashes) in place to their root. */
function foldToRoot(leaves: Buffer): Uint8Array {
  let count = leaves.length / SHA256_BYTES;
  while (count > 1) {
    for (let i = 0; i < count; i += 2) {
      const pair = leaves.subarray(i * SHA256_BYTES, (i + 2) * SHA256_BYTES);
      writeSha256(pair, leaves, (i / 2) * SHA256_BYTES);
    }
    count /= 2;
  }
  return Uint8Array.from(leaves.subarray(0, SHA256_BYTES));
}

/**
 * Hashes `bytes` into `target` at `at`. One-shot, and by way of a string: a Buffer for each digest costs more. A GiB in blocks took 0.63 s
 * this way, 0.69 s with Buffers, 0.74 s with createHash.
 */
function writeSha256(bytes: Uint8Array, target: Buffer, at: number): void {
  target.write(hash('sha256', bytes, 'latin1'), at, 'latin1');
}
