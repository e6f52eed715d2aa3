import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { PatchEvent, SnapshotEvent } from '../../contract/index.ts';
import { Feed, type FeedEvent, type Row } from './feed.ts';

/** A topic "t" whose rows the test sets; undefined: it is gone. */
class Rig {
  nowMs = 0;
  rows: Map<string, Row> | undefined = new Map();
  readonly feed: Feed = new Feed(() => this.nowMs);

  constructor() {
    this.feed.add((name) => (name === 't' ? { name, rows: () => this.rows } : undefined));
    this.feed.add((name) => (name.startsWith('x') ? { name, rows: () => [] } : undefined));
  }

  follow(since?: number, name = 't'): { events: FeedEvent[]; end: () => void } {
    const events: FeedEvent[] = [];
    const end = this.feed.subscribe(name, since, (event) => events.push(event));
    assert.ok(end !== undefined);
    return { events, end };
  }

  set(key: string, row: Row): void {
    this.rows = new Map(this.rows).set(key, row);
    this.feed.touch('t');
  }
}

function bodies(events: readonly FeedEvent[]): (SnapshotEvent & PatchEvent)[] {
  return events.map(({ data }) => JSON.parse(data));
}

/** The rows that a client has who was told these events from the first. */
function replay(events: readonly FeedEvent[]): Record<string, Record<string, unknown>> {
  let rows: Record<string, Record<string, unknown>> = {};
  for (const [at, body] of bodies(events).entries()) {
    if (events[at]!.type === 'snapshot') rows = { ...body.rows };
    for (const [key, fields] of Object.entries(body.set ?? {})) {
      rows[key] = { ...rows[key], ...fields };
    }
    for (const key of body.removed ?? []) delete rows[key];
  }
  return rows;
}

describe('a topic', () => {
  it('is a snapshot first, then patches of the fields that changed and the rows that went, numbered one by one', () => {
    const rig = new Rig();
    rig.rows = new Map([['a', { n: 1, tags: ['x'], name: 'one' }]]);
    const { events } = rig.follow();
    rig.set('a', { n: 2, tags: ['x'], name: 'one' });
    rig.set('b', { n: 5, tags: [], name: 'two' });
    rig.rows = new Map([['b', rig.rows.get('b')!]]);
    rig.feed.touch('t');
    const first = events[0]!.seq;
    assert.deepEqual(
      events.map(({ type, seq }) => [type, seq - first]),
      [
        ['snapshot', 0],
        ['patch', 1],
        ['patch', 2],
        ['patch', 3],
      ],
    );
    const [snapshot, ...patches] = bodies(events);
    assert.deepEqual(snapshot, {
      topic: 't',
      seq: first,
      rows: { a: { n: 1, tags: ['x'], name: 'one' } },
    });
    assert.deepEqual(
      patches.map(({ set, removed }) => ({ set, removed })),
      [
        { set: { a: { n: 2 } }, removed: [] },
        { set: { b: { n: 5, tags: [], name: 'two' } }, removed: [] },
        { set: {}, removed: ['a'] },
      ],
    );
  });

  it('says nothing when nothing changed, whether rows are the same objects or equal ones', () => {
    const rig = new Rig();
    rig.rows = new Map([['a', { list: [1, { deep: true }], none: null }]]);
    const { events } = rig.follow();
    rig.feed.touch('t');
    rig.set('a', { list: [1, { deep: true }], none: null });
    assert.equal(events.length, 1);
  });

  it('tells those who listen already what is found when somebody else joins', () => {
    const rig = new Rig();
    rig.rows = new Map([['a', { n: 1 }]]);
    const early = rig.follow();
    rig.rows = new Map([['a', { n: 2 }]]);
    const late = rig.follow();
    rig.set('a', { n: 2, m: 3 });
    assert.deepEqual(replay(early.events), { a: { n: 2, m: 3 } });
    assert.deepEqual(replay(late.events), replay(early.events));
    assert.deepEqual(late.events.at(-1), early.events.at(-1));
  });

  it('with many rows comes in parts, and who was cut off amid them begins anew', () => {
    const rig = new Rig();
    rig.rows = new Map(Array.from({ length: 1_201 }, (_, n) => [`${n}`, { n }]));
    const { events } = rig.follow();
    assert.deepEqual(
      events.map(({ type }) => type),
      ['snapshot', 'patch', 'patch'],
    );
    assert.equal(Object.keys(replay(events)).length, 1_201);
    assert.equal(rig.follow(events[2]!.seq).events.length, 0, 'told all');
    for (const cut of [0, 1]) {
      assert.equal(Object.keys(replay(rig.follow(events[cut]!.seq).events)).length, 1_201);
    }
  });

  it('that is gone says so once and is forgotten', () => {
    const timers = mock.timers;
    timers.enable({ apis: ['setInterval'] });
    try {
      const rig = new Rig();
      const { events } = rig.follow();
      rig.rows = undefined;
      timers.tick(2_000);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['snapshot', 'gone'],
      );
      assert.equal(
        rig.feed.subscribe('t', undefined, () => assert.fail('nothing to tell')),
        undefined,
      );
      assert.equal(rig.feed.listeners, 0);
    } finally {
      timers.reset();
    }
  });

  it('is looked at by itself while somebody listens, and no more afterwards', () => {
    const timers = mock.timers;
    timers.enable({ apis: ['setInterval'] });
    try {
      const rig = new Rig();
      const { events, end } = rig.follow();
      rig.rows = new Map([['a', { n: 1 }]]);
      timers.tick(450);
      assert.equal(events.length, 2);
      end();
      rig.rows = new Map([['a', { n: 2 }]]);
      timers.tick(450);
      assert.equal(events.length, 2);
      rig.feed.close();
    } finally {
      timers.reset();
    }
  });

  it('that does not exist has no followers', () => {
    assert.equal(
      new Rig().feed.subscribe('nothing', undefined, () => {}),
      undefined,
    );
  });
});

describe('coming back', () => {
  it('brings the patches that were missed, one by one, also those that happened while nobody listened', () => {
    const rig = new Rig();
    const { events, end } = rig.follow();
    rig.set('a', { n: 1, m: 1 });
    rig.set('a', { n: 2, m: 1 });
    const told = events.slice(0, 2);
    end();
    rig.rows = new Map([['a', { n: 3, m: 1 }]]);
    const back = rig.follow(told[1]!.seq);
    assert.deepEqual(
      back.events.map(({ type }) => type),
      ['patch', 'patch'],
    );
    assert.deepEqual(replay([...told, ...back.events]), { a: { n: 3, m: 1 } });
  });

  it('brings nothing when nothing was missed', () => {
    const rig = new Rig();
    const { events, end } = rig.follow();
    end();
    assert.deepEqual(rig.follow(events[0]!.seq).events, []);
  });

  it('brings a snapshot when it was too long ago, from the future, or no number that was given', () => {
    const rig = new Rig();
    const { events } = rig.follow();
    const first = events[0]!.seq;
    for (let n = 0; n <= 256; n += 1) rig.set('a', { n });
    const kinds = (since: number): string[] => rig.follow(since).events.map(({ type }) => type);
    assert.deepEqual(kinds(first), ['snapshot'], '257 patches ago, of which 256 are kept');
    assert.equal(kinds(first + 1).length, 256);
    for (const since of [first + 258, -1, -5, 0.5, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(kinds(since), ['snapshot'], String(since));
    }
  });

  it('brings a snapshot when the patches were too large to keep', () => {
    const rig = new Rig();
    const { events } = rig.follow();
    for (const letter of ['a', 'b', 'c']) rig.set('a', { text: letter.repeat(2_000_000) });
    const back = rig.follow(events[0]!.seq);
    assert.deepEqual(
      back.events.map(({ type }) => type),
      ['snapshot'],
    );
  });

  it('to a topic that was kept up no more is never mistaken for its earlier life', () => {
    const timers = mock.timers;
    timers.enable({ apis: ['setInterval'] });
    try {
      const rig = new Rig();
      const { events, end } = rig.follow();
      rig.set('a', { n: 1 });
      end();
      rig.nowMs = 60_001;
      timers.tick(450);
      rig.rows = new Map([['b', { n: 2 }]]);
      for (const { seq } of events) {
        assert.deepEqual(replay(rig.follow(seq).events), { b: { n: 2 } });
      }
    } finally {
      timers.reset();
    }
  });

  it('to another start of the node is known by another epoch', () => {
    assert.match(new Rig().feed.epoch, /^[0-9a-f]{12}$/);
    assert.notEqual(new Rig().feed.epoch, new Rig().feed.epoch);
  });
});

describe('bounds', () => {
  it('256 topics are followed at a time; one that rests makes room', () => {
    const rig = new Rig();
    const ends = Array.from({ length: 256 }, (_, n) => rig.follow(undefined, `x${n}`).end);
    assert.equal(rig.feed.listeners, 256);
    assert.equal(
      rig.feed.subscribe('x-more', undefined, () => {}),
      undefined,
    );
    ends[7]!();
    assert.equal(rig.follow(undefined, 'x-more').events.length, 1);
    assert.equal(
      rig.feed.subscribe('x7', undefined, () => {}),
      undefined,
    );
    rig.feed.close();
    assert.equal(rig.feed.listeners, 0);
  });
});
