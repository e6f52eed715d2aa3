/**
 * Answers to the queries of others.
 *
 * Specs: BEP 5, 32 (`want`), 42 (`ip` in every answer), 43 (read-only nodes are not taken for nodes), 44 (`get`, `put`).
 * Bounds: QueryGate; nothing is sent to an address that is longer than what a token or a list of nodes needs.
 * @module
 */
import type { BencodeDict, Encodable } from '../../bencode/index.ts';
import { DHT_ERROR, ID_BYTES, K } from '../constants.ts';
import { type DhtItem, isMutable, MAX_SEQ } from '../item.ts';
import {
  compactEndpoint,
  compactNodes,
  type Endpoint,
  encodeError,
  encodeResponse,
  type NodeInfo,
  type Query,
  verbatim,
} from '../krpc.ts';
import { ping } from '../querying.ts';
import type { DhtState } from '../state.ts';

/** An answer, or why there is none. */
type Answer = Map<string, Encodable> | { readonly code: number; readonly message: string };

/** Handles a query that was admitted. */
export function handleQuery(state: DhtState, nowMs: number, from: Endpoint, query: Query): void {
  if (!query.isReadOnly) meet(state, nowMs, { ...from, id: query.id });
  const answer = answerTo(state, nowMs, from, query);
  if (answer instanceof Map) {
    answer.set('id', state.id);
    state.send(from, encodeResponse(query.transaction, answer, from, state.signature));
  } else {
    state.send(from, encodeError(query.transaction, answer.code, answer.message, state.signature));
  }
}

/** Whoever asks may be a node: it enters the table when it answers. */
function meet(state: DhtState, nowMs: number, node: NodeInfo): void {
  if (state.table.find(node.id) !== undefined) state.table.heard(nowMs, node);
  else if (state.table.hasRoom(nowMs, node.id)) ping(state, nowMs, node);
}

function answerTo(state: DhtState, nowMs: number, from: Endpoint, { name, args }: Query): Answer {
  switch (name) {
    case 'ping':
      return new Map();
    case 'find_node':
      return withNodes(state, args, 'target', new Map());
    case 'get_peers':
      return getPeers(state, nowMs, from, args);
    case 'announce_peer':
      return announcePeer(state, nowMs, from, args);
    case 'get':
      return getItem(state, nowMs, from, args);
    case 'put':
      return putItem(state, nowMs, from, args);
    default:
      return { code: DHT_ERROR.unknownMethod, message: 'unknown method' };
  }
}

function protocolError(what: string): Answer {
  return { code: DHT_ERROR.protocol, message: what };
}

/** Adds the nodes nearest to what is asked for. */
function withNodes(
  state: DhtState,
  args: BencodeDict,
  key: string,
  answer: Map<string, Encodable>,
): Answer {
  const target = args.bytes(key);
  if (target?.length !== ID_BYTES) return protocolError(`expected ${key}, 20 bytes`);
  const { family } = state.options;
  const want = args.latin1List('want') ?? [family === 4 ? 'n4' : 'n6'];
  for (const each of [state, state.sibling]) {
    if (each === undefined) continue;
    const isSix = each.options.family === 6;
    if (!want.includes(isSix ? 'n6' : 'n4')) continue;
    answer.set(isSix ? 'nodes6' : 'nodes', compactNodes(each.table.closest(target, K)));
  }
  return answer;
}

function getPeers(state: DhtState, nowMs: number, from: Endpoint, args: BencodeDict): Answer {
  const answer = withNodes(state, args, 'info_hash', new Map());
  if (!(answer instanceof Map)) return answer;
  answer.set('token', state.tokens.make(nowMs, from.host));
  const peers = state.peers.peers(nowMs, args.bytes('info_hash')!);
  if (peers.length > 0) answer.set('values', peers.map(compactEndpoint));
  return answer;
}

function announcePeer(state: DhtState, nowMs: number, from: Endpoint, args: BencodeDict): Answer {
  const infoHash = args.bytes('info_hash');
  if (infoHash?.length !== ID_BYTES) return protocolError('expected info_hash, 20 bytes');
  if (!hasRightToken(state, nowMs, from, args)) return protocolError('bad token');
  const isImplied = (args.int('implied_port') ?? 0) !== 0;
  const port = isImplied ? from.port : args.int('port');
  if (port === undefined || port < 1 || port > 65_535) {
    return protocolError('expected port, 1 to 65535');
  }
  if (state.peers.add(nowMs, infoHash, { host: from.host, port })) return new Map();
  return { code: DHT_ERROR.server, message: 'too many peers of this host' };
}

function hasRightToken(state: DhtState, nowMs: number, from: Endpoint, args: BencodeDict): boolean {
  const token = args.bytes('token');
  return token !== undefined && state.tokens.isRight(nowMs, from.host, token);
}

function getItem(state: DhtState, nowMs: number, from: Endpoint, args: BencodeDict): Answer {
  const answer = withNodes(state, args, 'target', new Map());
  if (!(answer instanceof Map)) return answer;
  answer.set('token', state.tokens.make(nowMs, from.host));
  const item = state.items.get(nowMs, args.bytes('target')!);
  if (item === undefined) return answer;
  if (isMutable(item)) {
    answer.set('seq', item.seq);
    const known = args.int('seq');
    if (known !== undefined && item.seq <= known) return answer;
    answer.set('k', item.publicKey);
    answer.set('sig', item.signature);
  }
  answer.set('v', verbatim(item.value));
  return answer;
}

function putItem(state: DhtState, nowMs: number, from: Endpoint, args: BencodeDict): Answer {
  if (!hasRightToken(state, nowMs, from, args)) return protocolError('bad token');
  const value = args.rawSlice('v');
  if (value === undefined) return protocolError('expected v');
  const item = readItem(args, value.slice());
  if ('code' in item) return item;
  return state.items.put(nowMs, from.host, item, args.int('cas')) ?? new Map();
}

function readItem(
  args: BencodeDict,
  value: Uint8Array,
): DhtItem | { readonly code: number; readonly message: string } {
  if (!args.has('k')) return { value };
  const publicKey = args.bytes('k');
  const signature = args.bytes('sig');
  const seq = args.int('seq');
  const salt = args.bytes('salt') ?? new Uint8Array(0);
  const code = DHT_ERROR.protocol;
  if (publicKey?.length !== 32) return { code, message: 'expected k, 32 bytes' };
  if (signature?.length !== 64) return { code, message: 'expected sig, 64 bytes' };
  if (seq === undefined || seq < 0) return { code, message: `expected seq, 0 to ${MAX_SEQ}` };
  return {
    value,
    publicKey: publicKey.slice(),
    signature: signature.slice(),
    seq,
    salt: salt.slice(),
  };
}
