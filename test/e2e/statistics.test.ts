/** What the node tells of its rates over time, of a download that is over before anybody looks. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { openTestNode, type TestNode } from '../support/daemon.ts';

const LENGTH = 3_000_000;

interface Sample {
  readonly downloadBytesPerSec: number;
}

/** Asks until it is so. */
async function until(fits: () => Promise<boolean>): Promise<void> {
  while (!(await fits())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function samplesOf(node: TestNode): Promise<readonly Sample[]> {
  const { body } = await node.ask('GET', '/statistics?fromMs=0');
  return body.samples as readonly Sample[];
}

it('notes the bytes of a download whose peers are gone when the sample is taken', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const path = join(bed.dir('from'), 'film.bin');
  writeFile(path, LENGTH, 1);
  const seed = await openTestNode(bed);
  const home = bed.home();
  const node = await openTestNode(bed, { home, settings: { 'download-dir': bed.dir('to') } });
  const { body: shared } = await seed.ask('POST', '/shares', { body: { path } });
  const { body: status } = await seed.ask('GET', '/status');
  const added = { link: shared.magnet, peers: status.listen };
  assert.equal((await node.ask('POST', '/torrents', { body: added })).status, 201);
  await until(async () => {
    const { body: row } = await node.ask('GET', `/torrents/${shared.id}`);
    return row.state === 'seeding' && row.connectedPeers === 0;
  });
  // A node that ends takes a sample.
  await node.daemon.close();
  const again = await openTestNode(bed, { home });
  const rates = (await samplesOf(again)).map((sample) => sample.downloadBytesPerSec);
  assert.ok(Math.max(...rates) > 10_000, JSON.stringify(rates));
});

it('counts what a torrent moved that is gone before anybody looks', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const path = join(bed.dir('from'), 'film.bin');
  writeFile(path, LENGTH, 1);
  const seed = await openTestNode(bed, { home: bed.dir('seed-home') });
  const node = await openTestNode(bed, { settings: { 'download-dir': bed.dir('to') } });
  const { body: shared } = await seed.ask('POST', '/shares', { body: { path } });
  const { body: status } = await seed.ask('GET', '/status');
  const { torrents } = node.daemon.composition;
  const entry = await torrents.additions.add({ link: shared.magnet, peers: status.listen });
  await until(async () => entry.state === 'seeding');
  await torrents.remove(entry.id, false);
  const { body } = await node.ask('GET', '/status');
  assert.ok(body.downloadedBytes >= LENGTH, `${body.downloadedBytes}`);
});
