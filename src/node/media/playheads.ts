/**
 * Who reads which file of a torrent, and where each is at: from it follows when pieces are needed.
 *
 * A window of each reader moves along with it: what it reads next is needed now, the rest at the rate at which it reads. Beginning and end of the file
 * are needed too, since containers keep their indices there (the `moov` of MP4, the cues of Matroska). Deadlines of a torrent are one list (`Torrent.setDeadlines`): those of
 * all readers are put into it together, and whoever stops reading takes its own back; the last one leaves the first byte of its file for LINGER_MS.
 * Bounds: MAX_PLAYHEADS readers of a torrent; the core takes the 256 pieces due first.
 * @module
 */
import { nodeError } from '../errors.ts';
import type { NeededRange } from '../playback.ts';
import type { Torrent } from '../torrent.ts';
import { mediaKindOf } from './media.ts';

// Implementation limits
/** Readers of one torrent at a time: a browser opens some for each seek before it closes the others. */
export const MAX_PLAYHEADS = 32;
/** What a reader needs within this time has a deadline … */
const WINDOW_MS = 20_000;
/** … but no less and no more than these bytes of it. */
const LEAST_WINDOW_BYTES = 2 * 1024 * 1024;
const MOST_WINDOW_BYTES = 48 * 1024 * 1024;
/** The window is told anew when a reader went on by this part of it. */
const STEPS_PER_WINDOW = 16;
/** Of the beginning and of the end of a film. */
const EDGE_BYTES = 1024 * 1024;
/** A player that jumps closes one reader before it opens the next: queues of requests stay short for so long, or the jump would wait behind what is asked for in between. */
const LINGER_MS = 5_000;
/** The end may come a little later than what is read now. */
const END_MS = 1_500;

/** One reader of a file. */
export interface Playhead {
  /** It reads from here now. @param bytesPerSec how fast. @param isWaiting what is here is not there yet. */
  move(atBytes: number, bytesPerSec: number, isWaiting: boolean): void;
  /** Resolves when something changed: a piece came, the state is another. @throws the signal's reason; what ended the torrent. */
  changed(signal: AbortSignal | undefined): Promise<void>;
  /** It reads no more. */
  close(): void;
}

interface Head {
  readonly file: number;
  readonly endBytes: number;
  atBytes: number;
  bytesPerSec: number;
  /** Where it was when its window was told. */
  toldBytes: number;
}

const byTorrent = new WeakMap<Torrent, Playheads>();

/** The readers of one torrent. */
export class Playheads {
  readonly #torrent: Torrent;
  readonly #heads = new Set<Head>();
  #waiting: PromiseWithResolvers<void> | undefined;
  #lingering: NodeJS.Timeout | undefined;

  private constructor(torrent: Torrent) {
    this.#torrent = torrent;
  }

  /** The readers of this torrent. */
  static of(torrent: Torrent): Playheads {
    let playheads = byTorrent.get(torrent);
    if (playheads === undefined) {
      playheads = new Playheads(torrent);
      byTorrent.set(torrent, playheads);
    }
    return playheads;
  }

  get count(): number {
    return this.#heads.size;
  }

  /** A reader begins. @param endBytes where it will end in the file. @throws {AppError} ERR_READ when there are too many. */
  open(file: number, endBytes: number): Playhead {
    if (this.#heads.size >= MAX_PLAYHEADS) {
      const reason = `it is read ${MAX_PLAYHEADS} times at once already: close a player`;
      throw nodeError('ERR_READ', { name: this.#torrent.name, reason });
    }
    const head: Head = { file, endBytes, atBytes: 0, bytesPerSec: 1, toldBytes: Number.NaN };
    if (this.#heads.size === 0) this.#listen('on');
    this.#heads.add(head);
    return {
      move: (atBytes, bytesPerSec, isWaiting) => this.#move(head, atBytes, bytesPerSec, isWaiting),
      changed: (signal) => this.#changed(signal),
      close: () => this.#close(head),
    };
  }

  #move(head: Head, atBytes: number, bytesPerSec: number, isWaiting: boolean): void {
    head.atBytes = atBytes;
    head.bytesPerSec = bytesPerSec;
    const moved = atBytes - head.toldBytes;
    const isFar = !(moved >= 0 && moved < windowBytes(head) / STEPS_PER_WINDOW);
    if (isFar || (isWaiting && moved > 0)) this.#tell();
  }

  #close(head: Head): void {
    if (!this.#heads.delete(head)) return;
    if (this.#heads.size > 0) {
      this.#tell();
      return;
    }
    this.#listen('off');
    if (this.#torrent.state === 'stopped') return;
    this.#torrent.setDeadlines([{ file: head.file, begin: 0, length: 1, inMs: LINGER_MS }]);
    this.#lingering = setTimeout(() => this.#tell(), LINGER_MS);
    this.#lingering.unref();
  }

  #tell(): void {
    clearTimeout(this.#lingering);
    const needs: NeededRange[] = [];
    const edged = new Set<number>();
    for (const head of this.#heads) {
      head.toldBytes = head.atBytes;
      const { file, atBytes: begin, bytesPerSec } = head;
      const length = Math.min(windowBytes(head), head.endBytes - begin);
      if (length > 0) needs.push({ file, begin, length, inMs: 0, bytesPerSec });
      if (!edged.has(file)) needs.push(...this.#edges(file));
      edged.add(file);
    }
    if (this.#torrent.state !== 'stopped') this.#torrent.setDeadlines(needs);
  }

  #edges(file: number): NeededRange[] {
    const { path, lengthBytes } = this.#torrent.info!.files[file]!;
    const kind = mediaKindOf(path.at(-1)!);
    if (kind !== 'video' && kind !== 'audio') return [];
    const length = Math.min(EDGE_BYTES, lengthBytes);
    return [
      { file, begin: 0, length, inMs: 0 },
      { file, begin: lengthBytes - length, length, inMs: END_MS },
    ];
  }

  async #changed(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#waiting ??= Promise.withResolvers<void>();
    const { promise } = this.#waiting;
    if (signal === undefined) return promise;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #listen(what: 'on' | 'off'): void {
    this.#torrent[what]('piece', this.#wake);
    this.#torrent[what]('problem', this.#wake);
    this.#torrent[what]('state', this.#retell);
    this.#torrent[what]('priorities', this.#retell);
    this.#torrent[what]('pieces-lost', this.#retell);
  }

  readonly #wake = (): void => {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  };

  /** What the core dropped as not wanted, or had, may be needed now. */
  readonly #retell = (): void => {
    this.#tell();
    this.#wake();
  };
}

function windowBytes({ bytesPerSec }: Head): number {
  const bytes = (bytesPerSec * WINDOW_MS) / 1000;
  return Math.min(MOST_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, bytes));
}
