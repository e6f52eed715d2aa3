/**
 * Web seeds with other programs: libtorrent and aria2 fetch from ours with no peer beside it, and we fetch from nginx.
 * @module
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed, type TorrentFile } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, readTree, writeFile, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { type Nginx, type NginxOptions, startNginx } from '../support/nginx.ts';

const CLIENTS = [
  { name: 'aria2', program: 'aria2c', versions: ['v1'], start: startAria2 },
  {
    name: 'libtorrent',
    program: PYTHON,
    versions: ['v1', 'v2', 'hybrid'],
    start: startLibtorrent,
  },
] as const;

for (const client of CLIENTS) {
  describe(`our web seed with ${client.name}`, { concurrency: 3 }, () => {
    for (const version of client.versions) {
      for (const kind of ['one file', 'many files'] as const) {
        it(
          `${client.name} fetches ${kind} of ${version} from it alone`,
          needing(client.program),
          async () => {
            await using bed = new TestBed();
            const dir = bed.dir('original');
            const path = join(dir, kind === 'one file' ? 'eine Datei.bin' : 'ein Ordner');
            if (kind === 'one file') writeFile(path, 3_000_017, 7);
            else writeTree(path, MIXED_TREE);
            const options = { pieceLength: 65_536 };
            const plain = await createTorrentFile(bed, path, version, options);
            const seed = await startSeed(bed, plain.file, dir, '--web', '127.0.0.1:0');
            const webSeeds = new URL(seed.magnet).searchParams.getAll('ws');
            const torrent = await createTorrentFile(bed, path, version, { ...options, webSeeds });
            const into = bed.dir('copy');
            const leech = await client.start(bed, torrent.file, into);
            await leech.complete();
            assert.deepEqual(readTree(join(into, torrent.name)), readTree(path));
            const connected = seed.starling.events.filter(({ type }) => type === 'peer-connected');
            assert.deepEqual(connected, [], 'no peer was known');
          },
        );
      }
    }
  });
}

interface Served {
  readonly torrent: TorrentFile;
  readonly nginx: Nginx;
  /** Holds the shared file or folder. */
  readonly dir: string;
  readonly path: string;
}

/** A torrent whose web seed is nginx, or the place that `urlOf` says. */
async function behindNginx(
  bed: TestBed,
  write: (path: string) => void,
  options: NginxOptions & {
    readonly version?: 'v1' | 'v2' | 'hybrid';
    readonly urlOf?: (nginx: Nginx) => string;
  } = {},
): Promise<Served> {
  const { version = 'hybrid', urlOf = ({ url }) => url } = options;
  const dir = bed.dir('original');
  const path = join(dir, 'etwas Großes');
  write(path);
  const nginx = await startNginx(bed, dir, options);
  const torrent = await createTorrentFile(bed, path, version, {
    pieceLength: 65_536,
    webSeeds: [urlOf(nginx)],
  });
  return { torrent, nginx, dir, path };
}

function oneFile(path: string): void {
  writeFile(path, 3_000_017, 7);
}

function manyFiles(path: string): void {
  writeTree(path, MIXED_TREE);
}

describe('nginx as a web seed', { concurrency: 3 }, () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    for (const [kind, write] of [
      ['one file', oneFile],
      ['many files', manyFiles],
    ] as const) {
      it(`${kind} of ${version}, from it alone`, needing('nginx'), async () => {
        await using bed = new TestBed();
        const { torrent, path } = await behindNginx(bed, write, { version });
        const get = startGet(bed, torrent.file, bed.dir('copy'));
        const { wastedBytes } = await get.summary();
        await get.done();
        assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
        assert.equal(wastedBytes, 0);
      });
    }
  }

  it('that redirects', needing('nginx'), async () => {
    await using bed = new TestBed();
    const urlOf = ({ movedUrl }: Nginx): string => movedUrl;
    const { torrent, path } = await behindNginx(bed, manyFiles, { urlOf });
    await startGet(bed, torrent.file, bed.dir('copy')).done();
    assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
  });

  it('that dies in the middle, and comes back', needing('nginx'), async () => {
    await using bed = new TestBed();
    const { torrent, nginx, path } = await behindNginx(bed, oneFile, { limitRate: 400_000 });
    const get = startGet(bed, torrent.file, bed.dir('copy'));
    await get.event('piece');
    await nginx.kill();
    await get.event('peer-closed', ({ address }) => address === nginx.url);
    const before = get.events.filter(({ type }) => type === 'piece').length;
    assert(before < torrent.pieceCount, 'it was not through');
    await nginx.start();
    await get.done();
    assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
    const banned = get.events.filter(({ type }) => type === 'peer-banned');
    assert.deepEqual(banned, []);
  });

  it('beside a peer: both give', needing('nginx'), async () => {
    await using bed = new TestBed();
    const { torrent, dir, path } = await behindNginx(bed, oneFile, { limitRate: 400_000 });
    const seed = await startSeed(bed, torrent.file, dir, '--upload-limit', '800000');
    const get = startGet(bed, torrent.file, bed.dir('copy'), '--peer', seed.address);
    assert.equal((await get.summary()).peers, 2);
    await get.done();
    assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
  });

  it(
    'with wrong data of one file: it is banned, and a peer gives the rest',
    needing('nginx'),
    async () => {
      await using bed = new TestBed();
      const write = (path: string): void => {
        writeTree(path, { 'a.bin': 500_000, 'b.bin': 2_000_000, 'c.bin': 500_000 });
      };
      const { torrent, nginx, dir, path } = await behindNginx(bed, write);
      const right = readTree(path);
      const peerDir = bed.dir('peer');
      cpSync(dir, peerDir, { recursive: true });
      writeFile(join(path, 'b.bin'), 2_000_000, 99);
      const seed = await startSeed(bed, torrent.file, peerDir, '--upload-limit', '1000000');
      const get = startGet(bed, torrent.file, bed.dir('copy'), '--peer', seed.address);
      await get.done();
      assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), right);
      const banned = get.events.filter(({ type }) => type === 'peer-banned');
      assert.deepEqual(
        banned.map(({ address }) => address),
        [nginx.url],
      );
    },
  );
});
