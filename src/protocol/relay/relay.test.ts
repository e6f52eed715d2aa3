import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../../lib/rng.ts';
import { PEER_ID_BYTES } from '../identity/index.ts';
import {
  decodeRelayWord,
  encodePreface,
  encodeRelayWord,
  PREFACE_BYTES,
  type RelayWord,
  readPreface,
  renewalMs,
} from './codec.ts';
import {
  MAX_CONNECTS_PER_MIN,
  MAX_PENDING_PIPES,
  MAX_PIPES_PER_PEER,
  MAX_RESERVATIONS,
  PENDING_MS,
  RESERVATION_MS,
} from './constants.ts';
import { RelayTable } from './relay-table.ts';

const DAY_MS = 86_400_000;

function table(options: { bytesPerPeerPerDay?: number; pipeMs?: number } = {}): RelayTable {
  const rng = new Rng(5);
  return new RelayTable({ ...options, randomBytes: (length) => rng.bytes(length) });
}

/** A connection that both ends came for. */
function pipeOf(relay: RelayTable, nowMs: number, from: string, to: string) {
  const tokens = relay.connect(nowMs, from, to);
  assert.ok(tokens.ok, tokens.ok ? '' : tokens.message);
  const [one, other] = [tokens.value.from, tokens.value.to].map((token) =>
    relay.redeem(nowMs, token),
  );
  assert.ok(one?.ok && other?.ok);
  assert.equal(one.value.key, other.value.key);
  return relay.begin(nowMs, one.value.ends);
}

describe("a relay's words", () => {
  const id = fc.uint8Array({ minLength: PEER_ID_BYTES, maxLength: PEER_ID_BYTES });
  const token = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const word: fc.Arbitrary<RelayWord> = fc.oneof(
    fc.constant({ kind: 'reserve' as const }),
    fc.record({
      kind: fc.constant('reserved' as const),
      lastsMs: fc.integer({ min: 1 }),
      leftBytes: fc.nat(),
    }),
    fc.record({ kind: fc.constant('connect' as const), peerId: id }),
    fc.record({ kind: fc.constant('token' as const), token }),
    fc.record({ kind: fc.constant('incoming' as const), token, peerId: id }),
  );

  it('come back as they were', () => {
    fc.assert(
      fc.property(word, (said) => {
        const read = decodeRelayWord(encodeRelayWord(said));
        assert.deepEqual(read, { ok: true, value: structuredClone(said) });
      }),
    );
  });

  it('a reservation is renewed at half its time, whatever a relay says no sooner than 10 s and no later than half an hour', () => {
    assert.equal(renewalMs(600_000), 300_000);
    assert.equal(renewalMs(1), 10_000);
    // A timer of more than 31 bits fires at once.
    assert.equal(renewalMs(Number.MAX_SAFE_INTEGER), RESERVATION_MS / 2);
  });

  it('a preface is read when it is whole, and refused as soon as it is another', () => {
    const shown = new Uint8Array(32).fill(9);
    const bytes = encodePreface(shown);
    for (let length = 0; length < PREFACE_BYTES; length += 1) {
      assert.equal(readPreface(bytes.subarray(0, length)), undefined);
    }
    assert.deepEqual(readPreface(bytes), { ok: true, value: shown });
    assert.equal(readPreface(Uint8Array.of(0x53, 0x50))?.ok, false);
  });
});

describe('a relay', () => {
  it('connects with whom has a reservation, until it expires or ends', () => {
    const relay = table();
    assert.equal(relay.connect(0, 'a', 'b').ok, false);
    assert.deepEqual(relay.reserve(0, 'b'), { ok: true, value: RESERVATION_MS });
    assert.ok(relay.connect(0, 'a', 'b').ok);
    assert.equal(relay.connect(RESERVATION_MS, 'a', 'b').ok, false);
    relay.reserve(RESERVATION_MS, 'b');
    relay.cancel('b');
    assert.equal(relay.connect(RESERVATION_MS, 'a', 'b').ok, false);
  });

  it('takes a token once, and not when it is old', () => {
    const relay = table();
    relay.reserve(0, 'b');
    const tokens = relay.connect(0, 'a', 'b');
    assert.ok(tokens.ok);
    assert.ok(relay.redeem(0, tokens.value.from).ok);
    assert.equal(relay.redeem(0, tokens.value.from).ok, false);
    assert.equal(relay.redeem(PENDING_MS, tokens.value.to).ok, false);
    assert.equal(relay.redeem(0, new Uint8Array(32)).ok, false);
  });

  it('counts the bytes of both ends, and forgets them after a day', () => {
    const relay = table({ bytesPerPeerPerDay: 1_000 });
    relay.reserve(0, 'b');
    const pipe = pipeOf(relay, 0, 'a', 'b')!;
    assert.ok(relay.pass(0, pipe, 1_000));
    assert.equal(relay.leftBytes(0, 'a'), 0);
    assert.equal(relay.leftBytes(0, 'b'), 0);
    assert.equal(relay.pass(0, pipe, 1), false);
    relay.end(0, pipe);
    assert.equal(relay.pipeCount, 0);
    assert.match(refusal(relay, 0, 'c', 'b'), /bytes of a day/);
    assert.equal(relay.leftBytes(DAY_MS, 'b'), 1_000);
  });

  it('ends a connection that lasts too long', () => {
    const relay = table({ pipeMs: 60_000 });
    relay.reserve(0, 'b');
    const pipe = pipeOf(relay, 0, 'a', 'b')!;
    assert.ok(relay.pass(59_999, pipe, 1));
    assert.equal(relay.pass(60_000, pipe, 1), false);
  });

  it('bounds connections of one peer, those that wait, requests in a minute, and reservations', () => {
    const relay = table();
    relay.reserve(0, 'b');
    for (let i = 0; i < MAX_PIPES_PER_PEER; i += 1) assert.ok(pipeOf(relay, 0, `from ${i}`, 'b'));
    assert.match(refusal(relay, 0, 'one more', 'b'), /connections of one peer/);
    const crowded = table();
    for (let i = 0; i < MAX_RESERVATIONS; i += 1) assert.ok(crowded.reserve(0, `peer ${i}`).ok);
    assert.equal(crowded.reserve(0, 'one more').ok, false);
    assert.ok(crowded.reserve(0, 'peer 0').ok);
    for (let i = 0; i < MAX_CONNECTS_PER_MIN; i += 1)
      assert.ok(crowded.connect(0, 'a', 'peer 1').ok);
    assert.match(refusal(crowded, 0, 'a', 'peer 1'), /in a minute/);
    assert.ok(crowded.connect(60_000, 'a', 'peer 1').ok);
    const waiting = table();
    waiting.reserve(0, 'b');
    for (let i = 0; i < MAX_PENDING_PIPES; i += 1) assert.ok(waiting.connect(0, `${i}`, 'b').ok);
    assert.match(refusal(waiting, 0, 'one more', 'b'), /as many connections/);
    assert.ok(waiting.connect(PENDING_MS, 'later', 'b').ok);
  });
});

function refusal(relay: RelayTable, nowMs: number, from: string, to: string): string {
  const outcome = relay.connect(nowMs, from, to);
  return outcome.ok ? 'granted' : outcome.message;
}
