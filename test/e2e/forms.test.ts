/**
 * The forms of the command line, each at least once, between real processes on loopback.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  askStarling,
  createTorrentFile,
  runStarling,
  startGet,
  startSeed,
  startServing,
  startStarling,
} from '../support/cli.ts';
import { freePort, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';
import { startTestTracker } from '../support/tracker.ts';

const LIMITS = { timeout: 60_000 };

describe('command line', { concurrency: 2 }, () => {
  it('share prints a magnet by which get fetches the folder', LIMITS, async () => {
    await using bed = new TestBed();
    const path = writeTree(join(bed.dir('original'), 'ein Ordner'));
    const shared = await startServing(bed, ['share', path]);
    assert.match(shared.magnet, /^magnet:\?xt=urn:btih:[0-9a-f]{40}&xt=urn:btmh:1220[0-9a-f]{64}&/);
    assert.ok(shared.magnet.includes(`x.pe=${shared.address}`));
    const get = startGet(bed, shared.magnet, bed.dir('copy'));
    const summary = await get.summary();
    const { stdout } = await get.done();
    assert.deepEqual(readTree(join(bed.dir('copy'), 'ein Ordner')), readTree(path));
    assert.ok(
      stdout
        .trim()
        .split('\n')
        .every((line) => line.startsWith('{')),
    );
    const lastEvent = JSON.parse(stdout.trim().split('\n').at(-1)!) as { type: string };
    assert.equal(lastEvent.type, 'summary');
    const info = await askStarling(bed, ['info', shared.torrent!]);
    assert.equal(summary.infoHashV1, info['infoHashV1']);
    assert.equal(summary.infoHashV2, info['infoHashV2']);
    assert.equal(summary.name, 'ein Ordner');
    assert.equal(summary.wastedBytes, 0);
    assert.equal(summary.peers, 1);
    assert.ok(summary.seconds > 0 && summary.seconds < 60);
    assert.ok(Math.abs(summary.rate - summary.bytes / summary.seconds) < 1);
  });

  it(
    'get takes a torrent file, --quiet prints its result only, and again it has nothing to fetch',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 1_000_003, 5);
      const torrent = await createTorrentFile(bed, path, 'v2');
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const home = bed.home();
      const into = bed.dir('copy');
      const args = ['get', torrent.file, '--dir', into, '--peer', seed.address, '--quiet'];
      const first = await runStarling(bed, [...args, '--no-discovery'], { home });
      assert.equal(first.code, 0, first.stderr);
      assert.equal(first.stderr, '');
      assert.match(first.stdout, /^file\.bin: [^\n]+\n$/);
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
      await seed.starling.child.stop();
      const again = await runStarling(bed, [...args, '--no-discovery'], { home });
      assert.equal(again.code, 0, again.stderr);
    },
  );

  it('get takes the URL of a torrent file', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 300_001, 6);
    const torrent = await createTorrentFile(bed, path, 'v1');
    const seed = await startSeed(bed, torrent.file, bed.dir('original'));
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/file.torrent' ? 200 : 404;
      response.end(response.statusCode === 200 ? readFileSync(torrent.file) : '');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    bed.onEnd(() => server.close());
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const get = startGet(bed, `${base}/file.torrent`, bed.dir('copy'), '--peer', seed.address);
    await get.done();
    assert.deepEqual(readTree(join(bed.dir('copy'), 'file.bin')), readTree(path));
    const missing = await runStarling(bed, ['get', `${base}/other.torrent`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^starling: [^\n]*404[^\n]*\n$/);
  });

  it(
    '--seed-time and --seed-ratio keep seeding, so that a second leech completes from the first',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 700_001, 7);
      const torrent = await createTorrentFile(bed, path, 'hybrid');
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const listen = `127.0.0.1:${await freePort()}`;
      const options = ['--listen', listen, '--peer', seed.address, '--seed-ratio', '0.99'];
      const first = startGet(bed, torrent.file, bed.dir('first'), ...options);
      await first.summary();
      await seed.starling.child.stop();
      const second = startGet(bed, torrent.magnet, bed.dir('second'), '--peer', listen);
      await second.done();
      await first.done();
      assert.deepEqual(readTree(join(bed.dir('second'), 'file.bin')), readTree(path));
      const timed = ['--seed-time', '0', '--peer', listen];
      await startGet(bed, torrent.file, bed.dir('first'), ...timed).done();
    },
  );

  it('a seed and three leeches that know each other make a swarm that trades', LIMITS, async () => {
    await using bed = new TestBed();
    const path = writeTree(join(bed.dir('original'), 'Inhalt'), { 'a.bin': 3_000_001, 'b.bin': 9 });
    const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 32768 });
    const limit = ['--upload-limit', '2000000'];
    const seed = await startSeed(bed, torrent.file, bed.dir('original'), ...limit);
    const ports = [await freePort(), await freePort(), await freePort()];
    const leeches = ports.map((port, index) => {
      const others = [
        seed.address,
        ...ports.filter((other) => other !== port).map((other) => `127.0.0.1:${other}`),
      ];
      const peers = others.flatMap((address) => ['--peer', address]);
      const seeding = ['--listen', `127.0.0.1:${port}`, '--seed-time', '100'];
      return startGet(bed, torrent.file, bed.dir(`copy-${index}`), ...seeding, ...peers);
    });
    const summaries = await Promise.all(leeches.map((leech) => leech.summary()));
    assert.ok(
      summaries.some(({ peers }) => peers > 1),
      'nobody traded',
    );
    for (const index of ports.keys()) {
      assert.deepEqual(readTree(join(bed.dir(`copy-${index}`), 'Inhalt')), readTree(path));
    }
  });

  it('--sequential fetches pieces in order', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 64 * 16_384, 8);
    const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 16384 });
    const limit = ['--upload-limit', '1000000'];
    const seed = await startSeed(bed, torrent.file, bed.dir('original'), ...limit);
    const get = startGet(
      bed,
      torrent.file,
      bed.dir('copy'),
      '--sequential',
      '--peer',
      seed.address,
    );
    await get.done();
    const order = get.events
      .filter(({ type }) => type === 'piece')
      .map(({ piece }) => Number(piece));
    assert.equal(order.length, 64);
    assert.ok(
      order.every((piece, at) => Math.abs(piece - at) <= 4),
      `order: ${order.join(' ')}`,
    );
  });

  it('create, info and verify agree on what a torrent is', LIMITS, async () => {
    await using bed = new TestBed();
    const path = writeTree(join(bed.dir('original'), 'Inhalt'));
    const options = [
      '--tracker',
      'http://127.0.0.1:9/announce',
      '--web-seed',
      'http://127.0.0.1:9/',
      '--private',
    ];
    const file = join(bed.root, 'made.torrent');
    const create = (to: string): Promise<Record<string, unknown>> =>
      askStarling(bed, ['create', path, '-o', to, '--piece-length', '32768', ...options]);
    const torrent = await create(file);
    assert.equal(torrent['file'], file);
    const info = await askStarling(bed, ['info', file]);
    assert.equal(info['name'], 'Inhalt');
    assert.equal(info['pieceLength'], 32_768);
    assert.equal(info['isPrivate'], true);
    assert.deepEqual(info['trackers'], [['http://127.0.0.1:9/announce']]);
    assert.deepEqual(info['webSeeds'], ['http://127.0.0.1:9/']);
    assert.equal(info['infoHashV1'], torrent['infoHashV1']);
    const files = info['files'] as { path: string; length: number }[];
    assert.deepEqual(files.map((file) => file.path).sort(), Object.keys(readTree(path)).sort());
    const magnet = await askStarling(bed, ['info', String(torrent['magnet'])]);
    assert.equal(magnet['infoHashV2'], torrent['infoHashV2']);
    await create(join(bed.root, 'again.torrent'));
    assert.deepEqual(readFileSync(join(bed.root, 'again.torrent')), readFileSync(file));
    const text = await runStarling(bed, ['info', file]);
    assert.match(text.stdout, new RegExp(String(torrent['infoHashV2'])));
    const report = await askStarling(bed, ['verify', file, '--dir', bed.dir('original')]);
    assert.equal(report['isComplete'], true);
  });

  it(
    'a taken default port falls back to a free one; a taken --listen is an error',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 20_000, 9);
      const [one, two] = [0, 0].map(() => startStarling(bed, ['share', path, '--json']));
      const addresses = await Promise.all(
        [one!, two!].map(async (share) => String((await share.event('seeding'))['listen'])),
      );
      assert.notEqual(addresses[0], addresses[1]);
      const refused = await runStarling(bed, ['share', path, '--listen', addresses[0]!]);
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /^starling: Cannot listen on [^\n]*EADDRINUSE[^\n]*--listen\.\n$/,
      );
    },
  );

  it(
    '--no-discovery announces nowhere; without it the tracker brings both together',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const tracker = await startTestTracker();
      bed.onEnd(() => tracker.close());
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 200_001, 10);
      const torrent = await createTorrentFile(bed, path, 'v1', { trackers: [tracker.httpUrl] });
      const dir = bed.dir('original');
      const silent = await startSeed(bed, torrent.file, dir, '--no-discovery');
      const quiet = startGet(
        bed,
        torrent.file,
        bed.dir('first'),
        '--peer',
        silent.address,
        '--no-discovery',
      );
      await quiet.done();
      await silent.starling.child.stop();
      assert.equal(tracker.announces.length, 0);
      const seed = await startSeed(bed, torrent.file, dir);
      await tracker.waitFor(({ port }) => port === seed.port);
      await startGet(bed, torrent.magnet, bed.dir('second')).done();
      assert.deepEqual(readTree(join(bed.dir('second'), 'file.bin')), readTree(path));
    },
  );

  it('two downloads share one STARLING_HOME', LIMITS, async () => {
    await using bed = new TestBed();
    const home = bed.home();
    const paths = ['one', 'two'].map((name, index) => {
      const path = join(bed.dir('original'), name);
      writeFile(path, 500_000 + index, 11 + index);
      return path;
    });
    const shared = await Promise.all(
      paths.map((path) => startServing(bed, ['share', path], { home })),
    );
    const gets = [0, 1, 0].map((at, index) => {
      const args = ['get', shared[at]!.magnet, '--dir', bed.dir(`copy-${index}`), '--json'];
      return startStarling(bed, [...args, '--listen', '127.0.0.1:0'], { home });
    });
    await Promise.all(gets.map((get) => get.done()));
    for (const [index, at] of [0, 1, 0].entries()) {
      const name = ['one', 'two'][at]!;
      assert.deepEqual(readTree(join(bed.dir(`copy-${index}`), name)), readTree(paths[at]!));
    }
  });

  it('limits hold back both directions', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 1_200_000, 12);
    const torrent = await createTorrentFile(bed, path, 'v1');
    const fast = await startSeed(bed, torrent.file, bed.dir('original'));
    const slow = await startSeed(
      bed,
      torrent.file,
      bed.dir('original'),
      '--upload-limit',
      '600000',
    );
    const [down, up] = await Promise.all([
      startGet(
        bed,
        torrent.file,
        bed.dir('a'),
        '--peer',
        fast.address,
        '--download-limit',
        '600000',
      ).summary(),
      startGet(bed, torrent.file, bed.dir('b'), '--peer', slow.address).summary(),
    ]);
    // A bucket may start full, and a second's worth may go at once: far below loopback's speed is enough.
    for (const { rate } of [down, up]) assert.ok(rate < 3_000_000, `${rate} bytes a second`);
  });

  it(
    'wrong usage exits 2, a malformed torrent exits 1, each with one sentence and no stack',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const broken = join(bed.root, 'broken.torrent');
      writeFileSync(broken, 'd4:infod6:lengthi1e4:name1:xee');
      const cases: readonly (readonly [number, readonly string[]])[] = [
        [1, ['info', broken]],
        [1, ['get', broken]],
        [1, ['info', join(bed.root, 'missing.torrent')]],
        [1, ['info', 'magnet:?xt=urn:btih:zz']],
        [2, ['get']],
        [2, ['nonsense']],
        [2, ['create', bed.root, '--format', 'v3']],
      ];
      const ends = await Promise.all(cases.map(([, args]) => runStarling(bed, args)));
      for (const [index, { code, stderr }] of ends.entries()) {
        const [expected, args] = cases[index]!;
        assert.equal(code, expected, `${args.join(' ')}: ${stderr}`);
        assert.doesNotMatch(stderr, /\n\s+at /);
        if (expected === 1) assert.match(stderr, /^starling: [^\n]+\.\n$/);
      }
      assert.equal((await runStarling(bed, ['--version'])).code, 0);
      assert.equal(existsSync(join(bed.root, 'x')), false);
    },
  );
});
