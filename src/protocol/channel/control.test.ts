import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { decodeFrame, encodeBulkHeader, encodeFrame, readBulkHeader } from './codec.ts';
import {
  HELLO_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_FRAME_BYTES,
  MAX_PENDING_ANSWERS,
  MAX_PENDING_REQUESTS,
  SILENCE_MS,
  SIMULTANEOUS_MS,
} from './constants.ts';
import { ControlSession } from './control.ts';
import { type Rival, takesPlace } from './duplicates.ts';
import type { ControlOutput, Envelope, Frame, Hello } from './types.ts';

const HELLO: Hello = { instance: new Uint8Array(8).fill(7), addresses: [] };
const ECHO: Envelope = { service: 'echo', version: 1 };
const words = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

function session(nowMs = 0): ControlSession {
  return new ControlSession(nowMs, { hello: HELLO, rng: new Rng(1) });
}

function outputsOf(one: ControlSession): ControlOutput[] {
  const outputs: ControlOutput[] = [];
  for (let output = one.poll(); output !== undefined; output = one.poll()) outputs.push(output);
  return outputs;
}

function bytesOf(one: ControlSession): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let frame = one.nextBytes(); frame !== undefined; frame = one.nextBytes())
    frames.push(frame);
  return concatBytes(...frames);
}

/** Two ends that have greeted. */
function pair(): [ControlSession, ControlSession] {
  const [a, b] = [session(), session()];
  a.handleBytes(0, bytesOf(b));
  b.handleBytes(0, bytesOf(a));
  outputsOf(a);
  outputsOf(b);
  return [a, b];
}

function closeReason(one: ControlSession): string | undefined {
  const close = outputsOf(one).find((output) => output.type === 'close');
  return close?.type === 'close' ? close.reason : undefined;
}

const anEnvelope = fc.record({
  service: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  version: fc.integer({ min: 0, max: 255 }),
});
const aPayload = fc.uint8Array({ maxLength: 2_000 });
const anId = fc.integer({ min: 0, max: 0xffff_ffff });
const aFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('message' as const), envelope: anEnvelope, payload: aPayload }),
  fc.record({
    kind: fc.constant('request' as const),
    id: anId,
    timeoutMs: anId,
    envelope: anEnvelope,
    payload: aPayload,
  }),
  fc.record({ kind: fc.constant('response' as const), id: anId, payload: aPayload }),
  fc.record({
    kind: fc.constant('refusal' as const),
    id: anId,
    code: fc.integer({ min: 0, max: 65_535 }),
    message: fc.stringMatching(/^[ -~]{0,100}$/),
  }),
  fc.record({
    kind: fc.constantFrom('ping' as const, 'pong' as const),
    nonce: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('bye' as const), message: fc.stringMatching(/^[ -~]{0,100}$/) }),
);

describe('frames', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(aFrame, (frame) => {
        const decoded = decodeFrame(encodeFrame(frame).subarray(4));
        assert.deepEqual(decoded, { ok: true, value: structuredClone(frame) });
      }),
    );
  });

  it('a greeting comes back with its addresses', () => {
    const hello: Hello = {
      instance: new Uint8Array(8).fill(3),
      addresses: [
        { host: '2001:db8::1', port: 6881 },
        { host: '192.0.2.7', port: 1 },
      ],
      observed: { host: '198.51.100.9', port: 40_000 },
    };
    const decoded = decodeFrame(encodeFrame({ kind: 'hello', hello }).subarray(4));
    assert.deepEqual(decoded, { ok: true, value: { kind: 'hello', hello } });
  });

  it('larger than a frame may be are refused to their sender', () => {
    const payload = new Uint8Array(MAX_FRAME_BYTES);
    assert.throws(
      () => encodeFrame({ kind: 'message', envelope: ECHO, payload }),
      /at most 65536 bytes/,
    );
    assert.throws(
      () => encodeFrame({ kind: 'message', envelope: { service: 'Echo!', version: 1 }, payload }),
      /expected a service of 1 to 32/,
    );
  });

  it('texts of strangers move no cursor', () => {
    const frame: Frame = { kind: 'bye', message: '\u001b[31mred\u202e' };
    const decoded = decodeFrame(encodeFrame(frame).subarray(4));
    assert.deepEqual(decoded, { ok: true, value: { kind: 'bye', message: ' [31mred ' } });
  });

  it('a bulk header comes back, and waits for its end', () => {
    const header = { envelope: ECHO, payload: words('which') };
    const bytes = concatBytes(encodeBulkHeader(header), words('data'));
    const whole = bytes.length - 4;
    for (let length = 0; length < whole; length += 1) {
      assert.equal(readBulkHeader(bytes.subarray(0, length)), undefined);
    }
    assert.deepEqual(readBulkHeader(bytes), { ok: true, value: { header, takenBytes: whole } });
    assert.equal(readBulkHeader(Uint8Array.of(0xff, 0xff))?.ok, false);
    assert.equal(readBulkHeader(Uint8Array.of(0, 1, 0))?.ok, false);
  });
});

describe('a control session', () => {
  it('asks and answers, however the bytes are cut', () => {
    fc.assert(
      fc.property(aPayload, fc.infiniteStream(fc.integer({ min: 1, max: 60 })), (payload, cuts) => {
        const [a, b] = pair();
        const id = a.request(0, ECHO, payload)!;
        const bytes = bytesOf(a);
        for (let at = 0; at < bytes.length; ) {
          const { value: length } = cuts.next();
          b.handleBytes(0, bytes.subarray(at, at + length));
          at += length;
        }
        const [asked] = outputsOf(b);
        assert.ok(asked?.type === 'request');
        assert.deepEqual(asked.payload, payload);
        b.respond(asked.id, words('done'));
        a.handleBytes(0, bytesOf(b));
        assert.deepEqual(outputsOf(a), [{ type: 'response', id, payload: words('done') }]);
      }),
      { numRuns: 50 },
    );
  });

  it('tells a timeout once, and drops the answer that comes too late', () => {
    const [a, b] = pair();
    const id = a.request(0, ECHO, words(''), 500)!;
    b.handleBytes(0, bytesOf(a));
    const [asked] = outputsOf(b);
    assert.ok(asked?.type === 'request');
    assert.equal(asked.deadlineMs, 500);
    assert.equal(a.nextTimeoutMs, 500);
    a.handleTimeout(500);
    assert.deepEqual(outputsOf(a), [{ type: 'timeout', id }]);
    b.respond(asked.id, words('late'));
    a.handleBytes(600, bytesOf(b));
    assert.deepEqual(outputsOf(a), []);
  });

  it('what is urgent overtakes what is ordinary', () => {
    const [a, b] = pair();
    a.send(ECHO, new Uint8Array(60_000));
    a.send(ECHO, words('second'));
    a.ping(0);
    b.handleBytes(0, a.nextBytes()!);
    assert.deepEqual(outputsOf(b), []);
    assert.equal(b.nextBytes()?.[4], 7);
  });

  it('takes no more than a queue holds', () => {
    const [a] = pair();
    let taken = 0;
    while (a.send(ECHO, new Uint8Array(60_000))) taken += 1;
    assert.equal(taken, 17);
    assert.ok(a.queuedBytes <= 1024 * 1024);
    assert.equal(a.request(0, ECHO, new Uint8Array(60_000)), undefined);
    bytesOf(a);
    assert.ok(a.send(ECHO, new Uint8Array(60_000)));
  });

  it('bounds the requests of either end', () => {
    const [a, b] = pair();
    for (let i = 0; i < MAX_PENDING_REQUESTS; i += 1) assert.ok(a.request(0, ECHO, words('')));
    assert.equal(a.request(0, ECHO, words('')), undefined);
    b.handleBytes(0, bytesOf(a));
    assert.equal(outputsOf(b).length, MAX_PENDING_ANSWERS);
    a.handleBytes(0, bytesOf(b));
    const refused = outputsOf(a);
    assert.equal(refused.length, MAX_PENDING_REQUESTS - MAX_PENDING_ANSWERS);
    assert.ok(refused.every((output) => output.type === 'refused' && output.code === 3));
  });

  it('closes an end whose answers nobody reads', () => {
    const [a, b] = pair();
    for (let i = 0; i < 10; i += 1) {
      const id = 1_000 + i;
      const frame: Frame = {
        kind: 'request',
        id,
        timeoutMs: 1,
        envelope: ECHO,
        payload: words(''),
      };
      b.handleBytes(0, encodeFrame(frame));
    }
    for (let i = 0; i < 10; i += 1) b.respond(1_000 + i, new Uint8Array(60_000));
    assert.equal(closeReason(b), 'it does not read what is sent to it');
    assert.ok(a.isOpen);
  });

  it('asks for a sign of life after silence, and closes when none comes', () => {
    const [a, b] = pair();
    assert.equal(a.nextTimeoutMs, KEEP_ALIVE_MS);
    a.handleTimeout(KEEP_ALIVE_MS);
    b.handleBytes(KEEP_ALIVE_MS, bytesOf(a));
    a.handleBytes(KEEP_ALIVE_MS + 40, bytesOf(b));
    assert.equal(a.roundTripMs, 40);
    a.handleTimeout(KEEP_ALIVE_MS + 40 + SILENCE_MS);
    assert.match(closeReason(a)!, /nothing came in/);
  });

  it('measures nothing by a sign of life that it did not ask for', () => {
    const [a, b] = pair();
    const stray = encodeFrame({ kind: 'pong', nonce: new Uint8Array(8) });
    a.handleBytes(10, stray);
    assert.equal(a.roundTripMs, undefined);
    a.ping(20);
    a.handleBytes(21, stray);
    assert.equal(a.roundTripMs, undefined);
    b.handleBytes(30, bytesOf(a));
    const answer = bytesOf(b);
    a.handleBytes(60, answer);
    assert.equal(a.roundTripMs, 40);
    a.handleBytes(90, answer);
    assert.equal(a.roundTripMs, 40);
  });

  it('closes one that does not greet, greets twice, or speaks before it greeted', () => {
    const silent = session();
    silent.handleTimeout(HELLO_TIMEOUT_MS);
    assert.match(closeReason(silent)!, /no greeting/);
    const early = session();
    early.handleBytes(0, encodeFrame({ kind: 'ping', nonce: new Uint8Array(8) }));
    assert.match(closeReason(early)!, /a ping came before a greeting/);
    const [a] = pair();
    a.handleBytes(0, encodeFrame({ kind: 'hello', hello: HELLO }));
    assert.match(closeReason(a)!, /second greeting/);
  });

  it('closes one that sends a frame of no length, too large, of no kind, or a flood of pings', () => {
    for (const bytes of [
      Uint8Array.of(0, 0, 0, 0),
      Uint8Array.of(0, 1, 0, 1),
      Uint8Array.of(0, 0, 0, 1, 99),
    ]) {
      const [a] = pair();
      a.handleBytes(0, bytes);
      assert.ok(closeReason(a), String(bytes));
      a.handleBytes(0, encodeFrame({ kind: 'ping', nonce: new Uint8Array(8) }));
      assert.equal(a.nextBytes(), undefined);
    }
    const [a] = pair();
    const ping = encodeFrame({ kind: 'ping', nonce: new Uint8Array(8) });
    for (let i = 0; i < 11; i += 1) a.handleBytes(0, ping);
    assert.match(closeReason(a)!, /pings/);
  });

  it('says goodbye, and whoever waits for an answer hears that none comes', () => {
    const [a, b] = pair();
    const id = b.request(0, ECHO, words(''))!;
    a.close('finished');
    b.handleBytes(0, bytesOf(a));
    const outputs = outputsOf(b);
    assert.deepEqual(outputs, [
      { type: 'timeout', id },
      { type: 'close', reason: 'finished', isFault: false },
    ]);
  });
});

describe('two connections of one pair', () => {
  const [LOW, HIGH] = [Uint8Array.of(1), Uint8Array.of(2)];
  const rival = (changes: Partial<Rival>): Rival => ({
    isDialled: true,
    isRelayed: false,
    madeMs: 0,
    instance: new Uint8Array(8),
    ...changes,
  });

  it('of simultaneous dials the one of the lower id stays, whatever order they came in at either end', () => {
    // The lower end dialled X, the higher end dialled Y.
    const atLow = { x: rival({ isDialled: true }), y: rival({ isDialled: false }) };
    const atHigh = { x: rival({ isDialled: false }), y: rival({ isDialled: true }) };
    assert.equal(takesPlace(LOW, HIGH, atLow.x, atLow.y), false);
    assert.equal(takesPlace(LOW, HIGH, atLow.y, atLow.x), true);
    assert.equal(takesPlace(HIGH, LOW, atHigh.x, atHigh.y), false);
    assert.equal(takesPlace(HIGH, LOW, atHigh.y, atHigh.x), true);
  });

  it('one of another run of the other end, a later one, and one without a relay take the place', () => {
    const old = rival({ isDialled: true });
    const fresh = rival({ isDialled: false });
    assert.ok(takesPlace(LOW, HIGH, old, { ...fresh, instance: new Uint8Array(8).fill(1) }));
    assert.ok(takesPlace(LOW, HIGH, old, { ...fresh, madeMs: SIMULTANEOUS_MS + 1 }));
    assert.ok(takesPlace(LOW, HIGH, rival({ isRelayed: true }), fresh));
    assert.ok(!takesPlace(LOW, HIGH, old, rival({ isRelayed: true, isDialled: true })));
  });
});
