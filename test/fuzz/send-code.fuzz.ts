/**
 * Codes as somebody types or pastes them: whatever is read is written and read again to the same.
 * @module
 */
import { fromLatin1 } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { decodeUtf8, encodeUtf8 } from '../../src/lib/utf8.ts';
import { codeLink, makeCode, parseCode, readGuessState } from '../../src/protocol/send/index.ts';

const BETWEEN = [
  '-',
  ' ',
  '.',
  '_',
  '\u2013',
  '\u2014',
  ' - ',
  '\u00a0',
  '',
  '\ud800',
  '\u200b',
  '/',
];

function fuzz(bytes: Uint8Array): void {
  const text = decodeUtf8(bytes);
  const code = parseCode(text);
  if (code.ok) {
    if (!/^[a-z]{3,8}-[a-z]{3,8}-[a-z]{3,8}$/.test(code.value)) throw new Error(code.value);
    for (const form of [code.value, codeLink(code.value), code.value.toUpperCase()]) {
      const again = parseCode(form);
      if (!again.ok || again.value !== code.value) throw new Error(`read otherwise: ${form}`);
    }
  } else if (code.message.length > 300) {
    throw new Error(`expected a short message, got ${code.message.length} letters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  const state = readGuessState(value);
  if (state.ok && !readGuessState(JSON.parse(JSON.stringify(state.value))).ok) {
    throw new Error('expected a state of guesses to be read again');
  }
}

function generate(rng: Rng): Uint8Array {
  const words = makeCode(rng.bytes(6)).split('-');
  const text = words.map((word) => word + BETWEEN[rng.below(BETWEEN.length)]!).join('-');
  return encodeUtf8(rng.below(3) === 0 ? text.toUpperCase() : text);
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'send-code',
  seeds: [
    'acorn-umbrella-tiger',
    'starling:receive/acorn-umbrella-tiger',
    ' Acorn . UMBRELLA_tiger\n',
    `{"version":1,"spent":3,"lastAtMs":5,"isOver":false,"bound":{"peerId":"${'00'.repeat(38)}","atMs":6}}`,
    '',
  ].map(fromLatin1),
  run: fuzz,
  generate,
};
