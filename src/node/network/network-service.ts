/**
 * The network as a service: who is connected by which way, the DHT, the doctor, what is revealed to whom.
 * @module
 */
import Type from 'typebox';
import {
  Connection,
  DhtFamily,
  Disclosure,
  Done,
  Finding,
  RelayState,
} from '../../contract/index.ts';
import { toHex } from '../../lib/bytes.ts';
import { printableLine } from '../../lib/printable.ts';
import { formatEndpoint } from '../address.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import type { RelayStatus } from '../channel/relay-server.ts';
import type { Contacts } from '../contacts.ts';
import type { TopicSource } from '../daemon/feed.ts';
import type { NodeService } from '../daemon/service.ts';
import { type Check, examine } from '../doctor.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';
import { type Mechanism, privacyPicture } from '../privacy.ts';
import { isPrivacySwitch, setPrivacy } from '../privacy-settings.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';
import { dhtItemRoutes } from './dht-item-routes.ts';

// Implementation limits
/** Connections in the picture. */
const MAX_SHOWN = 500;
/** Nodes of the DHT's neighbourhood in the picture. */
const NEIGHBOURS = 32;
/** Runs of the doctor with different trackers at a time. */
const MAX_EXAMINATIONS = 4;

const tags = ['network'];

/** What is needed of the rest of the node. */
export interface NetworkServiceOptions {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly torrents: TorrentService;
  readonly contacts: Contacts;
  readonly isListenGiven: boolean;
  /** What it does as a relay; undefined: it is none. */
  readonly relay: () => RelayStatus | undefined;
}

/** The service. */
export class NetworkService implements NodeService {
  readonly name = 'network';
  readonly #options: NetworkServiceOptions;
  /** Under way, by the trackers that are tested. */
  readonly #examinations = new Map<string, Promise<Finding[]>>();

  constructor(options: NetworkServiceOptions) {
    this.#options = options;
  }

  readonly topics: TopicSource = (name) => {
    if (name === 'connections') {
      return { name, rows: () => this.#connections().map((row) => [row.id, row] as const) };
    }
    if (name !== 'dht') return undefined;
    return { name, rows: () => this.#families().map((row) => [String(row.family), row] as const) };
  };

  routes(api: Api): void {
    api.get(
      '/connections',
      { schema: { tags, summary: 'Who is connected', response: { 200: Type.Array(Connection) } } },
      () => this.#connections(),
    );
    api.get(
      '/dht',
      { schema: { tags, summary: 'The DHT', response: { 200: Type.Array(DhtFamily) } } },
      () => this.#families(),
    );
    api.post(
      '/doctor',
      {
        schema: {
          tags,
          summary: 'Test how others are reached, and how they reach this node',
          querystring: Type.Object({
            tracker: Type.Optional(
              Type.Array(Type.String({ maxLength: 2048 }), {
                maxItems: 20,
                description: 'To be tested, too.',
              }),
            ),
          }),
          response: { 200: Type.Object({ findings: Type.Array(Finding) }) },
        },
      },
      async ({ query }) => ({ findings: await this.#examineOnce(query.tracker ?? []) }),
    );
    this.#relayRoute(api);
    this.#privacyRoutes(api);
    dhtItemRoutes(api, this.#options.node);
    api.get(
      '/reputation',
      {
        schema: {
          tags,
          summary: 'What is remembered of other hosts',
          response: { 200: Type.Array(Type.Record(Type.String(), Type.Unknown())) },
        },
      },
      () => this.#options.node.reputation.list().map((each) => ({ ...each })),
    );
    api.delete(
      '/reputation',
      { schema: { tags, summary: 'Forget all of it', response: { 200: Done } } },
      () => {
        this.#options.node.reputation.clear();
        return { ok: true as const };
      },
    );
  }

  #relayRoute(api: Api): void {
    api.get(
      '/relay',
      {
        schema: {
          tags,
          summary: 'What this node passes on for contacts who cannot reach each other',
          response: { 200: RelayState },
        },
      },
      () => {
        const status = this.#options.relay();
        const nothing = { reservations: 0, connections: 0, passedBytes: 0 };
        return { isServing: status !== undefined, ...nothing, ...status };
      },
    );
  }

  #privacyRoutes(api: Api): void {
    const { node, contacts } = this.#options;
    const response = { 200: Type.Object({ disclosures: Type.Array(Disclosure) }) };
    const picture = (): { disclosures: Disclosure[] } => {
      const { mechanisms } = privacyPicture(
        node.home,
        node.policy.isOffline,
        node.privacy(),
        contacts,
      );
      return { disclosures: mechanisms.map(disclosureOf) };
    };
    api.get(
      '/privacy',
      { schema: { tags, summary: 'What is revealed to whom', response } },
      picture,
    );
    api.patch(
      '/privacy',
      {
        schema: {
          tags,
          summary: 'Switch mechanisms on or off; a running node follows with its next start',
          body: Type.Record(Type.String(), Type.Boolean(), { maxProperties: 20 }),
          response,
        },
      },
      ({ body }) => {
        for (const name of Object.keys(body)) {
          if (isPrivacySwitch(name)) continue;
          const hint = 'GET /api/v1/privacy names those that can be switched';
          throw apiError('ERR_API_NOT_FOUND', { what: `switch "${name}"`, hint });
        }
        for (const [name, isOn] of Object.entries(body)) {
          if (isPrivacySwitch(name)) setPrivacy(node.home, name, isOn);
        }
        return picture();
      },
    );
  }

  /** Whoever asks for the same while it runs gets the same answer. @throws {AppError} ERR_API_TOO_MANY. */
  async #examineOnce(trackers: readonly string[]): Promise<Finding[]> {
    const key = trackers.join('\n');
    let running = this.#examinations.get(key);
    if (running === undefined) {
      if (this.#examinations.size >= MAX_EXAMINATIONS) {
        throw apiError('ERR_API_TOO_MANY', {
          what: 'tests of the network',
          most: MAX_EXAMINATIONS,
        });
      }
      running = this.#examine(trackers).finally(() => this.#examinations.delete(key));
      this.#examinations.set(key, running);
    }
    return await running;
  }

  async #examine(trackers: readonly string[]): Promise<Finding[]> {
    const { node, isListenGiven } = this.#options;
    const findings: Finding[] = [];
    const { lan: usesLocalDiscovery } = node.switches;
    for (const url of trackers) node.policy.give(url);
    for await (const check of examine(node, { trackers, isListenGiven, usesLocalDiscovery })) {
      findings.push(findingOf(check));
    }
    return findings;
  }

  #connections(): Connection[] {
    const { torrents, channels, contacts } = this.#options;
    const rows: Connection[] = channels.channels.map((channel) => ({
      id: `channel:${channel.peerId}`,
      kind: channel.path.kind === 'relay' ? 'relay' : 'channel',
      address: formatEndpoint(channel.path.remote),
      label: printableLine(contacts.byPeerId(channel.peerId)?.name ?? channel.peerId),
      source: channel.path.kind,
      isIncoming: !channel.isDialled,
      torrent: null,
      downloadBytesPerSec: 0,
      uploadBytesPerSec: 0,
    }));
    for (const entry of torrents.entries) {
      const { torrent } = entry;
      if (torrent === undefined || torrent.service.swarm.peerCount === 0) continue;
      for (const peer of torrent.status().peers) {
        if (rows.length >= MAX_SHOWN) return rows;
        rows.push({
          id: `${entry.id}:${peer.id}`,
          kind: peer.isWebSeed ? 'web-seed' : 'swarm',
          address: formatEndpoint(peer.address),
          label: printableLine(peer.client),
          source: peer.source,
          isIncoming: peer.isIncoming,
          torrent: entry.record.name,
          downloadBytesPerSec: Math.round(peer.downloadBytesPerSec),
          uploadBytesPerSec: Math.round(peer.uploadBytesPerSec),
        });
      }
    }
    return rows;
  }

  #families(): DhtFamily[] {
    const { dht } = this.#options.node;
    if (dht === undefined) return [];
    return dht.status().map(({ family, id, table, networkSize, totals }) => ({
      family,
      id: toHex(id),
      port: dht.port(family) ?? null,
      good: table.good,
      questionable: table.questionable,
      waiting: table.waiting,
      buckets: table.buckets,
      networkSize,
      queriesSent: totals.queriesSent,
      answersReceived: totals.answersReceived,
      timeouts: totals.timeouts,
      queriesReceived: totals.queriesReceived,
      nodes: dht.neighbours(family, NEIGHBOURS).map((node) => ({
        id: toHex(node.id),
        address: formatEndpoint(node),
        sharedBits: sharedBits(id, node.id),
        isGood: true,
      })),
    }));
  }
}

/** How many bits two ids begin with in common. */
function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at += 1) {
    const difference = a[at]! ^ b[at]!;
    if (difference !== 0) return at * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

const STATES = { ok: 'ok', warning: 'warning', failed: 'problem', skipped: 'unknown' } as const;

function findingOf({ name, status, finding, mend }: Check): Finding {
  return { what: name, state: STATES[status], text: finding, remedy: mend ?? null };
}

function disclosureOf(mechanism: Mechanism): Disclosure {
  return {
    name: mechanism.switch ?? mechanism.name,
    isOn: mechanism.state !== 'off',
    canSwitch: mechanism.switch !== undefined,
    what: mechanism.reveals.join(', '),
    toWhom: mechanism.to,
    when: mechanism.when,
    off: mechanism.offBy,
  };
}
