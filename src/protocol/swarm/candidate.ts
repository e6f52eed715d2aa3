/**
 * An address that may be dialled, and an index of addresses by how often they failed.
 * @module
 */
import type { HeapItem } from '../../lib/heap.ts';
import { MAX_FAILURES } from './constants.ts';
import type { PeerAddress, PeerSource } from './types.ts';

/** A known address. */
export interface Candidate extends HeapItem {
  /** Stands for the address. */
  readonly key: string;
  readonly address: PeerAddress;
  source: PeerSource;
  /** `waiting`, `ready` and `resting` name the list it is in; `ended` is between two of them. */
  state: 'waiting' | 'ready' | 'resting' | 'dialling' | 'connected' | 'covered' | 'ended';
  /** 0 … MAX_FAILURES, in a row. */
  failures: number;
  nextTryMs: number;
  /** Block data that moved both ways over its connections; undefined: it was never connected. */
  movedBytes: number | undefined;
  /** Nothing to gain from it while we are complete too. */
  isSeed: boolean;
  /** What former meetings say, in quarters: -4 … 4. */
  readonly standing: number;
  /** Canonical priority, or chance while that is unknown. */
  rank: number;
}

/** In one of the lists, so that it may be dialled or forgotten. */
export function isIdle({ state }: Candidate): boolean {
  return state === 'waiting' || state === 'ready' || state === 'resting';
}

/** Finds the address that failed most often, in constant time. `failures` may change only while a candidate is out. */
export class FailureIndex {
  /** By failures; made when the first comes: most torrents of a node have none, and the empty sets of 5,000 were 16 MB. */
  readonly #sets: Set<Candidate>[] = [];

  add(candidate: Candidate): void {
    // Who never failed is never the worst: most addresses are spared the place.
    if (candidate.failures === 0) return;
    this.#sets[candidate.failures] ??= new Set();
    this.#sets[candidate.failures]!.add(candidate);
  }

  delete(candidate: Candidate): void {
    this.#sets[candidate.failures]?.delete(candidate);
  }

  /** The one that failed most often, of several the one that has been here longest; undefined when none failed. */
  worst(): Candidate | undefined {
    for (let failures = MAX_FAILURES; failures > 0; failures -= 1) {
      for (const candidate of this.#sets[failures] ?? []) return candidate;
    }
    return undefined;
  }
}
