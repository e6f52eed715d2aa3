/**
 * Nodes that find each other through the DHT alone: a magnet link with nothing but hashes is enough, also after a restart without help.
 * @module
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  compactNodes,
  decodeKrpc,
  encodeError,
  encodeQuery,
  encodeResponse,
} from '../../src/protocol/dht/krpc.ts';
import {
  createTorrentFile,
  type Starling,
  startGet,
  startSeed,
  startStarling,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };
/** How long a slow node takes to answer. */
const SLOW_MS = 200;

/** A node that only stands in the DHT: it seeds something else. @returns its address. */
async function standIn(bed: TestBed): Promise<string> {
  const dir = bed.dir('other');
  writeFile(join(dir, 'other.bin'), 20_000, 3);
  const { file } = await createTorrentFile(bed, join(dir, 'other.bin'), 'v2', {
    pieceLength: 16384,
  });
  return (await startSeed(bed, file, dir)).address;
}

it(
  'a magnet link with a hash alone is fetched through the DHT; after a restart without any help, too',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'found.bin');
    writeFile(path, 600_017, 7);
    const { file, infoHashV1 } = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
    const between = await standIn(bed);
    await startSeed(bed, file, bed.dir('original'), '--bootstrap', between);
    const home = bed.home();
    const bare = ['get', `magnet:?xt=urn:btih:${infoHashV1}`, '--json', '--listen', '127.0.0.1:0'];
    const get = (into: string, ...args: string[]): Starling =>
      startStarling(bed, [...bare, '--dir', bed.dir(into), ...args], { home });
    await get('first', '--bootstrap', between).done();
    assert.deepEqual(readTree(join(bed.dir('first'), 'found.bin')), readTree(path));
    // Not by the peers that it met, but by the nodes.
    rmSync(join(home, 'peers.json'));
    await get('second').summary();
    assert.deepEqual(readTree(join(bed.dir('second'), 'found.bin')), readTree(path));
  },
);

it(
  'the node to begin with is asked at once; with --no-dht or --no-discovery it hears nothing',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 100_017, 7);
    const { file } = await createTorrentFile(bed, path, 'v1', { pieceLength: 16384 });
    const seed = await startSeed(bed, file, bed.dir('original'), '--no-dht');
    const node = createSocket('udp4');
    bed.onEnd(() => node.close());
    let datagrams = 0;
    node.on('message', () => {
      datagrams += 1;
    });
    node.bind(0, '127.0.0.1');
    await once(node, 'listening');
    const args = ['--peer', seed.address, '--bootstrap', `127.0.0.1:${node.address().port}`];
    for (const [i, off] of ['--no-dht', '--no-discovery'].entries()) {
      await startGet(bed, file, bed.dir(`into-${i}`), ...args, off).summary();
      assert.equal(datagrams, 0, off);
    }
    const heard = once(node, 'message');
    await startGet(bed, file, bed.dir('into-2'), ...args).summary();
    await heard;
  },
);

it(
  'dht put and get: an item is read by others, a signed one is replaced by its owner; dht peers lists who is announced',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const between = await standIn(bed);
    const dir = bed.dir('original');
    writeFile(join(dir, 'file.bin'), 50_017, 7);
    const { file, infoHashV1 } = await createTorrentFile(bed, join(dir, 'file.bin'), 'v1');
    const seed = await startSeed(bed, file, dir, '--bootstrap', between);
    const writer = bed.home();
    const dht = async (args: string[], home: string): Promise<Record<string, unknown>[]> => {
      const all = ['dht', ...args, '--json', '--listen', '127.0.0.1:0', '--bootstrap', between];
      const { stdout } = await startStarling(bed, all, { home }).done();
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    const [plain] = await dht(['put', 'hello'], writer);
    assert.deepEqual(Object.keys(plain!)[0], 'target');
    const [read] = await dht(['get', String(plain!['target'])], bed.home());
    assert.equal(read!['value'], 'hello');
    for (const [i, text] of ['one', 'two'].entries()) {
      const [signed] = await dht(['put', text, '--mutable', '--salt', 'news'], writer);
      assert.equal(signed!['seq'], i + 1);
      const [found] = await dht(['get', `${signed!['key']}.news`], bed.home());
      assert.deepEqual([found!['value'], found!['seq']], [text, i + 1]);
    }
    const peers = await dht(['peers', infoHashV1!], bed.home());
    assert(
      peers.some(({ address }) => address === seed.address),
      JSON.stringify(peers),
    );
    const [status] = await dht([], bed.home());
    assert.equal(status!['family'], 4);
  },
);

it('over IPv6 a hash alone is enough, too', LIMITS, async () => {
  await using bed = new TestBed();
  const path = join(bed.dir('original'), 'six.bin');
  writeFile(path, 60_017, 9);
  const { file, infoHashV1 } = await createTorrentFile(bed, path, 'v1', { pieceLength: 16384 });
  const six = ['--listen', '[::1]:0'];
  const between = bed.dir('between');
  writeFile(join(between, 'other.bin'), 20_000, 4);
  const other = await createTorrentFile(bed, join(between, 'other.bin'), 'v2');
  const node = await startSeed(bed, other.file, between, ...six);
  assert.match(node.address, /^\[::1\]:/);
  await startSeed(bed, file, bed.dir('original'), ...six, '--bootstrap', node.address);
  const link = `magnet:?xt=urn:btih:${infoHashV1}`;
  const get = startGet(bed, link, bed.dir('copy'), ...six, '--bootstrap', node.address);
  const { source } = await get.event('peer-connected');
  assert.equal(source, 'dht');
  await get.done();
  assert.deepEqual(readTree(join(bed.dir('copy'), 'six.bin')), readTree(path));
});

it('wrong calls end at once with one sentence', LIMITS, async () => {
  await using bed = new TestBed();
  const taken = createSocket('udp4');
  bed.onEnd(() => taken.close());
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const at = `127.0.0.1:${taken.address().port}`;
  for (const [args, code, says] of [
    [['dht', 'frob'], 2, /expected get, put or peers, got "frob"/],
    [['dht', '--bootstrap', 'nowhere'], 2, /--bootstrap: expected HOST:PORT.*got "nowhere"/],
    [['get', 'x', '--bootstrap', '127.0.0.1:99999'], 2, /--bootstrap: expected HOST:PORT/],
    [['dht', '--listen', at, '--bootstrap', at], 1, /Cannot listen on .* \(EADDRINUSE\)/],
    [['peers', `magnet:?xs=urn:btpk:${'ab'.repeat(32)}`], 1, /get and follow find the torrent/],
  ] as const) {
    const end = await startStarling(bed, [...args]).child.exit();
    assert.equal(end.code, code, end.stderr);
    assert.match(end.stderr, says);
  }
});

it('dht put and get do not end with a first node that knows no items', LIMITS, async () => {
  await using bed = new TestBed();
  const between = await standIn(bed);
  const old = await startOldNode(bed, between);
  const args = ['--json', '--listen', '127.0.0.1:0', '--bootstrap', old];
  const put = await startStarling(bed, ['dht', 'put', 'hello', ...args]).done();
  const { target } = JSON.parse(put.stdout) as { target: string };
  const got = await startStarling(bed, ['dht', 'get', target, ...args]).done();
  assert.equal(JSON.parse(got.stdout).value, 'hello');
});

/** A slow node as before BEP 44, which knows no `get`; it tells of the one node that it knows when it is asked again. @param other that node. @returns its address. */
async function startOldNode(bed: TestBed, other: string): Promise<string> {
  const signature = { version: Buffer.from('OLD1'), isReadOnly: false };
  const own = Buffer.alloc(20, 5);
  const [host, port] = other.split(':') as [string, string];
  const node = createSocket('udp4');
  const slow = new Set<NodeJS.Timeout>();
  bed.onEnd(() => {
    for (const timer of slow) clearTimeout(timer);
    node.close();
  });
  node.bind(0, '127.0.0.1');
  await once(node, 'listening');
  const ping = encodeQuery(Buffer.from('tt'), 'ping', new Map([['id', own]]), signature);
  node.send(ping, Number(port), host);
  const [bytes] = (await once(node, 'message')) as [Uint8Array];
  const decoded = decodeKrpc(bytes);
  assert(decoded.ok && decoded.value.type !== 'error');
  const nodes = compactNodes([{ id: decoded.value.id.slice(), host, port: Number(port) }]);
  const asked = new Set<number>();
  node.on('message', (text, from) => {
    const query = decodeKrpc(text);
    if (!query.ok || query.value.type !== 'query') return;
    const { transaction, name } = query.value;
    if (name === 'get') {
      node.send(
        encodeError(transaction, 204, 'Method Unknown', signature),
        from.port,
        from.address,
      );
      return;
    }
    const answer = (told: Uint8Array): void => {
      const values = new Map([
        ['id', own],
        ['nodes', told],
      ]);
      const to = { host: from.address, port: from.port };
      node.send(encodeResponse(transaction, values, to, signature), to.port, to.host);
    };
    // Whoever does not wait for the second answer knows nobody else.
    if (asked.has(from.port)) slow.add(setTimeout(answer, SLOW_MS, nodes));
    else answer(new Uint8Array(0));
    asked.add(from.port);
  });
  return `127.0.0.1:${node.address().port}`;
}
