import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunClock } from './run-clock.ts';

test('time counts while a torrent is at work, and seeding is a part of it', () => {
  let nowMs = 5_000;
  const clock = new RunClock({ activeSeconds: 100, seedingSeconds: 40 }, () => nowMs);
  const states = ['checking', 'queued', 'metadata', 'downloading', 'seeding', 'paused'] as const;
  for (const state of states) {
    nowMs += 1_000;
    clock.note(state);
  }
  for (const state of ['error', 'stopped', undefined, undefined] as const) {
    nowMs += 1_000;
    clock.note(state);
  }
  assert.equal(clock.activeSeconds, 103);
  assert.equal(clock.seedingSeconds, 41);
});
