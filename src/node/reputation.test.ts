import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { Reputation, standingOf } from './reputation.ts';

const MIB = 1_048_576;
const DAY_MS = 86_400_000;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reputation-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
let count = 0;

function freshHome(): string {
  count += 1;
  return path.join(root, `${count}`);
}

function fileOf(home: string): string {
  return path.join(home, 'reputation.json');
}

describe('Reputation', () => {
  it('raises who gave, lowers who took and broke promises, and trusts no liar again', () => {
    const none = { receivedBytes: 0, givenBytes: 0, badData: 0, brokenPromises: 0 };
    assert.equal(standingOf(none), 0);
    assert(standingOf({ ...none, receivedBytes: 100 * MIB }) > 0.9);
    assert(standingOf({ ...none, givenBytes: 100 * MIB }) < -0.9);
    assert(standingOf({ ...none, brokenPromises: 20 }) < -0.8);
    assert.equal(standingOf({ ...none, receivedBytes: 100 * MIB, badData: 1 }), -1);
  });

  it('is kept between runs', () => {
    const home = freshHome();
    const first = new Reputation(home);
    first.note('192.0.2.1', { receivedBytes: 50 * MIB });
    first.note('192.0.2.1', { givenBytes: MIB, brokenPromises: 1 });
    first.save();
    const second = new Reputation(home);
    assert(second.standing('192.0.2.1') > 0.8);
    assert.equal(second.standing('192.0.2.2'), 0);
    const [known] = second.list();
    assert.equal(known?.meetings, 2);
    assert.equal(known?.receivedBytes, 50 * MIB);
    assert.equal(known?.brokenPromises, 1);
  });

  it('adds up what several programs saw that share a home', () => {
    const home = freshHome();
    const [one, other] = [new Reputation(home), new Reputation(home)];
    one.note('192.0.2.1', { receivedBytes: MIB });
    other.note('192.0.2.1', { receivedBytes: 2 * MIB });
    other.note('192.0.2.2', { badData: 1 });
    one.save();
    other.save();
    one.save();
    const all = new Reputation(home).list();
    assert.deepEqual(all.map(({ host, receivedBytes }) => [host, receivedBytes]).sort(), [
      ['192.0.2.1', 3 * MIB],
      ['192.0.2.2', 0],
    ]);
  });

  it('keeps nothing of this machine, of names, or of meetings without consequence', () => {
    const home = freshHome();
    const book = new Reputation(home);
    book.note('127.0.0.1', { receivedBytes: MIB });
    book.note('::1', { badData: 1 });
    book.note('example.org', { receivedBytes: MIB });
    book.note('192.0.2.1', {});
    book.save();
    assert.deepEqual(book.list(), []);
    assert.equal(fs.existsSync(fileOf(home)), false);
  });

  it('forgets whoever was met longest ago, and those of last season', () => {
    const home = freshHome();
    let nowMs = 1e12;
    const book = new Reputation(home, () => nowMs);
    for (let i = 0; i < 4_100; i += 1) {
      book.note(`10.1.${i >> 8}.${i & 255}`, { receivedBytes: MIB });
    }
    book.save();
    assert.equal(book.list().length, 4_096);
    assert.equal(book.standing('10.1.0.0'), 0);
    nowMs += 91 * DAY_MS;
    assert.deepEqual(new Reputation(home, () => nowMs).list(), []);
  });

  it('is for the owner alone to read', () => {
    const home = freshHome();
    const book = new Reputation(home);
    book.note('192.0.2.1', { receivedBytes: MIB });
    book.save();
    assert.equal(fs.statSync(fileOf(home)).mode & 0o077, 0);
    book.clear();
    assert.deepEqual(new Reputation(home).list(), []);
  });

  it('takes a file that makes no sense for none', () => {
    const home = freshHome();
    fs.mkdirSync(home, { recursive: true });
    const row = { host: '192.0.2.1', receivedBytes: 1 };
    const nonsense = [
      '',
      '{',
      'null',
      '[]',
      '{"version":1}',
      JSON.stringify({ version: 1, hosts: [row, 7] }),
    ];
    for (const text of nonsense) {
      fs.writeFileSync(fileOf(home), text);
      assert.deepEqual(new Reputation(home).list(), []);
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        fs.writeFileSync(fileOf(home), text);
        for (const { standing } of new Reputation(home).list()) {
          assert(standing >= -1 && standing <= 1);
        }
      }),
      { numRuns: 50 },
    );
  });
});
