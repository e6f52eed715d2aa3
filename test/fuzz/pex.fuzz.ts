/** Any bytes as payload of a peer exchange message: no throw, bounded lists, and what was understood survives another round. */
import assert from 'node:assert/strict';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { formatIp, parseIp } from '../../src/lib/ip-address.ts';
import { decodePex, encodePex } from '../../src/protocol/peer-wire/index.ts';
import { mayName } from '../../src/protocol/swarm/hearsay.ts';

/** Read by the fuzz runner. */
export const target = {
  name: 'pex',
  seeds: [
    'd5:added0:e',
    'd5:added6:\x01\x02\x03\x04\x1a\xe17:added.f1:\x128:dropped612:abcdefghijklmnopqr',
    'd5:added12:\x7f\0\0\x01\x1a\xe1\x01\x02\x03\x04\0\x017:added.f2:\0\x02e',
    'd6:added618: \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe18:added6.f1:\x027:dropped6:\x01\x02\x03\x04\x1a\xe1e',
    'd8:dropped618:\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\x1a\xe1e',
  ].map(fromLatin1),
  run(bytes: Uint8Array): void {
    const decoded = decodePex(bytes);
    if (!decoded.ok) return;
    const { added, dropped } = decoded.value;
    assert.ok(added.length <= 1_000 && dropped.length <= 1_000);
    for (const { host, port } of [...added, ...dropped]) {
      assert.equal(formatIp(parseIp(host)!), host, 'one address has one form');
      assert.ok(port >= 0 && port <= 65_535);
      assert.equal(mayName('198.51.100.1', { host, port: 0 }), false);
    }
    if (added.length + dropped.length === 0) return;
    const again = decodePex(encodePex(decoded.value));
    assert.ok(again.ok);
    // An IPv4 address that came in IPv6 form goes among the IPv4 ones.
    assert.deepEqual(new Set(again.value.added), new Set(added));
    assert.equal(again.value.dropped.length, dropped.length);
  },
};
