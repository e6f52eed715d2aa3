/**
 * What callers of the piece picker say and hear, and what it remembers of a peer.
 * @module
 */
import type { Rng } from '../../lib/rng.ts';
import type { OpenPiece } from './picker-open-piece.ts';

/** How a peer shares pieces with others, see `pick`. */
export type PickShare = 'shared' | 'whole' | 'run' | 'alone';

/** What became of a received block. */
export type ReceiveOutcome = 'first' | 'duplicate' | 'unrequested';

/** What a picker is made from. */
export interface PiecePickerOptions {
  /** 1 … 2^21. */
  readonly pieceCount: number;
  /** Blocks of a piece, >= 1; pads are counted. */
  readonly blockCount: (piece: number) => number;
  readonly rng: Rng;
  /** True for a block that consists of padding only: it counts as there and is never asked for. */
  readonly isPadBlock?: (piece: number, block: number) => boolean;
}

/** What a picker remembers of a peer. */
export interface PeerMemory {
  /** The open piece this peer took its last block from. */
  last: OpenPiece | undefined;
  /** The piece behind the one it opened last. */
  runNext: number;
  lastEpoch: number;
  /** No free piece suited this peer when the picker's version and the peer's count of pieces were these. */
  exhaustedVersion: number;
  exhaustedCount: number;
}
