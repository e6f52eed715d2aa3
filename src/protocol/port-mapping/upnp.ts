/**
 * UPnP Internet Gateway Devices: the search for them, their descriptions, and the three actions that map a port.
 *
 * Spec: UPnP Device Architecture 1.1 (sections 1.3.2 and 1.3.3: search; 2: description; 3: control), WANIPConnection:1 and :2, WANPPPConnection:1.
 * Only what the first versions have: routers of both versions know AddPortMapping, DeletePortMapping and GetExternalIPAddress.
 * Whoever answers may be anybody in the network: a URL counts only when its host is the very address that answered, so that nobody is made to ask others.
 * XML is not parsed but searched for the few elements that are needed: entities beyond XML's own five, namespaces and nesting mean nothing here.
 * Bounds: MAX_SSDP_BYTES, MAX_XML_BYTES, MAX_SERVICES, MAX_URL_CHARACTERS.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import {
  MAX_REASON_CHARACTERS,
  MAX_SERVICES,
  MAX_SSDP_BYTES,
  MAX_URL_CHARACTERS,
  MAX_XML_BYTES,
} from './constants.ts';
import type { PortMappingErrorCode } from './errors.ts';
import type { MappingRequest } from './types.ts';

// Specification constants
/** What is searched for: devices of both versions answer to the first. */
const SEARCH_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
] as const;
/** Services that map ports, the best first. */
const SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;
const MAX_WAIT_SECONDS = 1;
const CONFLICT = 718;
const PERMANENT_ONLY = 725;
const DESCRIPTION = 'Starling';

type Answer<T> = Result<T, PortMappingErrorCode>;

/** Where the actions of a router are asked for. */
export interface UpnpService {
  readonly type: string;
  /** http, at the address that answered. */
  readonly controlUrl: string;
}

/** A request, as HTTP carries it. */
export interface UpnpAction {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Searches, one datagram each. @param host where they are sent, with port 1900. */
export function encodeSearches(host: string): Uint8Array[] {
  return SEARCH_TARGETS.map((target) =>
    encodeUtf8(
      [
        'M-SEARCH * HTTP/1.1',
        `HOST: ${host}:1900`,
        'MAN: "ssdp:discover"',
        `MX: ${MAX_WAIT_SECONDS}`,
        `ST: ${target}`,
        '',
        '',
      ].join('\r\n'),
    ),
  );
}

/** The URL of the description that an answer to a search names. @param from the address that it came from. */
export function parseSearchAnswer(bytes: Uint8Array, from: string): Answer<string> {
  if (bytes.length > MAX_SSDP_BYTES) return malformed(`at most ${MAX_SSDP_BYTES} bytes`);
  const [status = '', ...lines] = decodeUtf8(bytes).split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/.test(status)) return malformed('an answer to a search');
  const headers = new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
      return name === '' ? [] : [[name, line.slice(colon + 1).trim()] as const];
    }),
  );
  if (!/:InternetGatewayDevice:\d+$/.test(headers.get('st') ?? '')) return malformed('a gateway');
  return urlAt(headers.get('location') ?? '', undefined, from);
}

/** The service of a router that maps ports, the best of them. @param url of the description. @param from the address that it came from. */
export function parseDescription(
  bytes: Uint8Array,
  url: string,
  from: string,
): Answer<UpnpService> {
  if (bytes.length > MAX_XML_BYTES) return malformed(`at most ${MAX_XML_BYTES} bytes`);
  const xml = decodeUtf8(bytes);
  const base = elementIn(xml, 'URLBase') ?? '';
  const services = new Map<string, string>();
  for (const [index, block] of xml.split(/<service>/i).entries()) {
    if (index === 0) continue;
    if (index > MAX_SERVICES) break;
    const inside = block.slice(0, block.search(/<\/service>/i));
    const type = elementIn(inside, 'serviceType');
    const control = elementIn(inside, 'controlURL');
    if (type !== undefined && control !== undefined && !services.has(type)) {
      services.set(type, control);
    }
  }
  for (const type of SERVICES) {
    const control = services.get(type);
    if (control === undefined) continue;
    const controlUrl = urlAt(control, base === '' ? url : base, from);
    return controlUrl.ok ? ok({ type, controlUrl: controlUrl.value }) : controlUrl;
  }
  return fail('ERR_MAPPING_REFUSED', 'the router has no service that maps ports');
}

/** Asks for the external address. */
export function encodeGetExternalAddress(service: UpnpService): UpnpAction {
  return encodeAction(service, 'GetExternalIPAddress', []);
}

/** Asks for a mapping. @param internalHost the address of this machine. */
export function encodeAddMapping(
  service: UpnpService,
  request: MappingRequest,
  internalHost: string,
): UpnpAction {
  return encodeAction(service, 'AddPortMapping', [
    ['NewRemoteHost', ''],
    ['NewExternalPort', request.externalPort],
    ['NewProtocol', request.transport.toUpperCase()],
    ['NewInternalPort', request.internalPort],
    ['NewInternalClient', internalHost],
    ['NewEnabled', 1],
    ['NewPortMappingDescription', DESCRIPTION],
    ['NewLeaseDuration', request.lifetimeSeconds],
  ]);
}

/** Asks for the end of a mapping. */
export function encodeDeleteMapping(service: UpnpService, request: MappingRequest): UpnpAction {
  return encodeAction(service, 'DeletePortMapping', [
    ['NewRemoteHost', ''],
    ['NewExternalPort', request.externalPort],
    ['NewProtocol', request.transport.toUpperCase()],
  ]);
}

/** Whether an action was done. @param status of HTTP. @returns what the router answered. */
export function parseActionAnswer(status: number, bytes: Uint8Array): Answer<string> {
  if (bytes.length > MAX_XML_BYTES) return malformed(`at most ${MAX_XML_BYTES} bytes`);
  const xml = decodeUtf8(bytes);
  if (status === 200) return ok(xml);
  const code = Number(elementIn(xml, 'errorCode') ?? Number.NaN);
  const words = (elementIn(xml, 'errorDescription') ?? '').slice(0, MAX_REASON_CHARACTERS);
  const said = words.replace(/[^\x20-\x7e]/g, '?');
  const what = Number.isInteger(code) ? `error ${code} ${said}`.trim() : `HTTP status ${status}`;
  const message = `the router refuses: ${what}`;
  if (code === CONFLICT) return fail('ERR_MAPPING_CONFLICT', message);
  if (code === PERMANENT_ONLY) return fail('ERR_MAPPING_PERMANENT_ONLY', message);
  return fail('ERR_MAPPING_REFUSED', message);
}

/** The address in an answer to `encodeGetExternalAddress`. */
export function parseExternalAddress(xml: string): Answer<string> {
  const ip = parseIp(elementIn(xml, 'NewExternalIPAddress') ?? '');
  return ip === undefined ? malformed('an external address') : ok(formatIp(ip));
}

function encodeAction(
  { type }: UpnpService,
  action: string,
  values: readonly (readonly [name: string, value: string | number])[],
): UpnpAction {
  const inside = values.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  const text = [
    '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ',
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
    `<u:${action} xmlns:u="${type}">${inside}</u:${action}></s:Body></s:Envelope>\r\n`,
  ].join('');
  const headers = {
    'Content-Type': 'text/xml; charset="utf-8"',
    SOAPAction: `"${type}#${action}"`,
  };
  return { headers, body: encodeUtf8(text) };
}

/** The text of the first element of a name, whatever its prefix. */
function elementIn(xml: string, name: string): string | undefined {
  const text = new RegExp(`<(?:[A-Za-z]\\w{0,15}:)?${name}(?: [^<>]{0,200})?>([^<]*)<`, 'i').exec(
    xml,
  )?.[1];
  if (text === undefined) return undefined;
  const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' } as const;
  return text
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, key: keyof typeof entities) => entities[key])
    .trim();
}

const HTTP_URL = /^http:\/\/([^/?#@]+)(\/[^\s#]*)?(?:#.*)?$/i;

/** A URL at one address. @param base what a relative one is relative to. */
function urlAt(text: string, base: string | undefined, host: string): Answer<string> {
  const isAbsolute = /^[a-z][a-z0-9+.-]*:/i.test(text);
  const origin = HTTP_URL.exec(isAbsolute ? text : (base ?? ''));
  const authority = origin?.[1] ?? '';
  const path = isAbsolute ? (origin?.[2] ?? '/') : pathFrom(origin?.[2] ?? '/', text);
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  const named = parseIp(port === undefined ? authority : authority.slice(0, -port.length - 1));
  const own = parseIp(host);
  const isSame = named !== undefined && own !== undefined && formatIp(named) === formatIp(own);
  const number = Number(port ?? 80);
  const isBounded = path.length <= MAX_URL_CHARACTERS && number >= 1 && number <= 65_535;
  if (!isSame || !isBounded || !/^[\x21-\x7e]+$/.test(path)) {
    return malformed('an http URL at the address that answered');
  }
  const bracketed = own.length === 16 ? `[${formatIp(own)}]` : formatIp(own);
  return ok(`http://${bracketed}:${number}${path}`);
}

function pathFrom(basePath: string, text: string): string {
  if (text.startsWith('/')) return text;
  const path = basePath.replace(/\?.*$/, '');
  return path.slice(0, path.lastIndexOf('/') + 1) + text;
}

function malformed(expected: string): Answer<never> {
  return fail('ERR_MAPPING_ANSWER', `expected ${expected}, got something else`);
}
