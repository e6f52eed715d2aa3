/** Publications (BEP 46) in nodes that stay up, over the API: versions, restarts, mistakes. */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setPrivacy } from '../../src/node/privacy-settings.ts';
import { poll, TestBed } from '../support/cli-child.ts';
import { openTestNode, StreamReader, type TestNode } from '../support/daemon.ts';

const LIMITS = { timeout: 60_000 };

// biome-ignore lint/suspicious/noExplicitAny: a row of the API is JSON.
type Row = any;

async function asked(node: TestNode, method: string, where: string, body?: unknown): Promise<Row> {
  const answer = await node.ask(method, where, body === undefined ? {} : { body });
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.text}`);
  return answer.body;
}

/** The publication that a node follows, as soon as it fits. */
async function rowOf(node: TestNode, id: string, fits: (row: Row) => boolean): Promise<Row> {
  const stream = new StreamReader(node, 'publications');
  try {
    for (let seen = 0; ; seen = stream.events.length) {
      await stream.event((event) => stream.events.indexOf(event) >= seen);
      const row = await asked(node, 'GET', `/publications/${id}`);
      if (fits(row)) return row;
    }
  } finally {
    await stream.cut();
  }
}

it(
  'a node that follows gets each version, both ends go on after a restart, and mistakes are told',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const homes = [bed.home(), bed.home()] as const;
    const open = (home: string, bootstrap: string[]): Promise<TestNode> =>
      openTestNode(bed, { home, bootstrap });
    const nodeAt = async (node: TestNode): Promise<string> => {
      const [family] = await asked(node, 'GET', '/dht');
      return `127.0.0.1:${family.port}`;
    };
    let ana = await open(homes[0], []);
    let ben = await open(homes[1], [await nodeAt(ana)]);
    const path = join(bed.dir('from'), 'news.txt');
    const publish = async (text: string): Promise<Row> => {
      writeFileSync(path, text.repeat(10_000));
      return await asked(ana, 'POST', '/publications', { path, salt: 'news' });
    };
    const first = await publish('one');
    assert.deepEqual([first.kind, first.version, first.isComplete], ['own', 1, true]);
    assert.match(first.link, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}&s=6e657773&dn=news\.txt$/);
    const dir = bed.dir('versions');
    const followed = await asked(ben, 'POST', '/publications/follow', { link: first.link, dir });
    assert.equal(followed.id, first.id);
    const latest = (): string => readFileSync(join(dir, 'latest', 'news.txt'), 'utf8');
    await rowOf(ben, first.id, ({ version, isComplete }) => version === 1 && isComplete);
    await rowOf(ben, first.id, () => readlinkSync(join(dir, 'latest')) === '1');
    assert.equal(latest(), 'one'.repeat(10_000));

    const second = await publish('two');
    assert.deepEqual([second.id, second.link, second.version], [first.id, first.link, 2]);
    const isThere = (version: number) => (row: Row) =>
      row.version === version &&
      row.isComplete &&
      readlinkSync(join(dir, 'latest')) === `${version}`;
    await asked(ben, 'POST', `/publications/${first.id}/look`);
    await rowOf(ben, first.id, isThere(2));
    assert.equal(latest(), 'two'.repeat(10_000));
    assert.equal(readFileSync(join(dir, '1', 'news.txt'), 'utf8'), 'one'.repeat(10_000));
    const same = await asked(ana, 'POST', '/publications', {
      torrent: second.torrent,
      salt: 'news',
    });
    assert.equal(same.version, 2, 'the same torrent is no new version');

    // The DHT of the two forgets all of it when both end; a newcomer gets it all the same.
    await Promise.all([ana.daemon.close(), ben.daemon.close()]);
    ana = await open(homes[0], []);
    ben = await open(homes[1], [await nodeAt(ana)]);
    await rowOf(ana, first.id, ({ stored }) => stored > 0);
    await poll('the publisher seeds', async () => {
      const { state } = await asked(ana, 'GET', `/torrents/${second.torrent}`);
      return state === 'seeding' || undefined;
    });
    const home = bed.home();
    setPrivacy(home, 'dht', false);
    const lonely = await openTestNode(bed, { home });
    const link = `magnet:?xt=urn:btih:${second.torrent}`;
    const [at] = (await asked(ana, 'GET', '/status')).listen;
    const looking = asked(lonely, 'POST', '/tools/peers', { link, seconds: 1, peers: [at] });
    const eve = await open(bed.home(), [await nodeAt(ana)]);
    await asked(eve, 'POST', '/publications/follow', { link: first.link });
    const row = await rowOf(
      eve,
      first.id,
      ({ version, isComplete }) => version === 2 && isComplete,
    );
    assert.equal(row.dir, join(bed.root, 'downloads', `publication-${first.id.slice(0, 16)}`));
    // Before the third version takes the torrent off the publisher's list.
    const { peers } = await looking;
    await publish('three');
    await asked(ben, 'POST', `/publications/${first.id}/look`);
    await rowOf(ben, first.id, isThere(3));
    // What is under way about it is over when this answers.
    await asked(ben, 'POST', `/publications/${first.id}/look`);
    const lists = await Promise.all([ana, ben].map((node) => asked(node, 'GET', '/torrents')));
    assert.deepEqual(
      lists.map(({ total }) => total),
      [1, 1],
      'earlier versions have left the lists',
    );

    const wrong = async (status: number, where: string, body: unknown): Promise<void> => {
      const answer = await ben.ask('POST', where, { body });
      assert.equal(answer.status, status, answer.text);
    };
    await wrong(409, '/publications/follow', { link: first.link });
    await wrong(400, '/publications/follow', { link: 'magnet:?xs=urn:btpk:abc' });
    const other = `magnet:?xs=urn:btpk:${'ab'.repeat(32)}`;
    await wrong(409, '/publications/follow', { link: other, dir });
    await wrong(400, '/publications/follow', { link: other, dir: 'not/absolute' });
    await wrong(400, '/publications', {});
    await wrong(400, '/publications', { path: join(bed.root, 'nothing') });
    const shared = { path, isPrivate: true };
    await wrong(400, '/publications', {
      torrent: (await asked(ben, 'POST', '/shares', shared)).id,
    });
    await wrong(404, '/publications', { torrent: '00'.repeat(20) });
    await wrong(404, `/publications/${'00'.repeat(20)}/look`, {});
    assert.ok(
      peers.some(({ client }: Row) => client.startsWith('Starling')),
      JSON.stringify(peers),
    );
    assert.ok(peers.some(({ address }: Row) => address === at));
    assert.deepEqual(await asked(lonely, 'GET', '/torrents'), { total: 0, torrents: [] });
    assert.equal((await lonely.ask('POST', '/publications', { body: { path } })).status, 409);
    const added = await asked(eve, 'POST', '/torrents/preview', { link: first.link });
    assert.equal(added.id, (await asked(ana, 'GET', `/publications/${first.id}`)).torrent);
    await asked(ben, 'DELETE', `/publications/${first.id}`);
    assert.deepEqual(await asked(ben, 'GET', '/publications'), []);
    assert.equal((await asked(ben, 'GET', '/torrents')).total, 2);
  },
);
