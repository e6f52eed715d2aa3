import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Settings } from '../settings/settings.ts';
import { SpaceGuard } from './space-guard.ts';
import type { TorrentEntry } from './torrent-entry.ts';

const MIB = 1024 * 1024;

class Entry {
  readonly calls: string[] = [];
  readonly record: { dir: string; isPaused: boolean };
  readonly state: string;
  readonly torrent = {
    pause: () => this.calls.push('pause'),
    resume: () => this.calls.push('resume'),
  };

  constructor(dir: string, state: string) {
    this.record = { dir, isPaused: false };
    this.state = state;
  }
}

function rigOf(entries: Entry[]) {
  const free: Record<string, number> = { '/a': 2000 * MIB, '/b': 2000 * MIB };
  const silent = (): void => {};
  const guard = new SpaceGuard(
    { get: () => 1000 * MIB } as unknown as Settings,
    () => entries as unknown as TorrentEntry[],
    { error: silent, warn: silent, info: silent, debug: silent } as never,
    async (dir) => free[dir],
  );
  return { guard, free };
}

test('downloads to a full disk rest, others go on, and they return with room to spare', async () => {
  const [down, seed, other] = [
    new Entry('/a', 'downloading'),
    new Entry('/a', 'seeding'),
    new Entry('/b', 'downloading'),
  ];
  const { guard, free } = rigOf([down, seed, other]);
  await guard.look();
  assert.deepEqual(guard.health(), { ok: true });
  free['/a'] = 999 * MIB;
  await guard.look();
  await guard.look();
  assert.deepEqual([down.calls, seed.calls, other.calls], [['pause'], [], []]);
  assert.match(guard.warnings().join(), /^\/a has less free.*1 download/);
  free['/a'] = 1010 * MIB;
  await guard.look();
  assert.deepEqual(down.calls, ['pause']);
  free['/a'] = 1064 * MIB;
  await guard.look();
  assert.deepEqual(down.calls, ['pause', 'resume']);
  assert.deepEqual(guard.health(), { ok: true });
});

test('a download that its user paused meanwhile is not resumed', async () => {
  const down = new Entry('/a', 'downloading');
  const { guard, free } = rigOf([down]);
  free['/a'] = 0;
  await guard.look();
  down.record.isPaused = true;
  free['/a'] = 2000 * MIB;
  await guard.look();
  assert.deepEqual(down.calls, ['pause']);
});
