/**
 * UDP tracker replies: any datagrams, also with the transaction id of a pending request, at either step of an announce.
 * @module
 */
import { concatBytes, fromLatin1, writeU32 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { Announcer, parseUdpReply, parseUdpScrape } from '../../src/protocol/tracker/index.ts';

const HASH = new Uint8Array(20);

function fuzz(bytes: Uint8Array): void {
  for (const addressLengthBytes of [4, 16] as const) {
    const reply = parseUdpReply(bytes, addressLengthBytes);
    if (reply.ok && reply.value.type === 'announce' && reply.value.peers.length > 2000) {
      throw new Error('expected at most 2000 peers');
    }
  }
  const scrape = parseUdpScrape(bytes, 74);
  if (scrape.ok && scrape.value.type === 'scrape' && scrape.value.counts.length !== 74) {
    throw new Error('expected a count, or none, for each of 74 hashes');
  }
  const tiers = [['udp://a:1'], ['udp://b:1']];
  const announcer = new Announcer({
    tiers,
    hashes: [HASH],
    peerId: HASH,
    port: 1,
    rng: new Rng(1),
  });
  announcer.start(0);
  // Cut into two datagrams: one for the connect, one for what follows.
  const cut = bytes.length === 0 ? 0 : bytes[bytes.length - 1]! % bytes.length;
  for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    const request = announcer.poll();
    if (request?.type !== 'udp') continue;
    const datagram = concatBytes(part, new Uint8Array(Math.max(0, 8 - part.length)));
    announcer.handleUdpReply(0, request.requestId, datagram);
    writeU32(datagram, 4, request.requestId);
    announcer.handleUdpReply(0, request.requestId, datagram);
  }
  const nextMs = announcer.nextTimeoutMs();
  if (!(nextMs >= 15_000 && nextMs <= 86_400_000)) throw new Error(`next timeout in ${nextMs} ms`);
}

/** The target; the last byte chooses where to cut. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'tracker-udp',
  seeds: [
    `${'\0'.repeat(8)}connecti\0\0\0\x01\0\0\0\0\0\0\x07\x08\0\0\0\x01\0\0\0\x02\xc0\0\x02\x01\x1a\xe1\x10`,
    `${'\0'.repeat(8)}connecti\0\0\0\x03\0\0\0\0unknown torrent\x10`,
    '\0\0\0\x03\0\0\0\0busy\x0b',
    '\0\0\0\x02\0\0\0\0',
    '',
  ].map(fromLatin1),
  run: fuzz,
};
