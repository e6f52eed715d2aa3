import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { monotonicMs } from '../io/clock.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { toHex } from '../lib/bytes.ts';
import { type BencodeDict, decodeDict, type Encodable, encode } from '../protocol/bencode/index.ts';
import { DhtService } from './dht-service.ts';
import { UdpDoor } from './udp-door.ts';

const HASH = new Uint8Array(20).fill(1);
const OTHER_HASH = new Uint8Array(20).fill(2);
/** Where the torrents of these tests listen. */
const PORT = 7_001;

/** A DHT node that is all there is: it answers what it is told to and remembers who asked what. */
class OnlyNode {
  readonly #socket = createSocket('udp4');
  /** "query info-hash", in the order of arrival. */
  readonly heard: string[] = [];
  /** Peers that it knows of every torrent. */
  peers: readonly string[] = [];
  isHolding = false;
  #held: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  static async open(t: TestContext): Promise<OnlyNode> {
    const node = new OnlyNode();
    t.after(() => node.#socket.close());
    node.#socket.on('message', (bytes, { port }) => node.#take(bytes, port));
    node.#socket.bind(0, '127.0.0.1');
    await once(node.#socket, 'listening');
    return node;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Resolves once it heard so many queries of this kind. */
  async hears(what: string, times = 1): Promise<void> {
    while (this.count(what) < times) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  count(what: string): number {
    return this.heard.filter((each) => each === what).length;
  }

  /** Answers what it held back, and everything from now on. */
  release(): void {
    this.isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  #take(bytes: Uint8Array, port: number): void {
    const decoded = decodeDict(bytes);
    assert(decoded.ok);
    const query = decoded.value;
    if (query.text('y') !== 'q') return;
    const infoHash = query.dict('a')?.bytes('info_hash');
    const name = query.text('q')!;
    const answer = (): void => this.#answer(query, name, port);
    if (this.isHolding && name === 'get_peers') this.#held.push(answer);
    else answer();
    this.heard.push(infoHash === undefined ? name : `${name} ${toHex(infoHash)}`);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #answer(query: BencodeDict, name: string, port: number): void {
    const values = this.peers.map((text) => {
      const [host, at] = text.split(':');
      return Buffer.from([...host!.split('.').map(Number), Number(at) >> 8, Number(at) & 255]);
    });
    const r: Record<string, Encodable> = { id: Buffer.alloc(20, 'n'), nodes: '' };
    if (name === 'get_peers') Object.assign(r, { token: 'token', values });
    this.#socket.send(encode({ r, t: query.bytes('t')!, y: 'r' }), port, '127.0.0.1');
  }
}

const makeHome = (): string => mkdtempSync(join(tmpdir(), 'starling-dht-'));

async function openService(
  t: TestContext,
  node: { readonly address: string },
  home = makeHome(),
): Promise<DhtService> {
  const udp = new UdpDoor('127.0.0.1');
  const policy = new ReachPolicy({ offline: true });
  const bootstrap = [node.address];
  const service = new DhtService({ udp, policy, families: [4], home, bootstrap });
  t.after(async () => {
    service.close();
    await udp.close();
    rmSync(home, { recursive: true, force: true });
  });
  await service.start();
  return service;
}

const asked = (hash: Uint8Array): string => `get_peers ${toHex(hash)}`;
const announced = (hash: Uint8Array): string => `announce_peer ${toHex(hash)}`;

test('a torrent is looked for as soon as the first node answers, without waiting for a pulse', async (t) => {
  const node = await OnlyNode.open(t);
  node.peers = ['127.0.0.1:9000'];
  const service = await openService(t, node);
  const found = await new Promise((resolve) => service.track(HASH, PORT, resolve));
  assert.deepEqual(found, [{ host: '127.0.0.1', port: 9_000 }]);
  await node.hears(announced(HASH));
});

test('a torrent that is tracked no more is not announced by the lookup that was under way', async (t) => {
  const node = await OnlyNode.open(t);
  node.isHolding = true;
  const service = await openService(t, node);
  service.track(HASH, PORT, () => assert.fail('heard peers of a torrent that is not tracked'));
  await node.hears(asked(HASH));
  service.untrack(HASH);
  node.peers = ['127.0.0.1:9000'];
  node.release();
  // What comes after it is there, so it would be, too.
  service.track(OTHER_HASH, PORT, () => {});
  await node.hears(announced(OTHER_HASH));
  assert.equal(node.count(announced(HASH)), 0);
});

test('whoever finds itself alone looks again soon; whoever finds others does not', async (t) => {
  const node = await OnlyNode.open(t);
  const service = await openService(t, node);
  // The address of this very torrent, as an earlier announce left it with the node.
  node.peers = [`127.0.0.1:${PORT}`];
  service.track(HASH, PORT, () => {});
  await node.hears(announced(HASH));
  await service.settle(5_000);
  node.peers = [`127.0.0.1:${PORT}`, `127.0.0.2:${PORT}`];
  service.pulse(monotonicMs() + 6_000);
  await node.hears(announced(HASH), 2);
  await service.settle(5_000);
  service.pulse(monotonicMs() + 12_000);
  service.track(OTHER_HASH, PORT, () => {});
  await node.hears(announced(OTHER_HASH));
  assert.equal(node.count(asked(HASH)), 2);
});

test('a node has its id again in the next run; two of one home at a time have two, and meet', async (t) => {
  const [node, home] = [await OnlyNode.open(t), makeHome()];
  const idOf = (dht: DhtService): string => toHex(dht.status()[0]!.id);
  const first = await openService(t, node, home);
  assert(await first.ready(10_000));
  first.close();
  const second = await openService(t, node, home);
  assert.equal(idOf(second), idOf(first));
  const third = await openService(t, { address: `127.0.0.1:${second.port(4)}` }, home);
  assert.notEqual(idOf(third), idOf(second));
  assert(await third.ready(10_000));
});
