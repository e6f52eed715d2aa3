/**
 * Finds out who sent the bad blocks of a piece that failed its hash.
 *
 * A piece with one giver needs no search. Of a piece with several, the digests of its blocks are kept together with who sent which; when a copy
 * of the piece turns out right, or (v2) peers tell its leaf hashes, whoever sent a block that differs is guilty, and nobody else.
 * Digests are SHA-256 over the block, as the leaves of BEP 52's trees, so that both ways compare the same.
 * Bounds: MAX_JUDGED_BLOCKS digests, ATTEMPTS_PER_PIECE copies of a piece, MAX_DEPARTED givers that left; the oldest are forgotten first.
 * Not here: bans themselves (`blame.ts`).
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import type { PeerAddress } from './types.ts';

// Implementation limits

/** Digests of bad copies kept, 32 bytes each. */
export const MAX_JUDGED_BLOCKS = 65_536;
/** Bad copies kept of one piece. */
const ATTEMPTS_PER_PIECE = 4;
/** Givers remembered after they left, in case a piece with a block of theirs fails. */
const MAX_DEPARTED = 256;

const DIGEST_BYTES = 32;

/** Somebody who gave blocks, connected or not. */
export interface Giver {
  readonly id: number;
  readonly address: PeerAddress;
  readonly peerId: Uint8Array;
}

interface Attempt {
  /** Sender of each block, undefined where nobody sent one (pads) or nobody remembers. */
  readonly givers: readonly (Giver | undefined)[];
  readonly digests: Uint8Array;
}

/** The evidence of one torrent. */
export class SmartBan {
  readonly #attempts = new Map<number, Attempt[]>();
  readonly #departed = new Map<number, Giver>();
  #blockCount = 0;

  /** Pieces with a bad copy on record. */
  get pieceCount(): number {
    return this.#attempts.size;
  }

  /** True when a bad copy of the piece is on record. */
  has(piece: number): boolean {
    return this.#attempts.has(piece);
  }

  /** A peer that gave data left: a piece may still fail for its blocks. */
  depart(giver: Giver): void {
    this.#departed.delete(giver.id);
    this.#departed.set(giver.id, giver);
    for (const oldest of this.#departed.keys()) {
      if (this.#departed.size <= MAX_DEPARTED) break;
      this.#departed.delete(oldest);
    }
  }

  /** A number that is used by a new connection no longer stands for who had it before. */
  arrive(id: number): void {
    this.#departed.delete(id);
  }

  departed(id: number): Giver | undefined {
    return this.#departed.get(id);
  }

  /** Records a bad copy. @param digests 32 bytes a block. */
  record(piece: number, givers: readonly (Giver | undefined)[], digests: Uint8Array): void {
    const attempts = this.#attempts.get(piece) ?? [];
    attempts.push({ givers, digests });
    this.#blockCount += givers.length;
    if (attempts.length > ATTEMPTS_PER_PIECE) this.#blockCount -= attempts.shift()!.givers.length;
    // The pieces with the latest trouble stay longest.
    this.#attempts.delete(piece);
    this.#attempts.set(piece, attempts);
    for (const oldest of this.#attempts.keys()) {
      if (this.#blockCount <= MAX_JUDGED_BLOCKS || oldest === piece) break;
      this.forget(oldest);
    }
  }

  forget(piece: number): void {
    for (const { givers } of this.#attempts.get(piece) ?? []) this.#blockCount -= givers.length;
    this.#attempts.delete(piece);
  }

  /** Whoever sent a block that differs from the right one; the record of the piece ends. @param digests of the right copy, 32 bytes a block. */
  judge(piece: number, digests: Uint8Array): Giver[] {
    const guilty = new Map<number, Giver>();
    for (const attempt of this.#attempts.get(piece) ?? []) {
      for (const [block, giver] of attempt.givers.entries()) {
        const at = block * DIGEST_BYTES;
        const right = digests.subarray(at, at + DIGEST_BYTES);
        if (giver === undefined || right.length < DIGEST_BYTES) continue;
        if (!equalBytes(right, attempt.digests.subarray(at, at + DIGEST_BYTES))) {
          guilty.set(giver.id, giver);
        }
      }
    }
    this.forget(piece);
    return [...guilty.values()];
  }
}
