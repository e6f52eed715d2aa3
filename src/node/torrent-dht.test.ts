import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ReachPolicy } from '../io/reach-policy.ts';
import { toHex } from '../lib/bytes.ts';
import { decodeKrpc, encodeResponse } from '../protocol/dht/krpc.ts';
import { DhtService } from './dht-service.ts';
import { TorrentDht } from './torrent-dht.ts';
import { UdpDoor } from './udp-door.ts';

const SIGNATURE = { version: Buffer.from('TEST'), isReadOnly: false };
const [HIDDEN, OPEN] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];

/** A query that the other node got. */
interface Heard {
  readonly name: string;
  readonly infoHash: string;
}

/** A node of the DHT; `onQuery` is called before each answer. */
async function neighbour(t: TestContext, onQuery: (heard: Heard) => void): Promise<string> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (bytes, { address: host, port }) => {
    const query = decodeKrpc(bytes);
    if (!query.ok || query.value.type !== 'query') return;
    const { name, args, transaction } = query.value;
    onQuery({ name, infoHash: toHex(args.bytes('info_hash') ?? new Uint8Array(0)) });
    const values = new Map([
      ['id', Buffer.alloc(20, 3)],
      ['token', Buffer.from('token')],
    ]);
    socket.send(encodeResponse(transaction, values, { host, port }, SIGNATURE), port, host);
  });
  return `127.0.0.1:${socket.address().port}`;
}

async function open(t: TestContext, bootstrap: string): Promise<DhtService> {
  const home = mkdtempSync(path.join(tmpdir(), 'dht-service-'));
  const udp = new UdpDoor('127.0.0.1', 0);
  const policy = new ReachPolicy({ offline: true });
  const dht = new DhtService({ udp, policy, families: [4], home, bootstrap: [bootstrap] });
  t.after(async () => {
    dht.close();
    await udp.close();
    rmSync(home, { recursive: true });
  });
  await dht.start();
  return dht;
}

test('a torrent that turns out to be private while it is looked for is announced nowhere', async (t) => {
  const announced: string[] = [];
  let hear = (): void => {};
  const isAnnounced = new Promise<void>((resolve) => {
    hear = resolve;
  });
  let hide = (): void => {};
  const bootstrap = await neighbour(t, ({ name, infoHash }) => {
    // The lookup is under way: its only answer is not there yet.
    if (name === 'get_peers' && infoHash === toHex(HIDDEN)) hide();
    if (name !== 'announce_peer') return;
    announced.push(infoHash);
    if (infoHash === toHex(OPEN)) hear();
  });
  const dht = await open(t, bootstrap);
  const hidden = new TorrentDht(dht, 1001, () => {});
  hide = () => {
    hidden.start({ infoHashV1: HIDDEN }, true);
    new TorrentDht(dht, 1002, () => {}).start({ infoHashV1: OPEN }, false);
  };
  // Nobody calls `pulse` here: the first answer of all begins what waits for a node.
  hidden.start({ infoHashV1: HIDDEN }, false);
  await isAnnounced;
  assert.deepEqual(announced, [toHex(OPEN)]);
});

test('what is learnt of a torrent does not begin its lookup anew', async (t) => {
  const asked: string[] = [];
  let hear = (): void => {};
  const isAnnounced = new Promise<void>((resolve) => {
    hear = resolve;
  });
  let learn = (): void => {};
  const bootstrap = await neighbour(t, ({ name, infoHash }) => {
    if (name === 'announce_peer' && infoHash === toHex(OPEN)) hear();
    if (name !== 'get_peers') return;
    asked.push(infoHash);
    if (infoHash === toHex(HIDDEN)) learn();
  });
  const dht = await open(t, bootstrap);
  const torrent = new TorrentDht(dht, 1001, () => {});
  learn = () => torrent.start({ infoHashV1: HIDDEN, infoHashV2: OPEN }, false);
  torrent.start({ infoHashV1: HIDDEN }, false);
  await isAnnounced;
  assert.deepEqual(asked, [toHex(HIDDEN), toHex(OPEN)]);
});

test('a download that has nobody looks again, ever more seldom, until it has somebody', async () => {
  const looks: number[] = [];
  let nowMs = 0;
  const dht = { track: () => {}, untrack: () => {}, lookAgain: () => looks.push(nowMs) };
  const torrent = new TorrentDht(dht as unknown as DhtService, 1001, () => {});
  const run = (untilMs: number, isLonely: boolean): void => {
    for (; nowMs <= untilMs; nowMs += 1_000) torrent.pulse(nowMs, isLonely);
  };
  run(20_000, true);
  assert.deepEqual(looks, [], 'nothing is looked for before it starts');
  torrent.start({ infoHashV1: OPEN }, false);
  run(100_000, true);
  assert.deepEqual(looks, [31_000, 51_000, 91_000]);
  run(200_000, false);
  run(215_000, true);
  assert.deepEqual(looks.slice(3), [211_000], 'it begins anew');
  torrent.stop();
  run(2_000_000, true);
  assert.equal(looks.length, 4);
  torrent.start({ infoHashV1: OPEN }, false);
  run(20_000_000, true);
  const [before, last] = looks.slice(-2);
  assert.equal(last! - before!, 900_000);
});
