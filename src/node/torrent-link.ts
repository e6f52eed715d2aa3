/**
 * What a torrent's link holds, which peers and web seeds it has, and what it is remembered by: all are read off its source and what the user added.
 * @module
 */
import path from 'node:path';
import { resolveHost } from '../io/dns.ts';
import type { Endpoint } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { formatMagnet, type Info, VERSION_TRAITS } from '../protocol/metainfo/index.ts';
import type { Swarm } from '../protocol/swarm/index.ts';
import { parseEndpoint } from './address.ts';
import { nodeError } from './errors.ts';
import { ResumeStore } from './resume.ts';
import type { NodePlane, SwarmService, SwarmServiceOptions } from './swarm-service.ts';
import type { RateLimits } from './torrent-gates.ts';
import type { TorrentHost } from './torrent-host.ts';
import type { TorrentTrackersOptions } from './torrent-trackers.ts';
import type { AddOptions, InfoHashes } from './torrent-types.ts';
import type { WebSeedPlan } from './web-seeds.ts';

/** Where a torrent's resume data is. */
export function resumeStoreOf(
  { home }: TorrentHost,
  { dir, isRemembered }: AddOptions,
  { infoHashV1, infoHashV2 }: InfoHashes,
): ResumeStore {
  return new ResumeStore(home, (infoHashV1 ?? infoHashV2)!, dir, isRemembered);
}

/** A torrent's own limits at its start. */
export function limitsOf(options: AddOptions): RateLimits {
  return {
    downloadBytesPerSec: options.downloadLimitBytesPerSec ?? 0,
    uploadBytesPerSec: options.uploadLimitBytesPerSec ?? 0,
  };
}

/** What is told of a torrent's name and hashes by what there is of it. */
export function hashesOf({ source }: AddOptions, info: Info | undefined): InfoHashes {
  return info ?? (source.kind === 'metainfo' ? source.metainfo.info : source.magnet);
}

export function nameOf({ source }: AddOptions, info: Info | undefined): string {
  if (info !== undefined) return info.name;
  if (source.kind === 'metainfo') return source.metainfo.info.name;
  const { infoHashV1, infoHashV2, displayName } = source.magnet;
  return displayName ?? toHex((infoHashV1 ?? infoHashV2)!);
}

/** The trackers of a torrent, as far as its source and the user say. */
export function trackersOf({
  source,
  trackers,
  tiers,
}: AddOptions): Pick<TorrentTrackersOptions, 'source' | 'added' | 'tiers'> {
  return { source, added: trackers ?? [], ...(tiers === undefined ? {} : { tiers }) };
}

/** A magnet link. @param peers listening addresses to put in. */
export function linkOf(
  { source, webSeeds = [] }: AddOptions,
  trackers: readonly string[],
  { infoHashV1, infoHashV2 }: InfoHashes,
  displayName: string,
  peers: readonly { readonly host: string; readonly port: number }[],
): string {
  return formatMagnet({
    ...(infoHashV1 === undefined ? {} : { infoHashV1 }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
    displayName,
    trackers,
    webSeeds: [...new Set([...webSeedsOf(source), ...webSeeds])],
    peers,
  });
}

/** Gives a torrent the peers that are known before anybody was asked. @throws {AppError} for what is no address, or may not be contacted. */
export async function addFirstPeers(
  host: TorrentHost,
  options: AddOptions,
  service: SwarmService,
): Promise<void> {
  const usesKept = options.isDiscovering !== false && !service.swarm.isPrivate;
  for await (const { peers, source } of firstPeersOf(host, options, usesKept)) {
    service.addPeers(peers, source);
  }
}

/** Peers that are known before anybody was asked. */
interface FirstPeers {
  readonly peers: readonly Endpoint[];
  readonly source: 'magnet' | 'kept' | 'given';
}

/**
 * The peers of the link, of earlier runs, and those that the user named.
 * @param usesKept false for a private torrent, whose peers its tracker alone may tell (BEP 27).
 * @throws {AppError} for what is no address, or may not be contacted.
 */
async function* firstPeersOf(
  { policy, peerMemory }: TorrentHost,
  { source, peers = [], secure }: AddOptions,
  usesKept: boolean,
): AsyncGenerator<FirstPeers> {
  if (secure !== undefined) {
    const ids = secure.peers.map((peerId) => ({ host: peerId, port: 1 }));
    yield { peers: ids, source: 'given' };
    return;
  }
  if (source.kind === 'magnet') yield { peers: source.magnet.peers, source: 'magnet' };
  if (usesKept) yield { peers: peerMemory.peersOf(memoryKeyOf(source)), source: 'kept' };
  for (const text of peers) {
    yield { peers: await givenPeers([text], policy, '--peer'), source: 'given' };
  }
}

/** The addresses of peers that a person named. @param what they were given as. @throws {AppError} for what is no address, or may not be contacted. */
export async function givenPeers(
  texts: readonly string[],
  policy: TorrentHost['policy'],
  what: string,
): Promise<Endpoint[]> {
  const found = await Promise.all(
    texts.map(async (text) => {
      const { host, port } = parseEndpoint(text, what);
      if (port === 0 || host === '0.0.0.0' || host === '::') {
        const expected = 'where a peer listens, as in 192.0.2.7:6881 or [2001:db8::7]:6881';
        throw nodeError('ERR_CONFIG', { what, expected, got: JSON.stringify(text) });
      }
      const addresses = await resolveHost(host, policy);
      return addresses.map(({ address }) => ({ host: address, port }));
    }),
  );
  return found.flat();
}

/** How the core of a torrent runs, as far as its source and the user say. */
export function serviceOptionsOf(
  host: TorrentHost,
  options: AddOptions,
  { infoHashV1, infoHashV2 }: InfoHashes,
): Omit<SwarmServiceOptions, 'onEvent' | 'onDiskFault'> {
  return {
    plane: isUnhashed(options) ? transferPlane(host.plane) : host.plane,
    peerId: host.peerId,
    clientName: host.clientName,
    listenPort: host.listenPort,
    ...dhtPortOf(host, options),
    usesPeerExchange: options.isDiscovering !== false && options.usesPeerExchange !== false,
    usesMetadataExchange: !isUnhashed(options),
    admits: options.admits,
    ...secureOptionsOf(host, options),
    webSeeds: webSeedPlanOf(host, options),
    ...(host.localHost === undefined ? {} : { localHost: host.localHost }),
    ...(infoHashV1 === undefined ? {} : { infoHashV1 }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
  };
}

/** To a secure swarm an address is a peer id. */
function secureOptionsOf(
  host: TorrentHost,
  { secure }: AddOptions,
): Pick<SwarmServiceOptions, 'admits' | 'connect'> {
  if (secure === undefined) return {};
  return {
    admits: ({ provenId }) => provenId !== undefined && secure.admits(provenId),
    connect: (address, signal) => host.openWire(address.host, signal),
  };
}

/** Options as a torrent keeps them. A secure swarm leaves trackers, DHT, local discovery, peer exchange and web seeds alone. */
export function settledOptions(options: AddOptions): AddOptions {
  const dir = path.resolve(options.dir);
  if (options.secure === undefined) return { ...options, dir };
  const off = { isDiscovering: false, usesPeerExchange: false, usesWebSeeds: false };
  return { ...options, ...off, dir, peers: [] };
}

/**
 * Who sends a person files knows who that is: rules against strangers who take much, come often or crowd would only keep a receiver out that fetches all
 * again, or that comes by a relay.
 */
function transferPlane(plane: NodePlane): NodePlane {
  return { ...plane, isExempt: () => true, standingOf: () => 0 };
}

/** The web seeds of a torrent and how they may be asked. */
function webSeedPlanOf(host: TorrentHost, options: AddOptions): WebSeedPlan {
  const { source, webSeeds = [], usesWebSeeds = true } = options;
  return {
    urls: usesWebSeeds ? webSeedsOf(source) : [],
    given: usesWebSeeds ? webSeeds : [],
    isFromPublic: source.isFromPublic === true,
    policy: host.policy,
    gate: host.webSeedGate,
    userAgent: host.clientName,
  };
}

function webSeedsOf(source: AddOptions['source']): readonly string[] {
  return source.kind === 'metainfo' ? source.metainfo.webSeeds : source.magnet.webSeeds;
}

/** What the peers of a torrent are remembered by: the hash that it was asked for with, in hex. */
function memoryKeyOf(source: AddOptions['source']): string {
  const { infoHashV1, infoHashV2 } =
    source.kind === 'metainfo' ? source.metainfo.info : source.magnet;
  return toHex((infoHashV1 ?? infoHashV2)!);
}

/** True for the files of a transfer between two people, which have no hashes. */
export function isUnhashed({ source }: AddOptions): boolean {
  return source.kind === 'metainfo' && VERSION_TRAITS[source.metainfo.info.version].isUnhashed;
}

/** The port of the DHT that peers are told of. */
function dhtPortOf({ dht }: TorrentHost, options: AddOptions): { readonly dhtPort?: number } {
  const dhtPort = dht?.port(4) ?? dht?.port(6);
  const isPrivate = options.source.kind === 'metainfo' && options.source.metainfo.info.isPrivate;
  return dhtPort === undefined || isPrivate || options.isDiscovering === false ? {} : { dhtPort };
}

/** Remembers who was met; of private torrents nobody, since their trackers alone may name peers (BEP 27). */
export function noteProven(
  { peerMemory }: TorrentHost,
  source: AddOptions['source'],
  swarm: Swarm,
): void {
  if (!swarm.isPrivate) peerMemory.note(memoryKeyOf(source), swarm.provenPeers());
}
