/**
 * The messages of the DHT: bencoded dictionaries in datagrams.
 *
 * Specs: BEP 5 (KRPC), BEP 32 (`want`, `nodes6`), BEP 42 (`ip`), BEP 43 (`ro`), BEP 44 (`get`, `put`).
 * What one field says wrong makes the message unreadable only where nothing could be done with it: other fields of the wrong type are as absent.
 * Bounds: MAX_PACKET_BYTES read; MAX_NODES nodes and MAX_READ_VALUES peers of an answer.
 * @module
 */
import { readU16, writeU16 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { type BencodeDict, decodeDict, type Encodable, encode, raw } from '../bencode/index.ts';
import { ID_BYTES, MAX_PACKET_BYTES } from './constants.ts';

// Implementation limits

/** Nodes of one answer that are looked at. */
const MAX_NODES = 32;
/** Peers of one answer that are looked at. */
const MAX_READ_VALUES = 200;
const MAX_TRANSACTION_BYTES = 32;
const MAX_TOKEN_BYTES = 128;
const DECODE_OPTIONS = { maxDepth: 20, maxTokens: 2_000, maxBytes: MAX_PACKET_BYTES };

/** Where a node or a peer is. */
export interface Endpoint {
  /** IP literal. */
  readonly host: string;
  readonly port: number;
}

/** A node as others tell of it. */
export interface NodeInfo extends Endpoint {
  /** 20 bytes. */
  readonly id: Uint8Array;
}

/** The queries. */
export type QueryName = 'ping' | 'find_node' | 'get_peers' | 'announce_peer' | 'get' | 'put';

/** A query as it came. */
export interface Query {
  readonly type: 'query';
  readonly transaction: Uint8Array;
  /** Also names that we do not know: those are answered by an error. */
  readonly name: string;
  readonly args: BencodeDict;
  /** 20 bytes. */
  readonly id: Uint8Array;
  /** BEP 43: it cannot be asked anything. */
  readonly isReadOnly: boolean;
}

/** An answer as it came. */
export interface Response {
  readonly type: 'response';
  readonly transaction: Uint8Array;
  readonly id: Uint8Array;
  readonly token: Uint8Array | undefined;
  readonly nodes: readonly NodeInfo[];
  readonly nodes6: readonly NodeInfo[];
  readonly peers: readonly Endpoint[];
  /** The fields of an item, if it has any. */
  readonly values: BencodeDict;
  /** Our own address as the node sees it (BEP 42). */
  readonly ownAddress: Endpoint | undefined;
}

/** A refusal as it came. */
export interface ErrorReply {
  readonly type: 'error';
  readonly transaction: Uint8Array;
  readonly code: number;
  readonly message: string;
}

/** Any message. */
export type Message = Query | Response | ErrorReply;

/** Reads a datagram. */
export function decodeKrpc(bytes: Uint8Array): Result<Message, 'ERR_DHT_MESSAGE'> {
  const decoded = decodeDict(bytes, DECODE_OPTIONS);
  if (!decoded.ok) return bad(decoded.message);
  const message = decoded.value;
  const transaction = message.bytes('t');
  if (transaction === undefined || transaction.length > MAX_TRANSACTION_BYTES) {
    return bad(`expected t, a string of up to ${MAX_TRANSACTION_BYTES} bytes`);
  }
  switch (message.text('y')) {
    case 'q':
      return decodeQuery(message, transaction);
    case 'r':
      return decodeResponse(message, transaction);
    case 'e':
      return ok({ type: 'error', transaction, ...readError(message) });
    default:
      return bad('expected y to be q, r or e');
  }
}

function bad(what: string): ReturnType<typeof fail<'ERR_DHT_MESSAGE'>> {
  return fail('ERR_DHT_MESSAGE', `DHT message: ${what}`);
}

function decodeQuery(
  message: BencodeDict,
  transaction: Uint8Array,
): Result<Query, 'ERR_DHT_MESSAGE'> {
  const name = message.text('q');
  const args = message.dict('a');
  const id = args?.bytes('id');
  if (name === undefined || args === undefined)
    return bad('expected q, a string, and a, a dictionary');
  if (id?.length !== ID_BYTES) return bad('expected an id of 20 bytes');
  return ok({ type: 'query', transaction, name, args, id, isReadOnly: message.int('ro') === 1 });
}

function decodeResponse(
  message: BencodeDict,
  transaction: Uint8Array,
): Result<Response, 'ERR_DHT_MESSAGE'> {
  const values = message.dict('r');
  const id = values?.bytes('id');
  if (values === undefined || id?.length !== ID_BYTES)
    return bad('expected r with an id of 20 bytes');
  const token = values.bytes('token');
  const ownAddress = message.bytes('ip');
  return ok({
    type: 'response',
    transaction,
    id,
    token: token !== undefined && token.length <= MAX_TOKEN_BYTES ? token : undefined,
    nodes: readNodes(values.bytes('nodes'), 4),
    nodes6: readNodes(values.bytes('nodes6'), 16),
    peers: readPeers(values.list('values')),
    values,
    ownAddress:
      ownAddress === undefined ? undefined : readEndpoint(ownAddress, 0, ownAddress.length - 2),
  });
}

function readError(message: BencodeDict): { code: number; message: string } {
  const [code, text] = message.list('e') ?? [];
  return {
    code: typeof code === 'number' ? code : 0,
    message: text instanceof Uint8Array ? printable(text) : '',
  };
}

/** The printable ASCII of a foreign text, up to 100 letters. */
function printable(bytes: Uint8Array): string {
  return String.fromCharCode(
    ...bytes.subarray(0, 100).filter((byte) => byte >= 0x20 && byte < 0x7f),
  );
}

/** @param ipBytes 4 or 16. @returns undefined for port 0 and for what is no address. */
function readEndpoint(bytes: Uint8Array, at: number, ipBytes: number): Endpoint | undefined {
  if ((ipBytes !== 4 && ipBytes !== 16) || at + ipBytes + 2 > bytes.length) return undefined;
  const port = readU16(bytes, at + ipBytes);
  if (port === 0) return undefined;
  return { host: formatIp(bytes.subarray(at, at + ipBytes)), port };
}

function readNodes(bytes: Uint8Array | undefined, ipBytes: number): NodeInfo[] {
  const length = ID_BYTES + ipBytes + 2;
  const nodes: NodeInfo[] = [];
  if (bytes === undefined || bytes.length % length !== 0) return nodes;
  for (let at = 0; at < bytes.length && nodes.length < MAX_NODES; at += length) {
    const endpoint = readEndpoint(bytes, at + ID_BYTES, ipBytes);
    if (endpoint !== undefined) nodes.push({ id: bytes.slice(at, at + ID_BYTES), ...endpoint });
  }
  return nodes;
}

function readPeers(list: readonly unknown[] | undefined): Endpoint[] {
  const peers: Endpoint[] = [];
  for (const entry of list?.slice(0, MAX_READ_VALUES) ?? []) {
    if (!(entry instanceof Uint8Array)) continue;
    const endpoint = readEndpoint(entry, 0, entry.length - 2);
    if (endpoint !== undefined) peers.push(endpoint);
  }
  return peers;
}

/** Address and port in 6 or 18 bytes. @throws RangeError when the host is no IP literal. */
export function compactEndpoint({ host, port }: Endpoint): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new RangeError(`host: expected an IP address, got ${host}`);
  const bytes = new Uint8Array(ip.length + 2);
  bytes.set(ip);
  writeU16(bytes, ip.length, port);
  return bytes;
}

/** Nodes in 26 or 38 bytes each. */
export function compactNodes(nodes: readonly NodeInfo[]): Uint8Array {
  const parts = nodes.map((node) => ({ id: node.id, at: compactEndpoint(node) }));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + ID_BYTES + part.at.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part.id, at);
    bytes.set(part.at, at + ID_BYTES);
    at += ID_BYTES + part.at.length;
  }
  return bytes;
}

/** What every message of ours carries. */
export interface Signature {
  /** Client and version, 4 bytes (BEP 5, `v`). */
  readonly version: Uint8Array;
  readonly isReadOnly: boolean;
}

/** Writes a query. */
export function encodeQuery(
  transaction: Uint8Array,
  name: QueryName,
  args: ReadonlyMap<string, Encodable>,
  { version, isReadOnly }: Signature,
): Uint8Array {
  const message = new Map<string, Encodable>([
    ['a', args],
    ['q', name],
    ['t', transaction],
    ['v', version],
    ['y', 'q'],
  ]);
  if (isReadOnly) message.set('ro', 1);
  return encode(message);
}

/** Writes an answer; `ip` is whom it goes to (BEP 42). */
export function encodeResponse(
  transaction: Uint8Array,
  values: ReadonlyMap<string, Encodable>,
  to: Endpoint,
  { version }: Signature,
): Uint8Array {
  return encode(
    new Map<string, Encodable>([
      ['ip', compactEndpoint(to)],
      ['r', values],
      ['t', transaction],
      ['v', version],
      ['y', 'r'],
    ]),
  );
}

/** Writes a refusal. */
export function encodeError(
  transaction: Uint8Array,
  code: number,
  message: string,
  { version }: Signature,
): Uint8Array {
  return encode(
    new Map<string, Encodable>([
      ['e', [code, message]],
      ['t', transaction],
      ['v', version],
      ['y', 'e'],
    ]),
  );
}

/** A bencoded value that goes out as it is. */
export function verbatim(value: Uint8Array): Encodable {
  return raw(value);
}
