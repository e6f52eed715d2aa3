/**
 * When a seed has given enough: a ratio, a time of seeding, a time without anybody taking; whichever comes first.
 *
 * The ratio counts what all runs uploaded, against the bytes of the wanted pieces. Both times count only while the torrent seeds: the time of seeding in all
 * runs, as far as their owner tells of earlier ones, the idle time in this one. A limit strikes once; setting limits anew arms them again, so that a torrent that a person resumes goes on.
 * Not here: what is done then.
 * @module
 */

/** Limits; an absent one is none. */
export interface ShareLimits {
  /** Uploaded bytes for each byte of the torrent, ≥ 0. */
  readonly ratio?: number;
  /** Time of seeding, ≥ 0. */
  readonly seedingSeconds?: number;
  /** Time of seeding without a byte uploaded, ≥ 0. */
  readonly idleSeconds?: number;
  /** What happens then. Default 'stop'. */
  readonly action?: ShareAction;
}

/** What a reached limit does: rest until resumed, end, or go on as BEP 16 says, which costs little. */
export type ShareAction = 'pause' | 'stop' | 'super-seed';

/** Which limit was reached. */
export type ShareReason = 'ratio' | 'seeding-time' | 'idle-time';

/** How much a torrent has given. */
export interface ShareFacts {
  readonly uploadedBytes: number;
  readonly sizeBytes: number;
  readonly seedingMs: number;
  readonly idleMs: number;
}

/** The limit that is reached; undefined: none. */
export function reachedLimit(limits: ShareLimits, facts: ShareFacts): ShareReason | undefined {
  const { ratio, seedingSeconds, idleSeconds } = limits;
  if (ratio !== undefined && facts.uploadedBytes >= ratio * facts.sizeBytes) return 'ratio';
  if (seedingSeconds !== undefined && facts.seedingMs >= seedingSeconds * 1000) {
    return 'seeding-time';
  }
  if (idleSeconds !== undefined && facts.idleMs >= idleSeconds * 1000) return 'idle-time';
  return undefined;
}

/** Watches one torrent against its limits. */
export class ShareWatch {
  #limits: ShareLimits | undefined;
  #isOver = false;
  #seedingMs = 0;
  #idleMs = 0;
  #uploadedBytes = 0;
  #atMs: number | undefined;

  /** @param seededSeconds how long earlier runs seeded. */
  constructor(limits: ShareLimits | undefined, seededSeconds = 0) {
    this.#limits = limits;
    this.#seedingMs = seededSeconds * 1000;
  }

  get limits(): ShareLimits | undefined {
    return this.#limits;
  }

  /** Arms limits anew; undefined: none any more. The times go on. */
  set(limits: ShareLimits | undefined): void {
    this.#limits = limits;
    this.#isOver = false;
  }

  /**
   * Looks at the moment. @param uploadedBytes of all runs.
   * @returns the limit that was reached just now.
   */
  observe(
    nowMs: number,
    isSeeding: boolean,
    uploadedBytes: number,
    sizeBytes: number,
  ): ShareReason | undefined {
    const passedMs = isSeeding && this.#atMs !== undefined ? nowMs - this.#atMs : 0;
    this.#atMs = isSeeding ? nowMs : undefined;
    this.#seedingMs += passedMs;
    this.#idleMs = uploadedBytes === this.#uploadedBytes ? this.#idleMs + passedMs : 0;
    this.#uploadedBytes = uploadedBytes;
    if (!isSeeding || this.#limits === undefined || this.#isOver) return undefined;
    const facts = { uploadedBytes, sizeBytes, seedingMs: this.#seedingMs, idleMs: this.#idleMs };
    const reason = reachedLimit(this.#limits, facts);
    this.#isOver = reason !== undefined;
    return reason;
  }
}
