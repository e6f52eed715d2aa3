/**
 * Sending queries, and what every answer says besides: that its node lives, and where we are.
 * Specs: BEP 5, BEP 42 (`ip`).
 * @module
 */
import { addressScope, parseIp } from '../../lib/ip-address.ts';
import type { Encodable } from '../bencode/index.ts';
import {
  type Endpoint,
  type ErrorReply,
  encodeQuery,
  type QueryName,
  type Response,
} from './krpc.ts';
import { makeNodeId } from './node-id.ts';
import type { DhtState } from './state.ts';

/** What becomes of a query; exactly one of `onAnswer` and `onTimeout` is called, unless the core is dropped. */
export interface QueryHandlers {
  readonly onAnswer: (nowMs: number, answer: Response | ErrorReply) => void;
  /** The answer is late. @returns true to ask once more, with the same number. Default: not. */
  readonly onSlow?: (nowMs: number) => boolean;
  /** It was asked once more, and is late again. */
  readonly onLate?: (nowMs: number) => void;
  readonly onTimeout: (nowMs: number) => void;
}

/** A node to ask; its id may not be known yet. */
export type Target = Endpoint & { readonly id?: Uint8Array };

/** Sends a query. */
export function query(
  state: DhtState,
  nowMs: number,
  to: Target,
  name: QueryName,
  args: ReadonlyMap<string, Encodable>,
  handlers: QueryHandlers,
): void {
  let bytes: Uint8Array;
  const transaction = state.transactions.add(nowMs, {
    to: { host: to.host, port: to.port },
    onSlow: (atMs) => {
      if (handlers.onSlow?.(atMs) !== true) return false;
      state.totals.queriesSent += 1;
      state.send(to, bytes);
      return true;
    },
    onLate: (atMs) => handlers.onLate?.(atMs),
    onTimeout: (atMs) => {
      state.totals.timeouts += 1;
      if (to.id !== undefined) state.table.failed(atMs, to.id);
      handlers.onTimeout(atMs);
    },
    onAnswer: (atMs, answer) => {
      state.totals.answersReceived += 1;
      if (answer.type === 'response') hear(state, atMs, to, answer);
      handlers.onAnswer(atMs, answer);
    },
  });
  bytes = encodeQuery(transaction, name, state.args(args), state.signature);
  state.totals.queriesSent += 1;
  state.send(to, bytes);
}

function hear(state: DhtState, nowMs: number, { host, port }: Target, answer: Response): void {
  state.table.seen(nowMs, { id: answer.id, host, port });
  const own = answer.ownAddress?.host;
  if (own === undefined || own.includes(':') !== (state.options.family === 6)) return;
  state.told = answer.ownAddress;
  const bytes = parseIp(own);
  if (bytes === undefined || addressScope(bytes) !== 'global') return;
  const moved = state.vote(host, own);
  if (moved === undefined) return;
  const id = makeNodeId(moved, state.secret);
  state.changeId(nowMs, id);
  state.emit({ type: 'address', host: moved, id });
}

/** Asks a node whether it lives; it enters the table when it answers. */
export function ping(state: DhtState, nowMs: number, to: Target): void {
  if (state.transactions.isFull || state.courted.has(to.host)) return;
  state.courted.add(to.host);
  const end = (): void => void state.courted.delete(to.host);
  query(state, nowMs, to, 'ping', new Map(), { onAnswer: end, onTimeout: end });
}
