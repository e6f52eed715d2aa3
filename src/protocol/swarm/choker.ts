/**
 * Decides whom to upload to.
 *
 * Spec: BEP 3, the choking paragraphs: every ten seconds the four interested peers with the best rate are unchoked, and with them
 * the uninterested ones that are faster; one more peer is unchoked regardless of rate, rotating every thirty seconds, with new
 * connections three times as likely; a seed ranks by what it sends instead of by what it gets.
 * Against fibrillation: nothing changes between rounds but the filling of empty slots, and a newcomer needs to be a tenth faster.
 * Bounds: one pass and one sort over the connected peers a round; state is the set of unchoked peers.
 * Not here: measuring rates, sending the messages, super seeding, other rules (they implement `ChokeRule`).
 * @module
 */
import type { Rng } from '../../lib/rng.ts';

// Specification constants

/** Time between rounds. */
export const CHOKE_ROUND_MS = 10_000;
/** Time between rotations of the optimistic unchoke. */
export const OPTIMISTIC_ROUND_MS = 30_000;
/** Unchoked interested peers, the optimistic one among them. */
export const DEFAULT_SLOTS = 4;
/** How much likelier a new connection becomes the optimistic unchoke. */
const NEW_PEER_WEIGHT = 3;

// Implementation limits

/** A connection counts as new for three rounds. */
const NEW_PEER_MS = 30_000;
/** What the rate of a choked peer is worth against an unchoked one's. */
const NEWCOMER_SHARE = 0.9;

/** What a rule knows about a peer. */
export interface ChokeCandidate {
  readonly peer: number;
  readonly isInterested: boolean;
  /** It has everything, or downloads nothing (BEP 21): unchoking it is pointless. */
  readonly isUploadOnly: boolean;
  /** It owes us data and sends none: its place in the ranking is the last, but it may be the optimistic one. */
  readonly isSnubbed: boolean;
  /** Bytes a second that we get from it. */
  readonly downloadBytesPerSec: number;
  /** Bytes a second that it gets from us. */
  readonly uploadBytesPerSec: number;
  readonly connectedAtMs: number;
}

/** Whether the torrent is complete here: it changes what a peer is worth. */
export type ChokeRole = 'leech' | 'seed';

/** A rule ranks peers: the value of keeping a peer unchoked, higher first. */
export interface ChokeRule {
  readonly name: string;
  rank(candidate: ChokeCandidate, role: ChokeRole, nowMs: number): number;
}

/** The rule of BEP 3: reciprocate while downloading, serve the fastest while seeding. */
export const reciprocateRule: ChokeRule = {
  name: 'reciprocate',
  rank(candidate: ChokeCandidate, role: ChokeRole): number {
    if (role === 'seed') return candidate.uploadBytesPerSec;
    return candidate.isSnubbed ? 0 : candidate.downloadBytesPerSec;
  },
};

/** What a choker is made from. */
export interface ChokerOptions {
  readonly rng: Rng;
  /** Unchoked interested peers at a time, >= 1, default 4. */
  readonly slots?: number;
  /** Default: the rule of BEP 3. */
  readonly rule?: ChokeRule;
}

/** Peers whose state changes. */
export interface ChokeDecision {
  readonly choke: readonly number[];
  readonly unchoke: readonly number[];
}

/** The choker of one torrent. */
export class Choker {
  readonly #rng: Rng;
  readonly #rule: ChokeRule;
  #slots: number;
  #unchoked = new Set<number>();
  #optimistic: number | undefined;
  #nextRoundAtMs = Number.NEGATIVE_INFINITY;
  #nextOptimisticAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ChokerOptions) {
    this.#rng = options.rng;
    this.#rule = options.rule ?? reciprocateRule;
    this.#slots = Math.max(1, options.slots ?? DEFAULT_SLOTS);
  }

  /** Interested peers unchoked at a time; takes effect in the next round. */
  get slots(): number {
    return this.#slots;
  }

  set slots(slots: number) {
    this.#slots = Math.max(1, slots);
  }

  /** When the next round is due; before the first one -Infinity. */
  get nextRoundAtMs(): number {
    return this.#nextRoundAtMs;
  }

  isUnchoked(peer: number): boolean {
    return this.#unchoked.has(peer);
  }

  /** The peer unchoked regardless of its rate. */
  get optimistic(): number | undefined {
    return this.#optimistic;
  }

  /** Forgets a peer that disconnected; call `fill` afterwards to give its slot away. */
  remove(peer: number): void {
    this.#unchoked.delete(peer);
    if (this.#optimistic === peer) this.#optimistic = undefined;
  }

  /**
   * A round, when one is due; nothing changes before.
   * @param candidates all connected peers of the torrent.
   */
  run(nowMs: number, candidates: readonly ChokeCandidate[], role: ChokeRole): ChokeDecision {
    if (nowMs < this.#nextRoundAtMs) return { choke: [], unchoke: [] };
    this.#nextRoundAtMs = nowMs + CHOKE_ROUND_MS;
    const useful = candidates.filter((candidate) => !candidate.isUploadOnly);
    this.#rotateOptimistic(nowMs, useful);
    return this.#apply(this.#select(nowMs, useful, role));
  }

  /**
   * Between rounds: unchokes interested peers while slots are empty, and chokes nobody but uninterested ones that became
   * interested and found every slot taken by faster ones (BEP 3: "the worst uploader gets choked").
   * Call it when a peer became interested, was lost, or became a seed.
   */
  fill(nowMs: number, candidates: readonly ChokeCandidate[], role: ChokeRole): ChokeDecision {
    const useful = candidates.filter((candidate) => !candidate.isUploadOnly);
    const serving = useful.filter((c) => c.isInterested && this.#unchoked.has(c.peer));
    const excess = serving.length - this.#slots;
    if (excess > 0) {
      const worst = this.#ranked(nowMs, serving, role).filter((c) => c.peer !== this.#optimistic);
      const choke = worst.slice(worst.length - excess).map((c) => c.peer);
      for (const peer of choke) this.#unchoked.delete(peer);
      return { choke, unchoke: [] };
    }
    const waiting = useful.filter((c) => c.isInterested && !this.#unchoked.has(c.peer));
    const unchoke = this.#ranked(nowMs, waiting, role)
      .slice(0, -excess)
      .map((c) => c.peer);
    for (const peer of unchoke) this.#unchoked.add(peer);
    return { choke: [], unchoke };
  }

  /** Chooses the optimistic peer anew when it is time, it is gone, or it stopped being interested. */
  #rotateOptimistic(nowMs: number, useful: readonly ChokeCandidate[]): void {
    const current = useful.find((candidate) => candidate.peer === this.#optimistic);
    const isDue = nowMs >= this.#nextOptimisticAtMs;
    if (current?.isInterested === true && !isDue) return;
    // A peer that holds a slot by its rate needs no chance; the current one gives others theirs.
    const waiting = useful.filter(
      (candidate) =>
        candidate.isInterested &&
        candidate.peer !== this.#optimistic &&
        !this.#unchoked.has(candidate.peer),
    );
    if (isDue) this.#nextOptimisticAtMs = nowMs + OPTIMISTIC_ROUND_MS;
    if (waiting.length === 0) {
      if (current?.isInterested !== true) this.#optimistic = undefined;
      return;
    }
    const weightOf = (candidate: ChokeCandidate): number =>
      nowMs - candidate.connectedAtMs < NEW_PEER_MS ? NEW_PEER_WEIGHT : 1;
    let total = 0;
    for (const candidate of waiting) total += weightOf(candidate);
    let at = this.#rng.below(total);
    for (const candidate of waiting) {
      at -= weightOf(candidate);
      if (at < 0) {
        this.#optimistic = candidate.peer;
        return;
      }
    }
  }

  /** The peers to be unchoked until the next round. */
  #select(nowMs: number, useful: readonly ChokeCandidate[], role: ChokeRole): Set<number> {
    const selected = new Set<number>();
    let slotsLeft = this.#slots;
    if (this.#optimistic !== undefined) {
      selected.add(this.#optimistic);
      slotsLeft -= 1;
    }
    const passedBy: number[] = [];
    for (const candidate of this.#ranked(nowMs, useful, role)) {
      if (slotsLeft <= 0) break;
      if (candidate.peer === this.#optimistic) continue;
      if (!candidate.isInterested) {
        if (this.#rule.rank(candidate, role, nowMs) > 0) passedBy.push(candidate.peer);
        continue;
      }
      // Faster uninterested peers are unchoked with the slower interested one: they may start at once.
      for (const peer of passedBy.splice(0)) selected.add(peer);
      selected.add(candidate.peer);
      slotsLeft -= 1;
    }
    return selected;
  }

  /** Best first; equals in random order, but an unchoked peer before a choked one. */
  #ranked(nowMs: number, candidates: readonly ChokeCandidate[], role: ChokeRole): ChokeCandidate[] {
    const scored = candidates.map((candidate) => {
      const isUnchoked = this.#unchoked.has(candidate.peer);
      const rank = this.#rule.rank(candidate, role, nowMs);
      return {
        candidate,
        isUnchoked,
        // A seed ranks by upload rate, which a choked peer cannot have: no handicap there.
        score: isUnchoked || role === 'seed' ? rank : rank * NEWCOMER_SHARE,
        lot: this.#rng.u32(),
      };
    });
    scored.sort(
      (a, b) => b.score - a.score || Number(b.isUnchoked) - Number(a.isUnchoked) || a.lot - b.lot,
    );
    return scored.map(({ candidate }) => candidate);
  }

  #apply(selected: Set<number>): ChokeDecision {
    const choke = [...this.#unchoked].filter((peer) => !selected.has(peer));
    const unchoke = [...selected].filter((peer) => !this.#unchoked.has(peer));
    this.#unchoked = selected;
    return { choke, unchoke };
  }
}
