/**
 * The simulator itself: order of events, timing of bytes, what faults do.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../../src/lib/rng.ts';
import { VirtualClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import { type Host, Network, type NetworkOptions, type StreamEnd } from './network.ts';
import { runScenario } from './scenario.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

describe('VirtualClock', () => {
  test('runs events by time, and those of one time in the order they were made', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const clock = new VirtualClock();
        const ran: { time: number; order: number }[] = [];
        for (const [order, time] of times.entries()) {
          clock.at(time, () => ran.push({ time: clock.nowMs, order }));
        }
        clock.run(100);
        const expected = times
          .map((time, order) => ({ time, order }))
          .sort((a, b) => a.time - b.time || a.order - b.order);
        assert.deepEqual(ran, expected);
        assert.equal(clock.nowMs, 100);
      }),
    );
  });

  test('does not run what was cancelled, and stops when it is done', () => {
    const clock = new VirtualClock();
    let count = 0;
    clock.after(1, () => assert.fail('was cancelled')).cancel();
    const timer = clock.every(10, () => {
      count += 1;
    });
    assert.equal(
      clock.run(1000, () => count === 3),
      true,
    );
    assert.equal(clock.nowMs, 30);
    timer.cancel();
    assert.equal(clock.run(1000), false);
    assert.equal(count, 3);
  });
});

function pair(
  options: NetworkOptions = {},
  uploadBytesPerSec = Number.POSITIVE_INFINITY,
): { clock: VirtualClock; network: Network<string>; a: Host<string>; b: Host<string> } {
  const clock = new VirtualClock();
  const network = new Network<string>(clock, new Rng(1), {
    latencyMs: [10, 10],
    jitterMs: 0,
    ...options,
  });
  const a = network.addHost({ name: 'a', uploadBytesPerSec });
  const b = network.addHost({ name: 'b' });
  return { clock, network, a, b };
}

/** Connects a to b; b notes what comes. */
function connected(world: ReturnType<typeof pair>): {
  end: StreamEnd<string>;
  far: StreamEnd<string>;
  notes: string[];
} {
  const notes: string[] = [];
  let end: StreamEnd<string> | undefined;
  let far: StreamEnd<string> | undefined;
  world.b.listen(1, (incoming) => {
    far = incoming;
    incoming.handlers = {
      onChunk: (chunk) => notes.push(`${chunk}@${world.clock.nowMs}`),
      onClosed: () => notes.push(`closed@${world.clock.nowMs}`),
    };
  });
  world.a.dial(
    { host: world.b.ip, port: 1 },
    (opened) => {
      end = opened;
    },
    () => assert.fail('the dial failed'),
  );
  world.clock.run(100);
  world.clock.run(5_000, () => end !== undefined);
  assert(end !== undefined && far !== undefined);
  return { end, far, notes };
}

describe('Network', () => {
  test('a stream takes latency and the time of its bytes, and keeps order', () => {
    const world = pair({}, 1000);
    const { end, notes } = connected(world);
    end.send('one', 100);
    end.send('two', 50);
    assert.equal(end.queuedBytes, 150);
    end.close();
    world.clock.run(1000);
    assert.deepEqual(notes, ['one@210', 'two@260', 'closed@260']);
    assert.equal(end.queuedBytes, 0);
  });

  test('jitter does not change the order of a stream', () => {
    const world = pair({ jitterMs: 500 });
    const { end, notes } = connected(world);
    const sent = Array.from({ length: 50 }, (_, i) => `${i}`);
    for (const chunk of sent) end.send(chunk, 1);
    world.clock.run(10_000);
    assert.deepEqual(
      notes.map((note) => note.split('@')[0]),
      sent,
    );
  });

  test('a partition holds a stream back and refuses dials; both heal', () => {
    const world = pair();
    const { end, notes } = connected(world);
    world.network.partition((host) => Number(host === world.a));
    end.send('late', 1);
    let isRefused = false;
    world.a.dial(
      { host: world.b.ip, port: 1 },
      () => assert.fail('dialled through a partition'),
      () => {
        isRefused = true;
      },
    );
    world.clock.run(20_000);
    assert.deepEqual(notes, []);
    assert.equal(isRefused, true);
    world.network.partition(() => 0);
    world.clock.run(20_001);
    assert.deepEqual(notes, ['late@20000']);
  });

  test('a crash closes streams at the other end and lets nothing in', () => {
    const world = pair();
    const { far, notes } = connected(world);
    world.a.crash();
    world.clock.run(1_000);
    assert.deepEqual(notes, ['closed@110']);
    assert.equal(far.isClosed, true);
    assert.equal(world.b.streams.size, 0);
  });

  test('nobody dials into a NAT, but answers of datagrams come through', () => {
    const clock = new VirtualClock();
    const network = new Network<string>(clock, new Rng(1));
    const outside = network.addHost({ name: 'outside' });
    const inside = network.addHost({ name: 'inside', isNatted: true });
    inside.listen(1, () => assert.fail('reached'));
    let failures = 0;
    outside.dial(
      { host: inside.ip, port: 1 },
      () => assert.fail('reached'),
      () => {
        failures += 1;
      },
    );
    const heard: string[] = [];
    outside.bind(5, (from, datagram) => {
      heard.push('outside');
      outside.sendDatagram(5, from, datagram);
    });
    inside.bind(6, () => heard.push('inside'));
    outside.sendDatagram(5, { host: inside.ip, port: 6 }, new Uint8Array(1));
    clock.run(1_000);
    assert.deepEqual(heard, []);
    inside.sendDatagram(6, { host: outside.ip, port: 5 }, new Uint8Array(1));
    clock.run(10_000);
    assert.deepEqual(heard, ['outside', 'inside']);
    assert.equal(failures, 1);
  });

  test('datagrams are lost and overtake each other', () => {
    const world = pair({ lossShare: 0.25, jitterMs: 100 });
    const got: number[] = [];
    world.b.bind(1, (_, datagram) => got.push(datagram[0]!));
    for (let i = 0; i < 200; i += 1) {
      world.a.sendDatagram(1, { host: world.b.ip, port: 1 }, Uint8Array.of(i));
    }
    world.clock.run(1_000);
    assert(got.length > 100 && got.length < 190, `${got.length} of 200 came`);
    assert.notDeepEqual(
      got,
      got.toSorted((a, b) => a - b),
    );
  });
});

describe('SimDisk', () => {
  test('does one job after another, fails while told to, and rots what it reads', () => {
    const clock = new VirtualClock();
    const disk = new SimDisk(clock, new Rng(1), { seekMs: [1, 1], bytesPerSec: 1000 });
    const log: string[] = [];
    disk.write(9, (fault) => log.push(`${fault}@${clock.nowMs}`));
    disk.write(9, (fault) => log.push(`${fault}@${clock.nowMs}`));
    clock.run(15);
    disk.failWrites('ENOSPC');
    clock.run(30);
    disk.failReads('EIO');
    disk.corruptReads(1);
    disk.read(9, (fault, isCorrupt) => log.push(`${fault} ${isCorrupt}@${clock.nowMs}`));
    clock.run(100);
    assert.deepEqual(log, ['undefined@10', 'ENOSPC@20', 'EIO true@40']);
  });
});

describe('replay', () => {
  test('a seed gives the same run every time, and another seed another', () => {
    const history = (seed: number): string => {
      const world = new SwarmWorld(seed, simTorrent({ seed: 1 }));
      world.add('seed', { have: 'all' });
      const leeches = [world.add('one'), world.add('two')];
      world.introduceAll();
      world.complete(leeches, 60_000);
      const totals = leeches.map((leech) => ({ ...leech.swarm.totals, at: leech.completedMs }));
      return JSON.stringify([world.clock.steps, totals]);
    };
    assert.equal(history(5), history(5));
    assert.notEqual(history(5), history(6));
  });

  test('a failure names the command that replays it', () => {
    const broken = {
      name: 'broken',
      run: () => {
        throw new Error('of course');
      },
    };
    assert.throws(
      () => runScenario(broken, 7),
      /broken: of course\nreplay: node test\/simulation\/run\.ts broken --seed 7/,
    );
  });
});
