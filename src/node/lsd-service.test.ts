import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { ReachPolicy } from '../io/reach-policy.ts';
import { LsdService } from './lsd-service.ts';
import { TorrentLan } from './torrent-lan.ts';

function open(t: TestContext): LsdService {
  const service = new LsdService({
    policy: new ReachPolicy({ offline: true }),
    listenHost: '127.0.0.1',
    families: [4],
  });
  t.after(() => service.close());
  return service;
}

/** A hash that no other test of this machine announces. */
function freshHash(): Uint8Array {
  return new Uint8Array(randomBytes(20));
}

test('services of one machine share the port and hear each other, not themselves', async (t) => {
  const [hash, a, b] = [freshHash(), open(t), open(t)];
  const heardByA: number[] = [];
  a.announce(hash, 1001, ({ port }) => heardByA.push(port));
  await new Promise<void>((resolve) => {
    b.announce(hash, 1002, ({ port }) => port === 1001 && resolve());
  });
  assert.ok(!heardByA.includes(1001));
});

test('a torrent that turns out to be private is announced no more, and hears nothing', async (t) => {
  const hash = freshHash();
  const heard: number[] = [];
  const lan = new TorrentLan(open(t), 1001, ({ port }) => heard.push(port));
  lan.start({ infoHashV1: hash }, false);
  lan.start({ infoHashV1: hash }, true);
  const [witness, speaker] = [open(t), open(t)];
  const heardByWitness = await new Promise<number>((resolve) => {
    witness.announce(hash, 1002, ({ port }) => resolve(port));
    speaker.announce(hash, 1003, () => {});
  });
  assert.equal(heardByWitness, 1003, 'the private one was not heard');
  assert.deepEqual(heard, []);
});

test('a hybrid is announced with both info-hashes, the second from when it is known', async (t) => {
  const [infoHashV1, long] = [freshHash(), new Uint8Array(randomBytes(32))];
  const lan = new TorrentLan(open(t), 1001, () => {});
  t.after(() => lan.stop());
  lan.start({ infoHashV1 }, false);
  lan.start({ infoHashV1, infoHashV2: long }, false);
  const other = open(t);
  await Promise.all(
    [infoHashV1, long.subarray(0, 20)].map(
      (hash) => new Promise((resolve) => other.announce(hash, 1002, resolve)),
    ),
  );
});

test('what was left before its announce is not announced, and a closed service takes nothing', async (t) => {
  const [hash, a, b] = [freshHash(), open(t), open(t)];
  a.announce(hash, 1001, () => {})();
  const peer = new Promise<number>((resolve) =>
    b.announce(hash, 1002, ({ port }) => resolve(port)),
  );
  const c = open(t);
  c.announce(hash, 1003, () => {});
  assert.equal(await peer, 1003);
  await c.close();
  c.announce(freshHash(), 1003, () => {})();
});
