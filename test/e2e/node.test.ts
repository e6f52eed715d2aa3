/**
 * `starling node` and the commands that speak to it, as processes.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startStarling } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { hasNodeFile, startNode } from '../support/node-process.ts';

const LIMITS = { timeout: 60_000 };
const MAGNET = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=sought`;
const ID = 'ab'.repeat(20);

describe('starling node', { concurrency: 3 }, () => {
  it(
    'tells its address, keeps its token to its owner, and has its home for itself',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const node = await startNode(bed);
      const ready = await node.starling.event('ready');
      assert.equal(ready['dashboard'], `${node.url}/#token=${node.token}`);
      assert.match(node.url, /^http:\/\/127\.0\.0\.1:\d+$/);
      if (process.platform !== 'win32') {
        assert.equal(statSync(join(node.home, 'api-token')).mode & 0o777, 0o600);
        assert.equal(statSync(join(node.home, 'node.json')).mode & 0o777, 0o600);
      }
      const second = await node.run('node', '--api', '127.0.0.1:0', '--listen', '127.0.0.1:0');
      assert.equal(second.code, 1);
      assert.match(second.stderr, /^starling: [^\n]*already[^\n]*\n$/);
      assert.ok(second.stderr.includes(node.home), second.stderr);
      const file = join(bed.dir('no-home'), 'file');
      writeFile(file, 10, 1);
      const [homeless, status] = await Promise.all(
        ['node', 'status'].map((word) => startStarling(bed, [word], { home: file }).child.exit()),
      );
      assert.match(
        homeless!.stderr,
        /^starling: The home [^\n]+ cannot be used \(EEXIST\): a file is there, and a folder is expected\. [^\n]*STARLING_HOME\.\n$/,
      );
      assert.match(status!.stderr, /^starling: No node runs on /);
      const other = await startNode(bed);
      assert.notEqual(other.url, node.url);
      assert.notEqual(other.token, node.token);
      const [[one], [two]] = await Promise.all([node.events('status'), other.events('status')]);
      assert.deepEqual([one!['home'], two!['home']], [node.home, other.home]);
      assert.notEqual(one!['peerId'], two!['peerId']);
    },
  );

  it('is filled, changed and emptied by commands', LIMITS, async () => {
    await using bed = new TestBed();
    const node = await startNode(bed);
    const [added] = await node.events('add', MAGNET, '--tag', 'x', '--paused');
    assert.equal(added!['id'], ID);
    const [row] = await node.events('list', 'SOUGHT', '--tag', 'x');
    assert.deepEqual([row!['id'], row!['state'], row!['tags']], [ID, 'paused', ['x']]);
    assert.deepEqual(await node.events('list', 'nothing'), []);
    await node.events('resume', 'abab');
    await node.untilState(ID, 'metadata');
    await node.events('pause', 'sought');
    await node.untilState(ID, 'paused');
    await node.events('limit', 'sought', '--download', '5000');
    await node.events('limit', '--upload', '70000');
    const [limited] = await node.events('list');
    assert.equal(limited!['downloadLimitBytesPerSec'], 5_000);
    const [status] = await node.events('status');
    assert.equal(status!['uploadLimitBytesPerSec'], 70_000);
    assert.equal((await node.run('pause', 'sought')).stdout, 'Paused: 1 torrent\n');
    const twice = await node.run('add', MAGNET);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /^starling: [^\n]+\n$/);
    const wrong = await Promise.all([
      node.run('list', '--state', 'running'),
      node.run('config', 'set', 'queue.active-downloads', 'many'),
      node.run('config', 'show', 'nothing'),
      node.run('share', join(bed.root, 'nothing')),
      node.run('add', bed.root),
      node.run('list', 'nothing'),
    ]);
    assert.deepEqual(
      wrong.map(({ code }) => code),
      [1, 2, 2, 1, 1, 0],
    );
    const [state, number, area, missing, folder, none] = wrong.map(({ stderr }) => stderr);
    assert.match(state!, /^starling: querystring: \/state must be one of [a-z, -]+\.\n$/);
    assert.match(number!, /expected a whole number from 0 to \d+, got "many"\.\n$/);
    assert.match(area!, /or an area \(node, [a-z, -]+\), got "nothing"/);
    assert.match(missing!, /^starling: There is no file or folder /m);
    assert.match(folder!, /is a folder, and a torrent is expected: "starling share"/);
    assert.match(none!, /is like that/);
    const nobody = await node.run('pause', 'nobody');
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /"nobody" fits none/);
    // It is the node's own port that is tested, not another one beside it.
    const port = await node.peerAddress();
    const doctor = await node.run('doctor', '--json');
    const checks = doctor.stdout.split('\n').filter((line) => /"Listening port"/.test(line));
    assert.equal(checks.length, 1, doctor.stdout);
    assert.ok(checks[0]!.includes(port.split(':')[1]!), doctor.stdout);
    const [token] = await node.events('token');
    assert.equal(token!['token'], node.token);
    const logs = await node.events('logs');
    assert.ok(logs.some(({ message }) => /runs at/.test(String(message))));
    const [removed] = await node.events('remove', 'all');
    assert.equal(removed!['done'], 1);
    assert.deepEqual(await node.events('list'), []);
  });

  it('takes over share, seed and get, which return, or wait for completion', LIMITS, async () => {
    await using bed = new TestBed();
    const [giver, taker] = await Promise.all([startNode(bed), startNode(bed)]);
    const [one, two] = ['one.bin', 'two.bin'].map((name) => join(bed.dir('from'), name));
    writeFile(one!, 400_000, 1);
    writeFile(two!, 300_000, 2);
    const torrent = await createTorrentFile(bed, two!, 'hybrid');
    const [shared] = await giver.events('share', one!);
    assert.equal(shared!['isByNode'], true);
    await giver.events('seed', torrent.file, '--dir', bed.dir('from'));
    const rows = await giver.events('list');
    assert.deepEqual(rows.map(({ name }) => name).sort(), ['one.bin', 'two.bin']);
    const peer = await giver.peerAddress();
    const into = bed.dir('into');
    const magnet = String(shared!['magnet']);
    const events = await taker.events('get', magnet, '--dir', into, '--peer', peer);
    assert.equal(events.at(-1)!['type'], 'summary');
    assert.equal(events.at(-1)!['bytes'], 400_000);
    assert.deepEqual(readTree(join(into, 'one.bin')), readTree(one!));
    // What the node has already is no mistake, unless it is wanted elsewhere.
    const [again] = await giver.events('share', one!);
    assert.equal(again!['magnet'], magnet);
    await taker.events('pause', 'one');
    const wish = ['get', magnet, '--dir', into, '--seed-ratio', '2'];
    assert.equal((await taker.events(...wish)).at(-1)!['type'], 'summary');
    const elsewhere = await taker.run('get', magnet, '--dir', bed.dir('elsewhere'));
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.stderr, /^starling: The node has one\.bin already, in [^\n]+\n$/m);
    await taker.events('add', torrent.file, '--dir', into, '--peer', peer);
    const id = torrent.infoHashV1!;
    await taker.untilState(id, 'seeding');
    assert.deepEqual(readTree(join(into, 'two.bin')), readTree(two!));
    await taker.events('remove', 'two.bin', '--with-files');
    assert.ok(!existsSync(join(into, 'two.bin')));
    assert.ok(existsSync(join(into, 'one.bin')));
  });

  it(
    'keeps all over a stop, a signal and a kill, and what a kill leaves confuses no command',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('from'), 'kept.bin');
      writeFile(path, 200_000, 3);
      const first = await startNode(bed);
      const { home } = first;
      const { id } = await first.ask('POST', '/shares', { path });
      await first.ask('POST', '/torrents', { link: MAGNET, isPaused: true, tags: ['t'] });
      const stopped = await first.run('stop');
      assert.equal(stopped.code, 0, stopped.stderr);
      assert.equal((await first.starling.child.exit()).code, 0);
      assert.ok(!hasNodeFile(home));
      const none = await first.run('list');
      assert.equal(none.code, 1);
      assert.match(none.stderr, /^starling: No node runs on [^\n]*starling node[^\n]*\n$/);

      const second = await startNode(bed, { home });
      assert.equal(second.token, first.token);
      await second.untilState(id, 'seeding');
      const paused = await second.ask('GET', `/torrents/${ID}`);
      assert.deepEqual([paused.state, paused.tags], ['paused', ['t']]);
      second.starling.child.signal('SIGTERM');
      assert.equal((await second.starling.child.exit()).code, 0);
      assert.ok(!hasNodeFile(home));

      const third = await startNode(bed, { home });
      await third.ask('PATCH', `/torrents/${ID}`, { tags: ['last'] });
      third.starling.child.signal('SIGKILL');
      await third.starling.child.exit();
      assert.ok(hasNodeFile(home), 'a killed node leaves its file');
      assert.equal((await third.run('status')).code, 1);

      // Another program has the port by now: it is not told the token.
      let told: string | undefined;
      const stranger = createServer((request, response) => {
        told ??= request.headers.authorization;
        response.end('{"ok":true}');
      });
      const port = Number(new URL(third.url).port);
      await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
      bed.onEnd(() => stranger.close());
      assert.equal((stranger.address() as AddressInfo).port, port);
      assert.equal((await third.run('status')).code, 1);
      assert.equal(told, undefined);

      const fourth = await startNode(bed, { home });
      assert.deepEqual((await fourth.ask('GET', `/torrents/${ID}`)).tags, ['last']);
      await fourth.untilState(id, 'seeding');
      rmSync(path);
    },
  );

  it('that ends while "get" waits says so, and goes on afterwards', LIMITS, async () => {
    await using bed = new TestBed();
    const node = await startNode(bed);
    const get = startStarling(bed, ['get', MAGNET, '--dir', bed.dir('x'), '--json'], {
      home: node.home,
    });
    await get.event('added');
    await get.event('progress');
    await node.events('stop');
    const { code, stderr } = await get.child.exit();
    assert.equal(code, 1);
    assert.match(stderr, /^starling: The node ended[^\n]*\n$/);
    const again = await startNode(bed, { home: node.home });
    assert.equal((await again.events('list')).length, 1);
  });
});
