/**
 * BEP 44, items: its vectors, and what a storing node refuses.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { type Encodable, raw } from '../../src/protocol/bencode/index.ts';
import {
  isRightItem,
  type MutableItem,
  mutableTarget,
  signItem,
  targetOf,
} from '../../src/protocol/dht/index.ts';
import { ASKER, DhtDesk, errorOf, idOf } from '../support/dht-desk.ts';

const NONE = new Uint8Array(0);
const VALUE = Buffer.from('12:Hello World!');
const KEY = fromHex('77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548')!;
const MUTABLE = [
  [
    'mutable',
    '',
    '4a533d47ec9c7d95b1ad75f576cffc641853b750',
    '305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01',
  ],
  [
    'mutable with salt',
    'foobar',
    '411eba73b6f087ca51a3795d9c8c938d365e32c1',
    '6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08',
  ],
] as const;
const SEED = new Uint8Array(32).fill(9);

function item(seq: number, text = 'i1e', salt: Uint8Array = NONE): MutableItem {
  return signItem(nodeEd25519, SEED, seq, Buffer.from(text), salt);
}

function put(
  desk: DhtDesk,
  { value, publicKey, salt, seq, signature }: MutableItem,
  more: Record<string, Encodable> = {},
): ReturnType<DhtDesk['ask']> {
  const token = desk
    .ask('get', { target: idOf('t') })!
    .dict('r')!
    .bytes('token')!
    .slice();
  const args = { token, k: publicKey, seq, sig: signature, v: raw(value), salt };
  return desk.ask('put', { ...args, ...more });
}

function seqAt(desk: DhtDesk): number | undefined {
  const target = mutableTarget(nodeCrypto, item(1).publicKey, NONE);
  return desk.ask('get', { target })?.dict('r')?.int('seq');
}

describe('BEP 44: vectors', () => {
  for (const [name, saltText, target, signature] of MUTABLE) {
    it(name, () => {
      const salt = Buffer.from(saltText);
      const vector = { value: VALUE, publicKey: KEY, salt, seq: 1, signature: fromHex(signature)! };
      assert.equal(toHex(mutableTarget(nodeCrypto, KEY, salt)), target);
      assert(isRightItem(nodeCrypto, nodeEd25519, fromHex(target)!, vector));
      const other = { ...vector, seq: 2 };
      assert(!isRightItem(nodeCrypto, nodeEd25519, fromHex(target)!, other));
    });
  }

  it('immutable', () => {
    const target = 'e5f96f6f38320f0f33959cb4d3d656452117aadb';
    assert.equal(toHex(targetOf(nodeCrypto, { value: VALUE })), target);
    assert(isRightItem(nodeCrypto, nodeEd25519, fromHex(target)!, { value: VALUE }));
    assert(!isRightItem(nodeCrypto, nodeEd25519, fromHex(target)!, { value: Buffer.from('i1e') }));
  });
});

describe('BEP 44: storing nodes', () => {
  it('an immutable item is given to whoever asks for its hash, in the form in which it came', () => {
    const desk = new DhtDesk();
    const token = desk
      .ask('get', { target: idOf('t') })!
      .dict('r')!
      .bytes('token')!
      .slice();
    // Keys out of order: decoding and encoding again would change them.
    const value = Buffer.from('d1:bi1e1:ai2ee');
    assert.equal(desk.ask('put', { token, v: raw(value) })?.text('y'), 'r');
    const target = nodeCrypto.sha1(value);
    assert.deepEqual(desk.ask('get', { target })!.dict('r')!.rawSlice('v'), new Uint8Array(value));
  });

  it('a mutable item comes back with k, seq and sig', () => {
    const desk = new DhtDesk();
    const stored = item(4);
    assert.equal(put(desk, stored)?.text('y'), 'r');
    const found = desk.ask('get', { target: targetOf(nodeCrypto, stored) })!.dict('r')!;
    assert.equal(found.int('seq'), 4);
    assert.deepEqual(found.bytes('k'), stored.publicKey);
    assert.deepEqual(found.bytes('sig'), stored.signature);
  });

  it('"205: message (v field) too big"', () => {
    const token = new DhtDesk();
    const large = { ...item(1), value: Buffer.from(`997:${'x'.repeat(997)}`) };
    assert.equal(errorOf(put(token, large))[0], 205);
  });

  it('"206: invalid signature", and nothing is stored', () => {
    const desk = new DhtDesk();
    assert.equal(errorOf(put(desk, { ...item(1), seq: 2 }))[0], 206);
    assert.equal(seqAt(desk), undefined);
  });

  it('"207: salt (salt field) too big"', () => {
    const desk = new DhtDesk();
    assert.equal(errorOf(put(desk, { ...item(1), salt: new Uint8Array(65) }))[0], 207);
  });

  it('"a node hosting the list node MUST not downgrade a list head from a higher sequence number to a lower one": 302', () => {
    const desk = new DhtDesk();
    put(desk, item(5));
    assert.equal(errorOf(put(desk, item(4)))[0], 302);
    assert.equal(errorOf(put(desk, item(5, 'i2e')))[0], 302);
    assert.equal(seqAt(desk), 5);
    assert.equal(put(desk, item(6))?.text('y'), 'r');
    assert.equal(seqAt(desk), 6);
  });

  it('"If the sequence number is equal, and the value is also the same, the node SHOULD reset its timeout counter"', () => {
    const desk = new DhtDesk();
    put(desk, item(5));
    desk.nowMs += 7_000_000;
    assert.equal(put(desk, item(5))?.text('y'), 'r');
    desk.nowMs += 7_000_000;
    assert.equal(seqAt(desk), 5);
    desk.nowMs += 300_000;
    assert.equal(seqAt(desk), undefined, 'these items MAY expire in 2 hours');
  });

  it('"An implementation MUST emit 301 errors if the cas mismatches"', () => {
    const desk = new DhtDesk();
    put(desk, item(5));
    assert.equal(errorOf(put(desk, item(6), { cas: 4 }))[0], 301);
    assert.equal(put(desk, item(6), { cas: 5 })?.text('y'), 'r');
  });

  it('"If there is no current value, the cas field SHOULD be ignored"', () => {
    assert.equal(put(new DhtDesk(), item(6), { cas: 4 })?.text('y'), 'r');
  });

  it('"an item\'s value should only be sent if its sequence number is greater than the given value"', () => {
    const desk = new DhtDesk();
    put(desk, item(5));
    const target = targetOf(nodeCrypto, item(5));
    for (const [seq, isSent] of [
      [4, true],
      [5, false],
      [6, false],
    ] as const) {
      const found = desk.ask('get', { target, seq })!.dict('r')!;
      assert.equal(found.has('v'), isSent);
      assert.equal(found.has('k'), isSent);
    }
  });

  it('a put without the token that its address was given is refused', () => {
    const desk = new DhtDesk();
    assert.equal(errorOf(put(desk, item(1), { token: 'x' }))[0], 203);
  });

  it('an empty salt is as none', () => {
    const with0 = signItem(nodeEd25519, SEED, 1, VALUE, NONE);
    const without = signItem(nodeEd25519, SEED, 1, VALUE);
    assert.deepEqual(with0, without);
  });

  it('"the key they get back … MUST be verified": an item with a wrong signature is not told', () => {
    const desk = new DhtDesk();
    desk.meet(ASKER, idOf('q'));
    desk.wait(1);
    const good = item(7);
    for (const signature of [new Uint8Array(64), good.signature]) {
      desk.events.length = 0;
      desk.dht.getMutable(desk.nowMs, good.publicKey);
      const get = desk.sent().find(({ message }) => message.text('q') === 'get')!;
      const { value, publicKey, seq } = good;
      desk.answer(get, { id: idOf('q'), k: publicKey, seq, sig: signature, v: raw(value) });
      const found = desk.events.some((event) => event.type === 'item');
      assert.equal(found, signature === good.signature);
    }
  });
});
