import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { equalBytes } from '../../lib/bytes.ts';
import { MAX_ASSOCIATED_BYTES } from './constants.ts';
import { CpaceParty, decodePakeMessage, encodePakeMessage, type PakeOptions } from './index.ts';

type Inputs = Omit<PakeOptions, 'role'>;
type Meddler = (message: Uint8Array, index: number) => Uint8Array;
interface Ends {
  readonly a: Uint8Array | undefined;
  readonly b: Uint8Array | undefined;
  readonly codes: readonly string[];
}

/** A run of two parties; `meddle` changes messages 0 to 3 on their way. */
function run(initiator: Inputs, responder: Inputs, meddle: Meddler = (message) => message): Ends {
  const a = new CpaceParty({ ...initiator, role: 'initiator' });
  const b = new CpaceParty({ ...responder, role: 'responder' });
  const keys = new Map<CpaceParty, Uint8Array>();
  const codes: string[] = [];
  let message: Uint8Array | undefined = a.start();
  for (let index = 0; message !== undefined; index += 1) {
    const to: CpaceParty = index % 2 === 0 ? b : a;
    const step = to.handle(meddle(message.slice(), index));
    if (!step.ok) codes.push(step.code);
    if (step.ok && step.value.confirmed) keys.set(to, step.value.confirmed.key);
    message = step.ok ? step.value.message : undefined;
  }
  return { a: keys.get(a), b: keys.get(b), codes };
}

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const random = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((b) => b[0] !== 0);
const inputs = fc.record({
  password: bytes(40),
  channel: bytes(90),
  session: bytes(40),
  associated: bytes(20),
  random,
});
// A run costs some milliseconds of curve arithmetic.
const RUNS = { numRuns: 25 };

describe('CpaceParty', () => {
  it('gives both parties one key when password, channel and session are equal', () => {
    fc.assert(
      fc.property(inputs, random, bytes(20), (one, other, associated) => {
        fc.pre(!equalBytes(one.random, other));
        const { a, b } = run(one, { ...one, associated, random: other });
        assert(a !== undefined && b !== undefined);
        assert.deepEqual(a, b);
      }),
      RUNS,
    );
  });

  it('gives neither a key when one bit of password, channel or session differs', () => {
    const field = fc.constantFrom<'password' | 'channel' | 'session'>(
      'password',
      'channel',
      'session',
    );
    fc.assert(
      fc.property(inputs, random, field, fc.nat(), (one, other, name, at) => {
        const changed = one[name].length === 0 ? Uint8Array.of(0) : one[name].slice();
        if (one[name].length > 0) changed[at % changed.length]! ^= 1 << (at & 7);
        const { a, b, codes } = run(one, { ...one, random: other, [name]: changed });
        assert.deepEqual([a, b, codes], [undefined, undefined, ['ERR_PAKE_UNEQUAL']]);
      }),
      RUNS,
    );
  });

  it('takes bytes that move between channel and session for other ones', () => {
    const one = { password: Uint8Array.of(1), random: new Uint8Array(32).fill(2) };
    const { codes } = run(
      { ...one, channel: Uint8Array.of(1, 2), session: Uint8Array.of(3) },
      {
        ...one,
        random: new Uint8Array(32).fill(3),
        channel: Uint8Array.of(1),
        session: Uint8Array.of(2, 3),
      },
    );
    assert.deepEqual(codes, ['ERR_PAKE_UNEQUAL']);
  });

  it('gives neither a key when one bit of a message before the last changes on its way', () => {
    fc.assert(
      fc.property(inputs, random, fc.nat({ max: 2 }), fc.nat(), (one, other, index, at) => {
        const { a, b } = run(one, { ...one, random: other }, flipped(index, at));
        assert.deepEqual([a, b], [undefined, undefined]);
      }),
      RUNS,
    );
  });

  it('gives the initiator no key when one bit of the last message changes', () => {
    fc.assert(
      fc.property(inputs, random, fc.nat(), (one, other, at) => {
        fc.pre(!equalBytes(one.random, other));
        const { a, b } = run(one, { ...one, random: other }, flipped(3, at));
        assert.equal(a, undefined);
        assert(b !== undefined, 'the responder was done before');
      }),
      { numRuns: 10 },
    );
  });

  it('does not believe a party that sends its own share and tag back', () => {
    const one = new CpaceParty({
      role: 'initiator',
      password: Uint8Array.of(1),
      channel: Uint8Array.of(2),
      session: Uint8Array.of(3),
      random: new Uint8Array(32).fill(4),
    });
    const result = one.handle(one.start());
    assert(!result.ok && result.code === 'ERR_PAKE_SHARE');
  });

  it('takes each message once, in its turn', () => {
    const make = (role: 'initiator' | 'responder', fill: number): CpaceParty =>
      new CpaceParty({
        role,
        password: Uint8Array.of(1),
        channel: Uint8Array.of(2),
        session: Uint8Array.of(3),
        random: new Uint8Array(32).fill(fill),
      });
    const first = make('initiator', 9).start();
    const tag = encodePakeMessage({ type: 'confirmation', tag: new Uint8Array(64) });
    const early = make('responder', 5).handle(tag);
    assert(!early.ok && early.code === 'ERR_PAKE_ORDER');
    const idle = make('initiator', 5).handle(first);
    assert(!idle.ok && idle.code === 'ERR_PAKE_ORDER', 'an initiator speaks first');
    const twice = make('responder', 5);
    assert(twice.handle(first).ok);
    const again = twice.handle(first);
    assert(!again.ok && again.code === 'ERR_PAKE_ORDER');
    assert(twice.isOver);
    const after = twice.handle(tag);
    assert(!after.ok && after.code === 'ERR_PAKE_ORDER', 'nothing is taken after the end');
    const started = make('initiator', 5);
    started.start();
    assert.throws(() => started.start(), RangeError);
    assert.throws(() => make('responder', 5).start(), RangeError);
  });
});

function flipped(index: number, at: number): Meddler {
  return (message, i) => {
    if (i === index) message[(at >> 3) % message.length]! ^= 1 << (at & 7);
    return message;
  };
}

describe('messages', () => {
  it('are read as they were written, up to the bound of associated data', () => {
    for (const length of [0, 1, 127, 128, 300, MAX_ASSOCIATED_BYTES]) {
      const message = {
        type: 'share',
        share: new Uint8Array(32).fill(7),
        associated: new Uint8Array(length).fill(8),
      } as const;
      const read = decodePakeMessage(encodePakeMessage(message));
      assert.deepEqual(read, { ok: true, value: message });
    }
    const long = encodePakeMessage({
      type: 'share',
      share: new Uint8Array(32),
      associated: new Uint8Array(MAX_ASSOCIATED_BYTES + 1),
    });
    assert(!decodePakeMessage(long).ok);
  });

  it('have one form: bytes that are read are written again to the same', () => {
    const near = fc.tuple(fc.constantFrom(1, 2), bytes(80)).map(([type, rest]) => {
      return Uint8Array.of(type, ...(type === 1 ? [32] : []), ...rest);
    });
    fc.assert(
      fc.property(near, (input) => {
        const read = decodePakeMessage(input);
        if (read.ok) assert.deepEqual(encodePakeMessage(read.value), input);
      }),
      { numRuns: 2_000 },
    );
    const padded = Uint8Array.of(1, 32, ...new Uint8Array(32), 0x81, 0x00, 5);
    assert(!decodePakeMessage(padded).ok, 'a length of 1 in two bytes');
  });
});
