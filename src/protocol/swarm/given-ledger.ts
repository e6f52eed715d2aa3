/**
 * What each host was given lately, across all its connections, against what it shows for it.
 *
 * A peer that hides its pieces, or comes back again and again as a beginner, takes uploads without ever having anything to trade. So bytes are
 * counted by host, and a host that was given more than FACTOR times what its HAVEs account for is *overfed*: it gets no slot (it is never
 * banned, a slow or unlucky peer may look like this) until it shows enough, which completing does, or an hour has passed.
 * Several people behind one address may each fetch a copy: the factor leaves room for three, the grace for pieces that are not whole yet.
 * Bounds: MAX_HOSTS hosts of six counters; whoever was given nothing for longest is forgotten first.
 * @module
 */

// Implementation limits

/** Given against shown. */
const OVERFED_FACTOR = 3;
/** The time that counts. */
const GIVEN_WINDOW_MS = 3_600_000;
/** Hosts remembered for a torrent. */
export const MAX_LEDGER_HOSTS = 4_096;
/** Given before anybody is judged: these many bytes … */
const GRACE_BYTES = 16_777_216;
/** … or these many pieces, whichever is more: a piece shows only when it is whole. */
const GRACE_PIECES = 16;

/** Less than this, given or returned, says little. */
const STANDING_BYTES = 262_144;

const SLOTS = 6;
const SLOT_MS = GIVEN_WINDOW_MS / SLOTS;

interface Account {
  readonly given: Float64Array;
  slot: number;
  /** The most that one of its connections showed, in bytes. */
  shownBytes: number;
  /** What its former connections gave us. */
  returnedBytes: number;
  /** It had something that we wanted. */
  couldReturn: boolean;
}

/** Books of one torrent. */
export class GivenLedger {
  readonly #accounts = new Map<string, Account>();
  readonly #graceBytes: number;

  constructor(pieceLengthBytes: number) {
    this.#graceBytes = Math.max(GRACE_BYTES, GRACE_PIECES * pieceLengthBytes);
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Blocks were handed to a connection of this host. */
  give(nowMs: number, host: string, bytes: number): void {
    const account = this.#accounts.get(host) ?? this.#open(nowMs);
    // Whoever was given something last stays longest.
    this.#accounts.delete(host);
    this.#accounts.set(host, account);
    this.#advance(account, nowMs);
    account.given[account.slot % SLOTS]! += bytes;
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= MAX_LEDGER_HOSTS) break;
      this.#accounts.delete(oldest);
    }
  }

  /** A connection of this host shows pieces of so many bytes in all. */
  show(host: string, bytes: number): void {
    const account = this.#accounts.get(host);
    if (account !== undefined) account.shownBytes = Math.max(account.shownBytes, bytes);
  }

  /** A connection of this host ended that gave us so much. */
  leave(host: string, returnedBytes: number): void {
    const account = this.#accounts.get(host);
    if (account !== undefined) account.returnedBytes += returnedBytes;
  }

  /** A host has something that we want. */
  expect(host: string): void {
    const account = this.#accounts.get(host);
    if (account !== undefined) account.couldReturn = true;
  }

  /**
   * What a host was worth so far: -1 for one that only takes … 1 for one that only gives; 0 for a stranger, and for one that had nothing to give.
   * @param returnedBytes by its connection now.
   */
  standing(nowMs: number, host: string, returnedBytes: number): number {
    const account = this.#accounts.get(host);
    const returned = (account?.returnedBytes ?? 0) + returnedBytes;
    if (returned === 0 && account?.couldReturn !== true) return 0;
    const given = this.givenBytes(nowMs, host);
    return (returned - given) / (returned + given + STANDING_BYTES);
  }

  /** Bytes that a host was given within the hour. */
  givenBytes(nowMs: number, host: string): number {
    const account = this.#accounts.get(host);
    if (account === undefined) return 0;
    this.#advance(account, nowMs);
    let sum = 0;
    for (const bytes of account.given) sum += bytes;
    return sum;
  }

  /** True when a host was given far more than it shows. */
  isOverfed(nowMs: number, host: string): boolean {
    const account = this.#accounts.get(host);
    if (account === undefined) return false;
    const given = this.givenBytes(nowMs, host);
    return given > OVERFED_FACTOR * account.shownBytes + this.#graceBytes;
  }

  #open(nowMs: number): Account {
    return {
      given: new Float64Array(SLOTS),
      slot: Math.floor(nowMs / SLOT_MS),
      shownBytes: 0,
      returnedBytes: 0,
      couldReturn: false,
    };
  }

  #advance(account: Account, nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    const steps = Math.min(slot - account.slot, SLOTS);
    for (let i = 1; i <= steps; i += 1) account.given[(account.slot + i) % SLOTS] = 0;
    account.slot = Math.max(account.slot, slot);
  }
}
