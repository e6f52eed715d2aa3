/**
 * Pieces that a peer refused (BEP 6 `reject`) although it had allowed requests: it has them not, or does not give them.
 *
 * Whoever is asked again at once refuses again at once: one peer that claimed a piece it had not kept the last block of a download to itself for
 * minutes, since its refusals made the block free only until the next request. So each refused piece is asked of others for a while, which
 * doubles with each refusal of it.
 * Bounds: one entry a refused piece; the owner ends a connection after MAX_REFUSALS, so no more than those.
 * @module
 */
import { Bitfield } from '../../lib/bitfield.ts';
import type { PeerPieces } from './peer-pieces.ts';

// Implementation limits

/** Time for which a peer is not asked for a piece that it refused once … */
const REFUSED_WAIT_MS = 10_000;
/** … and the longest, after some more refusals. */
const MAX_REFUSED_WAIT_MS = 600_000;

interface Refusal {
  count: number;
  untilMs: number;
}

/** What one peer refused. */
export class RefusedPieces {
  readonly #refusals = new Map<number, Refusal>();
  #nextMs = Number.POSITIVE_INFINITY;

  /** The peer refused a block of this piece. Blocks that were asked for together count as one refusal. */
  add(nowMs: number, piece: number): void {
    const refusal = this.#refusals.get(piece) ?? { count: 0, untilMs: 0 };
    if (nowMs < refusal.untilMs) return;
    const waitMs = Math.min(MAX_REFUSED_WAIT_MS, REFUSED_WAIT_MS * 2 ** refusal.count);
    refusal.count += 1;
    refusal.untilMs = nowMs + waitMs;
    this.#refusals.set(piece, refusal);
    this.#nextMs = Math.min(this.#nextMs, refusal.untilMs);
  }

  /** The peer says that it has the piece after all. @returns true when it had refused it. */
  forget(piece: number): boolean {
    return this.#refusals.delete(piece);
  }

  isRefused(nowMs: number, piece: number): boolean {
    return nowMs < (this.#refusals.get(piece)?.untilMs ?? 0);
  }

  /** True once for every wait that ended: what was refused may be asked for again. */
  hasEnded(nowMs: number): boolean {
    if (nowMs < this.#nextMs) return false;
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#refusals.values()) {
      if (untilMs > nowMs) this.#nextMs = Math.min(this.#nextMs, untilMs);
    }
    return true;
  }

  /** What a peer has but for what it refuses now. */
  without(nowMs: number, has: PeerPieces, pieceCount: number): PeerPieces {
    const refused = [...this.#refusals].filter(([, { untilMs }]) => nowMs < untilMs);
    if (refused.length === 0) return has;
    const rest = new Bitfield(pieceCount);
    if (has === 'seed') rest.fill();
    else rest.assign(has);
    for (const [piece] of refused) rest.delete(piece);
    return rest;
  }
}
