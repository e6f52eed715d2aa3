/**
 * Disks that fail, are slow, are read-only, and files that other programs cut, change or delete: nothing verified is lost, nothing false is claimed,
 * one problem names the file, and it goes on by itself when the cause is gone.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createTorrentFile,
  type RunningSeed,
  type Starling,
  startGet,
  startSeed,
  startServing,
  startStarling,
  type TorrentFile,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';

const LIMITS = { timeout: 90_000 };
const PRELOAD = join(import.meta.dirname, '..', 'support', 'disk-faults.mjs');

interface Faults {
  readonly code?: string;
  readonly delayMs?: number;
}

/** A disk that a test breaks and mends. */
class FaultyDisk {
  readonly #control: string;
  readonly #dir: string;

  constructor(bed: TestBed, dir: string) {
    this.#control = join(bed.root, `faults-${Math.random()}.json`);
    this.#dir = dir;
    this.set({});
  }

  set(faults: { readonly write?: Faults; readonly read?: Faults }): void {
    writeFileSync(this.#control, JSON.stringify({ dir: this.#dir, ...faults }));
  }

  get env(): Record<string, string> {
    return { STARLING_DISK_FAULTS: this.#control, NODE_OPTIONS: `--import=${PRELOAD}` };
  }
}

function problems(starling: Starling): string[] {
  return starling.events
    .filter(({ type }) => type === 'problem')
    .map(({ message }) => String(message));
}

async function share(
  bed: TestBed,
  lengthBytes = 3_000_000,
): Promise<{ torrent: TorrentFile; dir: string; path: string }> {
  const dir = bed.dir('original');
  const path = join(dir, 'file.bin');
  writeFile(path, lengthBytes, 9);
  return { torrent: await createTorrentFile(bed, path, 'v1', { pieceLength: 65_536 }), dir, path };
}

/** A second seed with a copy of its own. */
async function copySeed(
  bed: TestBed,
  torrent: TorrentFile,
  path: string,
): Promise<{ seed: RunningSeed; file: string }> {
  const dir = bed.dir('second');
  const file = join(dir, 'file.bin');
  cpSync(path, file);
  return { seed: await startSeed(bed, torrent.file, dir), file };
}

const isRoot = process.getuid?.() === 0;
const [MOUNT, UMOUNT] = ['mount', 'umount'] as const;
const isLinux = process.platform === 'linux';

function pieces(starling: Starling): number {
  return starling.events.filter(({ type }) => type === 'piece').length;
}

function startCopy(
  bed: TestBed,
  torrent: TorrentFile,
  into: string,
  disk: FaultyDisk,
  more: readonly string[],
): Starling {
  const args = ['get', torrent.file, '--dir', into, '--json', '--listen', '127.0.0.1:0', ...more];
  return startStarling(bed, args, { env: disk.env });
}

describe('files that others change', { concurrency: 2 }, () => {
  it(
    'a seed whose file was cut offers the rest, tells it once, and all of it again when the file is back',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { torrent, dir, path } = await share(bed);
      const whole = readFileSync(path);
      const seed = await startSeed(bed, torrent.file, dir);
      truncateSync(path, 1_000_000);
      const into = bed.dir('copy');
      const get = startGet(bed, torrent.file, into, '--peer', seed.address);
      const problem = await seed.starling.event('problem');
      assert.match(String(problem['message']), /file\.bin \(TRUNCATED\): another program cut it/);
      // The pieces below the cut are still there to have.
      await get.child.waitFor('15 pieces', () => pieces(get) >= 15 || undefined);
      assert.equal(pieces(get), 15);
      await get.child.stop('SIGINT');
      writeFileSync(path, whole);
      const back = torrent.pieceCount - 15;
      await seed.starling.child.waitFor(
        'its pieces',
        () => pieces(seed.starling) >= back || undefined,
      );
      const again = startGet(bed, torrent.file, bed.dir('again'), '--peer', seed.address);
      await again.done();
      assert.deepEqual(readTree(join(bed.dir('again'), 'file.bin')), readTree(path));
      assert.equal(problems(seed.starling).length, 1);
      assert.equal(get.events.filter(({ type }) => type === 'piece-failed').length, 0);
    },
  );

  it(
    'a seed whose file was changed notices at the read: no wrong byte leaves it',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { torrent, dir, path } = await share(bed);
      const seed = await startSeed(bed, torrent.file, dir);
      const right = await copySeed(bed, torrent, path);
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(70_000, 1), 0, 70_000, 500_000);
      const into = bed.dir('copy');
      const get = startGet(bed, torrent.file, into, '--peer', seed.address);
      const problem = await seed.starling.event('problem');
      assert.match(String(problem['message']), /file\.bin \(CHANGED\): another program changed it/);
      await get.child.waitFor(
        'the other pieces',
        () => pieces(get) >= torrent.pieceCount - 3 || undefined,
      );
      await get.child.stop('SIGINT');
      const rest = startGet(bed, torrent.file, into, '--peer', right.seed.address);
      await rest.done();
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(right.file));
      assert.equal(get.events.filter(({ type }) => type === 'piece-failed').length, 0);
      assert.equal(problems(seed.starling).length, 1);
    },
  );

  it(
    'a seed whose file was changed while nobody asked for it checks it at the next start',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { torrent, dir, path } = await share(bed);
      const home = bed.home();
      const serving = ['seed', torrent.file, '--dir', dir];
      const seed = await startServing(bed, serving, { home });
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(10, 1), 0, 10, 500_000);
      await seed.starling.child.stop('SIGINT');
      const again = startStarling(bed, [...serving, '--listen', '127.0.0.1:0'], { home });
      const { code, stderr } = await again.child.exit();
      assert.equal(code, 1);
      assert.match(stderr, /^starling: Only 45 of 46 pieces/m);
    },
  );

  for (const how of ['cut', 'deleted'] as const) {
    it(
      `a file that is ${how} while it is downloaded is fetched again, and right in the end`,
      LIMITS,
      async () => {
        await using bed = new TestBed();
        const { torrent, dir, path } = await share(bed);
        const seed = await startSeed(bed, torrent.file, dir, '--upload-limit', '1500000');
        const into = bed.dir('copy');
        const get = startGet(bed, torrent.file, into, '--peer', seed.address);
        await get.child.waitFor('20 pieces', () => pieces(get) >= 20 || undefined);
        if (how === 'cut') truncateSync(join(into, 'file.bin'), 100_000);
        else rmSync(join(into, 'file.bin'));
        await get.done();
        assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
        const [problem, ...more] = problems(get);
        assert.match(problem ?? '', /file\.bin \((TRUNCATED|VANISHED)\): another program/);
        assert.deepEqual(more, []);
        assert.ok(pieces(get) > torrent.pieceCount, 'what was lost came again');
      },
    );
  }

  it(
    'a download that seeds fetches again what is deleted, when somebody asks for it',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { torrent, dir, path } = await share(bed);
      const seed = await startSeed(bed, torrent.file, dir);
      const middle = bed.dir('middle');
      const listen = ['--listen', '127.0.0.1:0', '--seed-time', '600'];
      const get = startGet(bed, torrent.file, middle, '--peer', seed.address, ...listen);
      await get.summary();
      rmSync(join(middle, 'file.bin'));
      const port = await listenPort(get);
      const last = startGet(bed, torrent.file, bed.dir('last'), '--peer', `127.0.0.1:${port}`);
      await get.event('problem');
      await get.child.waitFor(
        'all pieces twice',
        () => pieces(get) >= 2 * torrent.pieceCount || undefined,
      );
      await last.child.stop('SIGINT');
      assert.deepEqual(readTree(join(middle, 'file.bin')), readTree(path));
      assert.equal(problems(get).length, 1);
    },
  );
});

/** The TCP port that a command listens on. */
async function listenPort(starling: Starling): Promise<number> {
  const inodes = new Set(
    readdirSync(`/proc/${starling.child.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${starling.child.pid}/fd/${fd}`);
      } catch {
        return '';
      }
    }),
  );
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    if (words[3] === '0A' && inodes.has(`socket:[${words[9]}]`)) {
      return Number.parseInt(words[1]!.split(':')[1]!, 16);
    }
  }
  throw new Error('it listens nowhere');
}

describe('disks that fail', { concurrency: 2 }, () => {
  for (const code of ['EIO', 'ENOSPC', 'EROFS', 'EDQUOT']) {
    it(
      `writes that fail with ${code} for a while lose nothing that was verified`,
      LIMITS,
      async () => {
        await using bed = new TestBed();
        const { torrent, dir, path } = await share(bed);
        const seed = await startSeed(bed, torrent.file, dir, '--upload-limit', '2000000');
        const into = bed.dir('copy');
        const disk = new FaultyDisk(bed, into);
        const get = startCopy(bed, torrent, into, disk, ['--peer', seed.address]);
        await get.child.waitFor('10 pieces', () => pieces(get) >= 10 || undefined);
        disk.set({ write: { code } });
        if (code === 'EROFS') {
          // Does not pass by itself, says the command: it ends, and the next run goes on.
          assert.equal((await get.child.exit()).code, 1);
          const before = pieces(get);
          disk.set({});
          const home = get.home;
          const args = ['get', torrent.file, '--dir', into, '--json', '--peer', seed.address];
          const next = startStarling(bed, [...args, '--listen', '127.0.0.1:0'], { home });
          await next.done();
          assert.equal(before + pieces(next), torrent.pieceCount);
        } else {
          await get.event('problem');
          disk.set({});
          await get.done();
          assert.equal(pieces(get), torrent.pieceCount);
        }
        assert.equal(problems(get).length, 1);
        assert.match(problems(get)[0]!, new RegExp(`Cannot write .*file\\.bin \\(${code}\\)`));
        assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
      },
    );
  }

  it(
    'reads that fail for a while make one problem at the seed; afterwards it gives everything',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { torrent, dir, path } = await share(bed);
      const disk = new FaultyDisk(bed, dir);
      const seed = await startServing(bed, ['seed', torrent.file, '--dir', dir], { env: disk.env });
      disk.set({ read: { code: 'EIO' } });
      const into = bed.dir('copy');
      const get = startGet(bed, torrent.file, into, '--peer', seed.address);
      const problem = await seed.starling.event('problem');
      assert.match(String(problem['message']), /Cannot read .*file\.bin \(EIO\): the disk reports/);
      disk.set({});
      await get.child.stop('SIGINT');
      const again = startGet(bed, torrent.file, into, '--peer', seed.address);
      await again.done();
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
      assert.equal(problems(seed.starling).length, 1);
    },
  );

  it('400 files with 64 open files allowed: complete, without a problem', {
    ...LIMITS,
    skip: isLinux ? false : 'needs prlimit',
  }, async () => {
    await using bed = new TestBed();
    const tree = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`folder ${i % 7}/file ${i}.bin`, 9_000 + i]),
    );
    const path = writeTree(join(bed.dir('original'), 'many'), tree);
    const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65_536 });
    const few = { openFiles: 64 };
    const serving = ['seed', torrent.file, '--dir', bed.dir('original')];
    const seed = await startServing(bed, serving, few);
    const into = bed.dir('copy');
    const args = ['get', torrent.file, '--dir', into, '--json', '--peer', seed.address];
    const get = startStarling(bed, [...args, '--listen', '127.0.0.1:0'], few);
    await get.done();
    assert.deepEqual(readTree(join(into, 'many')), readTree(path));
    assert.deepEqual([...problems(get), ...problems(seed.starling)], []);
  });

  it('a folder that becomes read-only between runs makes one sentence; writable again, the rest is fetched', {
    ...LIMITS,
    skip:
      isRoot && isLinux && process.env['CI'] !== 'true'
        ? false
        : 'mounts: needs root, and is not done in CI',
  }, async () => {
    await using bed = new TestBed();
    const { torrent, dir, path } = await share(bed);
    const small = bed.dir('small');
    execFileSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=8m', 'none', small]);
    bed.onEnd(() => execFileSync(UMOUNT, ['-l', small]));
    const seed = await startSeed(bed, torrent.file, dir, '--upload-limit', '1500000');
    const home = bed.home();
    const args = ['get', torrent.file, '--dir', small, '--json', '--peer', seed.address];
    const run = (): Starling => startStarling(bed, [...args, '--listen', '127.0.0.1:0'], { home });
    const first = run();
    await first.child.waitFor('10 pieces', () => pieces(first) >= 10 || undefined);
    await first.child.stop('SIGINT');
    execFileSync(MOUNT, ['-o', 'remount,ro', small]);
    const refused = run();
    const { code, stderr } = await refused.child.exit();
    assert.equal(code, 1);
    assert.match(stderr, /^starling: Cannot [^\n]*file\.bin \(EROFS\): [^\n]*writable[^\n]*\n$/);
    execFileSync(MOUNT, ['-o', 'remount,rw', small]);
    const last = run();
    await last.done();
    assert.equal(pieces(first) + pieces(last), torrent.pieceCount);
    assert.deepEqual(readTree(join(small, 'file.bin')), readTree(path));
  });

  it(
    'a slow disk is felt by the socket: what came and is not on disk stays within memory',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const lengthBytes = 200 * 1024 * 1024;
      const dir = bed.dir('original');
      const path = join(dir, 'file.bin');
      writeFile(path, lengthBytes, 9);
      const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 1024 * 1024 });
      const seed = await startSeed(bed, torrent.file, dir);
      const into = bed.dir('copy');
      const disk = new FaultyDisk(bed, into);
      disk.set({ write: { delayMs: 20 } });
      // Between both a wire that counts.
      let passedBytes = 0;
      const wire = net.createServer((near) => {
        const far = net.connect(seed.port, '127.0.0.1');
        far.on('data', (bytes) => {
          passedBytes += bytes.length;
          if (!near.write(bytes)) far.pause();
        });
        near.on('drain', () => far.resume()).on('data', (bytes) => far.write(bytes));
        for (const socket of [near, far]) {
          socket.on('error', () => {});
          socket.on('close', () => [near, far].map((each) => each.destroy()));
        }
      });
      wire.listen(0, '127.0.0.1');
      await once(wire, 'listening');
      bed.onEnd(() => wire.close());
      const { port } = wire.address() as net.AddressInfo;
      const get = startCopy(bed, torrent, into, disk, ['--peer', `127.0.0.1:${port}`]);
      let mostBytes = 0;
      await get.child.waitFor('100 pieces', () => {
        mostBytes = Math.max(mostBytes, passedBytes - pieces(get) * torrent.pieceLength);
        return pieces(get) >= 100 || undefined;
      });
      const status = readFileSync(`/proc/${get.child.pid}/status`, 'utf8');
      const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
      assert.ok(mostBytes < 64 * 1024 * 1024, `${mostBytes} bytes came and were not on disk`);
      assert.ok(peakMiB < 256, `${peakMiB} MiB`);
      disk.set({});
      await get.done();
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
      assert.deepEqual(problems(get), []);
    },
  );
});
