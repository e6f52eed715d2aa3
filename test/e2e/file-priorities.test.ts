/**
 * Files of a torrent chosen while it runs, through the library.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrent, PeerNode, type Torrent } from '../../src/node/index.ts';
import { parseMagnet } from '../../src/protocol/metainfo/index.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const PIECE_BYTES = 32_768;
/** Pieces 1 and 4 lie in two files each. */
const LENGTHS = [1.5, 3, 1.5].map((pieces) => pieces * PIECE_BYTES);
const OPTIONS = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;

interface World extends AsyncDisposable {
  readonly bed: TestBed;
  readonly home: string;
  readonly seeder: PeerNode;
  readonly source: {
    kind: 'metainfo';
    metainfo: Awaited<ReturnType<typeof createTorrent>>['metainfo'];
  };
  readonly magnet: string;
  readonly peers: readonly string[];
}

async function openWorld(uploadLimitBytesPerSec = 0): Promise<World> {
  const bed = new TestBed();
  const original = join(bed.dir('original'), 'film');
  for (const [index, length] of LENGTHS.entries()) {
    writeFile(join(original, `${index}.bin`), length, index + 1);
  }
  const { metainfo, dir } = await createTorrent(original, {
    pieceLengthBytes: PIECE_BYTES,
    version: 'v1',
  });
  const source = { kind: 'metainfo', metainfo } as const;
  const seeder = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const seed = await seeder.add({
    source,
    dir,
    mode: 'seed',
    isFresh: true,
    uploadLimitBytesPerSec,
  });
  const { host, port } = seeder.endpoint;
  return {
    bed,
    home: bed.home(),
    seeder,
    source,
    magnet: seed.magnet(),
    peers: [`${host}:${port}`],
    [Symbol.asyncDispose]: async () => {
      await seeder[Symbol.asyncDispose]();
      await bed[Symbol.asyncDispose]();
    },
  };
}

/** The files that are there, by name, and whether each is as it should be. */
function filesOf({ bed }: World): Record<string, boolean> {
  const original = readTree(bed.dir('original'));
  const copy = readTree(bed.dir('copy'));
  const names = Object.keys(copy).filter((name) => name.endsWith('.bin'));
  return Object.fromEntries(names.map((name) => [name.slice(-5), copy[name] === original[name]]));
}

function piecesOf(torrent: Torrent): number[] {
  const pieces: number[] = [];
  torrent.on('piece', ({ piece }) => pieces.push(piece));
  return pieces;
}

describe('file priorities at runtime', { timeout: 60_000 }, () => {
  it('more is wanted of a complete torrent, border pieces are kept, and all is remembered', async () => {
    await using world = await openWorld();
    const { bed, home, source, peers } = world;
    const options = { source, dir: bed.dir('copy'), peers, select: ['0.bin'] };
    {
      await using node = await PeerNode.open({ ...OPTIONS, home });
      const torrent = await node.add(options);
      const pieces = piecesOf(torrent);
      await torrent.completed();
      assert.deepEqual(torrent.filePriorities, [4, 0, 0]);
      assert.deepEqual(torrent.fileProgress(), [LENGTHS[0], PIECE_BYTES / 2, 0]);
      assert.deepEqual(filesOf(world), { '0.bin': true });
      const states: string[] = [];
      torrent.on('state', ({ state }) => states.push(state));
      torrent.setFilePriorities([4, 7, 0]);
      assert.deepEqual(torrent.filePriorities, [4, 7, 0]);
      await once(torrent, 'complete');
      assert.deepEqual(states, ['downloading', 'seeding']);
      assert.deepEqual(pieces.sort(), [0, 1, 2, 3, 4], 'none came twice');
      assert.deepEqual(filesOf(world), { '0.bin': true, '1.bin': true });
      assert.equal(torrent.status().wantedBytes, 5 * PIECE_BYTES);
      assert.deepEqual(torrent.fileProgress(), [LENGTHS[0], LENGTHS[1], PIECE_BYTES / 2]);
    }
    await using node = await PeerNode.open({ ...OPTIONS, home });
    const torrent = await node.add(options);
    await torrent.completed();
    assert.deepEqual(torrent.filePriorities, [4, 7, 0]);
    assert.equal(torrent.status().downloadedBytes, 0);
    await torrent.stop();
    const other = await node.add({ ...options, select: ['0.bin', '2.bin'] });
    assert.deepEqual(other.filePriorities, [4, 0, 4], 'other patterns count anew');
    await other.completed();
    assert.deepEqual(filesOf(world), { '0.bin': true, '1.bin': true, '2.bin': true });
  });

  it('a torrent is complete when what lacks is not wanted any more', async () => {
    await using world = await openWorld(4 * PIECE_BYTES);
    const { bed, home, source, peers } = world;
    await using node = await PeerNode.open({ ...OPTIONS, home });
    const torrent = await node.add({ source, dir: bed.dir('copy'), peers, isSequential: true });
    await once(torrent, 'piece');
    torrent.setFilePriorities([0, 0, 0]);
    await torrent.completed();
    assert.equal(torrent.state, 'seeding');
    assert.equal(torrent.status().wantedBytes, 0);
    await torrent.stop();
    assert.throws(() => torrent.setFilePriorities([4]), /expected one for each of 3 files, got 1/);
    assert.throws(() => torrent.setFilePriorities([4, 8, 4]), /expected 0 to 7, got 8/);
  });

  it('what was chosen before the metadata counts from the start', async () => {
    await using world = await openWorld();
    const { bed, home, magnet, peers } = world;
    await using node = await PeerNode.open({ ...OPTIONS, home });
    const parsed = parseMagnet(magnet);
    assert(parsed.ok);
    const source = { kind: 'magnet', magnet: parsed.value } as const;
    const torrent = node.prepare({ source, dir: bed.dir('copy'), peers });
    torrent.setFilePriorities([0, 0, 1]);
    await torrent.start();
    await torrent.completed();
    assert.deepEqual(torrent.filePriorities, [0, 0, 1]);
    assert.deepEqual(filesOf(world), { '2.bin': true });
    fs.rmSync(bed.dir('copy'), { recursive: true });
  });
});
