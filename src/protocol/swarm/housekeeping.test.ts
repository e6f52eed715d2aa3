import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { makeTorrent } from '../../../test/support/torrents.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { Rng } from '../../lib/rng.ts';
import { type Info, parseMetainfo } from '../metainfo/index.ts';
import { MessageWriter, makeReserved } from '../peer-wire/index.ts';
import { Swarm } from './index.ts';

function info(): Info {
  const { bytes } = makeTorrent([{ path: ['a'], bytes: new Rng(1).bytes(100_000) }], {
    name: 'a',
    isSingleFile: true,
    version: 'v1',
    pieceLengthBytes: 32_768,
  });
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert(parsed.ok);
  return parsed.value.info;
}

/** A seed's core that runs as its shell runs it: called when it asks for it, and never else. */
class Run {
  readonly swarm: Swarm;
  readonly info = info();
  nowMs = 0;
  calls = 0;
  closed: string[] = [];
  transmits: number[] = [];

  constructor(isSeed = true) {
    this.swarm = new Swarm(0, {
      peerId: new Uint8Array(20).fill(1),
      crypto: nodeCrypto,
      rng: new Rng(7),
      clientName: 'run',
      infoHashV1: this.info.infoHashV1!,
    });
    const have = new Bitfield(this.info.pieceCount);
    if (isSeed) have.fill();
    this.swarm.setTorrent(0, this.info, new Map(), have);
    this.swarm.setPriorities(() => 4);
    this.drain();
  }

  connect(id: number): void {
    this.swarm.handleConnected(this.nowMs, {
      id,
      address: { host: `10.0.${id}.1`, port: 6881 },
      isIncoming: true,
      reserved: makeReserved({ fast: true, extension: false, v2: false }),
      peerId: new Uint8Array(20).fill(100 + id),
      infoHash: this.info.infoHashV1!,
    });
    this.drain();
  }

  receive(id: number, write: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter();
    write(writer);
    this.swarm.handleMessage(this.nowMs, id, writer.take().subarray(4));
    this.drain();
  }

  /** Lets time pass. @returns how often the core was called. */
  pass(ms: number): number {
    const endMs = this.nowMs + ms;
    const before = this.calls;
    while (this.swarm.nextTimeoutMs <= endMs) {
      this.nowMs = Math.max(this.nowMs + 1, this.swarm.nextTimeoutMs);
      this.calls += 1;
      this.swarm.handleTimeout(this.nowMs);
      this.drain();
    }
    this.nowMs = endMs;
    return this.calls - before;
  }

  drain(): void {
    for (let out = this.swarm.poll(this.nowMs); out; out = this.swarm.poll(this.nowMs)) {
      if (out.type === 'close') this.closed.push(out.reason);
      if (out.type === 'transmit') this.transmits.push(this.nowMs);
    }
  }
}

test('a torrent without connections is never called, whether it is complete or not', () => {
  for (const isSeed of [true, false]) {
    const run = new Run(isSeed);
    assert.equal(run.swarm.nextTimeoutMs, Number.POSITIVE_INFINITY);
    run.swarm.pause();
    run.swarm.resume();
    assert.equal(run.swarm.nextTimeoutMs, Number.POSITIVE_INFINITY);
  }
});

test('a connection that rests costs a call for each keep-alive, which leaves in time, and its own silence ends it', () => {
  const run = new Run();
  run.connect(1);
  run.receive(1, (writer) => writer.haveNone());
  assert.ok(run.pass(100_000) <= 3);
  run.transmits = [];
  run.pass(49_000);
  assert.equal(run.transmits.length, 1);
  assert.ok(run.transmits[0]! <= 112_000, 'within two minutes of the last thing said');
  assert.deepEqual(run.closed, []);
  run.pass(2_000);
  assert.deepEqual(run.closed, ['silent for too long']);
  run.pass(1_000);
  assert.equal(run.swarm.nextTimeoutMs, Number.POSITIVE_INFINITY);
});

test('somebody interested gets the rounds of the choker, and a message wakes a core that rests', () => {
  const run = new Run();
  run.connect(1);
  run.receive(1, (writer) => writer.haveNone());
  run.pass(60_000);
  run.transmits = [];
  run.receive(1, (writer) => writer.interested());
  assert.deepEqual(run.transmits, [60_000], 'unchoked at once');
  assert.ok(run.swarm.nextTimeoutMs <= 60_500);
  const calls = run.pass(60_000);
  assert.ok(calls >= 6 && calls <= 9, `a call a round, got ${calls}`);
});

test('two that only upload part within seconds, though nothing is said', () => {
  const run = new Run();
  run.connect(1);
  run.receive(1, (writer) => writer.haveAll());
  run.pass(3_000);
  assert.deepEqual(run.closed, ['both only upload']);
});
