/**
 * Hostile peers beside aria2, Transmission and libtorrent: a real client is the honest rest of the swarm, as the seed and as a leech.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import {
  createTorrentFile,
  type StarlingEvent,
  startGet,
  startSeed,
  type TorrentFile,
} from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import {
  FLOODS,
  type HostileTarget,
  MOODS,
  startHostileLeech,
  startHostileSeed,
} from '../support/hostile-peers.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { startTransmission } from '../support/transmission.ts';

const LENGTH_BYTES = 12_000_000;

interface Client {
  readonly name: string;
  readonly program: string;
  start(
    bed: TestBed,
    source: string,
    dir: string,
  ): Promise<{ readonly address: string; readonly complete: () => Promise<unknown> }>;
}

const CLIENTS: readonly Client[] = [
  { name: 'aria2', program: 'aria2c', start: startAria2 },
  { name: 'Transmission', program: 'transmission-daemon', start: startTransmission },
  { name: 'libtorrent', program: PYTHON, start: startLibtorrent },
];

async function share(
  bed: TestBed,
): Promise<{ torrent: TorrentFile; dir: string; path: string; target: HostileTarget }> {
  const dir = bed.dir('original');
  const path = join(dir, 'file.bin');
  writeFile(path, LENGTH_BYTES, 3);
  const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 131_072 });
  const infoHash = Buffer.from(torrent.infoHashV1!, 'hex');
  return { torrent, dir, path, target: { infoHash, pieceCount: torrent.pieceCount } };
}

function addresses(events: readonly StarlingEvent[], type: string): string[] {
  return events.filter((event) => event.type === type).map(({ address }) => String(address));
}

describe('hostile peers beside real clients', { concurrency: 2 }, () => {
  for (const client of CLIENTS) {
    it(
      `a download from ${client.name} among ${Object.keys(MOODS).length} hostile peers completes, and only who lied is banned`,
      needing(client.program),
      async () => {
        await using bed = new TestBed();
        const { torrent, dir, path, target } = await share(bed);
        const honest = await client.start(bed, torrent.file, dir);
        await honest.complete();
        const hostile = new Map<string, string>();
        for (const mood of Object.keys(MOODS) as (keyof typeof MOODS)[]) {
          hostile.set(mood, await startHostileSeed(bed, target, mood));
        }
        const into = bed.dir('copy');
        const peers = [...hostile.values(), honest.address].flatMap((address) => [
          '--peer',
          address,
        ]);
        const get = startGet(bed, torrent.magnet, into, ...peers, '--download-limit', '3000000');
        await get.done();
        assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
        const banned = addresses(get.events, 'peer-banned');
        assert.ok(
          banned.includes(hostile.get('sends wrong blocks')!),
          'who sent wrong blocks is banned',
        );
        const liars = ['sends wrong blocks', 'lies about the metadata'].map((mood) =>
          hostile.get(mood),
        );
        assert.deepEqual(
          banned.filter((address) => !liars.includes(address)),
          [],
        );
        const thrownOut = get.events.filter(
          ({ type, address }) => type === 'peer-closed' && address === honest.address,
        );
        assert.ok(
          thrownOut.every(({ reason }) => reason === 'stopped'),
          JSON.stringify(thrownOut),
        );
      },
    );

    it(
      `${client.name} downloads from our seed while ${Object.keys(FLOODS).length} hostile leeches flood it`,
      needing(client.program),
      async () => {
        await using bed = new TestBed();
        const { torrent, dir, path, target } = await share(bed);
        const into = bed.dir('copy');
        const leech = await client.start(bed, torrent.file, into);
        const more = ['--upload-limit', '4000000', '--peer', leech.address];
        const seed = await startSeed(bed, torrent.file, dir, ...more);
        for (const flood of Object.keys(FLOODS) as (keyof typeof FLOODS)[]) {
          startHostileLeech(bed, target, seed.port, flood);
          startHostileLeech(bed, target, seed.port, flood);
        }
        await leech.complete();
        assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
        const status = readFileSync(`/proc/${seed.starling.child.pid}/status`, 'utf8');
        const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
        assert.ok(peakMiB < 256, `${peakMiB} MiB`);
        assert.deepEqual(addresses(seed.starling.events, 'peer-banned'), []);
      },
    );
  }
});
