/**
 * What a torrent's link holds, and which web seeds it has: both are read off its source and what the user added.
 * @module
 */
import { formatMagnet } from '../protocol/metainfo/index.ts';
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
