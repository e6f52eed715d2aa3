/** BEP 40, canonical peer priority: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { crc32c } from '../../src/lib/crc32c.ts';
import { formatIp, parseIp } from '../../src/lib/ip-address.ts';
import { peerPriority } from '../../src/protocol/swarm/peer-priority.ts';

function priority(a: string, b: string, portA = 6881, portB = 6882): number {
  const value = peerPriority({ ip: parseIp(a)!, port: portA }, { ip: parseIp(b)!, port: portB });
  assert.ok(value !== undefined);
  return value;
}

/** The checksum of bytes in hexadecimal. */
function checksum(hex: string): number {
  return crc32c(fromHex(hex)!);
}

/** What an IPv6 address leaves of itself when its first `wholeBytes` count in full. */
function maskedV6(text: string, wholeBytes: number): string {
  const ip = parseIp(text)!;
  return toHex(ip.map((byte, at) => (at < wholeBytes ? byte : byte & 0x55)));
}

describe('BEP 40', () => {
  it('"If the client is 123.213.32.10 and the peer is 98.76.54.32, the hash that they should both arrive at is crc32-c(624C14007BD50000) or ec2d7224."', () => {
    assert.equal(checksum('624C14007BD50000'), 0xec2d7224);
    assert.equal(priority('123.213.32.10', '98.76.54.32'), 0xec2d7224);
    assert.equal(priority('98.76.54.32', '123.213.32.10'), 0xec2d7224);
  });

  it('"If the client is 123.213.32.10 and the peer is 123.213.32.234, the hash that they should both arrive at is […] 99568189."', () => {
    assert.equal(checksum('7BD5200A7BD520EA'), 0x99568189);
    assert.equal(priority('123.213.32.10', '123.213.32.234'), 0x99568189);
    assert.equal(priority('123.213.32.234', '123.213.32.10'), 0x99568189);
  });

  it('"If the IP addresses are the same, the port numbers (16-bit integers) should be used instead"', () => {
    assert.equal(priority('10.0.0.1', '10.0.0.1', 0x1234, 0x0056), checksum('00561234'));
    assert.equal(priority('10.0.0.1', '10.0.0.1', 0x0056, 0x1234), checksum('00561234'));
    assert.equal(priority('2001:db8::1', '2001:db8::1', 7, 9), checksum('00070009'));
  });

  it('"For an IPv4 address, the mask to be used should be FF.FF.55.55 unless the IP addresses are in the same /16. In that case, the mask to be used should be FF.FF.FF.55."', () => {
    assert.equal(priority('230.12.255.255', '230.11.255.255'), checksum('e60b5555e60c5555'));
    assert.equal(priority('230.12.123.255', '230.12.23.255'), checksum('e60c1755e60c7b55'));
  });

  it('"If the IP addresses are in the same /24, the entire address should be used (mask FF.FF.FF.FF)."', () => {
    assert.equal(priority('230.12.123.3', '230.12.123.1'), checksum('e60c7b01e60c7b03'));
  });

  it('"For an IPv6 address, the mask should be derived in the same way, beginning with FFFF:FFFF:FFFF:5555:5555:5555:5555:5555."', () => {
    const [a, b] = ['2001:db8:1:ffff:ffff:ffff:ffff:ffff', '2001:db8:2:ffff::1'];
    assert.equal(maskedV6(a, 6), '20010db8000155555555555555555555');
    assert.equal(priority(a, b), checksum(maskedV6(a, 6) + maskedV6(b, 6)));
  });

  it('"If the IP addresses are in the same /48, the mask to be used should be FFFF:FFFF:FFFF:FF55:5555:5555:5555:5555. If the IP addresses are in the same /56, the mask to be used should be FFFF:FFFF:FFFF:FFFF:5555:5555:5555:5555, etc..."', () => {
    const near = ['2001:db8:1:01ff::ff', '2001:db8:1:02ff::ff'] as const;
    assert.equal(maskedV6(near[0], 7), '20010db8000101550000000000000055');
    assert.equal(priority(...near), checksum(maskedV6(near[0], 7) + maskedV6(near[1], 7)));
    const nearer = ['2001:db8:1:0101::ff', '2001:db8:1:0102::ff'] as const;
    assert.equal(priority(...nearer), checksum(maskedV6(nearer[0], 8) + maskedV6(nearer[1], 8)));
    const nearest = ['2001:db8::01', '2001:db8::02'] as const;
    assert.equal(
      priority(...nearest),
      checksum(maskedV6(nearest[0], 16) + maskedV6(nearest[1], 16)),
    );
  });

  it('addresses of different families have no priority, and an IPv4 address in IPv6 form is IPv4', () => {
    const [v4, v6] = [parseIp('10.0.0.1')!, parseIp('2001:db8::1')!];
    assert.equal(peerPriority({ ip: v4, port: 1 }, { ip: v6, port: 1 }), undefined);
    assert.equal(formatIp(parseIp('::ffff:10.0.0.1')!), '10.0.0.1');
  });
});
