/**
 * Certificates of strangers, the first of their bytes that are judged: good ones that were changed, libp2p's vectors, and DER at random.
 * Whatever comes, it proves nothing but an identity that signed, and with its own signature taken for right it still does.
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { nodeEd25519 } from '../../src/io/crypto.ts';
import { isSelfSigned } from '../../src/io/tls.ts';
import { concatBytes, fromHex, toHex } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { readCertificate } from '../../src/protocol/identity/certificate.ts';
import { formatPeerId, parsePeerId, peerIdOf } from '../../src/protocol/identity/index.ts';
import { fixedCertificate } from '../../tools/fixed-certificate.ts';
import { VECTORS } from '../conformance/libp2p-tls-vectors.ts';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;

const OWNERS = [1, 2, 3];
const made = OWNERS.map((owner) =>
  fixedCertificate(new Uint8Array(32).fill(owner), NOW_MS - DAY_MS, NOW_MS + DAY_MS),
);
const late = fixedCertificate(new Uint8Array(32).fill(1), 0, Date.parse('2051-01-01T00:00:00Z'));
const vectors = Object.values(VECTORS).map((hex) => fromHex(hex)!);
/** Whoever signed something that is among the seeds. */
const signers = new Set(
  OWNERS.map((owner) =>
    formatPeerId(peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(owner)))),
  ).concat('12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv'),
);
/** Keys of certificates that a signer signed. */
const signedKeys = new Set([...made, ...vectors].map(keyOf));

/** The key as TLS takes it. */
function keyOf(certificate: Uint8Array): string {
  const { publicKey } = new X509Certificate(certificate);
  return toHex(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })));
}

function fuzz(bytes: Uint8Array): void {
  const strict = readCertificate({ ed25519: nodeEd25519, isSelfSigned }, NOW_MS, bytes);
  // ECDSA signatures have two forms, so that another certificate of a signer may be right.
  if (strict.ok) {
    prove(strict.value);
    if (!signedKeys.has(keyOf(bytes)))
      throw new Error('expected TLS to see the key that was signed');
  }
  const loose = readCertificate({ ed25519: nodeEd25519, isSelfSigned: () => true }, NOW_MS, bytes);
  if (loose.ok) prove(loose.value);
  if (strict.ok && !loose.ok) throw new Error('expected no more to be asked of it');
  if (!loose.ok && loose.message.length > 500) throw new Error('expected a sentence');
}

function prove(peerId: Uint8Array): void {
  const text = formatPeerId(peerId);
  if (!parsePeerId(text).ok) throw new Error('expected a peer id that can be read');
  if (!signers.has(text)) throw new Error(`expected the identity of a signer, got ${text}`);
}

const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa3];

/** Elements within elements, with lengths that are now and then wrong. */
function der(rng: Rng, depth: number): Uint8Array {
  const tag = rng.below(8) === 0 ? rng.below(256) : TAGS[rng.below(TAGS.length)]!;
  const isNested = depth < 20 && (tag & 0x20) !== 0;
  const parts = Array.from({ length: isNested ? rng.below(5) : 0 }, () => der(rng, depth + 1));
  const body = isNested ? concatBytes(...parts) : rng.bytes(rng.below(40));
  const lie = rng.below(16) === 0 ? rng.below(5) - 2 : 0;
  return concatBytes(Uint8Array.of(tag), lengthOf(Math.max(0, body.length + lie), rng), body);
}

function lengthOf(length: number, rng: Rng): Uint8Array {
  if (rng.below(64) === 0) return Uint8Array.of(0x80);
  if (rng.below(64) === 0) return Uint8Array.of(0x84, 0xff, 0xff, 0xff, 0xff);
  if (length < 0x80 && rng.below(16) > 0) return Uint8Array.of(length);
  return Uint8Array.of(0x82, length >> 8, length & 0xff);
}

/** A good one with an element of another kind at a place of its own. */
function grafted(rng: Rng): Uint8Array {
  const whole = made[rng.below(made.length)]!;
  const at = rng.below(whole.length);
  const graft = der(rng, 18);
  return concatBytes(whole.subarray(0, at), graft, whole.subarray(at + graft.length));
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'certificate',
  seeds: [...made, late, ...vectors],
  run: fuzz,
  generate: (rng) => {
    const which = rng.below(4);
    if (which === 0) return der(rng, 0);
    return which === 1 ? grafted(rng) : made[rng.below(made.length)]!.slice();
  },
};
