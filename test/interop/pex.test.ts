/**
 * Peer exchange (BEP 11) with aria2, Transmission and libtorrent, both directions in one chain: a foreign client, which knows nobody, is told of the
 * seed by us alone and dials it; a newcomer of ours, which knows the foreign client alone, is told of the others by it and dials them.
 *
 * Everybody of ours has an address of its own: aria2 tells nobody of peers at the same address, and Transmission knows one peer for each. It dials no
 * loopback addresses that it was told: so it runs in a network namespace, as in tracker-transmission.test.ts.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { freePort, needing, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { addAddress } from '../support/namespace.ts';
import { startTransmission } from '../support/transmission.ts';
import { hostsInside, itOnTwoHosts } from '../support/two-hosts.ts';

/** Longest time until a word came through: two messages of a client that sends one every 90 s. */
const PATIENCE_MS = 200_000;
/** Slow enough that nobody is complete before everything was told. */
const SLOW = ['--download-limit', '10000', '--upload-limit', '40000'];

type Start = (bed: TestBed, torrent: string, dir: string) => Promise<{ readonly address: string }>;

/** @param hosts addresses of the seed, of a leech that knows the seed and the foreign client, and of one that knows the foreign client. */
async function chain(
  start: Start,
  hosts: readonly [seed: string, leech: string, newcomer: string],
): Promise<void> {
  await using bed = new TestBed();
  const path = join(bed.dir('original'), 'Inhalt.bin');
  writeFile(path, 6_000_017, 7);
  const { file } = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
  const foreign = await start(bed, file, bed.dir('foreign'));
  const foreignHost = foreign.address.split(':')[0]!;
  const [seedAt, leechAt, newcomerAt] = await Promise.all(
    hosts.map(async (host) => `${host}:${await freePort(host)}`),
  );
  const seed = await startSeed(bed, file, bed.dir('original'), '--listen', seedAt!, ...SLOW);
  const given = ['--peer', seed.address, '--peer', foreign.address];
  const leech = startGet(bed, file, bed.dir('leech'), '--listen', leechAt!, ...SLOW, ...given);
  await leech.event('peer-connected', ({ address }) => address === foreign.address);
  await seed.starling.event(
    'peer-connected',
    ({ address }) => String(address).startsWith(`${foreignHost}:`) && address !== leechAt,
    PATIENCE_MS,
  );
  const only = ['--listen', newcomerAt!, ...SLOW, '--peer', foreign.address];
  const newcomer = startGet(bed, file, bed.dir('newcomer'), ...only);
  const told = await newcomer.event(
    'peer-connected',
    ({ address }) => address === seed.address || address === leechAt,
    PATIENCE_MS,
  );
  const [first] = newcomer.events.filter(({ type }) => type === 'peer-connected');
  assert.equal(first?.['address'], foreign.address, `${String(told['address'])} came second`);
}

const LOOPBACK = ['127.0.0.3', '127.0.0.4', '127.0.0.2'] as const;
const PRIVATE = ['10.77.0.3', '10.77.0.4', '10.77.0.5'] as const;
const inside = hostsInside();

if (inside === undefined) {
  it('libtorrent tells and is told', { ...needing(PYTHON), timeout: 2 * PATIENCE_MS }, () =>
    chain(startLibtorrent, LOOPBACK),
  );

  it('aria2 tells and is told', { ...needing('aria2c'), timeout: 2 * PATIENCE_MS }, () =>
    chain((bed, torrent, dir) => startAria2(bed, torrent, dir, { pex: true }), LOOPBACK),
  );

  itOnTwoHosts('Transmission tells and is told', {
    file: import.meta.filename,
    count: 1,
    needs: ['transmission-daemon'],
    prepare: ([here]) => {
      for (const address of PRIVATE) addAddress(here, address);
    },
  });
} else {
  const [, there] = inside;
  const far = { prefix: there.prefix, host: there.address, pex: true };
  it('Transmission tells and is told', { timeout: 2 * PATIENCE_MS }, () =>
    chain((bed, torrent, dir) => startTransmission(bed, torrent, dir, far), PRIVATE),
  );
}
