import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { PeerMemory } from './peer-memory.ts';

const HASH = 'a'.repeat(40);
const DAY_MS = 86_400_000;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'starling-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function met(last: number, movedBytes: number) {
  return { host: `10.0.0.${last}`, port: 6_881, movedBytes };
}

function hosts(memory: PeerMemory, hash = HASH): string[] {
  return memory.peersOf(hash).map(({ host }) => host);
}

describe('the memory of peers', () => {
  it('gives those that moved most data first, in this run more than in earlier ones', () => {
    const memory = new PeerMemory(home);
    memory.note(HASH, [met(1, 1_000), met(2, 3_000), met(3, 0)]);
    memory.save();
    const next = new PeerMemory(home);
    assert.deepEqual(hosts(next), ['10.0.0.2', '10.0.0.1', '10.0.0.3']);
    next.note(HASH, [met(1, 1_200)]);
    next.save();
    assert.deepEqual(hosts(new PeerMemory(home)), ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  it('may be told again in the course of a run: that is no further run', () => {
    const memory = new PeerMemory(home);
    memory.note(HASH, [met(1, 1)]);
    memory.save();
    const next = new PeerMemory(home);
    for (let i = 0; i < 5; i += 1) next.note(HASH, [met(2, 1)]);
    assert.deepEqual(hosts(next).sort(), ['10.0.0.1', '10.0.0.2']);
  });

  it('forgets a peer that three runs in a row did not meet', () => {
    for (let run = 0; run < 4; run += 1) {
      const memory = new PeerMemory(home);
      memory.note(HASH, run === 0 ? [met(1, 9e9), met(2, 1)] : [met(2, 1)]);
      memory.save();
      assert.equal(hosts(memory).includes('10.0.0.1'), run < 3, `run ${run}`);
    }
  });

  it('keeps fifty of a torrent and a thousand torrents, those used last', () => {
    const memory = new PeerMemory(home);
    memory.note(
      HASH,
      Array.from({ length: 60 }, (_, i) => met(i, i)),
    );
    for (let i = 0; i < 1_000; i += 1) memory.note(`${i}`.padStart(40, '0'), [met(1, 1)]);
    memory.save();
    const next = new PeerMemory(home);
    assert.deepEqual([hosts(next).length, hosts(next, '0'.repeat(40)).length], [0, 1]);
    memory.note(
      HASH,
      Array.from({ length: 60 }, (_, i) => met(i, i)),
    );
    assert.equal(hosts(memory).length, 50);
  });

  it('leaves the torrents of others that share the home alone', () => {
    const [one, other] = [new PeerMemory(home), new PeerMemory(home)];
    one.note(HASH, [met(1, 1)]);
    other.note('b'.repeat(40), [met(2, 1)]);
    one.save();
    other.save();
    const all = new PeerMemory(home);
    assert.deepEqual([hosts(all), hosts(all, 'b'.repeat(40))], [['10.0.0.1'], ['10.0.0.2']]);
  });

  it('forgets a torrent after ninety days', () => {
    let nowMs = 1e12;
    const memory = new PeerMemory(home, () => nowMs);
    memory.note(HASH, [met(1, 1)]);
    memory.save();
    nowMs += 89 * DAY_MS;
    assert.equal(hosts(new PeerMemory(home, () => nowMs)).length, 1);
    nowMs += 2 * DAY_MS;
    assert.equal(hosts(new PeerMemory(home, () => nowMs)).length, 0);
  });

  it('takes a damaged file for none, and a damaged row for none of its own', () => {
    const memory = new PeerMemory(home);
    memory.note(HASH, [met(1, 1)]);
    memory.save();
    const file = join(home, 'peers.json');
    const right = readFileSync(file, 'utf8');
    for (const bad of ['', '{', 'null', '[]', '{"version":2,"torrents":[]}', right.slice(5)]) {
      writeFileSync(file, bad);
      assert.deepEqual(hosts(new PeerMemory(home)), []);
    }
    const rows = [
      '["no address",1,0,0]',
      '["10.0.0.9",0,0,0]',
      '["10.0.0.9",1,null,0]',
      '7',
      'null',
    ];
    writeFileSync(file, right.replace('[["', `[${rows.join(',')},["`));
    assert.deepEqual(hosts(new PeerMemory(home)), ['10.0.0.1']);
  });
});
