/**
 * One iterative lookup: which nodes are asked next, and when the nearest are found.
 *
 * Specs: BEP 5; Baumgart and Mies, "S/Kademlia", 2007 (disjoint paths: what one node says leads one path only, so a liar spoils one of them);
 * BEP 42, "Enforcement" (nodes with a wrong id do not end a lookup, and nothing is stored there).
 * A node that does not answer in time is asked once more when it could be among the nearest, and holds up the end no longer once that was in vain, too.
 * Against planted nodes: of one subnet few count, and when the nearest nodes are much denser than the network is, more of them are asked for.
 * Bounds: MAX_CANDIDATES nodes, ALPHA queries for each of PATHS, LOOKUP_LIMIT_MS.
 * Not here: datagrams, timeouts, what the answers hold.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import {
  ALPHA,
  K,
  LOOKUP_LIMIT_MS,
  MAX_CANDIDATES,
  MAX_STORES_PER_SUBNET,
  PATHS,
  WIDE_STORES,
} from './constants.ts';
import type { NodeInfo } from './krpc.ts';
import { compareDistance, distanceShare, isAllowedId } from './node-id.ts';
import { isLocal, subnetOf } from './subnet.ts';

// Implementation limits
/** Nearest nodes that lie closer together than this many times what the size of the network explains look planted. */
const DENSE_FACTOR = 6;

/** What of the defences is used; all by default. Off for measurements. */
export interface Defences {
  /** BEP 42. */
  readonly checksIds: boolean;
  /** Few nodes of a subnet count. */
  readonly limitsSubnets: boolean;
  /** More nodes where the nearest look planted. */
  readonly checksDensity: boolean;
  /** Disjoint paths, 1 … */
  readonly paths: number;
}

export const ALL_DEFENCES: Defences = {
  checksIds: true,
  limitsSubnets: true,
  checksDensity: true,
  paths: PATHS,
};

/** A node on the way. */
export interface Candidate extends NodeInfo {
  readonly path: number;
  readonly hops: number;
  /**
   * `again`: it was slow, was asked once more, and others are asked in its place. `late`: that was in vain so far, or not worth it; nobody waits for it.
   * Of both, an answer still counts.
   */
  state: 'new' | 'asked' | 'again' | 'late' | 'answered' | 'failed';
  token: Uint8Array | undefined;
  /** Its place counts: it may end the lookup and may be stored at. Known when it answered. */
  isTrusted: boolean;
  /** What it shares with others; empty: nothing. Known when it answered. */
  subnet: string;
}

/** How a lookup went. */
export interface LookupStats {
  /** Queries sent, those that were sent again among them. */
  asked: number;
  /** Nodes that refused, or did not answer in time. */
  failed: number;
  /** Steps from our own table to the nearest node. */
  hops: number;
  durationMs: number;
  /** The nearest nodes looked planted. */
  isDense: boolean;
}

/** Where one lookup stands. */
export class Lookup {
  readonly target: Uint8Array;
  readonly startedMs: number;
  /** Nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #known = new Set<string>();
  /** Our own id: others tell of us, too. */
  readonly #own: Uint8Array;
  readonly #defences: Defences;
  /** Nodes of the network as far as is known; 0: unknown. */
  readonly #networkSize: number;
  #asked = 0;
  #failed = 0;
  #answers = 0;
  /** Questions under way that are not slow, by path. */
  readonly #busy: number[];
  #kept: readonly Candidate[] | undefined;
  #nextPath = 0;

  constructor(
    nowMs: number,
    target: Uint8Array,
    own: Uint8Array,
    networkSize: number,
    defences: Defences,
  ) {
    this.#own = own;
    this.target = target;
    this.startedMs = nowMs;
    this.#networkSize = networkSize;
    this.#defences = defences;
    this.#busy = Array.from({ length: defences.paths }, () => 0);
  }

  /** Adds nodes that we know ourselves, spread over the paths. */
  begin(nodes: readonly NodeInfo[]): void {
    for (const node of nodes) {
      this.#add(node, this.#nextPath, 0);
      this.#nextPath = (this.#nextPath + 1) % this.#defences.paths;
    }
  }

  /** A node told of others. */
  learn(from: Candidate, nodes: readonly NodeInfo[]): void {
    for (const node of nodes) this.#add(node, from.path, from.hops + 1);
  }

  /** The next node to ask, or undefined. */
  next(nowMs: number): Candidate | undefined {
    if (nowMs - this.startedMs > LOOKUP_LIMIT_MS) return undefined;
    const limit = this.#limit();
    for (const candidate of this.#candidates) {
      if (candidate === limit) return undefined;
      if (candidate.state !== 'new' || this.#busy[candidate.path]! >= ALPHA) continue;
      this.#turn(candidate, 'asked');
      this.#asked += 1;
      return candidate;
    }
    return undefined;
  }

  /** A candidate answered. */
  answer(candidate: Candidate, token: Uint8Array | undefined): void {
    const { id, host } = candidate;
    candidate.token = token;
    candidate.isTrusted = !this.#defences.checksIds || isAllowedId(id, host);
    candidate.subnet = this.#defences.limitsSubnets && !isLocal(host) ? subnetOf(host) : '';
    this.#answers += 1;
    this.#turn(candidate, 'answered');
  }

  /** A candidate is slow. @returns true when it is worth asking once more. */
  slow(candidate: Candidate): boolean {
    if (candidate.state !== 'asked') return false;
    const limit = this.#limit();
    const isWorth = limit === undefined || compareDistance(this.target, candidate.id, limit.id) < 0;
    this.#turn(candidate, isWorth ? 'again' : 'late');
    if (isWorth) this.#asked += 1;
    return isWorth;
  }

  /** A candidate that was asked twice is slow again. */
  late(candidate: Candidate): void {
    if (candidate.state === 'again') this.#turn(candidate, 'late');
  }

  /** A candidate did not answer, or refused. */
  fail(candidate: Candidate): void {
    this.#turn(candidate, 'failed');
    this.#failed += 1;
  }

  /** Nothing is left to ask, and nothing that is waited for could be nearer than what answered. While nobody answered, the late ones are waited for. */
  isDone(nowMs: number): boolean {
    if (nowMs - this.startedMs > LOOKUP_LIMIT_MS) return true;
    const limit = this.#limit();
    for (const candidate of this.#candidates) {
      if (candidate === limit) return true;
      const { state } = candidate;
      if (state === 'new' || state === 'asked' || state === 'again') return false;
      if (state === 'late' && this.#answers === 0) return false;
    }
    return true;
  }

  /** The nearest nodes that answered and count, nearest first. */
  closest(): Candidate[] {
    return this.#nearest().slice(0, this.#wanted());
  }

  /** All that answered, nearest first. */
  answered(): Candidate[] {
    return this.#candidates.filter(({ state }) => state === 'answered');
  }

  stats(nowMs: number): LookupStats {
    return {
      asked: this.#asked,
      failed: this.#failed + this.#candidates.filter(({ state }) => state === 'late').length,
      hops: this.#nearest()[0]?.hops ?? 0,
      durationMs: nowMs - this.startedMs,
      isDense: this.#wanted() > K,
    };
  }

  /** The farthest node that is wanted, once enough answered: whoever is behind it need not be asked. */
  #limit(): Candidate | undefined {
    return this.#nearest()[this.#wanted() - 1];
  }

  #wanted(): number {
    if (!this.#defences.checksDensity || this.#networkSize < 2 * WIDE_STORES) return K;
    const kth = this.#nearest()[K - 1];
    if (kth === undefined) return K;
    const expected = K / this.#networkSize;
    return distanceShare(this.target, kth.id) * DENSE_FACTOR < expected ? WIDE_STORES : K;
  }

  /**
   * Those that answered and count, of one subnet a few, as many as can be wanted. Kept until somebody answers: finding them anew for each question took
   * a third of a simulated network's time.
   */
  #nearest(): readonly Candidate[] {
    if (this.#kept !== undefined) return this.#kept;
    const perSubnet = new Map<string, number>();
    const found: Candidate[] = [];
    for (const candidate of this.#candidates) {
      if (candidate.state !== 'answered' || !candidate.isTrusted) continue;
      const { subnet } = candidate;
      if (subnet !== '') {
        const count = (perSubnet.get(subnet) ?? 0) + 1;
        perSubnet.set(subnet, count);
        if (count > MAX_STORES_PER_SUBNET) continue;
      }
      found.push(candidate);
      if (found.length === WIDE_STORES) break;
    }
    this.#kept = found;
    return found;
  }

  #turn(candidate: Candidate, state: Candidate['state']): void {
    const before = candidate.state;
    if (before === 'asked') this.#busy[candidate.path]! -= 1;
    if (state === 'asked') this.#busy[candidate.path]! += 1;
    if (before === 'answered' || state === 'answered') this.#kept = undefined;
    candidate.state = state;
  }

  #add({ id, host, port }: NodeInfo, path: number, hops: number): void {
    const key = `${host} ${port}`;
    if (this.#known.has(key) || equalBytes(id, this.#own)) return;
    let low = 0;
    let high = this.#candidates.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compareDistance(this.target, this.#candidates[middle]!.id, id);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    if (low >= MAX_CANDIDATES) return;
    this.#known.add(key);
    const state = 'new' as const;
    this.#candidates.splice(low, 0, {
      id,
      host,
      port,
      path,
      hops,
      state,
      token: undefined,
      isTrusted: false,
      subnet: '',
    });
    if (this.#candidates.length <= MAX_CANDIDATES) return;
    // The farthest goes, unless an answer of it is awaited.
    const last = this.#candidates.findLastIndex(
      ({ state: each }) => each !== 'asked' && each !== 'again' && each !== 'late',
    );
    if (last >= 0) this.#candidates.splice(last, 1);
    this.#kept = undefined;
  }
}
