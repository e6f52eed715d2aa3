/**
 * HTTP tracker replies: any status and body, straight and through an Announcer.
 * @module
 */
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { Announcer, parseHttpReply, parseHttpScrape } from '../../src/protocol/tracker/index.ts';

const HASH = new Uint8Array(20);

function fuzz(bytes: Uint8Array): void {
  const status = bytes[0] === undefined || bytes[0] < 250 ? 200 : 500;
  const body = bytes.subarray(1);
  const reply = parseHttpReply(status, body);
  if (reply.ok && reply.value.type === 'announce') {
    if (reply.value.peers.length > 2000) throw new Error('expected at most 2000 peers');
    for (const { host, port } of reply.value.peers) {
      if (host.length > 255 || port < 1 || port > 65_535)
        throw new Error(`bad peer ${host} ${port}`);
    }
  }
  const scrape = parseHttpScrape(status, body, [HASH]);
  if (scrape.ok && scrape.value.type === 'scrape' && scrape.value.counts.length !== 1) {
    throw new Error('expected a count, or none, for each hash');
  }
  const tiers = [['http://a/announce'], ['http://b/announce']];
  const announcer = new Announcer({
    tiers,
    hashes: [HASH],
    peerId: HASH,
    port: 1,
    rng: new Rng(1),
  });
  announcer.start(0);
  const request = announcer.poll();
  if (request?.type !== 'http') throw new Error('expected a request');
  announcer.handleHttpReply(0, request.requestId, { status, body });
  const nextMs = announcer.nextTimeoutMs();
  if (!(nextMs >= 15_000 && nextMs <= 86_400_000)) throw new Error(`next timeout in ${nextMs} ms`);
}

/** The target; the first byte chooses the status. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'tracker-http',
  seeds: [
    ' d8:completei1e10:incompletei2e8:intervali1800e12:min intervali60e5:peers6:\x01\x02\x03\x04\x05\x06e',
    ' d8:intervali60e5:peersld2:ip9:192.0.2.14:porti80eed2:ip4:host4:porti1eeee',
    ' d8:intervali60e6:peers618:\x20\x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50e',
    ' d14:failure reason4:busy8:retry in1:5e',
    ' d14:failure reason4:gone8:retry in5:nevere',
    ' d8:intervali60e5:peers0:10:tracker id3:abc15:warning message3:olde',
    '\xff<html>not found</html>',
  ].map(fromLatin1),
  run: fuzz,
};
