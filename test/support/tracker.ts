/**
 * A small HTTP (or HTTPS) and UDP tracker for tests, on 127.0.0.1 unless told otherwise: remembers swarms, hands out peers, records every announce.
 * Its bencoding and datagrams are written by hand on purpose, so that a fault in our codecs can't hide in both ends.
 * @module
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One announce as it arrived. */
export interface RecordedAnnounce {
  readonly via: 'http' | 'udp';
  /** Lower-case hex, as peerId. */
  readonly infoHash: string;
  readonly peerId: string;
  readonly port: number;
  readonly event: 'none' | 'started' | 'completed' | 'stopped' | 'paused';
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  readonly numWant: number;
  /** Hex, 8 digits. */
  readonly key: string;
  /** HTTP: the parameters as they came, values still encoded. */
  readonly query?: ReadonlyMap<string, string>;
  readonly userAgent?: string;
  /** UDP: the URL data option of BEP 41. */
  readonly urlData?: string;
}

/** How the tracker behaves; may be changed while it runs. */
export interface TestTrackerBehaviour {
  /** Default 1800. */
  intervalSec?: number;
  minIntervalSec?: number;
  /** Answers every announce with this failure. */
  failureReason?: string;
  warning?: string;
  trackerId?: string;
  /** Scrapes as they came: the info-hashes in hex, and whether by HTTP or UDP. */
  readonly scrapes?: string[];
  /** Takes requests and answers none. */
  isSilent?: boolean;
}

/** A running tracker. */
export interface TestTracker {
  /** http://HOST:PORT/announce, or https:// */
  readonly httpUrl: string;
  /** udp://HOST:PORT/announce */
  readonly udpUrl: string;
  readonly announces: readonly RecordedAnnounce[];
  readonly behaviour: TestTrackerBehaviour;
  /** Puts a peer into the swarm of an info-hash (hex) without an announce. */
  addPeer(infoHash: string, host: string, port: number): void;
  /** Resolves with the first announce, past or future, that fits. */
  waitFor(test: (announce: RecordedAnnounce) => boolean): Promise<RecordedAnnounce>;
  close(): Promise<void>;
}

interface SwarmPeer {
  readonly host: string;
  readonly port: number;
  readonly isSeed: boolean;
}

const EVENTS = ['none', 'completed', 'started', 'stopped'] as const;

/**
 * Starts a tracker on free ports.
 * @param host the address to listen on.
 * @param tls makes it speak HTTPS and no HTTP.
 */
export async function startTestTracker(
  behaviour: TestTrackerBehaviour = {},
  host = '127.0.0.1',
  tls?: { readonly key: string; readonly cert: string },
): Promise<TestTracker> {
  const state = new TrackerState(behaviour);
  const listener: RequestListener = (request, response) => serveHttp(state, request, response);
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, host);
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => serveUdp(state, socket, bytes, from));
  socket.bind(0, host);
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  return {
    httpUrl: `${tls === undefined ? 'http' : 'https'}://${host}:${(server.address() as AddressInfo).port}/announce`,
    udpUrl: `udp://${host}:${socket.address().port}/announce`,
    announces: state.announces,
    behaviour,
    addPeer: (infoHash, host, port) => state.join(infoHash, { host, port, isSeed: true }),
    waitFor: (test) => state.waitFor(test),
    close: () => closeBoth(server, socket),
  };
}

async function closeBoth(server: Server, socket: Socket): Promise<void> {
  server.closeAllConnections();
  await Promise.all([
    new Promise((resolve) => server.close(resolve)),
    new Promise<void>((resolve) => socket.close(() => resolve())),
  ]);
}

class TrackerState {
  readonly behaviour: TestTrackerBehaviour;
  readonly announces: RecordedAnnounce[] = [];
  readonly connectionIds = new Set<string>();
  readonly #swarms = new Map<string, Map<string, SwarmPeer>>();
  readonly #waiting = new Set<(announce: RecordedAnnounce) => void>();

  constructor(behaviour: TestTrackerBehaviour) {
    this.behaviour = behaviour;
  }

  /** Records an announce and gives the peers for its answer. */
  announce(announce: RecordedAnnounce, host: string): SwarmPeer[] {
    this.announces.push(announce);
    for (const listener of [...this.#waiting]) listener(announce);
    const { infoHash, port, left, event, numWant } = announce;
    const swarm = this.swarm(infoHash);
    const others = [...swarm.values()].filter((peer) => peer.host !== host || peer.port !== port);
    if (event === 'stopped') swarm.delete(`${host}:${port}`);
    else this.join(infoHash, { host, port, isSeed: left === 0 });
    return numWant >= 0 ? others.slice(0, numWant) : others;
  }

  join(infoHash: string, peer: SwarmPeer): void {
    this.swarm(infoHash).set(`${peer.host}:${peer.port}`, peer);
  }

  swarm(infoHash: string): Map<string, SwarmPeer> {
    const swarm = this.#swarms.get(infoHash) ?? new Map<string, SwarmPeer>();
    this.#swarms.set(infoHash, swarm);
    return swarm;
  }

  seeds(infoHash: string): number {
    return [...this.swarm(infoHash).values()].filter((peer) => peer.isSeed).length;
  }

  completed(infoHash: string): number {
    return this.announces.filter(
      (announce) => announce.infoHash === infoHash && announce.event === 'completed',
    ).length;
  }

  waitFor(test: (announce: RecordedAnnounce) => boolean): Promise<RecordedAnnounce> {
    const past = this.announces.find(test);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => {
      const listener = (announce: RecordedAnnounce): void => {
        if (!test(announce)) return;
        this.#waiting.delete(listener);
        resolve(announce);
      };
      this.#waiting.add(listener);
    });
  }
}

function serveHttp(state: TrackerState, request: IncomingMessage, response: ServerResponse): void {
  const [path, queryText = ''] = (request.url ?? '').split('?', 2) as [string, string?];
  if (path === '/scrape') {
    serveHttpScrape(state, queryText, response);
    return;
  }
  if (path !== '/announce') {
    response.writeHead(404).end('no tracker here');
    return;
  }
  const query = new Map<string, string>();
  for (const pair of queryText.split('&')) {
    const at = pair.indexOf('=');
    if (at > 0) query.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const number = (name: string): number => Number(query.get(name) ?? 0);
  const infoHash = hexOfEscaped(query.get('info_hash') ?? '');
  const { behaviour } = state;
  const announce: RecordedAnnounce = {
    via: 'http',
    infoHash,
    peerId: hexOfEscaped(query.get('peer_id') ?? ''),
    port: number('port'),
    event: (query.get('event') ?? 'none') as RecordedAnnounce['event'],
    uploaded: number('uploaded'),
    downloaded: number('downloaded'),
    left: number('left'),
    numWant: query.has('numwant') ? number('numwant') : 50,
    key: (query.get('key') ?? '').toLowerCase(),
    query,
    userAgent: request.headers['user-agent'] ?? '',
  };
  const peers = state.announce(announce, request.socket.remoteAddress ?? '127.0.0.1');
  if (behaviour.isSilent) return;
  response.writeHead(200, { 'content-type': 'text/plain' });
  if (behaviour.failureReason !== undefined) {
    response.end(`d14:failure reason${text(behaviour.failureReason)}e`);
    return;
  }
  const seeds = state.seeds(infoHash);
  const fields: (string | Buffer)[] = [
    `8:completei${seeds}e10:incompletei${state.swarm(infoHash).size - seeds}e`,
    `8:intervali${behaviour.intervalSec ?? 1800}e`,
  ];
  if (behaviour.minIntervalSec !== undefined) {
    fields.push(`12:min intervali${behaviour.minIntervalSec}e`);
  }
  const compact = Buffer.concat(peers.map(compactPeer));
  fields.push(`5:peers${compact.length}:`, compact);
  if (behaviour.trackerId !== undefined) fields.push(`10:tracker id${text(behaviour.trackerId)}`);
  if (behaviour.warning !== undefined) fields.push(`15:warning message${text(behaviour.warning)}`);
  response.end(Buffer.concat(['d', ...fields, 'e'].map((field) => Buffer.from(field as string))));
}

function serveHttpScrape(state: TrackerState, query: string, response: ServerResponse): void {
  const hashes = [...query.matchAll(/info_hash=([^&]*)/g)].map(([, hash]) => hexOfEscaped(hash!));
  state.behaviour.scrapes?.push(`http ${hashes.join(' ')}`);
  const files = hashes.sort().map((hash) => {
    const seeds = state.seeds(hash);
    const leeches = state.swarm(hash).size - seeds;
    const counts = `d8:completei${seeds}e10:downloadedi${state.completed(hash)}e10:incompletei${leeches}ee`;
    return Buffer.concat([Buffer.from('20:'), Buffer.from(hash, 'hex'), Buffer.from(counts)]);
  });
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(Buffer.concat([Buffer.from('d5:filesd'), ...files, Buffer.from('ee')]));
}

function serveUdp(state: TrackerState, socket: Socket, bytes: Buffer, from: RemoteInfo): void {
  if (bytes.length < 16 || (state.behaviour.isSilent && bytes.readUInt32BE(8) === 0)) return;
  const answer = (reply: Buffer): void => socket.send(reply, from.port, from.address);
  const action = bytes.readUInt32BE(8);
  const transaction = bytes.subarray(12, 16);
  if (action === 0 && bytes.readBigUInt64BE(0) === 0x41727101980n) {
    const id = Buffer.alloc(8);
    id.writeBigUInt64BE(BigInt(state.connectionIds.size + 1) * 0x9e3779b97f4a7n);
    state.connectionIds.add(id.toString('hex'));
    answer(Buffer.concat([u32(0), transaction, id]));
    return;
  }
  if (action === 2) {
    const hashes = Array.from({ length: (bytes.length - 16) / 20 }, (_, index) =>
      bytes.toString('hex', 16 + 20 * index, 36 + 20 * index),
    );
    state.behaviour.scrapes?.push(`udp ${hashes.join(' ')}`);
    const counts = hashes.flatMap((hash) => {
      const seeds = state.seeds(hash);
      return [seeds, state.completed(hash), state.swarm(hash).size - seeds].map(u32);
    });
    answer(Buffer.concat([u32(2), transaction, ...counts]));
    return;
  }
  if (action !== 1 || bytes.length < 98) return;
  if (!state.connectionIds.has(bytes.toString('hex', 0, 8))) {
    answer(Buffer.concat([u32(3), transaction, Buffer.from('unknown connection id')]));
    return;
  }
  const infoHash = bytes.toString('hex', 16, 36);
  const announce: RecordedAnnounce = {
    via: 'udp',
    infoHash,
    peerId: bytes.toString('hex', 36, 56),
    downloaded: Number(bytes.readBigUInt64BE(56)),
    left: Number(bytes.readBigUInt64BE(64)),
    uploaded: Number(bytes.readBigUInt64BE(72)),
    event: EVENTS[bytes.readUInt32BE(80)] ?? 'none',
    key: bytes.toString('hex', 88, 92),
    numWant: bytes.readInt32BE(92),
    port: bytes.readUInt16BE(96),
    urlData: readUrlData(bytes.subarray(98)),
  };
  const peers = state.announce(announce, from.address);
  if (state.behaviour.isSilent) return;
  if (state.behaviour.failureReason !== undefined) {
    answer(Buffer.concat([u32(3), transaction, Buffer.from(state.behaviour.failureReason)]));
    return;
  }
  const seeds = state.seeds(infoHash);
  const leeches = state.swarm(infoHash).size - seeds;
  const numbers = [state.behaviour.intervalSec ?? 1800, leeches, seeds].map(u32);
  answer(Buffer.concat([u32(1), transaction, ...numbers, ...peers.map(compactPeer)]));
}

function readUrlData(options: Buffer): string {
  let data = '';
  let at = 0;
  while (at < options.length && options[at] !== 0) {
    if (options[at] === 1) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (options[at] === 2) data += options.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
  }
  return data;
}

function compactPeer({ host, port }: SwarmPeer): Buffer {
  return Buffer.from([...host.split('.').map(Number), port >> 8, port & 0xff]);
}

function hexOfEscaped(escaped: string): string {
  const latin1 = escaped.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, 'latin1').toString('hex');
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function text(value: string): string {
  return `${Buffer.byteLength(value)}:${value}`;
}
