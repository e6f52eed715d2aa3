/**
 * What a torrent's link holds, and which peers and web seeds it has: all are read off its source and what the user added.
 * @module
 */
import { resolveHost } from '../io/dns.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { formatMagnet } from '../protocol/metainfo/index.ts';
import { parseEndpoint } from './address.ts';
import type { TorrentHost } from './torrent-host.ts';
import { tiersOf } from './torrent-trackers.ts';
import type { AddOptions, InfoHashes } from './torrent-types.ts';
import type { WebSeedPlan } from './web-seeds.ts';

/** A magnet link. @param peers listening addresses to put in. */
export function linkOf(
  { source, trackers, webSeeds = [] }: AddOptions,
  { infoHashV1, infoHashV2 }: InfoHashes,
  displayName: string,
  peers: readonly { readonly host: string; readonly port: number }[],
): string {
  return formatMagnet({
    ...(infoHashV1 === undefined ? {} : { infoHashV1 }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
    displayName,
    trackers: tiersOf(source, trackers).flat(),
    webSeeds: [...new Set([...webSeedsOf(source), ...webSeeds])],
    peers,
  });
}

/** The addresses of each peer that the user named. @throws {AppError} for what is no address, or may not be contacted. */
export async function* givenPeersOf(
  peers: readonly string[],
  policy: ReachPolicy,
): AsyncGenerator<readonly Endpoint[]> {
  for (const text of peers) {
    const { host, port } = parseEndpoint(text, '--peer');
    const addresses = await resolveHost(host, policy);
    yield addresses.map(({ address }) => ({ host: address, port }));
  }
}

/** The web seeds of a torrent and how they may be asked. */
export function webSeedPlanOf(host: TorrentHost, options: AddOptions): WebSeedPlan {
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
