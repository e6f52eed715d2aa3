/**
 * Transfers between two nodes in one process, over plain TCP: what arrives, what goes wrong, and who sees nothing of it.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { TestBed } from '../../test/support/cli-child.ts';
import { readTree, writeTree } from '../../test/support/content.ts';
import { dialTcp } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { encodeManifest } from '../protocol/send/index.ts';
import { formatEndpoint } from './address.ts';
import { PeerNode } from './peer-node.ts';
import { openRecord, sealRecord } from './resume.ts';
import type { IncomingTransfer, OutgoingTransfer, ReceiveOptions } from './transfer.ts';
import { walkSource } from './transfer-source.ts';

const LIMITS = { timeout: 60_000 };
const MTIME = new Date(1_600_000_000_123);

/** Two nodes, a folder to send and a folder to put it into. */
class Pair implements AsyncDisposable {
  readonly bed = new TestBed();
  readonly nonce = randomBytes(16);
  readonly from = this.bed.dir('from');
  readonly to = this.bed.dir('to');
  sender!: PeerNode;
  receiver!: PeerNode;

  static async open(): Promise<Pair> {
    const pair = new Pair();
    const options = {
      listen: '127.0.0.1:0',
      isOffline: true,
      usesLocalDiscovery: false,
      usesDht: false,
    };
    pair.sender = await PeerNode.open({ ...options, home: pair.bed.home() });
    pair.receiver = await PeerNode.open({ ...options, home: pair.bed.home() });
    return pair;
  }

  async begin(
    name: string,
    options: Partial<ReceiveOptions> = {},
  ): Promise<{ out: OutgoingTransfer; into: IncomingTransfer }> {
    const source = await walkSource(path.join(this.from, name));
    const out = await this.sender.sendTransfer({ source, nonce: this.nonce });
    const into = await this.receive(source.bytes, options);
    return { out, into };
  }

  receive(
    manifestBytes: Uint8Array,
    options: Partial<ReceiveOptions> = {},
  ): Promise<IncomingTransfer> {
    const peers = [formatEndpoint(this.sender.endpoint)];
    return this.receiver.receiveTransfer({
      manifestBytes,
      nonce: this.nonce,
      dir: this.to,
      peers,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sender.close();
    await this.receiver.close();
    unlock(this.from);
    unlock(this.to);
    await this.bed[Symbol.asyncDispose]();
  }
}

/** Lets folders that were sent shut be removed. */
function unlock(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.name === 'shut') fs.chmodSync(path.join(entry.parentPath, entry.name), 0o700);
  }
}

/** Everything about a tree that is sent: kind, mode, time, content or target. */
function pictureOf(top: string): Record<string, string> {
  const picture: Record<string, string> = {};
  const look = (where: string, name: string): void => {
    const stat = fs.lstatSync(where);
    if (stat.isSymbolicLink()) {
      picture[name] = `link ${fs.readlinkSync(where)}`;
      return;
    }
    const mark = `${(stat.mode & 0o777).toString(8)} ${Math.floor(stat.mtimeMs)}`;
    if (stat.isDirectory()) {
      for (const child of fs.readdirSync(where)) look(path.join(where, child), `${name}/${child}`);
      picture[name] = `folder ${mark}`;
    } else
      picture[name] =
        `file ${mark} ${toHex(createHash('sha256').update(fs.readFileSync(where)).digest())}`;
  };
  look(top, '.');
  return picture;
}

function sha256sumOf(folder: string): string {
  const script = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum';
  return execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'latin1' }).slice(0, 64);
}

/** Waits for the first digest of what came, and compares. */
async function complete(out: OutgoingTransfer, into: IncomingTransfer): Promise<string> {
  const digest = await into.received();
  assert.equal(toHex(await out.digest()), toHex(digest));
  assert.equal(await into.verify(digest), true);
  return toHex(digest);
}

/** A folder with all that a manifest can hold. */
function writeAll(top: string): void {
  writeTree(top);
  fs.mkdirSync(path.join(top, 'empty/er'), { recursive: true });
  fs.writeFileSync(path.join(top, 'empty file'), '');
  fs.writeFileSync(path.join(top, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  fs.writeFileSync(path.join(top, 'private'), 'x', { mode: 0o600 });
  fs.symlinkSync('deep/er/empty.txt', path.join(top, 'link'));
  fs.symlinkSync('../../grün', path.join(top, 'deep/er/up'));
  fs.mkdirSync(path.join(top, 'shut'));
  fs.writeFileSync(path.join(top, 'shut/in'), 'y', { mode: 0o400 });
  for (const name of ['run.sh', 'shut/in', 'shut', 'empty/er', 'empty', '.']) {
    fs.utimesSync(path.join(top, name), MTIME, MTIME);
  }
  fs.chmodSync(path.join(top, 'shut'), 0o500);
}

describe('a transfer', () => {
  it(
    'brings a folder with its modes, times, empty folders and links, and leaves nothing else',
    LIMITS,
    async () => {
      await using pair = await Pair.open();
      const top = path.join(pair.from, 'album');
      writeAll(top);
      const before = pictureOf(top);
      const { out, into } = await pair.begin('album');
      const digest = await complete(out, into);
      assert.equal(digest, sha256sumOf(top));
      assert.deepEqual(
        fs.readdirSync(pair.to).filter((name) => !name.startsWith('.')),
        [],
      );
      const received = await into.finish();
      into.forget();
      await out.stop();
      assert.deepEqual(received, {
        path: path.join(pair.to, 'album'),
        isRenamed: false,
        renamed: [],
      });
      assert.deepEqual(pictureOf(received.path), before);
      assert.deepEqual(fs.readdirSync(pair.to), ['album']);
      for (const node of [pair.sender, pair.receiver]) {
        for (const folder of ['resume', 'transfers']) {
          const where = path.join(node.home, folder);
          assert.deepEqual(fs.existsSync(where) ? fs.readdirSync(where) : [], []);
        }
      }
    },
  );

  it('brings one file, whose digest is what sha256sum says', LIMITS, async () => {
    await using pair = await Pair.open();
    const content = randomBytes(5_000_000);
    fs.writeFileSync(path.join(pair.from, 'film.mp4'), content, { mode: 0o640 });
    fs.utimesSync(path.join(pair.from, 'film.mp4'), MTIME, MTIME);
    const { out, into } = await pair.begin('film.mp4');
    assert.equal(await complete(out, into), createHash('sha256').update(content).digest('hex'));
    assert.equal(into.status().doneBytes, 5_000_000);
    assert.equal(into.status().doneFiles, 1);
    await into.finish();
    assert.deepEqual(
      pictureOf(path.join(pair.to, 'film.mp4')),
      pictureOf(path.join(pair.from, 'film.mp4')),
    );
  });

  for (const what of ['an empty file', 'an empty folder'] as const) {
    it(`brings ${what}`, LIMITS, async () => {
      await using pair = await Pair.open();
      const top = path.join(pair.from, 'nothing');
      if (what === 'an empty file') fs.writeFileSync(top, '');
      else fs.mkdirSync(top);
      const { out, into } = await pair.begin('nothing');
      await complete(out, into);
      const { path: where } = await into.finish();
      assert.deepEqual(pictureOf(where), pictureOf(top));
      assert.deepEqual(fs.readdirSync(pair.to), ['nothing']);
    });
  }

  it('never overwrites: a name that is taken becomes "name (2)"', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'album.d'), { a: 10 });
    fs.writeFileSync(path.join(pair.from, 'a.txt'), 'new');
    fs.mkdirSync(path.join(pair.to, 'album.d'));
    fs.writeFileSync(path.join(pair.to, 'a.txt'), 'old');
    fs.writeFileSync(path.join(pair.to, 'a (2).txt'), 'old');
    for (const [name, expected] of [
      ['album.d', 'album.d (2)'],
      ['a.txt', 'a (3).txt'],
    ] as const) {
      const { out, into } = await pair.begin(name);
      await complete(out, into);
      const received = await into.finish();
      assert.equal(received.path, path.join(pair.to, expected));
      assert.equal(received.isRenamed, true);
      await out.stop();
    }
    assert.equal(fs.readFileSync(path.join(pair.to, 'a.txt'), 'utf8'), 'old');
    assert.deepEqual(fs.readdirSync(path.join(pair.to, 'album.d')), []);
  });

  it('tells which names it changed', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { 'A/b': 1, 'a/b': 2, 'new\nline': 3 });
    const { out, into } = await pair.begin('x');
    await complete(out, into);
    const { renamed } = await into.finish();
    assert.deepEqual(renamed, [
      { from: 'a', to: 'a.1' },
      { from: 'new\nline', to: 'new_line' },
    ]);
    assert.deepEqual(Object.keys(readTree(path.join(pair.to, 'x'))).sort(), [
      'A/b',
      'a.1/b',
      'new_line',
    ]);
  });

  it('of a text is shown, and nothing of it is written where files go', LIMITS, async () => {
    await using pair = await Pair.open();
    fs.writeFileSync(path.join(pair.from, 'message'), 'Grüße');
    const source = await walkSource(path.join(pair.from, 'message'), {
      kind: 'text',
      name: 'message.txt',
    });
    const out = await pair.sender.sendTransfer({ source, nonce: pair.nonce });
    const into = await pair.receive(source.bytes);
    await complete(out, into);
    assert.equal(await into.text(), 'Grüße');
    assert.deepEqual(fs.readdirSync(pair.to), []);
    assert.deepEqual(fs.readdirSync(path.join(pair.receiver.home, 'transfers')), []);
  });

  it('as a whole: a wrong word of the sender costs a second round', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { a: 2_000_000, b: 1 });
    const { out, into } = await pair.begin('x');
    let rounds = 0;
    const received = await into.completed(async (ours) => {
      rounds += 1;
      if (rounds === 1) return new Uint8Array(32);
      out.again();
      assert.equal(toHex(await out.digest()), toHex(ours));
      return ours;
    });
    assert.equal(rounds, 2);
    assert.deepEqual(readTree(received.path), readTree(path.join(pair.from, 'x')));
  });

  it('goes on where it stopped', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { a: 20_000_000, b: 20_000_000 });
    const { out, into } = await pair.begin('x');
    await new Promise<void>((resolve) =>
      into.torrent.on('piece', ({ piece }) => piece === 12 && resolve()),
    );
    await into.stop();
    const had = into.torrent.service.swarm.have!.count;
    const again = await pair.receive((await walkSource(path.join(pair.from, 'x'))).bytes);
    assert.ok(again.torrent.service.swarm.have!.count >= Math.min(had, 13));
    assert.equal(await complete(out, again), sha256sumOf(path.join(pair.from, 'x')));
    await again.finish();
    assert.deepEqual(readTree(path.join(pair.to, 'x')), readTree(path.join(pair.from, 'x')));
  });
});

describe('what goes wrong with a transfer', () => {
  it('a source that changes ends it, and the error names the file', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { a: 3_000_000, b: 3_000_000 });
    const source = await walkSource(path.join(pair.from, 'x'));
    const changed = path.join(pair.from, 'x/b');
    fs.appendFileSync(changed, 'more');
    const out = await pair.sender.sendTransfer({ source, nonce: pair.nonce });
    const into = await pair.receive(source.bytes);
    await assert.rejects(out.digest(), { code: 'ERR_SOURCE_CHANGED', details: { path: changed } });
    assert.equal(out.torrent.service.swarm.peerCount, 0);
    assert.equal(into.torrent.service.swarm.isComplete, false);
  });

  it('a source that changes after all was served is found at the end', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { a: 3_000_000 });
    const { out, into } = await pair.begin('x');
    await into.received();
    fs.utimesSync(path.join(pair.from, 'x/a'), MTIME, MTIME);
    await assert.rejects(out.digest(), { code: 'ERR_SOURCE_CHANGED' });
  });

  it(
    'digests that differ: all comes again once, then it fails and leaves nothing',
    LIMITS,
    async () => {
      await using pair = await Pair.open();
      writeTree(path.join(pair.from, 'x'), { a: 3_000_000, b: 0 });
      const { out, into } = await pair.begin('x');
      await into.received();
      // A bit that flips after it was digested: the time stays what it was.
      const where = path.join(into.torrent.files!.spec.dir, 'x/a');
      const { atime, mtime } = fs.statSync(where);
      const fd = fs.openSync(where, 'r+');
      fs.writeSync(fd, 'flip', 1_000_000);
      fs.closeSync(fd);
      fs.utimesSync(where, atime, mtime);
      const right = await out.digest();
      // Nobody can see it; that all comes again is the doing of a wrong word of the sender.
      assert.equal(await into.verify(new Uint8Array(32)), false);
      out.again();
      assert.equal(toHex(await into.received()), toHex(right));
      assert.equal(toHex(await out.digest()), toHex(right));
      assert.ok(fs.readFileSync(where).equals(fs.readFileSync(path.join(pair.from, 'x/a'))));
      await assert.rejects(into.verify(new Uint8Array(32)), { code: 'ERR_TRANSFER_DIGEST' });
      assert.deepEqual(fs.readdirSync(pair.to), []);
    },
  );

  it(
    'a partial file that another program changed while we were away is fetched again',
    LIMITS,
    async () => {
      await using pair = await Pair.open();
      writeTree(path.join(pair.from, 'x'), { a: 9_000_000, b: 9_000_000 });
      const { out, into } = await pair.begin('x');
      await new Promise<void>((resolve) =>
        into.torrent.on('piece', ({ piece }) => piece === 12 && resolve()),
      );
      await into.stop();
      const where = path.join(into.torrent.files!.spec.dir, 'x/a');
      const fd = fs.openSync(where, 'r+');
      fs.writeSync(fd, 'not what came', 1_000_000);
      fs.closeSync(fd);
      const again = await pair.receive((await walkSource(path.join(pair.from, 'x'))).bytes);
      assert.equal(await complete(out, again), sha256sumOf(path.join(pair.from, 'x')));
    },
  );

  it(
    'after another start of the machine, what was not synced is fetched again',
    LIMITS,
    async () => {
      await using pair = await Pair.open();
      writeTree(path.join(pair.from, 'x'), { a: 20_000_000 });
      const { out, into } = await pair.begin('x');
      await new Promise<void>((resolve) =>
        into.torrent.on('piece', ({ piece }) => piece === 5 && resolve()),
      );
      await into.stop();
      const [name] = fs.readdirSync(path.join(pair.receiver.home, 'resume'));
      const where = path.join(pair.receiver.home, 'resume', name!);
      const record = openRecord(fs.readFileSync(where))!;
      const synced = new Uint8Array(record.synced.length);
      synced[0] = 0x40;
      fs.writeFileSync(where, sealRecord({ ...record, boot: 'another', synced }));
      const again = await pair.receive((await walkSource(path.join(pair.from, 'x'))).bytes, {
        peers: [],
      });
      assert.deepEqual([...again.torrent.service.swarm.have!], [1]);
      again.join(await dialTcp(pair.sender.endpoint));
      await complete(out, again);
    },
  );

  it('a disk without room is told before anything is written', LIMITS, async () => {
    await using pair = await Pair.open();
    const manifest = encodeManifest({
      kind: 'files',
      name: 'huge',
      entries: [{ kind: 'file', path: [], sizeBytes: 2 ** 44 - 1, mode: 0o644, mtimeMs: 0 }],
    });
    await assert.rejects(pair.receive(manifest), { code: 'ERR_NO_SPACE' });
    await assert.rejects(pair.receive(manifest.slice(1)), { code: 'ERR_MANIFEST' });
    assert.deepEqual(fs.readdirSync(pair.to), []);
    assert.equal(fs.existsSync(path.join(pair.receiver.home, 'transfers')), false);
  });

  it('what was given up leaves nothing', LIMITS, async () => {
    await using pair = await Pair.open();
    writeAll(path.join(pair.from, 'x'));
    const { into } = await pair.begin('x');
    await into.received();
    await into.discard();
    assert.deepEqual(fs.readdirSync(pair.to), []);
    assert.deepEqual(fs.readdirSync(path.join(pair.receiver.home, 'resume')), []);
  });
});

describe('who sees a transfer', () => {
  it(
    'only connections that are admitted: to others it is as if it was not there',
    LIMITS,
    async () => {
      await using pair = await Pair.open();
      writeTree(path.join(pair.from, 'x'), { a: 100_000 });
      const source = await walkSource(path.join(pair.from, 'x'));
      let isOpen = false;
      let asked = 0;
      const out = await pair.sender.sendTransfer({
        source,
        nonce: pair.nonce,
        admits: () => {
          asked += 1;
          return isOpen;
        },
      });
      const into = await pair.receive(source.bytes);
      const reason = await new Promise<string>((resolve) =>
        into.torrent.on('peer-failed', (failed) => resolve(failed.reason)),
      );
      const stranger = await PeerNode.open({
        listen: '127.0.0.1:0',
        isOffline: true,
        usesLocalDiscovery: false,
        usesDht: false,
        home: pair.bed.home(),
      });
      const unknown = await stranger.receiveTransfer({
        manifestBytes: source.bytes,
        nonce: randomBytes(16),
        dir: pair.bed.dir('elsewhere'),
        peers: [formatEndpoint(pair.sender.endpoint)],
      });
      const other = await new Promise<string>((resolve) =>
        unknown.torrent.on('peer-failed', (failed) => resolve(failed.reason)),
      );
      assert.equal(reason, other);
      assert.ok(asked > 0);
      assert.equal(out.torrent.service.swarm.peerCount, 0);
      isOpen = true;
      await complete(out, into);
      await stranger.close();
    },
  );
});

describe('a transfer and its node', () => {
  it('takes a connection that was made elsewhere', LIMITS, async () => {
    await using pair = await Pair.open();
    writeTree(path.join(pair.from, 'x'), { a: 2_000_000 });
    const { out, into } = await pair.begin('x', { peers: [] });
    into.join(await dialTcp(pair.sender.endpoint));
    await complete(out, into);
  });

  it('waits in no queue, and nobody who was met is remembered', LIMITS, async () => {
    await using pair = await Pair.open();
    for (const node of [pair.sender, pair.receiver]) {
      node.queue.setLimits({ maxActiveDownloads: 0, maxActiveSeeds: 0 });
    }
    writeTree(path.join(pair.from, 'x'), { a: 2_000_000 });
    const { out, into } = await pair.begin('x');
    assert.deepEqual(pair.receiver.queue.order, []);
    into.torrent.pause();
    into.torrent.resume();
    await complete(out, into);
    await into.finish();
    into.forget();
    await out.stop();
    for (const node of [pair.sender, pair.receiver]) {
      await node.close();
      const files = fs.readdirSync(node.home, { withFileTypes: true, recursive: true });
      for (const entry of files.filter((each) => each.isFile())) {
        const text = fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1');
        assert.doesNotMatch(text, /127\.0\.0\.1/, entry.name);
      }
    }
  });
});

describe('walking a source', () => {
  it('sends links inside of it as links, and tells what it leaves out', LIMITS, async () => {
    await using bed = new TestBed();
    const top = path.join(bed.dir('from'), 'x');
    writeTree(top, { 'a/f': 1, g: 1 });
    const links = {
      in: 'a/f',
      folder: 'a',
      out: '../y',
      gone: 'nowhere',
      twice: 'in',
      'a/above': '..',
      absolute: path.join(top, 'g'),
    };
    for (const [name, target] of Object.entries(links))
      fs.symlinkSync(target, path.join(top, name));
    const socket = net.createServer().listen(path.join(top, 'socket'));
    await once(socket, 'listening');
    const { manifest, skipped } = await walkSource(top);
    socket.close();
    const sent = manifest.entries
      .filter(({ kind }) => kind === 'link')
      .map((entry) => entry.path.join('/'));
    assert.deepEqual(sent, ['absolute', 'folder', 'in']);
    assert.deepEqual(skipped.map(({ path: name }) => name).sort(), [
      'a/above',
      'gone',
      'out',
      'socket',
      'twice',
    ]);
  });

  it(
    'is refused when something is not there, or has no name that can be told',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const top = bed.dir('from');
      await assert.rejects(walkSource(path.join(top, 'none')), { code: 'ERR_SOURCE_FILE' });
      fs.writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.of(0xff)]), '');
      await assert.rejects(walkSource(top), { code: 'ERR_SOURCE_FILE', message: /UTF-8/ });
    },
  );
});
