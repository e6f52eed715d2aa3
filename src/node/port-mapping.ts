/**
 * The ports of this node in the router: mapped while it runs, renewed in time, ended with it; and the address that the router has outside.
 *
 * PCP, NAT-PMP and UPnP are tried in this order: the first two ask the gateway of the default route, which only Linux tells; UPnP finds its router by
 * itself. Never for a node that listens on loopback or in a network without the gateway, and offline only when a gateway was named whose subnet was given.
 * A gateway that refuses or is silent is asked again later. A mapping that the router forgets, as when it starts anew, comes back with the next renewal.
 * Bounds: one gateway, two mappings (TCP, UDP), one timer. Not here: IPv6, where no address is translated (a router's filter may still keep strangers out).
 * @module
 */
import { randomInt } from 'node:crypto';
import { defaultGateway, type LocalNetwork, localNetworks } from '../io/default-gateway.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { addressScope, parseIp } from '../lib/ip-address.ts';
import {
  LIFETIME_SECONDS,
  type MappingRequest,
  type Transport,
} from '../protocol/port-mapping/index.ts';
import { formatEndpoint } from './address.ts';
import {
  findUpnp,
  type GatewayClient,
  type MappingProtocol,
  pcpClient,
  pmpClient,
} from './gateway-client.ts';

// Implementation limits
/** First wait after a failure; it doubles up to MAX_RETRY_MS. */
const RETRY_MS = 60_000;
const MAX_RETRY_MS = 1_800_000;
/** Renewals come after half the time that was granted, and at the earliest after so long. */
const MIN_RENEW_MS = 30_000;
/** Other external ports that are tried when one is taken. */
const MAX_PORT_TRIES = 4;
/** How long the end of all mappings may hold up the end of the node. */
const END_MS = 2_500;
const FIRST_FREE_PORT = 1_024;

/** Options of a PortMapper. */
export interface PortMapperOptions {
  readonly policy: ReachPolicy;
  /** Where the node listens for TCP. */
  readonly listen: Endpoint;
  /** The port of its UDP socket of IPv4; undefined: none is mapped. */
  readonly udpPort: () => number | undefined;
  /** The gateway that the user named. Default: the one of the default route. */
  readonly gateway?: string | undefined;
  /** Default: this machine's. */
  readonly networks?: readonly LocalNetwork[];
  /** Heard whenever the picture changes. */
  readonly onChange?: () => void;
}

/** How it stands. */
export type PortMappingState =
  /** No gateway was found yet. */
  | 'searching'
  | 'mapped'
  /** It is tried again later. */
  | 'failed'
  /** There is nothing to map here. */
  | 'idle'
  | 'closed';

/** A picture of the moment. */
export interface PortMappingStatus {
  readonly state: PortMappingState;
  readonly protocol?: MappingProtocol;
  /** The gateway's address in this network. */
  readonly gateway?: string;
  /** The address outside, as the gateway says. */
  readonly externalHost?: string;
  readonly tcpPort?: number;
  readonly udpPort?: number;
  /** The gateway's own address is not of the public Internet: another translation stands before it. */
  readonly isBehindAnother?: boolean;
  /** Why there is no mapping. */
  readonly reason?: string;
}

interface Mapping {
  readonly request: MappingRequest;
  readonly lifetimeSeconds: number;
}

/** Keeps the ports of one node mapped. */
export class PortMapper {
  readonly #options: PortMapperOptions;
  readonly #abort = new AbortController();
  #status: PortMappingStatus = { state: 'searching' };
  #client: GatewayClient | undefined;
  readonly #mappings = new Map<Transport, Mapping>();
  #retryMs = RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(options: PortMapperOptions) {
    this.#options = options;
  }

  get status(): PortMappingStatus {
    return this.#status;
  }

  /** Begins, and returns at once. */
  start(): void {
    this.#work ??= this.#round();
  }

  /** Resolves when the first search is over, however it ended. */
  async settled(): Promise<PortMappingStatus> {
    if (this.#status.state !== 'searching') return this.#status;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#status;
  }

  /** Renews now what is mapped, or searches again: as after a change of the network. Resolves when that is over. */
  async refresh(): Promise<PortMappingStatus> {
    await this.#work;
    if (this.#status.state === 'closed') return this.#status;
    clearTimeout(this.#timer);
    this.#work = this.#round();
    await this.#work;
    return this.#status;
  }

  /** Ends the mappings; does not wait long for a gateway that is silent. */
  async close(): Promise<void> {
    if (this.#status.state === 'closed') return;
    clearTimeout(this.#timer);
    this.#tell({ state: 'closed' });
    // Nothing was mapped yet: there is nothing to end.
    if (this.#client === undefined) this.#abort.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, END_MS);
    });
    await Promise.race([this.#endAll(), late]);
    clearTimeout(timer);
    this.#abort.abort();
  }

  async #endAll(): Promise<void> {
    await this.#work;
    const client = this.#client;
    const ends = [...this.#mappings.values()].map(({ request }) =>
      client?.map({ ...request, lifetimeSeconds: 0 }),
    );
    this.#mappings.clear();
    await Promise.all(ends);
  }

  async #round(): Promise<void> {
    try {
      if (this.#client !== undefined && (await this.#renew(this.#client))) return;
      this.#client = undefined;
      this.#mappings.clear();
      await this.#search();
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  async #search(): Promise<void> {
    const { policy } = this.#options;
    const gateway = this.#options.gateway ?? (policy.isOffline ? undefined : defaultGateway());
    const network = this.#networkOf(gateway);
    if (network === undefined) {
      const reason = policy.isOffline
        ? 'offline, only a gateway is asked that is named (--gateway), in a subnet that is given (--listen)'
        : 'it does not listen in a network with a gateway';
      this.#tell({ state: 'idle', reason });
      // The network may come up after this program.
      this.#again(RETRY_MS);
      return;
    }
    const place = { network, gateway, policy, signal: this.#abort.signal };
    const reasons: string[] = [];
    if (gateway !== undefined) {
      for (const make of [pcpClient, pmpClient]) {
        const client = make(place, gateway);
        const reason = await this.#mapAll(client);
        if (reason === undefined || this.#isOver) return;
        reasons.push(`${client.protocol}: ${reason}`);
      }
    }
    const found = await findUpnp(place);
    const reason = found.ok ? await this.#mapAll(found.value) : found.message;
    if (reason === undefined || this.#isOver) return;
    this.#fail([...reasons, `UPnP: ${reason}`].join('; '));
  }

  get #isOver(): boolean {
    return this.#abort.signal.aborted;
  }

  /** The network of the gateway, if the node can be reached there. */
  #networkOf(gateway: string | undefined): LocalNetwork | undefined {
    const { policy, listen, networks = localNetworks() } = this.#options;
    if (gateway === undefined ? policy.isOffline : !policy.allowsAddress(gateway)) return undefined;
    const isAnywhere = listen.host === '0.0.0.0' || listen.host === '::';
    return networks.find(({ address, contains }) => {
      const isListening = isAnywhere || address === listen.host;
      if (gateway !== undefined) return isListening && contains(gateway);
      return isListening && addressScope(parseIp(address)!) === 'private';
    });
  }

  /** @returns why it failed; undefined when TCP is mapped. */
  async #mapAll(client: GatewayClient): Promise<string | undefined> {
    const { listen, udpPort } = this.#options;
    const reason = await this.#map(client, 'tcp', listen.port, listen.port);
    if (reason !== undefined) return reason;
    this.#client = client;
    const udp = udpPort();
    // The same number outside, where it can be: peers take the port of TCP for that of UDP.
    const wished = this.#mappings.get('tcp')!.request.externalPort;
    if (udp !== undefined) {
      await this.#map(client, 'udp', udp, udp === listen.port ? wished : udp);
    }
    await this.#mapped(client);
    return undefined;
  }

  async #map(
    client: GatewayClient,
    transport: Transport,
    internalPort: number,
    wished: number,
  ): Promise<string | undefined> {
    let externalPort = wished;
    let reason = '';
    for (let tries = 0; tries < MAX_PORT_TRIES; tries += 1) {
      const lifetimeSeconds = LIFETIME_SECONDS;
      const request = { transport, internalPort, externalPort, lifetimeSeconds };
      const answer = await client.map(request);
      if (answer.ok) {
        const granted = { ...request, externalPort: answer.value.externalPort };
        const { lifetimeSeconds: seconds } = answer.value;
        this.#mappings.set(transport, { request: granted, lifetimeSeconds: seconds });
        return undefined;
      }
      reason = answer.message;
      if (answer.code !== 'ERR_MAPPING_CONFLICT') break;
      externalPort = randomInt(FIRST_FREE_PORT, 65_536);
    }
    return reason;
  }

  /** @returns false when TCP could not be renewed. */
  async #renew(client: GatewayClient): Promise<boolean> {
    for (const [transport, { request }] of [...this.#mappings]) {
      const { internalPort, externalPort } = request;
      const reason = await this.#map(client, transport, internalPort, externalPort);
      if (reason !== undefined && transport === 'tcp') return false;
      if (reason !== undefined) this.#mappings.delete(transport);
    }
    await this.#mapped(client);
    return true;
  }

  async #mapped(client: GatewayClient): Promise<void> {
    this.#retryMs = RETRY_MS;
    const external = await client.externalHost();
    const ip = external.ok ? parseIp(external.value) : undefined;
    const [tcp, udp] = [this.#mappings.get('tcp'), this.#mappings.get('udp')];
    this.#tell({
      state: 'mapped',
      protocol: client.protocol,
      gateway: client.gateway,
      ...(external.ok ? { externalHost: external.value } : {}),
      ...(tcp === undefined ? {} : { tcpPort: tcp.request.externalPort }),
      ...(udp === undefined ? {} : { udpPort: udp.request.externalPort }),
      isBehindAnother: ip !== undefined && addressScope(ip) !== 'global',
    });
    const all = [...this.#mappings.values()];
    // No end: looked after as often as others, since routers forget.
    const seconds = all.map(({ lifetimeSeconds }) => lifetimeSeconds || LIFETIME_SECONDS);
    this.#again(Math.max(MIN_RENEW_MS, (Math.min(...seconds) * 1000) / 2));
  }

  #fail(reason: string): void {
    this.#tell({ state: 'failed', reason });
    this.#again(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  #again(waitMs: number): void {
    if (this.#isOver || this.#status.state === 'closed') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#work = this.#round();
    }, waitMs).unref();
  }

  #tell(status: PortMappingStatus): void {
    if (this.#status.state === 'closed') return;
    this.#status = status;
    for (const wake of this.#waiting.splice(0)) wake();
    this.#options.onChange?.();
  }
}

/** A status in words: "UPnP on 192.168.1.1 gave 203.0.113.5:6881". */
export function describeMapping(status: PortMappingStatus): string {
  const { state, protocol, gateway, externalHost, tcpPort, udpPort, reason } = status;
  if (state !== 'mapped') return reason ?? state;
  const where = formatEndpoint({ host: externalHost ?? 'an unknown address', port: tcpPort ?? 0 });
  const other = udpPort === undefined || udpPort === tcpPort ? '' : `, UDP port ${udpPort}`;
  const half = udpPort === undefined ? ' for TCP alone' : '';
  return `${protocol} on ${gateway} gave ${where}${other}${half}`;
}
