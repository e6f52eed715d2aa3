/**
 * Peer exchange between nodes: a newcomer that knows one peer finds the others through it, unless it was told to use only whom it was given.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setPrivacy } from '../../src/node/privacy-settings.ts';
import {
  createTorrentFile,
  type Starling,
  startGet,
  startSeed,
  startStarling,
} from '../support/cli.ts';
import { freePort, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';

/** Slow enough that the first message of peer exchange, after two seconds, comes long before the end. */
const SLOW = ['--download-limit', '300000'];

function met({ events }: Starling): string[] {
  return events.filter(({ type }) => type === 'peer-connected').map(({ address }) => `${address}`);
}

it('a newcomer finds the seed through the one peer that it knows; with --no-pex or --no-discovery, or when the home says so, it does not', async () => {
  await using bed = new TestBed();
  const path = join(bed.dir('original'), 'Inhalt.bin');
  writeFile(path, 2_000_017, 7);
  const { file } = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
  // It believes nobody, so that it is found and does not find.
  const seed = await startSeed(bed, file, bed.dir('original'), '--no-discovery');
  const between = `127.0.0.1:${await freePort()}`;
  const stays = ['--listen', between, '--seed-time', '600'];
  startGet(bed, file, bed.dir('between'), '--peer', seed.address, ...stays, ...SLOW);
  const given = ['--peer', between, ...SLOW];
  const open = startGet(bed, file, bed.dir('open'), ...given);
  const shut = ['--no-pex', '--no-discovery'].map((off) =>
    startGet(bed, file, bed.dir(`with${off}`), ...given, off),
  );
  const home = bed.home();
  setPrivacy(home, 'pex', false);
  const words = ['get', file, '--dir', bed.dir('set-off'), '--listen', '127.0.0.1:0', '--json'];
  shut.push(startStarling(bed, [...words, ...given], { home }));
  await Promise.all([open, ...shut].map((get) => get.summary()));
  assert.ok(met(open).includes(seed.address), met(open).join(' '));
  // The others may well come to them, from ports that nobody listens on.
  for (const get of shut) assert.ok(!met(get).includes(seed.address), met(get).join(' '));
});
