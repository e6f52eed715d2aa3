/**
 * Datagrams to a tracker: any bytes, as they come and behind a valid connection id, many in the life of one small tracker.
 * @module
 */
import { concatBytes, fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { encodeUdpConnect } from '../../src/protocol/tracker/index.ts';
import { TrackerCore, UDP_REPLY_LENGTH_MAX } from '../../src/protocol/tracker/server/index.ts';

const PEERS_MAX = 8;
const TORRENTS_MAX = 4;

const out = new Uint8Array(UDP_REPLY_LENGTH_MAX + 16);

/** Parts of the input are a byte that chooses family and network, one for the host, a length, and so many bytes of a datagram. */
function fuzz(bytes: Uint8Array): void {
  const core = new TrackerCore({
    secret: new Uint8Array(16),
    rng: new Rng(1),
    peersMax: PEERS_MAX,
    torrentsMax: TORRENTS_MAX,
    peersPerAddressMax: 3,
    requestsPerAddressBurst: 20,
    countedAddressesMax: 8,
    intervalSec: 30,
  });
  let nowMs = 0;
  for (let at = 0; at < bytes.length; ) {
    nowMs += 7_997;
    const [kind = 0, host = 0, length = 0] = bytes.subarray(at, at + 3);
    const v6 = new Uint8Array(16).fill(host & 15);
    v6[0] = 0x20;
    const address = kind & 1 ? Uint8Array.of(kind & 2 ? 127 : 203, 0, 113, host) : v6;
    visit(core, nowMs, bytes.subarray(at + 3, at + 3 + length), address);
    at += 3 + length;
  }
}

/** One datagram as it is, with a connection id in front, and with that id from somewhere else. */
function visit(core: TrackerCore, nowMs: number, datagram: Uint8Array, address: Uint8Array): void {
  if (ask(core, nowMs, datagram, address) > datagram.length) {
    throw new Error('more out than in, unproved');
  }
  if (ask(core, nowMs, encodeUdpConnect(7), address) !== 16) {
    throw new Error('expected a connection id');
  }
  const proved = concatBytes(out.subarray(8, 16), datagram);
  ask(core, nowMs, proved, address);
  const elsewhere = address.map((byte, index) => (index === 1 ? byte ^ 1 : byte));
  if (ask(core, nowMs, proved, elsewhere) !== 0) {
    throw new Error('an id was good for another address');
  }
  if (core.nextTimeoutMs() <= nowMs) core.handleTimeout(nowMs);
  const { store } = core;
  if (store.peerCount > PEERS_MAX || store.torrentCount > TORRENTS_MAX) {
    throw new Error(`${store.peerCount} peers, ${store.torrentCount} torrents`);
  }
  if (store.seeds < 0 || store.seeds > store.peerCount) throw new Error(`${store.seeds} seeds`);
}

/** An answer is within its bound, and nothing is written behind its end. */
function ask(core: TrackerCore, nowMs: number, bytes: Uint8Array, address: Uint8Array): number {
  out.fill(0xee, UDP_REPLY_LENGTH_MAX);
  const length = core.handleUdp(nowMs, bytes, address, out);
  if (length > UDP_REPLY_LENGTH_MAX) throw new Error(`an answer of ${length} bytes`);
  for (let at = UDP_REPLY_LENGTH_MAX; at < out.length; at += 1) {
    if (out[at] !== 0xee) throw new Error(`written behind the end, at ${at}`);
  }
  return length;
}

/** Action, transaction and the rest of an announce, without the connection id. */
function announce(event: number, left: number, port: string, options = ''): string {
  const numbers = `${'\0'.repeat(8)}${'\0'.repeat(7)}${String.fromCharCode(left)}${'\0'.repeat(8)}`;
  const rest = `\0\0\0${String.fromCharCode(event)}\0\0\0\0KEY!\xff\xff\xff\xff${port}${options}`;
  return `\0\0\0\x01\0\0\0\x09${'a'.repeat(20)}${'b'.repeat(20)}${numbers}${rest}`;
}

function part(kind: number, host: number, datagram: string): string {
  return String.fromCharCode(kind, host, datagram.length) + datagram;
}

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'tracker-server-udp',
  seeds: [
    part(1, 1, announce(2, 0, '\x1a\xe1')),
    part(0, 2, announce(1, 0, '\x1a\xe2', '\x02\x09/announce')),
    part(3, 3, announce(3, 9, '\x1a\xe3', '\x01\x02\x03/k/\x02\x08announce\0')),
    part(1, 4, `\0\0\0\x02\0\0\0\x09${'a'.repeat(20)}${'c'.repeat(20)}`),
    part(1, 5, '\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0abcd'),
    Array.from({ length: 20 }, (_, i) =>
      part(i % 4, i, announce(i % 4, i % 2, `\x01${'abc'[i % 3]}`)),
    ).join(''),
  ].map(fromLatin1),
  run: fuzz,
};
