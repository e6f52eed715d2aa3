/**
 * What gateways and whoever poses as one may send: the first byte tells which decoder gets the rest.
 */
import { concatBytes, fromHex, fromLatin1 } from '../../src/lib/bytes.ts';
import {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodePcpMap,
  NONCE_BYTES,
  parseActionAnswer,
  parseDescription,
  parseExternalAddress,
  parseSearchAnswer,
} from '../../src/protocol/port-mapping/index.ts';

const FROM = '192.168.1.1';
const NONCE = new Uint8Array(NONCE_BYTES);
const REQUEST = {
  transport: 'tcp',
  internalPort: 6881,
  externalPort: 7000,
  lifetimeSeconds: 7200,
} as const;

function expectOwnUrl(url: string): void {
  const { host, hostname, protocol, username } = new URL(url);
  if (hostname !== FROM || protocol !== 'http:' || username !== '') {
    throw new Error(`expected a URL at ${FROM}, got ${host}`);
  }
}

const DECODERS: readonly ((bytes: Uint8Array) => void)[] = [
  (bytes) => {
    const answer = decodePcpMap(bytes, REQUEST, NONCE);
    if (answer.ok && answer.value.externalPort === 0) throw new Error('expected a port');
  },
  (bytes) => {
    const answer = decodePmpMap(bytes, REQUEST);
    if (answer.ok && answer.value.externalPort === 0) throw new Error('expected a port');
  },
  (bytes) => void decodePmpAddress(bytes),
  (bytes) => {
    const url = parseSearchAnswer(bytes, FROM);
    if (url.ok) expectOwnUrl(url.value);
  },
  (bytes) => {
    const service = parseDescription(bytes, `http://${FROM}:5000/root.xml`, FROM);
    if (service.ok) expectOwnUrl(service.value.controlUrl);
  },
  (bytes) => {
    const answer = parseActionAnswer(bytes.length % 2 === 0 ? 200 : 500, bytes);
    if (answer.ok) parseExternalAddress(answer.value);
    else if (!/^[\x20-\x7e]*$/.test(answer.message)) throw new Error('expected a clean reason');
  },
];

const pcp = encodePcpMap(REQUEST, '192.168.1.2', NONCE);
pcp[1] = 0x81;

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'port-mapping',
  seeds: [
    pcp,
    fromHex('00820000000000011ae11b5900000e10')!,
    fromHex('0080000000000001cb007105')!,
    fromLatin1(
      `HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://${FROM}:5000/root.xml\r\n\r\n`,
    ),
    fromLatin1(
      `<root><URLBase>http://${FROM}:80/</URLBase><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL></service></root>`,
    ),
    fromLatin1(
      '<s:Fault><errorCode>718</errorCode><errorDescription>Conflict</errorDescription><NewExternalIPAddress>203.0.113.5</NewExternalIPAddress></s:Fault>',
    ),
  ].map((seed, index) => concatBytes(Uint8Array.of(index), seed)),
  run: (bytes) => DECODERS[(bytes[0] ?? 0) % DECODERS.length]!(bytes.subarray(1)),
};
