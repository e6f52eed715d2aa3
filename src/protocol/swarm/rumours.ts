/**
 * What is owed to the addresses that peers named (BEP 11), which may be lies: bounds for each peer and for all, and an account of who named what.
 *
 * "A client should avoid taking all its connection candidates from a single PEX source. Duplicate IP addresses (e.g. with different ports) should be
 * ignored." A peer whose addresses fail far more often than they answer is not believed any more for a while: an honest one names peers that it
 * was connected to, of which a part can be reached. An address that failed twice is forgotten.
 * Bounds: MAX_HEARD addresses, MAX_HEARD_PER_SPEAKER from one host, MAX_HEARD_PORTS of one host, MAX_SPEAKERS accounts (the oldest are forgotten first).
 * @module
 */
import { type Candidate, isIdle } from './candidate.ts';
import { Allowance } from './conduct.ts';

// Implementation limits
/** Addresses known from peers alone. */
export const MAX_HEARD = 1_000;
/** Of these from one host. */
export const MAX_HEARD_PER_SPEAKER = 100;
/** An address known from peers alone is forgotten after so many failures: who is there is named again. */
export const MAX_HEARD_FAILURES = 2;
/** Ports of one host beyond which no more are taken from peers: a household has few peers of one torrent. */
const MAX_HEARD_PORTS = 2;
/** Addresses taken from one host at once … */
const HEARD_BURST = 100;
/** … and per second: what BEP 11 lets it name, 50 a minute. */
const HEARD_PER_SEC = 50 / 60;
/** Hosts that named addresses and are remembered. */
const MAX_SPEAKERS = 200;
/** Dials of addresses of one host that may fail before anything answers. */
const FAILURES_IN_ADVANCE = 60;
/** Further ones for each that answered. */
const FAILURES_PER_SUCCESS = 10;
/** Both counts are halved after this: a host that lied is listened to again, with less patience. */
const HALVING_MS = 1_800_000;

interface Speaker {
  readonly key: string;
  readonly candidates: Set<Candidate>;
  readonly allowance: Allowance;
  failed: number;
  worked: number;
  halvedMs: number;
}

/** The addresses that peers named. */
export class Rumours {
  readonly #speakers = new Map<string, Speaker>();
  readonly #speakerOf = new Map<Candidate, Speaker>();

  get size(): number {
    return this.#speakerOf.size;
  }

  /** What stands for the host that named an address. */
  speakerOf(candidate: Candidate): string | undefined {
    return this.#speakerOf.get(candidate)?.key;
  }

  /** May a host name one more address? It counts. @param ports how many of the named host are known. */
  isCredible(nowMs: number, key: string, ports: number): boolean {
    if (ports >= MAX_HEARD_PORTS) return false;
    const speaker = this.#of(nowMs, key);
    if (nowMs - speaker.halvedMs > HALVING_MS) {
      speaker.failed /= 2;
      speaker.worked /= 2;
      speaker.halvedMs = nowMs;
    }
    return hasCredit(speaker) && speaker.allowance.tryUse(nowMs);
  }

  /**
   * What has to go before this host may name one more: an address, nothing (undefined), or `none` when there is nothing to give up.
   * Its own go first; when all together are too many, the host with most of them gives way.
   */
  inTheWay(key: string): Candidate | 'none' | undefined {
    const own = this.#speakers.get(key)!.candidates;
    if (own.size >= MAX_HEARD_PER_SPEAKER) return worstOf(own) ?? 'none';
    if (this.size < MAX_HEARD) return undefined;
    let most = own;
    for (const { candidates } of this.#speakers.values()) {
      if (candidates.size > most.size) most = candidates;
    }
    const isUneven = most.size > own.size + 1;
    return worstOf(most) ?? (isUneven ? [...most].find(isIdle) : undefined) ?? 'none';
  }

  add(candidate: Candidate, key: string): void {
    const speaker = this.#speakers.get(key)!;
    speaker.candidates.add(candidate);
    this.#speakerOf.set(candidate, speaker);
  }

  /** An address is forgotten, or known from elsewhere too. */
  forget(candidate: Candidate): void {
    this.#speakerOf.get(candidate)?.candidates.delete(candidate);
    this.#speakerOf.delete(candidate);
  }

  /** A dial of an address answered, or did not. @returns addresses that are not worth another try, since their host has lied too often. */
  judge(candidate: Candidate, isThere: boolean): readonly Candidate[] {
    const speaker = this.#speakerOf.get(candidate);
    if (speaker === undefined) return [];
    if (isThere) speaker.worked += 1;
    else speaker.failed += 1;
    if (hasCredit(speaker)) return [];
    return [...speaker.candidates].filter((other) => other === candidate || isIdle(other));
  }

  #of(nowMs: number, key: string): Speaker {
    let speaker = this.#speakers.get(key);
    if (speaker !== undefined) return speaker;
    if (this.#speakers.size >= MAX_SPEAKERS) this.#forgetSpeaker();
    speaker = {
      key,
      candidates: new Set(),
      allowance: new Allowance(nowMs, HEARD_BURST, HEARD_PER_SEC),
      failed: 0,
      worked: 0,
      halvedMs: nowMs,
    };
    this.#speakers.set(key, speaker);
    return speaker;
  }

  /** The oldest account goes whose host has named nothing that is still known, or else the oldest: its addresses keep it alive without it. */
  #forgetSpeaker(): void {
    let oldest: string | undefined;
    for (const [key, { candidates }] of this.#speakers) {
      oldest ??= key;
      if (candidates.size > 0) continue;
      oldest = key;
      break;
    }
    if (oldest !== undefined) this.#speakers.delete(oldest);
  }
}

function hasCredit({ failed, worked }: Speaker): boolean {
  return failed < FAILURES_IN_ADVANCE + FAILURES_PER_SUCCESS * worked;
}

/** Of these, the one that failed most often and may be forgotten. */
function worstOf(candidates: Iterable<Candidate>): Candidate | undefined {
  let worst: Candidate | undefined;
  for (const candidate of candidates) {
    if (isIdle(candidate) && candidate.failures > (worst?.failures ?? 0)) worst = candidate;
  }
  return worst;
}
