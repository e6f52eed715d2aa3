/**
 * What is wrong with a torrent: kept until it is over, told once, and tried again unless it is final.
 * Bounds: one problem at a time, one timer.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import type { AppError } from '../lib/errors.ts';
import { UNDERNEATH } from './file-guard.ts';

// Implementation limits
/** A torrent with a disk fault tries again after this. */
const DISK_RETRY_MS = 2_000;
/** A problem that comes again is told again after this. */
const REPEAT_MS = 600_000;

/** What a torrent does about its trouble. */
export interface TroubleHandlers {
  /** It begins, or changes: stop asking for data. */
  onRaised(): void;
  onTold(error: AppError, isFinal: boolean): void;
  /** False: it is too early to try. */
  mayTry(): boolean;
  /** Goes on as if nothing was wrong. @returns true when nothing is left to do that could fail again. */
  tryAgain(): boolean;
  onOver(): void;
}

/** The trouble of one torrent. */
export class Trouble {
  readonly #handlers: TroubleHandlers;
  #error: AppError | undefined;
  /** It will not pass by itself. */
  isFinal = false;
  /** The problem that was told last. */
  #told = { message: '', againMs: 0 };
  #retry: NodeJS.Timeout | undefined;

  constructor(handlers: TroubleHandlers) {
    this.#handlers = handlers;
  }

  get error(): AppError | undefined {
    return this.#error;
  }

  /** @param isFinal it will not pass by itself. */
  raise(error: AppError, isFinal: boolean): void {
    const now = monotonicMs();
    const isNew = this.#told.message !== error.message || now >= this.#told.againMs;
    this.#error = error;
    this.isFinal = isFinal;
    if (isNew) this.#told = { message: error.message, againMs: now + REPEAT_MS };
    this.#handlers.onRaised();
    if (isNew || isFinal) this.#handlers.onTold(error, isFinal);
    if (!isFinal) this.#arm();
  }

  /** Something worked. */
  clear(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    this.#handlers.onOver();
  }

  close(): void {
    clearTimeout(this.#retry);
  }

  #arm(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (!this.#handlers.mayTry()) {
        this.#arm();
        return;
      }
      const isOver = this.#handlers.tryAgain();
      const { code = '' } = (this.#error?.details ?? {}) as { code?: string };
      if (isOver || UNDERNEATH.has(code)) this.clear();
    }, DISK_RETRY_MS);
  }
}
