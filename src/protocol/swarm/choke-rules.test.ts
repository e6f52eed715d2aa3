import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidate } from '../../../test/support/choke-candidate.ts';
import { antiLeechRule, fastestRule, reciprocateRule, roundRobinRule } from './choke-rules.ts';

const NOW_MS = 1e6;

describe('choke rules', () => {
  it('reciprocate: ranks by what a peer gives, and one that snubs us last', () => {
    const giving = candidate(1, { downloadBytesPerSec: 10 });
    assert.equal(reciprocateRule.rank(giving, NOW_MS), 10);
    assert.equal(reciprocateRule.rank({ ...giving, isSnubbed: true }, NOW_MS), 0);
  });

  it('fastest: ranks by what a peer takes', () => {
    const slow = candidate(1, { uploadBytesPerSec: 10 });
    const fast = candidate(2, { uploadBytesPerSec: 20 });
    assert(fastestRule.rank(fast, NOW_MS) > fastestRule.rank(slow, NOW_MS));
  });

  it('round-robin: a turn lasts a minute, then whoever waits longest comes first', () => {
    const served = candidate(1, { unchokedAtMs: NOW_MS - 59_999, waitingSinceMs: 0 });
    const over = candidate(2, { unchokedAtMs: NOW_MS - 60_000, waitingSinceMs: 0 });
    const waits = candidate(3, { waitingSinceMs: NOW_MS - 20_000 });
    const waitsLonger = candidate(4, { waitingSinceMs: NOW_MS - 30_000 });
    const ranked = [over, waits, waitsLonger, served].sort(
      (a, b) => roundRobinRule.rank(b, NOW_MS) - roundRobinRule.rank(a, NOW_MS),
    );
    assert.deepEqual(
      ranked.map(({ peer }) => peer),
      [1, 4, 3, 2],
    );
  });

  it('anti-leech: prefers those at the beginning and near the end, rates between equals', () => {
    const at = (progress: number, uploadBytesPerSec = 0): number =>
      antiLeechRule.rank(candidate(1, { progress, uploadBytesPerSec }), NOW_MS);
    assert(at(0) > at(0.2) && at(0.2) > at(0.5));
    assert(at(0.95) > at(0.7) && at(0.7) > at(0.5, 1e9));
    assert(at(0.5, 2e6) > at(0.5, 1e6));
  });
});
