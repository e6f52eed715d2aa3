/** draft-irtf-cfrg-cpace-21 ("CPace, a balanced composable PAKE"), suite CPACE-RISTR255-SHA512: its test vectors and sentences. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, fromLatin1, toHex } from '../../src/lib/bytes.ts';
import {
  confirmationTag,
  generatorOf,
  generatorString,
  multiply,
  multiplyVerified,
  scalarOf,
  sessionKey,
} from '../../src/protocol/pake/group.ts';
import {
  CpaceParty,
  decodePakeMessage,
  encodePakeMessage,
  lengthValues,
  type ShareMessage,
} from '../../src/protocol/pake/index.ts';

const hex = (text: string): Uint8Array => fromHex(text)!;
const text = fromLatin1;

// Appendix "Test vector for CPace using group ristretto255 and hash SHA-512".
const PRS = text('Password');
const CI = hex('0b415f696e69746961746f720b425f726573706f6e646572');
const SID = hex('7e4b4791d6a8ef019b936c79fb7f2c57');
const GENERATOR = '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56';
const YA = hex('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08');
const YB = hex('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d');
const SHARE_A = 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157';
const SHARE_B = '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258';
const K = '80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f';
const ISK =
  'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447';

const share = (encoded: string, associated: string): ShareMessage => ({
  type: 'share',
  share: hex(encoded),
  associated: text(associated),
});
const party = (role: 'initiator' | 'responder'): CpaceParty =>
  new CpaceParty({
    role,
    password: PRS,
    channel: CI,
    session: SID,
    associated: text(role === 'initiator' ? 'ADa' : 'ADb'),
    random: role === 'initiator' ? YA : YB,
  });

describe('appendix "CPace function definitions"', () => {
  it('prepend_len test vectors', () => {
    assert.equal(toHex(lengthValues(text(''))), '00');
    assert.equal(toHex(lengthValues(text('1234'))), '0431323334');
    const range = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);
    assert.equal(toHex(lengthValues(range(127))), `7f${toHex(range(127))}`);
    assert.equal(toHex(lengthValues(range(128))), `8001${toHex(range(128))}`);
  });

  it('test vector for lv_cat()', () => {
    const joined = lengthValues(text('1234'), text('5'), text(''), text('678'));
    assert.equal(toHex(joined), '043132333401350003363738');
  });
});

describe('test vectors with ristretto255 and SHA-512', () => {
  it('calculate_generator', () => {
    const zeros = '00'.repeat(100);
    const expected = `11435061636552697374726574746f3235350850617373776f726464${zeros}18${toHex(CI)}10${toHex(SID)}`;
    assert.equal(toHex(generatorString(PRS, CI, SID)), expected);
    assert.equal(toHex(generatorOf(PRS, CI, SID).toBytes()), GENERATOR);
  });

  it('message from A, message from B', () => {
    const generator = generatorOf(PRS, CI, SID);
    assert.equal(toHex(multiply(scalarOf(YA), generator)), SHARE_A);
    assert.equal(toHex(multiply(scalarOf(YB), generator)), SHARE_B);
  });

  it('secret points K', () => {
    assert.equal(toHex(multiplyVerified(scalarOf(YA), hex(SHARE_B))!), K);
    assert.equal(toHex(multiplyVerified(scalarOf(YB), hex(SHARE_A))!), K);
  });

  it('ISK calculation initiator/responder', () => {
    const key = sessionKey(SID, hex(K), share(SHARE_A, 'ADa'), share(SHARE_B, 'ADb'));
    assert.equal(toHex(key), ISK);
  });

  it('test case for scalar_mult with valid inputs', () => {
    const s = scalarOf(hex('7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05'));
    const x = hex('2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c');
    assert.equal(
      toHex(multiplyVerified(s, x)!),
      '7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e',
    );
  });

  it('a whole run gives the messages and the key of the vectors on both sides', () => {
    const [a, b] = [party('initiator'), party('responder')];
    const fromA = a.start();
    assert.deepEqual(fromA, encodePakeMessage(share(SHARE_A, 'ADa')));
    const fromB = b.handle(fromA);
    assert(fromB.ok);
    assert.deepEqual(fromB.value.message, encodePakeMessage(share(SHARE_B, 'ADb')));
    const tagA = a.handle(fromB.value.message!);
    assert(tagA.ok && tagA.value.confirmed === undefined);
    const tagB = b.handle(tagA.value.message!);
    assert(tagB.ok);
    assert.equal(toHex(tagB.value.confirmed!.key), ISK);
    assert.deepEqual(tagB.value.confirmed!.associated, text('ADa'));
    const end = a.handle(tagB.value.message!);
    assert(end.ok && end.value.message === undefined);
    assert.equal(toHex(end.value.confirmed!.key), ISK);
    assert.deepEqual(end.value.confirmed!.associated, text('ADb'));
  });
});

describe('sentences', () => {
  it('"When points Y_i1 or Y_i2 are included in message of A or B the protocol MUST abort": bytes that encode no element, and the neutral element', () => {
    const s = hex('7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05');
    for (const invalid of [
      '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c',
      '0000000000000000000000000000000000000000000000000000000000000000',
    ]) {
      assert.equal(multiplyVerified(scalarOf(s), hex(invalid)), undefined);
      const [a, b] = [party('initiator'), party('responder')];
      a.start();
      for (const one of [a, b]) {
        const result = one.handle(encodePakeMessage(share(invalid, '')));
        assert(!result.ok && result.code === 'ERR_PAKE_SHARE');
        assert(one.isOver);
      }
    }
  });

  it('"Then clear the most significant bits larger than G.group_size_bits": a scalar is below 2^252', () => {
    assert.equal(scalarOf(new Uint8Array(32).fill(0xff)), 2n ** 252n - 1n);
    assert.throws(() => scalarOf(new Uint8Array(32)), RangeError);
    assert.throws(() => scalarOf(new Uint8Array(31).fill(1)), RangeError);
  });

  it('"calculate its authentication tag Ta as Ta = MAC(mac_key, lv_cat(Ya,ADa))", the key H.hash(b"CPaceMac" || sid || ISK), the MAC HMAC with SHA-512', async () => {
    const { createHash, createHmac } = await import('node:crypto');
    const macKey = createHash('sha512')
      .update(concatBytes(text('CPaceMac'), SID, hex(ISK)))
      .digest();
    const sent = share(SHARE_A, 'ADa');
    const expected = createHmac('sha512', macKey)
      .update(lengthValues(sent.share, sent.associated))
      .digest('hex');
    assert.equal(toHex(confirmationTag(SID, hex(ISK), sent)), expected);
    const a = party('initiator');
    a.start();
    const answer = a.handle(encodePakeMessage(share(SHARE_B, 'ADb')));
    assert(answer.ok);
    const confirmation = decodePakeMessage(answer.value.message!);
    assert(confirmation.ok && confirmation.value.type === 'confirmation');
    assert.equal(toHex(confirmation.value.tag), expected);
  });
});
