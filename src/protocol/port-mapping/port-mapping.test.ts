import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromHex, fromLatin1, toHex, writeU16, writeU32 } from '../../lib/bytes.ts';
import {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodeAddMapping,
  encodeDeleteMapping,
  encodePcpMap,
  encodePmpAddress,
  encodePmpMap,
  encodeSearches,
  type MappingRequest,
  parseActionAnswer,
  parseDescription,
  parseExternalAddress,
  parseSearchAnswer,
} from './index.ts';

const REQUEST: MappingRequest = {
  transport: 'tcp',
  internalPort: 6881,
  externalPort: 7000,
  lifetimeSeconds: 7200,
};
const END = { ...REQUEST, lifetimeSeconds: 0 };
const NONCE = fromHex('000102030405060708090a0b')!;
const codeOf = (answer: { ok: boolean; code?: string }): string =>
  answer.ok ? 'ok' : String(answer.code);

/** What a gateway of PCP answers. */
function pcpAnswer(result: number, change: (bytes: Uint8Array) => void = () => {}): Uint8Array {
  const bytes = encodePcpMap(REQUEST, '192.168.1.2', NONCE);
  bytes[1] = 0x81;
  bytes[3] = result;
  bytes.fill(0, 8, 24);
  writeU32(bytes, 4, 3600);
  writeU16(bytes, 42, 7001);
  bytes.set(fromHex('00000000000000000000ffffcb007105')!, 44);
  change(bytes);
  return bytes;
}

describe('PCP', () => {
  it('RFC 6887 sections 7.1 and 11.1: the request, byte for byte', () => {
    assert.equal(
      toHex(encodePcpMap(REQUEST, '192.168.1.2', NONCE)),
      [
        '02010000',
        '00001c20',
        '00000000000000000000ffffc0a80102',
        '000102030405060708090a0b',
        '06000000',
        '1ae1',
        '1b58',
        '00000000000000000000ffff00000000',
      ].join(''),
    );
    const end = encodePcpMap({ ...END, transport: 'udp' }, '2001:db8::2', NONCE);
    assert.equal(toHex(end.subarray(4, 24)), '0000000020010db8000000000000000000000002');
    assert.equal(toHex(end.subarray(36)), `110000001ae10000${'00'.repeat(16)}`);
    assert.throws(() => encodePcpMap(REQUEST, 'router', NONCE), RangeError);
    assert.throws(() => encodePcpMap(REQUEST, '192.168.1.2', NONCE.subarray(1)), RangeError);
  });

  it('an answer counts when it is to what was asked', () => {
    const granted = decodePcpMap(pcpAnswer(0), REQUEST, NONCE);
    const value = { externalPort: 7001, externalHost: '203.0.113.5', lifetimeSeconds: 3600 };
    assert.deepEqual(granted, { ok: true, value });
    for (const bytes of [
      pcpAnswer(0, (b) => b.fill(9, 24, 25)),
      pcpAnswer(0, (b) => b.fill(17, 36, 37)),
      pcpAnswer(0, (b) => b.fill(0, 40, 41)),
      pcpAnswer(0, (b) => b.fill(0, 42, 44)),
      pcpAnswer(0, (b) => b.fill(1, 1, 2)),
      pcpAnswer(0).subarray(0, 59),
      pcpAnswer(0).subarray(0, 56),
      concatBytes(pcpAnswer(0), new Uint8Array(1_200)),
      new Uint8Array(0),
    ]) {
      assert.equal(codeOf(decodePcpMap(bytes, REQUEST, NONCE)), 'ERR_MAPPING_ANSWER', toHex(bytes));
    }
  });

  it('a refusal says why; one of the version, in the form of PCP or of NAT-PMP, lets the older protocol be tried', () => {
    const refused = decodePcpMap(pcpAnswer(8), REQUEST, NONCE);
    assert(!refused.ok && refused.code === 'ERR_MAPPING_REFUSED');
    assert.match(refused.message, /no ports left/);
    const odd = decodePcpMap(pcpAnswer(200), REQUEST, NONCE);
    assert(!odd.ok && /result 200/.test(odd.message));
    for (const bytes of [
      pcpAnswer(1),
      pcpAnswer(0, (b) => b.fill(3, 0, 1)),
      fromHex('0000000100000000')!,
    ]) {
      assert.equal(codeOf(decodePcpMap(bytes, REQUEST, NONCE)), 'ERR_MAPPING_VERSION');
    }
  });
});

describe('NAT-PMP', () => {
  it('RFC 6886 sections 3.2 and 3.3: the requests, byte for byte', () => {
    assert.equal(toHex(encodePmpAddress()), '0000');
    assert.equal(toHex(encodePmpMap(REQUEST)), '000200001ae11b5800001c20');
    assert.equal(toHex(encodePmpMap({ ...END, transport: 'udp' })), '000100001ae1000000000000');
  });

  it('answers are read; those to something else, cut or refused are not taken', () => {
    const granted = decodePmpMap(fromHex('00820000000000011ae11b5900000e10')!, REQUEST);
    assert.deepEqual(granted, { ok: true, value: { externalPort: 7001, lifetimeSeconds: 3600 } });
    const address = decodePmpAddress(fromHex('0080000000000001cb007105')!);
    assert.deepEqual(address, { ok: true, value: '203.0.113.5' });
    for (const [hex, code] of [
      ['00820000000000011ae21b5900000e10', 'ERR_MAPPING_ANSWER'],
      ['00810000000000011ae11b5900000e10', 'ERR_MAPPING_ANSWER'],
      ['00820000000000011ae1000000000e10', 'ERR_MAPPING_ANSWER'],
      ['00820000000000011ae11b5900000e', 'ERR_MAPPING_ANSWER'],
      ['', 'ERR_MAPPING_ANSWER'],
      ['0082000200000001', 'ERR_MAPPING_REFUSED'],
      ['0082000100000001', 'ERR_MAPPING_VERSION'],
      ['02820001', 'ERR_MAPPING_VERSION'],
    ] as const) {
      assert.equal(codeOf(decodePmpMap(fromHex(hex)!, REQUEST)), code, hex);
    }
    assert.equal(
      codeOf(decodePmpAddress(fromHex('0080000000000001cb0071')!)),
      'ERR_MAPPING_ANSWER',
    );
    assert.equal(codeOf(decodePmpAddress(fromHex('0080000300000001')!)), 'ERR_MAPPING_REFUSED');
  });
});

describe('UPnP', () => {
  const FROM = '192.168.1.1';
  const answer = (location: string, st = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1') =>
    fromLatin1(`HTTP/1.1 200 OK\r\nST: ${st}\r\nEXT:\r\nLocation: ${location}\r\n\r\n`);
  const urlOf = (location: string, st?: string): string => {
    const url = parseSearchAnswer(answer(location, st), FROM);
    return url.ok ? url.value : url.code;
  };
  const service = (type: string, control: string): string =>
    `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><SCPDURL>/x</SCPDURL><controlURL>${control}</controlURL></service>`;
  const describeIt = (inside: string) =>
    parseDescription(
      fromLatin1(`<?xml version="1.0"?><root>${inside}</root>`),
      `http://${FROM}:5000/dir/root.xml?x=1`,
      FROM,
    );
  const controlOf = (inside: string): string => {
    const found = describeIt(inside);
    return found.ok
      ? `${found.value.type.split(':').slice(-2).join(':')} ${found.value.controlUrl}`
      : found.code;
  };

  it('searches for gateways of both versions', () => {
    const [first, second] = encodeSearches('239.255.255.250').map((bytes) =>
      String.fromCharCode(...bytes),
    );
    assert.equal(
      first,
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
    );
    assert.match(second!, /InternetGatewayDevice:2\r\n\r\n$/);
  });

  it('an answer counts only with an http URL at the address that it came from', () => {
    assert.equal(urlOf(`http://${FROM}:5000/root.xml`), `http://${FROM}:5000/root.xml`);
    assert.equal(urlOf(`http://${FROM}`), `http://${FROM}:80/`);
    for (const location of [
      'http://192.168.1.2/root.xml',
      'http://127.0.0.1/root.xml',
      'http://router/root.xml',
      `https://${FROM}/root.xml`,
      `http://user@${FROM}/`,
      `http://${FROM}@192.168.1.2/`,
      `http://${FROM}:0/`,
      `http://${FROM}:99999/`,
      `http://${FROM}/a b`,
      `http://${FROM}/${'a'.repeat(2_000)}`,
      '/root.xml',
      '',
    ]) {
      assert.equal(urlOf(location), 'ERR_MAPPING_ANSWER', location);
    }
    assert.equal(urlOf(`http://${FROM}/`, 'upnp:rootdevice'), 'ERR_MAPPING_ANSWER');
    const notify = fromLatin1(`NOTIFY * HTTP/1.1\r\nLOCATION: http://${FROM}/\r\n\r\n`);
    assert(!parseSearchAnswer(notify, FROM).ok);
    assert(!parseSearchAnswer(new Uint8Array(5_000), FROM).ok);
    const six = parseSearchAnswer(answer('http://[fd00:0::1]:80/x'), 'fd00::1');
    assert.deepEqual(six, { ok: true, value: 'http://[fd00::1]:80/x' });
  });

  it('of the services of a description the best one is taken, wherever it stands, at the same address', () => {
    const both = service('WANPPPConnection:1', '/ppp') + service('WANIPConnection:1', '/ip');
    assert.equal(controlOf(both), `WANIPConnection:1 http://${FROM}:5000/ip`);
    assert.equal(
      controlOf(both + service('WANIPConnection:2', 'ctl?a=1&amp;b=2')),
      `WANIPConnection:2 http://${FROM}:5000/dir/ctl?a=1&b=2`,
    );
    const base = `<URLBase>http://${FROM}:49152</URLBase>`;
    assert.equal(controlOf(base + both), `WANIPConnection:1 http://${FROM}:49152/ip`);
    const foreign = service('WANIPConnection:1', 'http://10.0.0.1/ctl');
    assert.equal(controlOf(foreign), 'ERR_MAPPING_ANSWER');
    assert.equal(controlOf(`<URLBase>http://10.0.0.1/</URLBase>${both}`), 'ERR_MAPPING_ANSWER');
    assert.equal(controlOf(service('Layer3Forwarding:1', '/l3')), 'ERR_MAPPING_REFUSED');
    assert.equal(controlOf(''), 'ERR_MAPPING_REFUSED');
  });

  it('actions say what they are to do, and answers what came of it', () => {
    const type = 'urn:schemas-upnp-org:service:WANIPConnection:1';
    const at = { type, controlUrl: `http://${FROM}:80/` };
    const add = encodeAddMapping(at, REQUEST, '192.168.1.2');
    assert.equal(add.headers['SOAPAction'], `"${type}#AddPortMapping"`);
    assert.match(
      String.fromCharCode(...add.body),
      /<u:AddPortMapping xmlns:u="[^"]*:1"><NewRemoteHost><\/NewRemoteHost><NewExternalPort>7000<.*<NewProtocol>TCP<.*<NewInternalPort>6881<.*<NewInternalClient>192\.168\.1\.2<.*<NewLeaseDuration>7200</,
    );
    const end = encodeDeleteMapping(at, { ...END, transport: 'udp' });
    assert.match(String.fromCharCode(...end.body), /7000<\/NewExternalPort><NewProtocol>UDP</);

    const fault = (code: number): Uint8Array =>
      fromLatin1(
        `<s:Fault><UPnPError><errorCode>${code}</errorCode><errorDescription>No\x1b[1m</errorDescription></UPnPError></s:Fault>`,
      );
    assert.equal(codeOf(parseActionAnswer(500, fault(718))), 'ERR_MAPPING_CONFLICT');
    assert.equal(codeOf(parseActionAnswer(500, fault(725))), 'ERR_MAPPING_PERMANENT_ONLY');
    const refused = parseActionAnswer(500, fault(606));
    assert(!refused.ok && refused.message === 'the router refuses: error 606 No?[1m');
    assert(!parseActionAnswer(404, new Uint8Array(0)).ok);
    const said = (host: string): string =>
      `<u:R xmlns:u="x"><NewExternalIPAddress>${host}</NewExternalIPAddress></u:R>`;
    assert.deepEqual(parseExternalAddress(said('203.0.113.5')), { ok: true, value: '203.0.113.5' });
    for (const host of ['', 'router', '0x7f.1']) assert(!parseExternalAddress(said(host)).ok);
  });

  it('takes whatever a network sends without a throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const text = fromLatin1(
          `<service><controlURL>${a}</controlURL>${b}`.replace(/[^\0-\xff]/g, '?'),
        );
        assert(!parseDescription(text, a, FROM).ok);
        assert(!parseSearchAnswer(text, FROM).ok);
      }),
    );
  });
});
