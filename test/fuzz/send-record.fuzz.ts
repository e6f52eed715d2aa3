/**
 * Records of senders: any bytes as the value of an item, and as what came out of a seal that was right.
 * @module
 */
import { equalBytes } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { peerIdOf } from '../../src/protocol/identity/index.ts';
import { openRecord, type SenderRecord, sealRecord } from '../../src/protocol/send/index.ts';
import { decodeRecord, encodeRecord, RECORD_BYTES } from '../../src/protocol/send/rendezvous.ts';

const KEY = new Uint8Array(32).fill(1);
const NOW_MS = 1_780_000_000_000;

function recordOf(rng: Rng): SenderRecord {
  const endpoints = (count: number): SenderRecord['addresses'] =>
    Array.from({ length: count }, () => ({
      host:
        rng.below(2) === 0
          ? `10.0.0.${rng.below(256)}`
          : `fe80::${rng.below(0x10000).toString(16)}`,
      port: 1 + rng.below(65_535),
    }));
  const peerId = peerIdOf(new Uint8Array(32).fill(3 + rng.below(100)));
  return {
    peerId,
    expiresAtMs: NOW_MS + 1_000 * rng.below(10_000),
    addresses: endpoints(rng.below(17)),
    relays: Array.from({ length: rng.below(5) }, () => ({
      peerId,
      addresses: endpoints(1 + rng.below(4)),
    })),
  };
}

const rng = new Rng(1);
const records = Array.from({ length: 8 }, () => recordOf(rng));
const sealed = records.map((record) => sealRecord(KEY, record, new Uint8Array(24).fill(7)));

function fuzz(bytes: Uint8Array): void {
  const opened = openRecord(KEY, bytes, NOW_MS);
  if (opened.ok && !sealed.some((value) => equalBytes(value, bytes))) {
    throw new Error('expected what was sealed here, and nothing else, to open');
  }
  const plain = bytes.length > RECORD_BYTES ? bytes.subarray(0, RECORD_BYTES) : padded(bytes);
  const record = decodeRecord(plain);
  if (!record.ok) return;
  const { addresses, relays } = record.value;
  if (addresses.length > 16 || relays.length > 4) throw new Error('expected at most 16 and 4');
  if (relays.some((relay) => relay.addresses.length < 1 || relay.addresses.length > 4)) {
    throw new Error('expected 1 to 4 addresses of a relay');
  }
  if (!equalBytes(encodeRecord(record.value), plain)) throw new Error('expected one form');
}

/** Mutations change the length: zeros at the end let the rest be read. */
function padded(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(RECORD_BYTES);
  plain.set(bytes);
  return plain;
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'send-record',
  seeds: [...sealed, ...records.map(encodeRecord), new Uint8Array(0)],
  run: fuzz,
  generate: (random) => encodeRecord(recordOf(random)),
};
