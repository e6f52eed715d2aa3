/**
 * Lookups under way: their queries, what the answers bring, and storing at the nodes that were found.
 *
 * Specs: BEP 5 (get_peers, announce_peer), BEP 44 (get, put). Peers and items are told as they come.
 * Bounds: MAX_LOOKUPS at a time, others wait; queries by the transactions.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import type { Encodable } from '../bencode/index.ts';
import { K, MAX_LOOKUPS } from './constants.ts';
import { type DhtItem, isMutable, isRightItem, type MutableItem } from './item.ts';
import type { ErrorReply, QueryName, Response } from './krpc.ts';
import { verbatim } from './krpc.ts';
import { type Candidate, Lookup } from './lookup.ts';
import { compareDistance, distanceShare } from './node-id.ts';
import { query } from './querying.ts';
import type { DhtState } from './state.ts';
import type { LookupPlan } from './types.ts';

// Implementation limits
/** Nodes of the table that a lookup begins with: some may be gone. */
const BEGIN_NODES = 3 * K;
/** Lookups that wait for their turn. */
const MAX_WAITING = 1_000;

/** A lookup and what came of it. */
export interface RunningLookup {
  readonly id: number;
  readonly plan: LookupPlan;
  readonly lookup: Lookup;
  phase: 'searching' | 'storing';
  storing: number;
  stored: number;
  readonly refusals: Map<number, number>;
  /** `get`: the highest number of an item so far. */
  bestSeq: number;
  /** `get`: numbers of the items that nodes hold, for `cas`. */
  readonly seqs: Map<Candidate, number>;
}

/** Starts a lookup, or puts it in line. @returns its number in events; 0: the line is full, and nothing comes of it. */
export function startLookup(state: DhtState, nowMs: number, plan: LookupPlan): number {
  if (state.waiting.length >= MAX_WAITING) return 0;
  const id = state.nextLookup;
  state.nextLookup += 1;
  state.waiting.push({ id, plan });
  beginWaiting(state, nowMs);
  return id;
}

function beginWaiting(state: DhtState, nowMs: number): void {
  while (state.lookups.size < MAX_LOOKUPS && state.waiting.length > 0) {
    const { id, plan } = state.waiting.shift()!;
    const lookup = new Lookup(nowMs, plan.target, state.id, state.networkSize, state.defences);
    lookup.begin(state.table.closest(plan.target, BEGIN_NODES));
    const running: RunningLookup = {
      id,
      plan,
      lookup,
      phase: 'searching',
      storing: 0,
      stored: 0,
      refusals: new Map(),
      bestSeq: -1,
      seqs: new Map(),
    };
    state.lookups.set(id, running);
    tellOwn(state, nowMs, running);
    step(state, nowMs, running);
  }
}

/** Asks whom it can, or ends the search. */
export function step(state: DhtState, nowMs: number, running: RunningLookup): void {
  const { lookup } = running;
  if (running.phase !== 'searching') return;
  while (!state.transactions.isFull) {
    const candidate = lookup.next(nowMs);
    if (candidate === undefined) break;
    ask(state, nowMs, running, candidate);
  }
  if (lookup.isDone(nowMs)) endSearch(state, nowMs, running);
}

function ask(state: DhtState, nowMs: number, running: RunningLookup, candidate: Candidate): void {
  const { plan, lookup } = running;
  const key = plan.query === 'get_peers' ? 'info_hash' : 'target';
  const args = new Map<string, Encodable>([[key, plan.target]]);
  if (state.sibling !== undefined) args.set('want', ['n4', 'n6']);
  query(state, nowMs, candidate, plan.query, args, {
    onAnswer: (atMs, answer) => {
      if (answer.type === 'error') lookup.fail(candidate);
      else takeAnswer(state, running, candidate, answer);
      step(state, atMs, running);
    },
    onSlow: (atMs) => {
      const isAskedAgain = state.lookups.has(running.id) && lookup.slow(candidate);
      step(state, atMs, running);
      return isAskedAgain;
    },
    onLate: (atMs) => {
      lookup.late(candidate);
      step(state, atMs, running);
    },
    onTimeout: (atMs) => {
      lookup.fail(candidate);
      step(state, atMs, running);
    },
  });
}

function takeAnswer(
  state: DhtState,
  running: RunningLookup,
  candidate: Candidate,
  answer: Response,
): void {
  // Whoever claims to be somebody else than others said leads nowhere.
  if (!equalBytes(answer.id, candidate.id)) {
    running.lookup.fail(candidate);
    return;
  }
  // Nobody listens any more.
  if (!state.lookups.has(running.id)) return;
  running.lookup.answer(candidate, answer.token);
  const { family } = state.options;
  running.lookup.learn(candidate, family === 4 ? answer.nodes : answer.nodes6);
  const foreign = family === 4 ? answer.nodes6 : answer.nodes;
  if (foreign.length > 0) state.emit({ type: 'foreign-nodes', nodes: foreign });
  if (running.plan.query === 'get_peers') {
    const peers = answer.peers.filter(({ host }) => host.includes(':') === (family === 6));
    if (peers.length > 0) state.emit({ type: 'peers', lookup: running.id, peers });
  } else if (running.plan.query === 'get') takeItem(state, running, candidate, answer);
}

function takeItem(
  state: DhtState,
  running: RunningLookup,
  candidate: Candidate,
  { values }: Response,
): void {
  const value = values.rawSlice('v');
  if (value === undefined) return;
  const item = itemOf(
    running.plan,
    value,
    values.int('seq'),
    values.bytes('k'),
    values.bytes('sig'),
  );
  const { crypto, ed25519 } = state.options;
  if (item === undefined || !isRightItem(crypto, ed25519, running.plan.target, item)) return;
  const seq = isMutable(item) ? item.seq : 0;
  running.seqs.set(candidate, seq);
  if (seq <= running.bestSeq) return;
  running.bestSeq = seq;
  state.emit({ type: 'item', lookup: running.id, item });
}

/** @returns undefined when it is not of the kind that is looked for. */
function itemOf(
  plan: LookupPlan,
  value: Uint8Array,
  seq: number | undefined,
  publicKey: Uint8Array | undefined,
  signature: Uint8Array | undefined,
): DhtItem | undefined {
  if (plan.mutable === undefined) return { value: value.slice() };
  if (seq === undefined || seq < 0 || publicKey === undefined || signature === undefined)
    return undefined;
  if (!equalBytes(publicKey, plan.mutable.publicKey)) return undefined;
  return { value: value.slice(), seq, signature: signature.slice(), ...plan.mutable };
}

function endSearch(state: DhtState, nowMs: number, running: RunningLookup): void {
  const { lookup, plan } = running;
  const closest = lookup.closest();
  if (closest.length >= K) {
    const share = distanceShare(plan.target, closest[K - 1]!.id);
    if (share > 0) state.learnSize(plan.target, K / share);
  }
  running.phase = 'storing';
  if (plan.store !== undefined) {
    if (isOwnPlace(state, lookup, closest)) storeHere(state, nowMs, plan);
    for (const candidate of closest) {
      if (candidate.token !== undefined) store(state, nowMs, running, candidate, candidate.token);
    }
  }
  if (running.storing === 0) finish(state, nowMs, running);
}

/** A lookup never asks ourselves: what we hold for others is told at once. */
function tellOwn(state: DhtState, nowMs: number, { id, plan }: RunningLookup): void {
  if (state.isReadOnly) return;
  if (plan.query === 'get_peers') {
    const peers = state.peers.peers(nowMs, plan.target);
    if (peers.length > 0) state.emit({ type: 'peers', lookup: id, peers });
  } else if (plan.query === 'get') {
    const item = state.items.get(nowMs, plan.target);
    if (item !== undefined) state.emit({ type: 'item', lookup: id, item });
  }
}

/** We are one of the K nearest ourselves. Others would ask us, so it is kept here, too; in a network of two nodes nobody else could be asked. */
function isOwnPlace(state: DhtState, lookup: Lookup, closest: readonly Candidate[]): boolean {
  if (state.isReadOnly) return false;
  const last = closest[K - 1];
  return last === undefined || compareDistance(lookup.target, state.id, last.id) < 0;
}

function storeHere(state: DhtState, nowMs: number, { target, store: plan }: LookupPlan): void {
  const { told } = state;
  const host = state.externalHost ?? told?.host;
  if (plan?.type === 'put') state.items.put(nowMs, host ?? '', plan.item, plan.cas);
  else if (plan?.type === 'announce' && host !== undefined) {
    const port = plan.port === 0 ? told?.port : plan.port;
    if (port !== undefined) state.peers.add(nowMs, target, { host, port });
  }
}

function store(
  state: DhtState,
  nowMs: number,
  running: RunningLookup,
  candidate: Candidate,
  token: Uint8Array,
): void {
  const { plan } = running;
  const [name, args] = storeQuery(running, candidate);
  args.set('token', token);
  if (plan.store!.type === 'announce') args.set('info_hash', plan.target);
  running.storing += 1;
  let isWaitedFor = true;
  const settle = (atMs: number, answer?: Response | ErrorReply): void => {
    if (answer?.type === 'response') running.stored += 1;
    else if (answer !== undefined) {
      running.refusals.set(answer.code, (running.refusals.get(answer.code) ?? 0) + 1);
    }
    if (!isWaitedFor) return;
    isWaitedFor = false;
    running.storing -= 1;
    if (running.storing === 0) finish(state, atMs, running);
  };
  query(state, nowMs, candidate, name, args, {
    onAnswer: settle,
    // A second put with `cas` would be refused where only the answer to the first was lost. What was cancelled is not said again.
    onSlow: () => state.lookups.has(running.id) && !args.has('cas'),
    onLate: (atMs) => settle(atMs),
    onTimeout: (atMs) => settle(atMs),
  });
}

function storeQuery(
  running: RunningLookup,
  candidate: Candidate,
): [QueryName, Map<string, Encodable>] {
  const plan = running.plan.store!;
  if (plan.type === 'announce') {
    const port: [string, Encodable][] =
      plan.port === 0
        ? [
            ['implied_port', 1],
            ['port', 1],
          ]
        : [
            ['implied_port', 0],
            ['port', plan.port],
          ];
    return ['announce_peer', new Map(port)];
  }
  const { item, cas } = plan;
  const args = new Map<string, Encodable>([['v', verbatim(item.value)]]);
  if (isMutable(item)) addMutable(args, item);
  // BEP 44: not for nodes that had nothing.
  if (cas !== undefined && running.seqs.has(candidate)) args.set('cas', cas);
  return ['put', args];
}

function addMutable(args: Map<string, Encodable>, item: MutableItem): void {
  args.set('k', item.publicKey);
  if (item.salt.length > 0) args.set('salt', item.salt);
  args.set('seq', item.seq);
  args.set('sig', item.signature);
}

function finish(state: DhtState, nowMs: number, running: RunningLookup): void {
  if (!state.lookups.delete(running.id)) return;
  const { id, lookup, stored, refusals } = running;
  const closest = lookup.closest();
  state.emit({ type: 'done', lookup: id, stats: lookup.stats(nowMs), stored, refusals, closest });
  beginWaiting(state, nowMs);
}

/** Ends a lookup without a word. */
export function cancelLookup(state: DhtState, nowMs: number, id: number): void {
  const at = state.waiting.findIndex((waiting) => waiting.id === id);
  if (at >= 0) state.waiting.splice(at, 1);
  const running = state.lookups.get(id);
  if (running === undefined) return;
  running.phase = 'storing';
  state.lookups.delete(id);
  beginWaiting(state, nowMs);
}
