/**
 * Who may try a code, and how often: one guess a second, ten wrong ones in all, and after the right one nobody else.
 *
 * A guess is counted when it begins and taken back when it turns out right, so that a sender that is killed in between has not given one away. The state
 * is written down before a guess is answered: `begin` puts a `save` first among the outputs.
 * A run that ends before the other end's confirmation came is no guess: nothing was learnt by it (`abandon`).
 * Time is that of the wall clock, since the state outlives a run of the program.
 * Bounds: MAX_WRONG_GUESSES guesses at once. Not here: the key exchange itself, where the state is kept.
 * @module
 */
import { equalBytes, fromHex, toHex } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { PEER_ID_BYTES } from '../identity/index.ts';
import type { SendCodeErrorCode } from './code-errors.ts';

// Implementation limits

/** Least time between the beginnings of two guesses. */
export const GUESS_INTERVAL_MS = 1_000;
/** Wrong guesses after which a code is dead: of 2^33 codes, one in 860 million is guessed. */
export const MAX_WRONG_GUESSES = 10;
/** How long the receiver who guessed right may come back. */
export const BOUND_MS = 86_400_000;

/** What is kept of a code's guesses, to be written as JSON. */
export interface GuessState {
  readonly version: 1;
  /** Guesses that were wrong, or begun and never ended. */
  readonly spent: number;
  /** When the last guess began, Unix time. */
  readonly lastAtMs: number;
  /** Who guessed right, and when. */
  readonly bound?: { readonly peerId: string; readonly atMs: number };
  /** True when the code is of no use any more to anybody. */
  readonly isOver: boolean;
}

/** What a shell has to do, in this order. */
export type GuessOutput =
  /** Write this down before anything is answered. */
  | { readonly type: 'save'; readonly state: GuessState }
  /** Show the sender that somebody guessed wrong. */
  | { readonly type: 'wrong-guess'; readonly peerId: Uint8Array; readonly left: number }
  /** Show that a receiver has the code. */
  | { readonly type: 'bound'; readonly peerId: Uint8Array }
  /** Show that the code is dead: a new one is needed. */
  | { readonly type: 'dead' }
  /** Stop serving the code. */
  | { readonly type: 'over'; readonly reason: 'complete' | 'time' };

const NEW: GuessState = { version: 1, spent: 0, lastAtMs: 0, isOver: false };

/** The budget of one code. */
export class GuessBudget {
  #state: GuessState;
  readonly #running = new Map<number, Uint8Array>();
  readonly #outputs: GuessOutput[] = [];
  #nextGuess = 1;

  /** @param state of an earlier run, by `readGuessState`; default: a new code. */
  constructor(state: GuessState = NEW) {
    this.#state = state;
  }

  /** As of now. */
  get state(): GuessState {
    return this.#state;
  }

  /** Wrong guesses that are left. */
  get left(): number {
    return MAX_WRONG_GUESSES - this.#state.spent;
  }

  /** True when nobody can use the code any more. */
  get isDead(): boolean {
    const { spent, bound, isOver } = this.#state;
    return (
      isOver || (bound === undefined && spent >= MAX_WRONG_GUESSES && this.#running.size === 0)
    );
  }

  /** A peer that is proven by its channel wants to try. @returns the guess's number, for how it ends. */
  begin(nowMs: number, peerId: Uint8Array): Result<number, SendCodeErrorCode> {
    this.handleTimeout(nowMs);
    const { isOver, bound, spent, lastAtMs } = this.#state;
    if (isOver)
      return fail('ERR_SEND_CODE_OVER', 'code: expected one in use, got one that is over');
    const isReturning = bound !== undefined;
    if (isReturning && bound.peerId !== toHex(peerId)) {
      return fail('ERR_SEND_CODE_BOUND', 'code: expected one that is free, got one that is in use');
    }
    if (!isReturning && spent >= MAX_WRONG_GUESSES) {
      return fail(
        'ERR_SEND_CODE_DEAD',
        `code: expected fewer than ${MAX_WRONG_GUESSES} wrong guesses`,
      );
    }
    // A clock that was set back does not lock everybody out.
    const sinceMs = nowMs - lastAtMs;
    if (sinceMs >= 0 && sinceMs < GUESS_INTERVAL_MS) {
      const waitMs = GUESS_INTERVAL_MS - sinceMs;
      return fail('ERR_SEND_GUESS_SOON', `code: expected one guess a second, try in ${waitMs} ms`);
    }
    const guess = this.#nextGuess;
    this.#nextGuess += 1;
    this.#running.set(guess, peerId.slice());
    this.#save({ spent: isReturning ? spent : spent + 1, lastAtMs: nowMs });
    return ok(guess);
  }

  /** The guess was right. Fails when the code was bound to another peer while this guess ran, or ended. */
  succeed(nowMs: number, guess: number): Result<undefined, SendCodeErrorCode> {
    const peerId = this.#end(guess);
    const { bound, spent, isOver } = this.#state;
    if (isOver)
      return fail('ERR_SEND_CODE_OVER', 'code: expected one in use, got one that is over');
    if (bound !== undefined) {
      if (bound.peerId === toHex(peerId)) return ok(undefined);
      return fail('ERR_SEND_CODE_BOUND', 'code: expected one that is free, got one that is in use');
    }
    this.#save({ spent: spent - 1, bound: { peerId: toHex(peerId), atMs: nowMs } });
    this.#outputs.push({ type: 'bound', peerId });
    return ok(undefined);
  }

  /** The guess was wrong: the confirmation did not fit, or came out of turn. */
  fail(guess: number): void {
    const peerId = this.#end(guess);
    if (this.#state.isOver) return;
    this.#outputs.push({ type: 'wrong-guess', peerId, left: this.left });
    this.#tellDeath();
  }

  /** The channel ended before any confirmation came. */
  abandon(guess: number): void {
    this.#end(guess);
    const { bound, spent } = this.#state;
    if (bound === undefined) this.#save({ spent: spent - 1 });
  }

  /** True when this peer guessed right, and may go on without another guess. */
  isBoundTo(nowMs: number, peerId: Uint8Array): boolean {
    this.handleTimeout(nowMs);
    const { bound, isOver } = this.#state;
    return !isOver && bound !== undefined && equalBytes(fromHex(bound.peerId)!, peerId);
  }

  /** The receiver has everything. */
  complete(): void {
    this.#close('complete');
  }

  /** When `handleTimeout` is due. */
  get nextTimeoutMs(): number | undefined {
    const { bound, isOver } = this.#state;
    return isOver || bound === undefined ? undefined : bound.atMs + BOUND_MS;
  }

  /** Ends the time of a receiver that did not come back. */
  handleTimeout(nowMs: number): void {
    const dueMs = this.nextTimeoutMs;
    if (dueMs !== undefined && nowMs >= dueMs) this.#close('time');
  }

  /** The next thing to do. */
  poll(): GuessOutput | undefined {
    return this.#outputs.shift();
  }

  #end(guess: number): Uint8Array {
    const peerId = this.#running.get(guess);
    if (peerId === undefined) throw new RangeError(`guess: expected one that runs, got ${guess}`);
    this.#running.delete(guess);
    return peerId;
  }

  #close(reason: 'complete' | 'time'): void {
    if (this.#state.isOver) return;
    this.#save({ isOver: true });
    this.#outputs.push({ type: 'over', reason });
  }

  #tellDeath(): void {
    if (this.isDead && !this.#state.isOver) this.#outputs.push({ type: 'dead' });
  }

  #save(change: Partial<GuessState>): void {
    this.#state = { ...this.#state, ...change };
    this.#outputs.push({ type: 'save', state: this.#state });
  }
}

/** Reads a state that was written as JSON and parsed. What is none is refused: ten new guesses for a damaged file would be a gift. */
export function readGuessState(value: unknown): Result<GuessState, SendCodeErrorCode> {
  const { version, spent, lastAtMs, bound, isOver } = (value ?? {}) as Record<string, unknown>;
  const isTime = (time: unknown): time is number => Number.isSafeInteger(time) && Number(time) >= 0;
  const isCount =
    Number.isInteger(spent) && Number(spent) >= 0 && Number(spent) <= MAX_WRONG_GUESSES;
  const holder = bound === undefined ? undefined : readBound(bound, isTime);
  if (
    version !== 1 ||
    !isCount ||
    !isTime(lastAtMs) ||
    typeof isOver !== 'boolean' ||
    holder === null
  ) {
    return fail(
      'ERR_SEND_GUESS_STATE',
      'guesses: expected a state as it is written here, got others',
    );
  }
  const state = { version, spent: Number(spent), lastAtMs, isOver } as const;
  return ok(holder === undefined ? state : { ...state, bound: holder });
}

function readBound(
  value: unknown,
  isTime: (time: unknown) => time is number,
): { peerId: string; atMs: number } | null {
  const { peerId, atMs } = (value ?? {}) as Record<string, unknown>;
  const bytes = typeof peerId === 'string' ? fromHex(peerId) : undefined;
  if (bytes?.length !== PEER_ID_BYTES || !isTime(atMs)) return null;
  return { peerId: toHex(bytes), atMs };
}
