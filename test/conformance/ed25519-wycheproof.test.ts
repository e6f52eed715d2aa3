/** Wycheproof's cases of Ed25519, by the rule for signatures of identities (src/protocol/identity/signature-rule.ts): one test for each kind of case. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeEd25519 } from '../../src/io/crypto.ts';
import { fromHex } from '../../src/lib/bytes.ts';
import { verifyStrict } from '../../src/protocol/identity/index.ts';
import { WYCHEPROOF_ED25519 } from './ed25519-wycheproof-cases.ts';

interface Case {
  readonly number: number;
  readonly flag: string;
  readonly isValid: boolean;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const bytesOf = (text: string): Uint8Array => fromHex(text === '-' ? '' : text)!;

const CASES: readonly Case[] = WYCHEPROOF_ED25519.flatMap(([key, cases]) =>
  cases.map((text): Case => {
    const [number, flag, expectation, message, signature] = text.split(' ');
    assert(expectation === 'valid' || expectation === 'invalid', text);
    return {
      number: Number(number),
      flag: flag!,
      isValid: expectation === 'valid',
      key: fromHex(key)!,
      message: bytesOf(message!),
      signature: bytesOf(signature!),
    };
  }),
);

/** What each kind of case is about, and how many there are: none may get lost. */
const KINDS: Readonly<Record<string, readonly [count: number, about: string]>> = {
  Ktv: [38, 'a known valid signature'],
  InvalidKtv: [1, 'a known invalid signature'],
  Valid: [18, 'an ordinary valid signature'],
  TinkOverflow: [32, 'a signature that made an implementation overflow'],
  InvalidEncoding: [22, 'an encoding of R or S that is not the one of its value'],
  InvalidSignature: [20, 'values such as 0 or the order of the group'],
  SignatureMalleability: [8, 'an S that is not below the order of the group'],
  SignatureWithGarbage: [5, 'bytes that do not belong to the signature'],
  TruncatedSignature: [3, 'a signature that was cut'],
  CompressedSignature: [4, 'a signature whose R and S overlap or lost zeros'],
};

describe('Wycheproof, Ed25519', () => {
  it('has 151 cases, each valid or invalid: none that it calls acceptable, so the strict rule has to agree with all of them', () => {
    assert.deepEqual(
      CASES.map(({ number }) => number),
      Array.from({ length: 151 }, (_, index) => index + 1),
    );
    assert.deepEqual(new Set(CASES.map(({ flag }) => flag)), new Set(Object.keys(KINDS)));
  });

  for (const [kind, [count, about]] of Object.entries(KINDS)) {
    it(`${kind}: ${about} (${count} cases)`, () => {
      const cases = CASES.filter(({ flag }) => flag === kind);
      assert.equal(cases.length, count);
      const wrong = cases.filter(
        ({ key, message, signature, isValid }) =>
          verifyStrict(nodeEd25519, key, message, signature) !== isValid,
      );
      assert.deepEqual(
        wrong.map(({ number }) => number),
        [],
      );
    });
  }
});
