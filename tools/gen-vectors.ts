/**
 * Generates the vectors for a second implementation of codes: `docs/protocol/vectors/send.json`, explained by `docs/protocol/send-code.md`.
 * `node tools/gen-vectors.ts` writes them; `npm test` compares them with what the source gives.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeArgon2id } from '../src/io/argon2.ts';
import { nodeCrypto, nodeEd25519 } from '../src/io/crypto.ts';
import { toHex } from '../src/lib/bytes.ts';
import { encodeUtf8 } from '../src/lib/utf8.ts';
import { formatPeerId, peerIdOf } from '../src/protocol/identity/index.ts';
import { CpaceParty } from '../src/protocol/pake/index.ts';
import { keysOf, saltOf, stretchCode } from '../src/protocol/send/code.ts';
import {
  CODE_RANDOM_BYTES,
  codeLink,
  hoursToTry,
  makeCode,
  pakeChannel,
  parseCode,
  type SenderRecord,
  sealRecord,
  servedHours,
} from '../src/protocol/send/index.ts';
import { encodeRecord } from '../src/protocol/send/rendezvous.ts';
import { WORDS } from '../src/protocol/send/word-table.ts';

/** Where the vectors are. */
export const SEND_VECTORS: string = join(
  import.meta.dirname,
  '..',
  'docs/protocol/vectors/send.json',
);

/** Stretches a code: argon2id, or what is known of an earlier run. */
export type Stretch = (code: string, hour: number) => Promise<Uint8Array>;

const HOUR_MS = 3_600_000;
const HOUR = 495_000;

/** Bytes 0, 1, 2 … from a beginning, so that fields that are taken for each other show. */
function counting(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (from + at) & 0xff);
}

function identity(from: number): Uint8Array {
  return peerIdOf(nodeEd25519.publicKey(counting(from, 32)));
}

function codes(): object {
  const random = Uint8Array.of(0x00, 0x00, 0x12, 0x34, 0xff, 0xff);
  const code = makeCode(random.subarray(0, CODE_RANDOM_BYTES));
  const typed = [
    code,
    ` ${code.replaceAll('-', ' ').toUpperCase()}\n`,
    code.replaceAll('-', '\u2013'),
    code.replaceAll('-', '._'),
    codeLink(code),
  ];
  return {
    words: WORDS.length,
    wordsSha256: toHex(nodeCrypto.sha256(encodeUtf8(WORDS.join('\n')))),
    random: toHex(random),
    code,
    typed: typed.map((text) => {
      const read = parseCode(text);
      return { text, code: read.ok ? read.value : null };
    }),
  };
}

async function keys(stretch: Stretch, code: string, hour: number): Promise<object> {
  const stretched = await stretch(code, hour);
  const made = keysOf(stretched, hour);
  const publicKey = nodeEd25519.publicKey(made.rendezvousSeed);
  return {
    code,
    hour,
    salt: toHex(saltOf(hour)),
    stretched: toHex(stretched),
    rendezvousSeed: toHex(made.rendezvousSeed),
    rendezvousPublicKey: toHex(publicKey),
    rendezvousTarget: toHex(nodeCrypto.sha1(publicKey)),
    lanHash: toHex(made.lanHash),
    recordKey: toHex(made.recordKey),
    pakePassword: toHex(made.pakePassword),
  };
}

function hours(): object[] {
  return [HOUR * HOUR_MS, (HOUR + 0.5) * HOUR_MS - 1, (HOUR + 0.5) * HOUR_MS].map((unixMs) => ({
    unixMs,
    receiverTries: hoursToTry(unixMs),
    senderServes: servedHours(unixMs),
  }));
}

function keyExchange(): object {
  const [receiver, sender] = [identity(1), identity(2)];
  const inputs = {
    password: counting(0x40, 32),
    channel: pakeChannel(receiver, sender),
    session: counting(0x60, 32),
  };
  const [initiatorRandom, responderRandom] = [counting(0x80, 32), counting(0xa0, 32)];
  const a = new CpaceParty({ ...inputs, role: 'initiator', random: initiatorRandom });
  const b = new CpaceParty({ ...inputs, role: 'responder', random: responderRandom });
  const messages = [a.start()];
  let key = '';
  for (const to of [b, a, b, a]) {
    const step = to.handle(messages.at(-1)!);
    if (!step.ok) throw new Error(step.message);
    if (step.value.message !== undefined) messages.push(step.value.message);
    if (step.value.confirmed !== undefined) key = toHex(step.value.confirmed.key);
  }
  return {
    receiver: formatPeerId(receiver),
    sender: formatPeerId(sender),
    password: toHex(inputs.password),
    channel: toHex(inputs.channel),
    session: toHex(inputs.session),
    initiatorRandom: toHex(initiatorRandom),
    responderRandom: toHex(responderRandom),
    messages: messages.map(toHex),
    key,
  };
}

function record(): object {
  const one: SenderRecord = {
    peerId: identity(2),
    expiresAtMs: (HOUR + 2) * HOUR_MS,
    addresses: [
      { host: '192.0.2.7', port: 6_881 },
      { host: '2001:db8::7', port: 51_413 },
    ],
    relays: [
      { peerId: identity(3), addresses: [{ host: '198.51.100.20', port: 443 }] },
      {
        peerId: identity(4),
        addresses: [
          { host: '203.0.113.5', port: 4_001 },
          { host: '2001:db8:1::5', port: 4_001 },
        ],
      },
    ],
  };
  const [key, nonce] = [counting(0xc0, 32), counting(0xe0, 24)];
  const value = sealRecord(key, one, nonce);
  const plain = encodeRecord(one);
  return {
    key: toHex(key),
    nonce: toHex(nonce),
    record: {
      peerId: formatPeerId(one.peerId),
      expiresAtMs: one.expiresAtMs,
      addresses: one.addresses,
      relays: one.relays.map((relay) => ({ ...relay, peerId: formatPeerId(relay.peerId) })),
    },
    // The rest is zeros.
    plainHead: toHex(plain.subarray(0, 320)),
    plainSha256: toHex(nodeCrypto.sha256(plain)),
    value: toHex(value),
  };
}

/** All vectors. @param stretch is called for each code and hour. */
export async function sendVectors(stretch: Stretch): Promise<Record<string, unknown>> {
  const made = codes() as { code: string };
  return {
    protocol: 'starling-send/1',
    codes: made,
    keys: [
      await keys(stretch, made.code, HOUR),
      await keys(stretch, made.code, HOUR + 1),
      await keys(stretch, `${WORDS[1]}-${WORDS[2]}-${WORDS[3]}`, HOUR),
    ],
    hours: hours(),
    keyExchange: keyExchange(),
    record: record(),
  };
}

if (import.meta.main) {
  const vectors = await sendVectors((code, hour) => stretchCode(nodeArgon2id, code, hour));
  mkdirSync(dirname(SEND_VECTORS), { recursive: true });
  writeFileSync(SEND_VECTORS, `${JSON.stringify(vectors, undefined, 2)}\n`);
}
