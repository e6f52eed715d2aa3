/** `share`, `seed` and `get --secure`: a torrent among peers who prove who they are. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Contacts } from '../../src/node/contacts.ts';
import { type Starling, startGet, startServing, startStarling, WITH_LSD } from '../support/cli.ts';
import { freePort, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { befriend, peerIdIn } from '../support/sending.ts';

it('a contact gets a secure torrent; a stranger with an identity and a plain client with the hash and the address get nothing', async () => {
  await using bed = new TestBed();
  const [ana, ben, eve] = [bed.home(), bed.home(), bed.home()];
  befriend(ana, 'ana', ben, 'ben');
  // Eve knows Ana, who does not know her.
  new Contacts(eve).add('ana', peerIdIn(ana));
  const file = join(bed.dir('from'), 'private.bin');
  writeFile(file, 3_000_017, 1);
  const at = `127.0.0.1:${await freePort()}`;
  const share = ['share', file, '--secure', '--no-dht', '--listen', at, WITH_LSD];
  const seed = await startServing(bed, share, { home: ana });
  const torrent = seed.torrent!;
  const plain = startGet(bed, torrent, bed.dir('plain'), '--peer', at);
  const secureGet = (dir: string, home: string, ...more: string[]): Starling => {
    const args = ['get', torrent, '--dir', bed.dir(dir), '--listen', '127.0.0.1:0', '--json'];
    return startStarling(bed, [...args, '--secure', '--no-dht', WITH_LSD, ...more], { home });
  };
  const stranger = secureGet('stranger', eve, '--peer', 'ana');
  // Whoever is refused says so, and tries on.
  await plain.event('peer-failed');
  const contact = secureGet('contact', ben);
  const { peers } = await contact.summary();
  assert.equal(peers, 1);
  await contact.done();
  assert.deepEqual(readTree(join(bed.dir('contact'), 'private.bin')), readTree(file));
  for (const { events } of [plain, stranger]) {
    assert.ok(events.every(({ type }) => type !== 'piece' && type !== 'peer-connected'));
  }
  assert.equal(seed.starling.child.hasEnded, false);
  assert.deepEqual(readdirSync(bed.dir('from')), ['private.bin']);
});
