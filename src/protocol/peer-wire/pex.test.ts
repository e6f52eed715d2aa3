import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromLatin1 } from '../../lib/bytes.ts';
import { formatIp } from '../../lib/ip-address.ts';
import { encode } from '../bencode/index.ts';
import { decodePex, encodePex } from './pex.ts';

function bytes(size: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: size, maxLength: size });
}

/** Records like those of the decoder. */
const PLAIN = { noNullPrototype: true } as const;
const port = fc.integer({ min: 0, max: 65_535 });
// The first byte keeps IPv6 addresses from being IPv4 ones in disguise.
const v6 = bytes(16).map((ip) => formatIp(Uint8Array.of(0x20, ...ip.subarray(1))));
const host = fc.oneof(bytes(4).map(formatIp), v6);
const byFamily = (a: { host: string }, b: { host: string }): number =>
  Number(a.host.includes(':')) - Number(b.host.includes(':'));

test('whatever is said is understood', () => {
  const contact = fc.record({ host, port, flags: fc.integer({ min: 0, max: 255 }) }, PLAIN);
  const message = fc.record({
    added: fc.array(contact, { maxLength: 30 }),
    dropped: fc.array(fc.record({ host, port }, PLAIN), { maxLength: 30 }),
  });
  fc.assert(
    fc.property(message, ({ added, dropped }) => {
      fc.pre(added.length + dropped.length > 0);
      assert.deepEqual(decodePex(encodePex({ added, dropped })), {
        ok: true,
        value: { added: added.toSorted(byFamily), dropped: dropped.toSorted(byFamily) },
      });
    }),
  );
});

test('what is not as the specification says is a fault that says what was expected', () => {
  const six = '\x01\x02\x03\x04\x1a\xe1';
  for (const [text, expected] of [
    ['', /a bencoded dictionary/],
    ['le', /a bencoded dictionary/],
    ['d5:addedi1ee', /added of at most 1000 contacts of 6 bytes, got another type/],
    ['d5:added5:abcdee', /contacts of 6 bytes, got 5 bytes/],
    ['d6:added66:abcdefe', /added6 of at most 1000 contacts of 18 bytes, got 6 bytes/],
    ['d7:dropped7:abcdefge', /dropped of at most 1000 contacts of 6 bytes, got 7 bytes/],
    ['d8:dropped617:abcdefghijklmnopqe', /dropped6 .* got 17 bytes/],
    [`d5:added6:${six}7:added.f0:e`, /added\.f of 1 bytes, got 0 bytes/],
    [`d5:added6:${six}7:added.fi0ee`, /added\.f of 1 bytes, got another type/],
    [`d5:added6:${six}8:added6.f1:ae`, /added6\.f of 0 bytes, got 1 bytes/],
  ] as const) {
    const decoded = decodePex(fromLatin1(text));
    assert.ok(!decoded.ok, text);
    assert.equal(decoded.code, 'ERR_PEX_MESSAGE');
    assert.match(decoded.message, expected);
  }
});

test('a message has at most a thousand contacts added, and as many dropped', () => {
  const list = (count: number): Uint8Array => new Uint8Array(6 * count).fill(1);
  assert.equal(decodePex(encode({ added: list(1000), dropped: list(1000) })).ok, true);
  assert.equal(decodePex(encode({ added: list(1001) })).ok, false);
  assert.equal(decodePex(encode({ dropped: list(1001) })).ok, false);
  const both = { added: list(600), added6: new Uint8Array(18 * 401).fill(1) };
  assert.equal(decodePex(encode(both)).ok, false);
});

test('an IPv4 address in IPv6 form becomes IPv4', () => {
  const mapped = Uint8Array.of(...new Array(10).fill(0), 255, 255, 1, 2, 3, 4, 0, 80);
  const decoded = decodePex(encode({ added6: mapped }));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.value.added, [{ host: '1.2.3.4', port: 80, flags: 0 }]);
});

test('a host that is no address is misuse', () => {
  const added = [{ host: 'example.org', port: 1, flags: 0 }];
  assert.throws(() => encodePex({ added, dropped: [] }), { code: 'ERR_PEER_WIRE_ARGUMENT' });
});
