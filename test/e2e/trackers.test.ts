/**
 * Trackers as a user meets them: counts by scrape, one key over restarts, `completed` once for good.
 * @module
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, runStarling, startSeed, startStarling } from '../support/cli.ts';
import { poll, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { startTestTracker } from '../support/tracker.ts';

const LIMITS = { timeout: 60_000 };

/** The resume data below a state folder names this tracker. */
function remembers(home: string, url: string): boolean {
  const folder = join(home, 'resume');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.resume'))
    .some((name) => readFileSync(join(folder, name), 'latin1').includes(url));
}

it(
  'info --scrape shows what the trackers count, over HTTP and UDP, both hashes of a hybrid in one request',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const scrapes: string[] = [];
    const tracker = await startTestTracker({ scrapes });
    try {
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 100_001, 7);
      const trackers = [tracker.httpUrl, tracker.udpUrl];
      const torrent = await createTorrentFile(bed, path, 'hybrid', { trackers });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      await tracker.waitFor(({ event }) => event === 'started');
      await poll('both hashes', () => tracker.announces.length >= 2 || undefined);
      const { stdout, code } = await runStarling(bed, ['info', torrent.file, '--scrape', '--json']);
      assert.equal(code, 0);
      const { scrape } = JSON.parse(stdout);
      assert.deepEqual(scrape.map(({ url }: { url: string }) => url).sort(), trackers.toSorted());
      for (const { swarms, error } of scrape) {
        assert.equal(error, undefined);
        assert.equal(swarms.length, 2);
        for (const { seeds, leeches, downloads } of swarms) {
          assert.deepEqual([seeds, leeches, downloads], [1, 0, 0]);
        }
      }
      assert.equal(scrapes.length, 2);
      assert.ok(scrapes.every((line) => line.split(' ').length === 3));
      assert.equal(
        tracker.announces.filter(({ left }) => left !== 0).length,
        0,
        'nothing was announced',
      );
      const plain = await runStarling(bed, ['info', torrent.file, '--scrape']);
      assert.match(plain.stdout, /Swarm +http:\S+: 1 seed, 0 leeches, 0 downloads/);
      await seed.starling.child.stop();
    } finally {
      await tracker.close();
    }
  },
);

it(
  'a killed download keeps its key, and a tracker that was told completed is never told again',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const tracker = await startTestTracker();
    try {
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 300_001, 7);
      const torrent = await createTorrentFile(bed, path, 'v1', { trackers: [tracker.httpUrl] });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'), '--no-discovery');
      const home = bed.home();
      const args = ['get', torrent.file, '--dir', bed.dir('copy'), '--peer', seed.address];
      const run = () =>
        startStarling(bed, [...args, '--listen', '127.0.0.1:0', '--seed-time', '600', '--json'], {
          home,
        });
      const first = run();
      await first.event('summary');
      await tracker.waitFor(({ event }) => event === 'completed');
      // Its answer has to be read and written down: then the process may die at any time.
      await poll('the record of it', () => remembers(home, tracker.httpUrl) || undefined);
      await first.child.stop('SIGKILL');
      // The data is damaged meanwhile, so that the second run downloads and completes again.
      writeFile(join(bed.dir('copy'), 'file.bin'), 300_001, 8);
      const before = tracker.announces.length;
      const second = run();
      await second.event('summary');
      await poll('a second start', () => tracker.announces.length > before || undefined);
      await second.child.stop();
      const events = tracker.announces.map(({ event }) => event);
      assert.equal(events.filter((event) => event === 'completed').length, 1);
      assert.equal(events.filter((event) => event === 'started').length, 2);
      assert.equal(new Set(tracker.announces.map(({ key }) => key)).size, 1, 'one key');
    } finally {
      await tracker.close();
    }
  },
);
