/**
 * Headers of bulk connections: any bytes, read whole and as they come, so that a header is known when its last byte is there and never before.
 * @module
 */
import { concatBytes, equalBytes } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import {
  type BulkHeader,
  encodeBulkHeader,
  readBulkHeader,
} from '../../src/protocol/channel/index.ts';

const MOST_BYTES = 4_096;

function fuzz(bytes: Uint8Array): void {
  const read = readBulkHeader(bytes);
  if (read === undefined) {
    if (bytes.length >= 2 + MOST_BYTES) throw new Error('expected an end to the waiting');
    return;
  }
  if (!read.ok) {
    // What is refused stays refused, whatever follows.
    if (readBulkHeader(concatBytes(bytes, Uint8Array.of(0)))?.ok !== false) {
      throw new Error('expected one answer');
    }
    return;
  }
  const { header, takenBytes } = read.value;
  if (takenBytes > bytes.length || takenBytes > 2 + MOST_BYTES) throw new Error('taken too much');
  if (!equalBytes(encodeBulkHeader(header), bytes.subarray(0, takenBytes))) {
    throw new Error('expected one form');
  }
  for (const end of [0, 1, 2, takenBytes >> 1, takenBytes - 1]) {
    if (end < takenBytes && readBulkHeader(bytes.subarray(0, end)) !== undefined) {
      throw new Error(`expected to wait after ${end} bytes`);
    }
  }
}

function headerOf(rng: Rng): BulkHeader {
  const service = ['send', 'a', '0-9', 'x'.repeat(32)][rng.below(4)]!;
  const envelope = { service, version: rng.below(256) };
  const payload = rng.bytes(rng.below(rng.below(32) === 0 ? 4_000 : 50));
  return rng.below(2) === 0
    ? { envelope, payload }
    : { envelope: { ...envelope, community: rng.bytes(32) }, payload };
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'bulk-header',
  seeds: [
    encodeBulkHeader({ envelope: { service: 'send', version: 1 }, payload: new Uint8Array(0) }),
    Uint8Array.of(0x10, 0x00),
    Uint8Array.of(0x10, 0x01),
    Uint8Array.of(0, 0),
  ],
  run: fuzz,
  generate: (rng) => concatBytes(encodeBulkHeader(headerOf(rng)), rng.bytes(rng.below(20))),
};
