/**
 * Requests to a tracker over HTTP: any target from anywhere, many in the life of one small tracker, so that its bounds are met.
 * @module
 */
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { decodeDict } from '../../src/protocol/bencode/index.ts';
import { parseHttpReply } from '../../src/protocol/tracker/index.ts';
import { TrackerCore } from '../../src/protocol/tracker/server/index.ts';

const PEERS_MAX = 8;
const TORRENTS_MAX = 4;
const LINES_MAX = 64;

/** Each line is a request: a letter that chooses family, network and proxy, one for the host, the target. */
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
  for (const line of toLatin1(bytes).split('\n').slice(0, LINES_MAX)) {
    nowMs += 7_997;
    const [kind, host] = [line.charCodeAt(0) || 0, line.charCodeAt(1) || 0];
    const v6 = new Uint8Array(16).fill(host & 15);
    v6[0] = 0x20;
    const address = kind & 1 ? Uint8Array.of(kind & 2 ? 127 : 203, 0, 113, host) : v6;
    const reply = core.handleHttp(nowMs, line.slice(2), address, (kind & 4) !== 0);
    if (reply.body.length > 20_000) throw new Error(`an answer of ${reply.body.length} bytes`);
    if (!decodeDict(reply.body).ok) throw new Error('an answer that is no bencoded dictionary');
    const parsed = parseHttpReply(200, reply.body);
    if (!parsed.ok) throw new Error(`our own client does not read it: ${parsed.message}`);
    if (core.nextTimeoutMs() <= nowMs) core.handleTimeout(nowMs);
    checkStore(core);
  }
}

/** Bounds hold, and what the store counts is what it has. */
function checkStore({ store }: TrackerCore): void {
  if (store.peerCount > PEERS_MAX || store.torrentCount > TORRENTS_MAX) {
    throw new Error(`${store.peerCount} peers, ${store.torrentCount} torrents`);
  }
  if (store.seeds < 0 || store.seeds > store.peerCount) throw new Error(`${store.seeds} seeds`);
}

const ANNOUNCE = `/announce?info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=6881&left=`;

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'tracker-server-http',
  seeds: [
    `\x01\x01${ANNOUNCE}0&compact=1&event=started&numwant=50&key=AB`,
    `\x00\x02${ANNOUNCE}100&compact=0&event=completed`,
    `\x03\x03${ANNOUNCE}0&ip=198.51.100.1&event=paused&no_peer_id=1&compact=0`,
    `\x05\x04${ANNOUNCE}5&event=stopped`,
    `\x01\x05/announce?info_hash=%00%ff%7E${'%20'.repeat(17)}&peer_id=${'b'.repeat(20)}&port=1`,
    `\x01\x06/scrape?info_hash=${'a'.repeat(20)}&info_hash=${'c'.repeat(20)}`,
    '\x01\x07/key/announce',
    '\x01\x08/',
    Array.from({ length: 30 }, (_, i) => `${'ABCD'[i % 4]}${i % 12}${ANNOUNCE}${i % 3}`).join('\n'),
    Array.from(
      { length: 12 },
      (_, i) =>
        `A${i}/announce?info_hash=${`${i}`.repeat(20).slice(0, 20)}&peer_id=${'b'.repeat(20)}&port=${i}`,
    ).join('\n'),
  ].map(fromLatin1),
  run: fuzz,
};
