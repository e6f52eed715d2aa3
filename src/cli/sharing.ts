/**
 * What commands that give files have in common: torrents made and seeded, links told, waiting for the end.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  createTorrent,
  formatEndpoint,
  hexHashes,
  makeFolder,
  type PeerNode,
  type Torrent,
  type WebPlace,
  type WebSeedServer,
} from '../node/api/index.ts';
import { listOption, type OptionValues, textOption } from './command.ts';
import { discoveryOf } from './options.ts';
import { countOf, type Output } from './output.ts';
import type { SwarmChoice } from './secure-swarm.ts';
import { waitUntil } from './session.ts';

/** What sharing needs of its command. */
export interface SharingContext {
  readonly output: Output;
  readonly options: OptionValues;
  readonly signal: AbortSignal;
  readonly web?: WebSeedServer | undefined;
  /** Whom it is shared with; default: everybody. */
  readonly swarm?: SwarmChoice;
  /** The torrent's link is not the one to hand on. Default false. */
  readonly isLinkHidden?: boolean;
}

/** Makes a torrent of a file or folder, keeps it below the home, seeds it and tells its link. */
export async function shareTarget(
  node: PeerNode,
  target: string,
  { output, options, signal, web, swarm, isLinkHidden = false }: SharingContext,
): Promise<Torrent> {
  const place = web?.reserve(path.basename(path.resolve(target)));
  const created = await createTorrent(target, {
    trackers: listOption(options, 'tracker').map((url) => [url]),
    webSeeds: [...listOption(options, 'web-seed'), ...(place?.urls ?? [])],
    signal,
    onProgress: (doneBytes, totalBytes) => output.bar('Hashing', doneBytes, totalBytes),
  });
  const file = path.join(node.home, 'torrents', `${keyOf(created.metainfo.info)}.torrent`);
  makeFolder(path.dirname(file));
  fs.writeFileSync(file, created.bytes);
  const torrent = await node.add({
    source: { kind: 'metainfo', metainfo: created.metainfo },
    dir: created.dir,
    mode: 'seed',
    isFresh: true,
    // It has everything, and its own server is one of them.
    usesWebSeeds: false,
    ...discoveryOf(options),
    trackers: listOption(options, 'tracker'),
    ...swarm?.options,
  });
  place?.serve(torrent);
  announce(node, torrent, output, { file, place, isLinkHidden });
  return torrent;
}

function keyOf(info: { infoHashV1?: Uint8Array; infoHashV2?: Uint8Array }): string {
  const { infoHashV1, infoHashV2 } = hexHashes(info);
  return (infoHashV1 ?? infoHashV2)!;
}

/** The server of `--web`; undefined without the option. */
export async function openWeb(
  node: PeerNode,
  options: OptionValues,
): Promise<WebSeedServer | undefined> {
  const listen = textOption(options, 'web');
  return listen === undefined ? undefined : await node.serveWeb(listen);
}

/** Tells the link of a torrent that is seeded. */
export function announce(
  node: PeerNode,
  torrent: Torrent,
  output: Output,
  {
    file,
    place,
    isLinkHidden = false,
  }: {
    readonly file?: string;
    readonly place: WebPlace | undefined;
    readonly isLinkHidden?: boolean;
  },
): void {
  const endpoints = node.reachableEndpoints;
  const magnet = torrent.magnet(endpoints);
  output.event({
    type: 'seeding',
    name: torrent.name,
    ...hexHashes(torrent.infoHashes),
    magnet,
    listen: formatEndpoint(node.endpoint),
    ...(file === undefined ? {} : { torrent: file }),
    ...(place === undefined ? {} : { web: place.urls }),
  });
  if (!isLinkHidden) output.result(magnet);
  output.note(
    `Seeding ${torrent.name} on ${endpoints.map(formatEndpoint).join(', ')}; Ctrl-C stops.`,
  );
  if (place !== undefined) output.note(`Serving it over HTTP below ${place.urls.join(', ')}.`);
}

/** Shows how the seeding goes, until the signal aborts. */
export async function serve(node: PeerNode, output: Output, signal: AbortSignal): Promise<void> {
  await waitUntil(signal, () => {
    const first = node.torrents[0];
    if (first !== undefined) {
      const status = first.status();
      output.status(
        () =>
          `Seeding ${countOf(node.torrents.length, 'torrent')} · ${countOf(status.peers.length, 'peer')} on ${status.name}`,
      );
    }
    return false;
  });
}

/** How to go on after an interruption. */
export function goOnSharing(): string {
  return 'Stopped. Run the same command again to go on seeding.';
}
