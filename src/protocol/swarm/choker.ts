/**
 * Decides whom to upload to.
 *
 * Spec: BEP 3, the choking paragraphs: every ten seconds the four interested peers with the best rate are unchoked, and with them
 * the uninterested ones that are faster; one more peer is unchoked regardless of rate, rotating every thirty seconds.
 * Who gets that optimistic slot: whoever has waited longest, as far as it did not disappoint us before. BEP 3's threefold chance for new
 * connections rewards those who connect to everybody all the time; `optimistic: 'random'` keeps it for comparison.
 * Against fibrillation: nothing changes between rounds but the filling of empty slots, and a newcomer needs to be a tenth faster.
 * Bounds: one pass and one sort over the connected peers a round; state is the set of unchoked peers.
 * Not here: measuring rates, sending the messages, what a peer is worth (`choke-rules.ts`), how many slots (`slot-tuner.ts`).
 * @module
 */
import type { Rng } from '../../lib/rng.ts';
import {
  type ChokeCandidate,
  type ChokeRole,
  type ChokeRule,
  fastestRule,
  reciprocateRule,
} from './choke-rules.ts';

// Specification constants

/** Time between rounds. */
export const CHOKE_ROUND_MS = 10_000;
/** Time between rotations of the optimistic unchoke. */
export const OPTIMISTIC_ROUND_MS = 30_000;
/** Unchoked interested peers, the optimistic one among them. */
export const DEFAULT_SLOTS = 4;
/** 'random': how much likelier a new connection becomes the optimistic unchoke. */
const NEW_PEER_WEIGHT = 3;

// Implementation limits

/** 'random': a connection counts as new for three rounds. */
const NEW_PEER_MS = 30_000;
/** What the rate of a choked peer is worth against an unchoked one's. */
const NEWCOMER_SHARE = 0.9;
/** The least that a bad standing leaves of a peer's waiting time. */
const LEAST_PATIENCE = 0.05;
/** Whoever stands lower and gives nothing now has had its chance: it waits for the next optimistic slot. */
const TAKER_STANDING = -0.5;

/** How the optimistic peer is chosen. */
export type OptimisticPolicy = 'longest-waiting' | 'random';

/** What a choker is made from. */
export interface ChokerOptions {
  readonly rng: Rng;
  /** Unchoked interested peers at a time, >= 1, default 4. */
  readonly slots?: number;
  /** Default: the rules of BEP 3. */
  readonly rules?: Partial<Readonly<Record<ChokeRole, ChokeRule>>>;
  /** Default 'longest-waiting'. */
  readonly optimistic?: OptimisticPolicy;
}

/** Peers whose state changes. */
export interface ChokeDecision {
  readonly choke: readonly number[];
  readonly unchoke: readonly number[];
}

/** The choker of one torrent. */
export class Choker {
  readonly #rng: Rng;
  readonly #rules: Record<ChokeRole, ChokeRule>;
  readonly #policy: OptimisticPolicy;
  #slots: number;
  #unchoked = new Set<number>();
  #optimistic: number | undefined;
  #nextRoundAtMs = Number.NEGATIVE_INFINITY;
  #nextOptimisticAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ChokerOptions) {
    this.#rng = options.rng;
    this.#rules = { leech: reciprocateRule, seed: fastestRule, ...options.rules };
    this.#policy = options.optimistic ?? 'longest-waiting';
    this.#slots = Math.max(1, options.slots ?? DEFAULT_SLOTS);
  }

  /** Interested peers unchoked at a time; takes effect in the next round. */
  get slots(): number {
    return this.#slots;
  }

  set slots(slots: number) {
    this.#slots = Math.max(1, slots);
  }

  /** Takes effect in the next round. */
  setRule(role: ChokeRole, rule: ChokeRule): void {
    this.#rules[role] = rule;
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
    const useful = candidates.filter(isUseful);
    this.#rotateOptimistic(nowMs, useful);
    return this.#apply(this.#select(nowMs, useful, role));
  }

  /**
   * Between rounds: unchokes interested peers while slots are empty, and chokes nobody but uninterested ones that became
   * interested and found every slot taken by faster ones (BEP 3: "the worst uploader gets choked").
   * Call it when a peer became interested, was lost, or became a seed.
   */
  fill(nowMs: number, candidates: readonly ChokeCandidate[], role: ChokeRole): ChokeDecision {
    const useful = candidates.filter(isUseful);
    const serving = useful.filter((c) => c.isInterested && this.#unchoked.has(c.peer));
    const excess = serving.length - this.#slots;
    if (excess > 0) {
      const worst = this.#ranked(nowMs, serving, role).filter((c) => c.peer !== this.#optimistic);
      const choke = worst.slice(worst.length - excess).map((c) => c.peer);
      for (const peer of choke) this.#unchoked.delete(peer);
      return { choke, unchoke: [] };
    }
    const waiting = useful.filter(
      (c) => c.isInterested && !this.#unchoked.has(c.peer) && deservesSlot(c),
    );
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
    if (waiting.length > 0) {
      this.#optimistic =
        this.#policy === 'random'
          ? this.#drawOptimistic(nowMs, waiting)
          : this.#longestWaiting(nowMs, waiting);
    } else if (current?.isInterested !== true) this.#optimistic = undefined;
  }

  #longestWaiting(nowMs: number, waiting: readonly ChokeCandidate[]): number {
    let chosen = waiting[0]!.peer;
    let longest = Number.NEGATIVE_INFINITY;
    let equals = 0;
    for (const { peer, waitingSinceMs, standing } of waiting) {
      const wait = (nowMs - waitingSinceMs) * Math.max(LEAST_PATIENCE, 1 + standing);
      if (wait < longest) continue;
      equals = wait > longest ? 1 : equals + 1;
      longest = wait;
      // Each of the equals with the same chance, in one pass.
      if (this.#rng.below(equals) === 0) chosen = peer;
    }
    return chosen;
  }

  #drawOptimistic(nowMs: number, waiting: readonly ChokeCandidate[]): number | undefined {
    const weightOf = (candidate: ChokeCandidate): number =>
      nowMs - candidate.connectedAtMs < NEW_PEER_MS ? NEW_PEER_WEIGHT : 1;
    let total = 0;
    for (const candidate of waiting) total += weightOf(candidate);
    let at = this.#rng.below(total);
    for (const candidate of waiting) {
      at -= weightOf(candidate);
      if (at < 0) return candidate.peer;
    }
    return undefined;
  }

  /** The peers to be unchoked until the next round. */
  #select(nowMs: number, useful: readonly ChokeCandidate[], role: ChokeRole): Set<number> {
    const selected = new Set<number>();
    let slotsLeft = this.#slots;
    if (this.#optimistic !== undefined) {
      selected.add(this.#optimistic);
      slotsLeft -= 1;
    }
    const rule = this.#rules[role];
    const passedBy: number[] = [];
    for (const candidate of this.#ranked(nowMs, useful.filter(deservesSlot), role)) {
      if (slotsLeft <= 0) break;
      if (candidate.peer === this.#optimistic) continue;
      if (!candidate.isInterested) {
        // Only rates say "faster": in other rules a peer that wants nothing is worth nothing.
        if (role === 'leech' && rule.rank(candidate, nowMs) > 0) passedBy.push(candidate.peer);
        continue;
      }
      // Faster uninterested peers are unchoked with the slower interested one: they may start at once.
      for (const peer of passedBy.splice(0)) selected.add(peer);
      selected.add(candidate.peer);
      slotsLeft -= 1;
    }
    return selected;
  }

  /** Best first; of equals those with the better standing, then unchoked peers, then in random order. */
  #ranked(nowMs: number, candidates: readonly ChokeCandidate[], role: ChokeRole): ChokeCandidate[] {
    const rule = this.#rules[role];
    const scored = candidates.map((candidate) => {
      const isUnchoked = this.#unchoked.has(candidate.peer);
      const rank = rule.rank(candidate, nowMs);
      return {
        candidate,
        isUnchoked,
        // A seed ranks by upload rate, which a choked peer cannot have: no handicap there.
        score: isUnchoked || role === 'seed' ? rank : rank * NEWCOMER_SHARE,
        lot: this.#rng.u32(),
      };
    });
    scored.sort(
      (a, b) =>
        b.score - a.score ||
        Math.round(4 * b.candidate.standing) - Math.round(4 * a.candidate.standing) ||
        Number(b.isUnchoked) - Number(a.isUnchoked) ||
        a.lot - b.lot,
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

function isUseful(candidate: ChokeCandidate): boolean {
  return !candidate.isUploadOnly && !candidate.isOverfed;
}

/** May have another slot than the optimistic one. */
export function deservesSlot(candidate: ChokeCandidate): boolean {
  return (
    isUseful(candidate) &&
    (candidate.standing > TAKER_STANDING || candidate.downloadBytesPerSec > 0)
  );
}
