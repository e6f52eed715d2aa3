/**
 * Conversations with a gateway: by PCP, by NAT-PMP, by UPnP; each finds out whether the gateway speaks it and maps one port at a time.
 *
 * What comes from another address than the gateway's is no answer. UPnP's router is who answers a search from within this machine's own network; with a gateway
 * that is known or named, that one alone. Nobody is contacted but the gateway, at addresses that the policy allows.
 * Bounds: the times below; the codecs' (src/protocol/port-mapping). Not here: which port, when again (port-mapping.ts).
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { LocalNetwork } from '../io/default-gateway.ts';
import { httpGet, httpPost } from '../io/http.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import { openUdp } from '../io/udp.ts';
import { fail, ok, type Result } from '../lib/errors.ts';
import {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodeAddMapping,
  encodeDeleteMapping,
  encodeGetExternalAddress,
  encodePcpMap,
  encodePmpAddress,
  encodePmpMap,
  encodeSearches,
  FIRST_WAIT_MS,
  GATEWAY_PORT,
  type GrantedMapping,
  MAX_XML_BYTES,
  type MappingRequest,
  NONCE_BYTES,
  type PortMappingErrorCode,
  parseActionAnswer,
  parseDescription,
  parseExternalAddress,
  parseSearchAnswer,
  SSDP_GROUP,
  SSDP_PORT,
  SSDP_TTL,
  type UpnpAction,
  type UpnpService,
} from '../protocol/port-mapping/index.ts';
import { CLIENT_NAME } from './config.ts';

// Implementation limits
/** Requests by UDP before a gateway counts as silent: 1.75 s in all. RFC 6886 has nine, over two minutes; who has to wait so long finds no peers. */
const MAX_TRIES = 3;
/** How long a router may take for an answer by HTTP. */
const HTTP_MS = 4_000;
/** How long answers to a search are waited for; searches are sent at its beginning and middle. */
const SEARCH_MS = 2_000;

/** How ports are mapped. */
export type MappingProtocol = 'PCP' | 'NAT-PMP' | 'UPnP';

type Answer<T> = Result<T, PortMappingErrorCode>;

/** A gateway that can be asked. */
export interface GatewayClient {
  readonly protocol: MappingProtocol;
  /** Its address in this network. */
  readonly gateway: string;
  /** Maps a port, renews it, or ends it (lifetime 0). */
  map(request: MappingRequest): Promise<Answer<GrantedMapping>>;
  /** Its address outside. */
  externalHost(): Promise<Answer<string>>;
}

/** Where a gateway is asked from. */
export interface GatewayPlace {
  /** The network of this machine that it is in. */
  readonly network: LocalNetwork;
  /** The gateway, when it is known. */
  readonly gateway: string | undefined;
  readonly policy: ReachPolicy;
  readonly signal: AbortSignal;
}

/** PCP: the external address comes with each mapping. */
export function pcpClient(place: GatewayPlace, gateway: string): GatewayClient {
  const nonces = new Map<string, Uint8Array>();
  let external: string | undefined;
  return {
    protocol: 'PCP',
    gateway,
    map: async (request) => {
      const key = `${request.transport} ${request.internalPort}`;
      const nonce = nonces.get(key) ?? new Uint8Array(randomBytes(NONCE_BYTES));
      nonces.set(key, nonce);
      const bytes = encodePcpMap(request, place.network.address, nonce);
      const answer = await ask(place, gateway, bytes, (reply) =>
        decodePcpMap(reply, request, nonce),
      );
      if (answer.ok) external = answer.value.externalHost;
      return answer;
    },
    externalHost: async () =>
      external === undefined ? fail('ERR_MAPPING_ANSWER', 'no mapping was made yet') : ok(external),
  };
}

/** NAT-PMP. */
export function pmpClient(place: GatewayPlace, gateway: string): GatewayClient {
  return {
    protocol: 'NAT-PMP',
    gateway,
    map: (request) =>
      ask(place, gateway, encodePmpMap(request), (reply) => decodePmpMap(reply, request)),
    externalHost: () => ask(place, gateway, encodePmpAddress(), decodePmpAddress),
  };
}

/** Sends a request until an answer comes. */
async function ask<T>(
  { network, policy, signal }: GatewayPlace,
  gateway: string,
  bytes: Uint8Array,
  read: (reply: Uint8Array) => Result<T, PortMappingErrorCode>,
): Promise<Answer<T>> {
  const silence = fail('ERR_MAPPING_SILENCE', `${gateway} does not answer`);
  if (!policy.allowsAddress(gateway) || signal.aborted) return silence;
  let settle: (answer: Answer<T>) => void = () => {};
  const answered = new Promise<Answer<T>>((resolve) => {
    settle = resolve;
  });
  const socket = await openUdp({
    host: network.address,
    port: 0,
    onMessage: (reply, from) => {
      if (from.address !== gateway || from.port !== GATEWAY_PORT) return;
      const answer = read(reply);
      if (answer.ok || answer.code !== 'ERR_MAPPING_ANSWER') settle(answer);
    },
    onError: () => settle(silence),
  }).catch(() => undefined);
  if (socket === undefined) return silence;
  // Closed while the socket opened.
  if (signal.aborted) settle(silence);
  const onAbort = (): void => settle(silence);
  signal.addEventListener('abort', onAbort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const send = (tries: number): void => {
    socket.send(bytes, gateway, GATEWAY_PORT);
    const next = tries + 1 < MAX_TRIES ? () => send(tries + 1) : () => settle(silence);
    timer = setTimeout(next, FIRST_WAIT_MS * 2 ** tries);
  };
  send(0);
  try {
    return await answered;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    await socket.close();
  }
}

/** Looks for a router that speaks UPnP; undefined when none answers. */
export async function findUpnp(place: GatewayPlace): Promise<Answer<GatewayClient>> {
  const found = await search(place);
  if (found === undefined) {
    return fail('ERR_MAPPING_SILENCE', 'no router answers a search by UPnP');
  }
  const { url, from } = found;
  const options = { ...httpOptions(place, from), timeoutMs: HTTP_MS, maxBytes: MAX_XML_BYTES };
  const reply = await httpGet(url, { ...options, maxRedirects: 0 }).catch(() => undefined);
  if (reply?.status !== 200) {
    return fail('ERR_MAPPING_ANSWER', `the router ${from} does not show its description`);
  }
  const service = parseDescription(reply.body, url, from);
  return service.ok ? ok(upnpClient(place, from, service.value)) : service;
}

function upnpClient(place: GatewayPlace, from: string, service: UpnpService): GatewayClient {
  const run = async ({ headers, body }: UpnpAction): Promise<Answer<string>> => {
    const options = { ...httpOptions(place, from), timeoutMs: HTTP_MS, maxBytes: MAX_XML_BYTES };
    const reply = await httpPost(service.controlUrl, body, { ...options, headers }).catch(
      () => undefined,
    );
    return reply === undefined
      ? fail('ERR_MAPPING_SILENCE', `the router ${from} does not answer`)
      : parseActionAnswer(reply.status, reply.body);
  };
  return {
    protocol: 'UPnP',
    gateway: from,
    map: async (request) => {
      const { externalPort, lifetimeSeconds } = request;
      if (lifetimeSeconds === 0) {
        const ended = await run(encodeDeleteMapping(service, request));
        return ended.ok ? ok({ externalPort, lifetimeSeconds }) : ended;
      }
      const add = (each: MappingRequest): Promise<Answer<string>> =>
        run(encodeAddMapping(service, each, place.network.address));
      const added = await add(request);
      if (added.ok) return ok({ externalPort, lifetimeSeconds });
      if (added.code !== 'ERR_MAPPING_PERMANENT_ONLY') return added;
      const permanent = await add({ ...request, lifetimeSeconds: 0 });
      return permanent.ok ? ok({ externalPort, lifetimeSeconds: 0 }) : permanent;
    },
    externalHost: async () => {
      const answer = await run(encodeGetExternalAddress(service));
      return answer.ok ? parseExternalAddress(answer.value) : answer;
    },
  };
}

/** From the address that is to be mapped: careful routers map no other one than who asks. */
function httpOptions({ network, policy, signal }: GatewayPlace, from: string) {
  const allowUrl = (_: URL, address: string): boolean => address === from;
  return { userAgent: CLIENT_NAME, policy, signal, allowUrl, localAddress: network.address };
}

interface Router {
  readonly url: string;
  readonly from: string;
}

/** The router that answers: the known gateway as soon as it does, else the first one, when time is up. */
async function search(place: GatewayPlace): Promise<Router | undefined> {
  const { network, gateway, policy, signal } = place;
  // A search to everybody reaches whoever is there; offline only a gateway that was named may be asked.
  const target = policy.isOffline ? gateway : SSDP_GROUP;
  if (target === undefined || signal.aborted) return undefined;
  if (policy.isOffline && !policy.allowsAddress(target)) return undefined;
  let first: Router | undefined;
  let settle: () => void = () => {};
  const answered = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const socket = await openUdp({
    host: network.address,
    port: 0,
    multicastTtl: SSDP_TTL,
    onMessage: (bytes, { address }) => {
      const isExpected = gateway === undefined ? network.contains(address) : address === gateway;
      if (!isExpected || !policy.allowsAddress(address)) return;
      const url = parseSearchAnswer(bytes, address);
      if (url.ok) first ??= { url: url.value, from: address };
      if (first?.from === gateway) settle();
    },
    onError: settle,
  }).catch(() => undefined);
  if (socket === undefined) return undefined;
  if (signal.aborted) settle();
  const send = (): void => {
    for (const bytes of encodeSearches(target)) socket.send(bytes, target, SSDP_PORT);
  };
  send();
  const again = setTimeout(send, SEARCH_MS / 2);
  const end = setTimeout(settle, SEARCH_MS);
  signal.addEventListener('abort', settle, { once: true });
  await answered;
  clearTimeout(again);
  clearTimeout(end);
  signal.removeEventListener('abort', settle);
  await socket.close();
  return first;
}
