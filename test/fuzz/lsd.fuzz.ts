/**
 * Announces of local discovery: any datagram, read alone and by a node that announces one of its info-hashes.
 * @module
 */
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { LocalDiscovery, parseAnnounce } from '../../src/protocol/lsd/index.ts';

const HEX = '0123456789abcdef0123456789abcdef01234567';
const HASH = fromLatin1(
  '\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67',
);

// One for all inputs: its memory must not grow with what it hears.
const discovery = new LocalDiscovery(0, new Rng(1));
discovery.add(0, HASH, 7000);
let nowMs = 0;

function fuzz(bytes: Uint8Array): void {
  const announce = parseAnnounce(bytes);
  if (announce.ok) {
    const { port, infoHashes, cookie = '' } = announce.value;
    if (!(port >= 1 && port <= 65_535)) throw new Error(`port ${port}`);
    if (infoHashes.length < 1 || infoHashes.length > 32) throw new Error('1–32 info-hashes');
    if (infoHashes.some(({ length }) => length !== 20)) throw new Error('info-hash of 20 bytes');
    if (cookie.length > 64) throw new Error('a cookie of at most 64 letters');
  }
  nowMs += 1_000;
  const host = `10.0.${bytes.length & 255}.${bytes[bytes.length - 1] ?? 0}`;
  discovery.handleDatagram(nowMs, bytes, host);
  const output = discovery.poll();
  if (output !== undefined && (output.type !== 'peer' || output.address.host !== host)) {
    throw new Error('expected the sender as a peer');
  }
  if (discovery.poll() !== undefined) throw new Error('expected one peer of one info-hash');
  if (discovery.peerCount > 200) throw new Error('expected at most 200 peers');
}

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'lsd',
  seeds: [
    `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${HEX}\r\ncookie: 5d3\r\n\r\n\r\n`,
    `BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 1\r\nInfohash: ${HEX}\r\nInfohash: ${'00'.repeat(20)}\r\n\r\n\r\n`,
    `bt-search * http/1.0\nport:65535\ninfohash:${HEX}`,
    'BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\n\r\n',
    '',
  ].map(fromLatin1),
  run: fuzz,
};
