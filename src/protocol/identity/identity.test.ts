import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeEd25519 } from '../../io/crypto.ts';
import { concatBytes, fromHex, toHex } from '../../lib/bytes.ts';
import { fromBase58, toBase58 } from './base58.ts';
import {
  formatPeerId,
  isStrictPoint,
  parsePeerId,
  peerIdOf,
  publicKeyIn,
  signedMessage,
  signFor,
  verifySigned,
  verifyStrict,
} from './index.ts';

const hex = (text: string): Uint8Array => fromHex(text)!;

// The curve in plain numbers, to check what the rule takes for granted.
const P = 2n ** 255n - 19n;
const mod = (a: bigint): bigint => ((a % P) + P) % P;
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) {
    if (e & 1n) result = mod(result * b);
  }
  return result;
}
const inverse = (a: bigint): bigint => power(a, P - 2n);
const D = mod(-121_665n * inverse(121_666n));
type Point = readonly [x: bigint, y: bigint];
function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const t = mod(D * x1 * x2 * y1 * y2);
  const x = mod((x1 * y2 + x2 * y1) * inverse(1n + t));
  return [x, mod((y1 * y2 + x1 * x2) * inverse(1n - t))];
}
function pointAt(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (P - 1n) / 4n));
  return mod(x * x) === square ? [x, y] : undefined;
}
function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}
const bytesOf = (y: bigint): Uint8Array => hex(y.toString(16).padStart(64, '0')).reverse();
const isSmall = (point: Point): boolean => {
  const twice = add(point, point);
  const four = add(twice, twice);
  const [x, y] = add(four, four);
  return x === 0n && y === 1n;
};

describe('strict points', () => {
  it('refuses the points whose order divides 8, and there are no others', () => {
    // All of them are multiples of one of order 8.
    const start = pointAt(
      numberOf(hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')),
    )!;
    const ys = new Set<bigint>();
    let point: Point = start;
    for (let i = 0; i < 8; i += 1, point = add(point, start)) {
      assert(isSmall(point));
      ys.add(point[1]);
    }
    assert.equal(ys.size, 5);
    for (const y of ys) {
      for (const sign of [0, 0x80]) {
        const bytes = bytesOf(y);
        bytes[31]! |= sign;
        assert(!isStrictPoint(bytes), toHex(bytes));
      }
    }
    for (const y of [3n, 4n, P - 2n, P - 3n]) assert(isStrictPoint(bytesOf(y)));
  });

  it('refuses encodings that are not the shortest, and other lengths', () => {
    for (let above = 0n; above < 19n; above += 1n) assert(!isStrictPoint(bytesOf(P + above)));
    assert(!isStrictPoint(new Uint8Array(31)) && !isStrictPoint(new Uint8Array(33).fill(9)));
  });
});

describe('signatures', () => {
  // RFC 8032 section 7.1, tests 1 to 3.
  for (const [i, [seed, key, message, signature]] of [
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ].entries()) {
    it(`RFC 8032 section 7.1, test ${i + 1}`, () => {
      assert.equal(toHex(nodeEd25519.publicKey(hex(seed!))), key);
      assert.equal(toHex(nodeEd25519.sign(hex(seed!), hex(message!))), signature);
      assert(verifyStrict(nodeEd25519, hex(key!), hex(message!), hex(signature!)));
    });
  }

  it('"Taming the many EdDSAs": of the ten cases only the one that every strict reading takes is taken', () => {
    const M = '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79';
    const [A, B] = [
      'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43',
      'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d',
    ];
    const SMALL = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa';
    const C = '442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623';
    const [N, O] = [
      'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
      '85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40',
    ];
    const OVER = 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f';
    const cases = [
      [
        '8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6',
        SMALL,
        `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a${'00'.repeat(32)}`,
      ],
      [M, SMALL, `${A}a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04`],
      [
        'aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab',
        A,
        `${SMALL}8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e`,
      ],
      [
        M,
        B,
        '9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009',
      ],
      [
        N,
        B,
        '160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09',
      ],
      [
        N,
        B,
        '21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405',
      ],
      [
        O,
        C,
        'e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514',
      ],
      [
        O,
        C,
        '8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22',
      ],
      [
        'fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a',
        A,
        `${OVER}454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607`,
      ],
      [
        '84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1',
        A,
        `${OVER}084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09`,
      ],
    ].map((texts) => texts.map(hex));
    const taken = cases.map(([message, key, signature]) =>
      verifyStrict(nodeEd25519, key!, message!, signature!),
    );
    assert.deepEqual(taken, [false, false, false, true, false, false, false, false, false, false]);
  });

  it('a signature holds for its domain, payload and key alone', () => {
    const bytes = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
    fc.assert(
      fc.property(bytes(32), bytes(0, 99), bytes(0, 99), (seed, payload, other) => {
        const key = nodeEd25519.publicKey(seed);
        const signature = signFor(nodeEd25519, seed, 'test/one', payload);
        const holds = (domain: string, said: Uint8Array): boolean =>
          verifySigned(nodeEd25519, key, domain, said, signature);
        assert(holds('test/one', payload));
        assert(!holds('test/two', payload));
        assert.equal(holds('test/one', other), toHex(other) === toHex(payload));
        // S + L is the same number modulo L: another signature of the same, which must not count.
        const s =
          numberOf(signature.subarray(32)) +
          2n ** 252n +
          27_742_317_777_372_353_535_851_937_790_883_648_493n;
        const twin = concatBytes(signature.subarray(0, 32), bytesOf(s));
        assert(!verifySigned(nodeEd25519, key, 'test/one', payload, twin));
      }),
      { numRuns: 40 },
    );
  });

  it('a domain that could be taken for another one is misuse', () => {
    for (const domain of ['', 'A', 'a b', 'a\0', 'a'.repeat(65)]) {
      assert.throws(() => signedMessage(domain, new Uint8Array(0)), RangeError);
    }
  });
});

describe('peer ids', () => {
  const KEY = hex('1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e');

  it('hold the public key as libp2p writes it: libp2p peer-ids, test vector of Ed25519', () => {
    const seed = hex('7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d');
    assert.deepEqual(nodeEd25519.publicKey(seed), KEY);
    assert.equal(toHex(peerIdOf(KEY)), `002408011220${toHex(KEY)}`);
    const found = publicKeyIn(peerIdOf(KEY));
    assert(found.ok);
    assert.deepEqual(found.value, KEY);
  });

  it('are written in base58btc and read in that and as a CID', () => {
    const text = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA';
    const parsed = parsePeerId(` ${text}\n`);
    assert(parsed.ok);
    assert.equal(formatPeerId(parsed.value), text);
    const cid = base32(concatBytes(Uint8Array.of(1, 0x72), parsed.value));
    assert.match(cid, /^bafzaajaiaejca/);
    assert.deepEqual(parsePeerId(cid), parsed);
  });

  it('of other kinds, with keys that are none, and what is no id at all are told apart', () => {
    const codeOf = (text: string): string => {
      const parsed = parsePeerId(text);
      return parsed.ok ? 'ok' : parsed.code;
    };
    assert.equal(codeOf('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'), 'ERR_PEER_ID_KIND');
    assert.equal(codeOf(formatPeerId(peerIdOf(new Uint8Array(32)))), 'ERR_PEER_ID_KEY');
    for (const text of ['', '12D3KooW0', 'x'.repeat(10_000), 'bafybeie', 'Bob']) {
      assert.notEqual(codeOf(text), 'ok', text);
    }
    assert.equal(codeOf('12D3KooW0OIl'), 'ERR_PEER_ID_TEXT');
    assert.throws(() => peerIdOf(new Uint8Array(31)), RangeError);
  });

  it('base58 is turned back, with its zeros', () => {
    assert.equal(toBase58(hex('0000287fb4cd')), '11233QC4');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        assert.deepEqual(fromBase58(toBase58(bytes)), bytes);
      }),
    );
    assert.equal(fromBase58('0'), undefined);
  });
});

function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let text = 'b';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet[(value << (5 - bits)) & 31];
}
