/** `publish` and `follow` (BEP 46): a link that leads to the newest version, over updates and restarts of both ends. */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { publicKeyOf, signDhtItem } from '../../src/node/dht-client.ts';
import { publicationValue } from '../../src/protocol/dht/index.ts';
import { createTorrentFile, type Starling, startSeed, startStarling } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { Observer } from '../support/dht-network.ts';

const LIMITS = { timeout: 60_000 };
const HERE = ['--json', '--listen', '127.0.0.1:0'];

it(
  'a follower gets what is published, then what comes after; get fetches the newest',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const other = bed.dir('other');
    writeFile(join(other, 'other.bin'), 20_000, 3);
    const { file } = await createTorrentFile(bed, join(other, 'other.bin'), 'v1');
    const { address: between } = await startSeed(bed, file, other);
    const args = [...HERE, '--bootstrap', between];
    const [publisher, follower] = [bed.home(), bed.home()];
    const content = bed.dir('content');
    const publish = async (
      seed: number,
    ): Promise<{ starling: Starling; told: Record<string, unknown> }> => {
      writeFile(join(content, 'news.bin'), 50_000 + seed, seed);
      const path = join(content, 'news.bin');
      const starling = startStarling(bed, ['publish', path, '--salt', 'news', ...args], {
        home: publisher,
      });
      return { starling, told: await starling.event('published') };
    };
    const first = await publish(1);
    const link = String(first.told['link']);
    assert.match(link, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}&s=6e657773&dn=news\.bin$/);
    assert.equal(first.told['seq'], 1);
    const into = bed.dir('versions');
    const latest = (): Buffer => readFileSync(join(into, 'latest', 'news.bin'));
    const follow = startStarling(bed, ['follow', link, '--dir', into, '--interval', '1', ...args], {
      home: follower,
    });
    await follow.event('summary', ({ seq }) => seq === 1);
    assert.deepEqual(latest(), readFileSync(join(content, 'news.bin')));
    const before = latest();
    await first.starling.child.stop();

    const second = await publish(2);
    assert.equal(second.told['seq'], 2);
    assert.equal(second.told['link'], link, 'the link stays');
    await follow.event('summary', ({ seq }) => seq === 2);
    assert.equal(readlinkSync(join(into, 'latest')), '2');
    assert.deepEqual(latest(), readFileSync(join(content, 'news.bin')));
    assert.deepEqual(readFileSync(join(into, '1', 'news.bin')), before, 'the one before stays');

    // Version 2 is given by the follower alone from now on, and the link leads there for newcomers.
    await second.starling.child.stop();
    const copy = bed.dir('copy');
    await startStarling(bed, ['get', link, '--dir', copy, ...args]).done();
    assert.deepEqual(readFileSync(join(copy, 'news.bin')), latest());
    const once = ['follow', link, '--once', '--dir', bed.dir('once'), ...args];
    const { stdout } = await startStarling(bed, once).done();
    assert.match(stdout, /"type":"summary","seq":2/);

    // A DHT that forgot it all gets it back from whoever followed.
    await follow.child.stop();
    const { address: elsewhere } = await startSeed(bed, file, other);
    const young = [...HERE, '--bootstrap', elsewhere];
    const back = ['follow', link, '--dir', into, ...young];
    await startStarling(bed, back, { home: follower }).event('summary', ({ seq }) => seq === 2);
    const third = bed.dir('third');
    await startStarling(bed, ['get', link, '--dir', third, ...young]).done();
    assert.deepEqual(readFileSync(join(third, 'news.bin')), latest());

    // The same content again is no new version.
    const again = await publish(2);
    assert.equal(again.told['seq'], 2);
  },
);

it('a wrong link, and a publication that is not there, end with one sentence', LIMITS, async () => {
  await using bed = new TestBed();
  const key = 'ab'.repeat(32);
  const wrong = await startStarling(bed, ['follow', 'magnet:?xs=urn:btpk:abc']).child.exit();
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /expected xs=urn:btpk: and 64 hexadecimal digits, got "abc"/);
  const folder = bed.dir('not-a-key');
  const misnamed = await startStarling(bed, [
    'publish',
    folder,
    '--key',
    folder,
    ...HERE,
  ]).child.exit();
  assert.equal(misnamed.code, 1);
  assert.match(misnamed.stderr, /Cannot read .*not-a-key \(EISDIR\)/);
  const off = ['get', `magnet:?xs=urn:btpk:${key}`, '--no-dht', ...HERE];
  const { code, stderr } = await startStarling(bed, off).child.exit();
  assert.equal(code, 1);
  assert.match(stderr, /its torrent stands in the DHT, which is turned off/);
});

it(
  'a follower goes on when a number grows without a change, and when an older version comes back',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const seeds = [];
    for (const name of ['one', 'two'] as const) {
      const dir = bed.dir(name);
      writeFile(join(dir, `${name}.bin`), 20_000, seeds.length);
      const made = await createTorrentFile(bed, join(dir, `${name}.bin`), 'v1', { out: dir });
      const from = seeds.flatMap(({ address }) => ['--bootstrap', address]);
      const { address } = await startSeed(bed, made.file, dir, ...from);
      seeds.push({ address, infoHash: fromHex(made.infoHashV1!)! });
    }
    const [one, two] = seeds as [(typeof seeds)[0], (typeof seeds)[0]];
    const publisher = await Observer.join(bed, [one.address]);
    const key = Buffer.alloc(32, 7);
    const put = (seq: number, infoHash: Uint8Array): Promise<void> =>
      publisher.put(signDhtItem(key, seq, publicationValue(infoHash), Buffer.alloc(0)));
    await put(1, one.infoHash);
    const link = `magnet:?xs=urn:btpk:${toHex(publicKeyOf(key))}`;
    const into = bed.dir('versions');
    const args = ['--dir', into, '--interval', '1', ...HERE, '--bootstrap', one.address];
    const follow = startStarling(bed, ['follow', link, ...args]);
    await follow.event('summary', ({ seq }) => seq === 1);
    const nobodyHas = Buffer.alloc(20, 9);
    for (const [seq, infoHash] of [
      [2, one.infoHash],
      [3, nobodyHas],
      [4, one.infoHash],
    ] as const) {
      await put(seq, infoHash);
      await follow.event('version', (version) => version['seq'] === seq);
      assert.equal(readlinkSync(join(into, 'latest')), '1');
    }
    await put(5, two.infoHash);
    await follow.event('summary', ({ seq }) => seq === 5);
    assert.equal(readlinkSync(join(into, 'latest')), '5');
  },
);
