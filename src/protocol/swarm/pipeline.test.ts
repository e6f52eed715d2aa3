import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RateMeter, RequestPipeline } from './pipeline.ts';

const BLOCK = 16_384;

/** A path with a round trip and a bandwidth: plays the pipeline against it and gives the last target. */
function play(rttMs: number, bytesPerSec: number, durationMs: number, reqq: number): number {
  const pipeline = new RequestPipeline(0);
  pipeline.setPeerReqq(reqq);
  const arrivals: number[] = [];
  let lineFreeAtMs = 0;
  let nowMs = 0;
  while (nowMs < durationMs) {
    while (arrivals.length < pipeline.target(nowMs)) {
      lineFreeAtMs = Math.max(lineFreeAtMs, nowMs + rttMs / 2) + (BLOCK * 1000) / bytesPerSec;
      arrivals.push(lineFreeAtMs + rttMs / 2);
    }
    nowMs = arrivals.shift()!;
    pipeline.onBlock(nowMs, BLOCK);
  }
  return pipeline.target(nowMs);
}

describe('RateMeter', () => {
  it('shows a steady rate from the first second on', () => {
    const meter = new RateMeter(0);
    for (let nowMs = 100; nowMs <= 30_000; nowMs += 100) {
      meter.add(nowMs, 1000);
      if (nowMs < 1000) continue;
      const rate = meter.bytesPerSec(nowMs);
      assert.ok(Math.abs(rate - 10_000) < 1500, `${rate} at ${nowMs}`);
    }
    assert.equal(meter.totalBytes, 300_000);
  });

  it('forgets after eight seconds of silence', () => {
    const meter = new RateMeter(0);
    meter.add(500, 1e6);
    assert.ok(meter.bytesPerSec(5000) > 0);
    assert.equal(meter.bytesPerSec(8600), 0);
    assert.equal(meter.totalBytes, 1e6);
  });

  it('does not take the first packet for a rate', () => {
    const meter = new RateMeter(1000);
    meter.add(1001, BLOCK);
    assert.ok(meter.bytesPerSec(1001) <= 2 * BLOCK);
  });

  it('never shows more than half a second of everything, nor less than nothing', () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 1e7 })),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), steps, (startMs, list) => {
        const meter = new RateMeter(startMs);
        let nowMs = startMs;
        for (const [waitMs, bytes] of list) {
          nowMs += waitMs;
          meter.add(nowMs, bytes);
          const rate = meter.bytesPerSec(nowMs);
          assert.ok(rate >= 0 && rate <= 2 * meter.totalBytes);
        }
      }),
    );
  });
});

describe('RequestPipeline', () => {
  it('grows by one with each block in slow start', () => {
    const pipeline = new RequestPipeline(0);
    const before = pipeline.target(0);
    for (let i = 0; i < 50; i += 1) pipeline.onBlock(i, BLOCK);
    assert.equal(pipeline.target(50), before + 50);
    assert.equal(pipeline.isSlowStart, true);
  });

  it('fills a long fast path', () => {
    // 10 MB/s at 200 ms hold 122 blocks.
    assert.ok(play(200, 10e6, 15_000, 2000) >= 122);
  });

  it('settles at two seconds of the rate', () => {
    const target = play(50, 1e6, 30_000, 2000);
    const expected = (2 * 1e6) / BLOCK;
    assert.ok(
      Math.abs(target - expected) < expected * 0.3,
      `${target}, expected about ${expected}`,
    );
  });

  it('never asks for more than the peer queues, or than 1000', () => {
    assert.equal(play(10, 100e6, 3000, 40), 40);
    assert.equal(play(10, 500e6, 3000, 100_000), 1000);
    assert.equal(new RequestPipeline(0).target(0) <= 250, true);
  });

  it('takes 250 as the queue of a peer that says nothing', () => {
    const pipeline = new RequestPipeline(0);
    for (let i = 0; i < 900; i += 1) pipeline.onBlock(i / 10, BLOCK);
    assert.equal(pipeline.target(90), 250);
  });

  it('asks for one block at a time while snubbed, and recovers with a block', () => {
    const pipeline = new RequestPipeline(0);
    pipeline.onBlock(10, BLOCK);
    pipeline.snub();
    assert.equal(pipeline.target(20), 1);
    assert.equal(pipeline.isSnubbed, true);
    pipeline.onBlock(30, BLOCK);
    assert.equal(pipeline.isSnubbed, false);
    assert.ok(pipeline.target(30) >= 2);
  });

  it('keeps two requests at a very slow peer', () => {
    assert.equal(play(100, 500, 300_000, 250), 2);
  });

  it('starts over after a choke', () => {
    const pipeline = new RequestPipeline(0);
    for (let i = 0; i < 500; i += 1) pipeline.onBlock(i * 20, BLOCK);
    pipeline.restart(60_000);
    assert.equal(pipeline.isSlowStart, true);
    assert.ok(pipeline.target(60_000) <= 8);
  });
});

describe('the short queue of who plays', () => {
  /** Seconds that the last block waited, and the share of the line that was used in the second half. */
  function playShort(rttMs: number, bytesPerSec: number): { queueSec: number; used: number } {
    const pipeline = new RequestPipeline(0);
    pipeline.setPeerReqq(2_000);
    const arrivals: { atMs: number; askedMs: number }[] = [];
    let lineFreeAtMs = 0;
    let nowMs = 0;
    let waitedMs = 0;
    let bytes = 0;
    while (nowMs < 20_000) {
      while (arrivals.length < pipeline.shortTarget(nowMs)) {
        lineFreeAtMs = Math.max(lineFreeAtMs, nowMs + rttMs / 2) + (BLOCK * 1000) / bytesPerSec;
        arrivals.push({ atMs: lineFreeAtMs + rttMs / 2, askedMs: nowMs });
      }
      const { atMs, askedMs } = arrivals.shift()!;
      nowMs = atMs;
      waitedMs = nowMs - askedMs;
      if (nowMs > 10_000) bytes += BLOCK;
      pipeline.onBlock(nowMs, BLOCK, askedMs);
    }
    return { queueSec: waitedMs / 1000, used: bytes / (10 * bytesPerSec) };
  }

  for (const [rttMs, bytesPerSec] of [
    [1, 20e6],
    [40, 5e6],
    [300, 2e6],
    [20, 300e3],
  ] as const) {
    it(`fills a line of ${bytesPerSec} bytes a second and ${rttMs} ms without making anybody wait long`, () => {
      const { queueSec, used } = playShort(rttMs, bytesPerSec);
      assert(used > 0.9, `only ${used} of the line`);
      assert(queueSec < 0.5 + (2 * rttMs) / 1000, `${queueSec} s`);
    });
  }
});
