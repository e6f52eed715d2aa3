import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toHex } from '../../lib/bytes.ts';
import type { Argon2idJob } from '../../lib/ports.ts';
import {
  deriveKeys,
  hourOf,
  hoursToTry,
  keysOf,
  nextHourMs,
  pakeChannel,
  saltOf,
  servedHours,
} from './code.ts';

const HOUR_MS = 3_600_000;
const anyTime = fc.integer({ min: 2 * HOUR_MS, max: 4_000_000_000_000 });

describe('hours', () => {
  it('meet: while clocks are less than an hour apart, a receiver tries the hour that the sender serves', () => {
    fc.assert(
      fc.property(anyTime, fc.integer({ min: 1 - HOUR_MS, max: HOUR_MS - 1 }), (ms, apartMs) => {
        assert(hoursToTry(ms + apartMs).includes(servedHours(ms)[0]));
      }),
    );
  });

  it('are tried in order of nearness: the hour of the clock, then the neighbour that is nearer', () => {
    assert.deepEqual(hoursToTry(10 * HOUR_MS), [10, 9, 11]);
    assert.deepEqual(hoursToTry(10 * HOUR_MS + HOUR_MS / 2), [10, 11, 9]);
    assert.deepEqual(hoursToTry(11 * HOUR_MS - 1), [10, 11, 9]);
  });

  it('turn at once: a sender takes the hour before for one hour more', () => {
    fc.assert(
      fc.property(anyTime, (ms) => {
        const turnMs = nextHourMs(ms);
        assert(turnMs > ms && turnMs - ms <= HOUR_MS);
        assert.equal(hourOf(turnMs), hourOf(ms) + 1);
        assert.deepEqual(servedHours(turnMs), [hourOf(ms) + 1, hourOf(ms)]);
      }),
    );
  });
});

describe('keys', () => {
  it('are made of the code by one run of argon2id with 256 MiB, salted by the hour', async () => {
    const jobs: Argon2idJob[] = [];
    const port = (job: Argon2idJob): Promise<Uint8Array> => {
      jobs.push(job);
      return Promise.resolve(new Uint8Array(32).fill(7));
    };
    const keys = await deriveKeys(port, 'acorn-umbrella-tiger', 495_000);
    assert.equal(jobs.length, 1);
    const { password, salt, ...rest } = jobs[0]!;
    assert.equal(Buffer.from(password).toString(), 'acorn-umbrella-tiger');
    assert.deepEqual(salt, saltOf(495_000));
    assert.deepEqual(rest, { memoryKib: 262_144, passes: 6, lanes: 1, bytes: 32 });
    assert.deepEqual(keys, keysOf(new Uint8Array(32).fill(7), 495_000));
  });

  it('are those that HKDF of another implementation gives, and differ from each other', () => {
    const stretched = new Uint8Array(32).fill(9);
    const keys = keysOf(stretched, 1);
    const expected = (purpose: string, bytes: number): string =>
      Buffer.from(
        hkdfSync('sha256', stretched, new Uint8Array(0), `starling-send/1 ${purpose}`, bytes),
      ).toString('hex');
    assert.equal(toHex(keys.rendezvousSeed), expected('rendezvous-seed', 32));
    assert.equal(toHex(keys.lanHash), expected('lan-hash', 20));
    assert.equal(toHex(keys.recordKey), expected('record-key', 32));
    assert.equal(toHex(keys.pakePassword), expected('pake-password', 32));
    const all = [keys.rendezvousSeed, keys.lanHash, keys.recordKey, keys.pakePassword];
    assert.equal(new Set(all.map((key) => toHex(key.subarray(0, 20)))).size, 4);
  });

  it('have another salt each hour; an hour that is none is refused', () => {
    const salts = [0, 1, 2, 495_000, 2 ** 32 - 1].map((hour) => toHex(saltOf(hour)));
    assert.equal(new Set(salts).size, 5);
    for (const hour of [-1, 0.5, 2 ** 32, Number.NaN])
      assert.throws(() => saltOf(hour), RangeError);
  });

  it('and the channel of the exchange names both peers with their roles', () => {
    const [a, b] = [new Uint8Array(38).fill(1), new Uint8Array(38).fill(2)];
    assert.notDeepEqual(pakeChannel(a, b), pakeChannel(b, a));
  });
});
