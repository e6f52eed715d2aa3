/**
 * `starling share` and `starling seed`: give files to whoever asks, until interrupted.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  createTorrent,
  formatEndpoint,
  hexHashes,
  type PeerNode,
  readSource,
  type Torrent,
  type WebPlace,
  type WebSeedServer,
} from '../../node/api/index.ts';
import {
  type CommandSpec,
  listOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { usageError } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf, WEB_OPTION } from '../options.ts';
import type { Output } from '../output.ts';
import { followTorrent } from '../progress.ts';
import { waitUntil, withPeerNode } from '../session.ts';

/** `starling share`. */
export const shareCommand: CommandSpec = {
  name: 'share',
  argument: 'path…',
  summary: 'make torrents of files or folders and seed them; prints the magnet links',
  options: {
    tracker: { value: 'url', isRepeatable: true, help: 'a tracker to announce to' },
    'web-seed': { value: 'url', isRepeatable: true, help: 'a web seed to put into the torrent' },
    ...WEB_OPTION,
    ...NODE_OPTIONS,
  },
  run: share,
};

/** `starling seed`. */
export const seedCommand: CommandSpec = {
  name: 'seed',
  argument: 'torrent',
  summary: 'seed a torrent whose files are here',
  options: {
    dir: { value: 'dir', isRequired: true, help: "the folder that holds the torrent's top name" },
    peer: { value: 'host:port', isRepeatable: true, help: 'a peer to connect to' },
    ...WEB_OPTION,
    ...NODE_OPTIONS,
  },
  run: ([text], options) => seed(text!, options),
};

async function share(paths: readonly string[], options: OptionValues): Promise<void> {
  const output = outputOf(options);
  await withPeerNode(nodeOptionsOf(options), output, goOnSharing, async (node, signal) => {
    const web = await openWeb(node, options);
    for (const target of paths) {
      const place = web?.reserve(path.basename(path.resolve(target)));
      const created = await createTorrent(target, {
        trackers: listOption(options, 'tracker').map((url) => [url]),
        webSeeds: [...listOption(options, 'web-seed'), ...(place?.urls ?? [])],
        signal,
        onProgress: (doneBytes, totalBytes) => output.bar('Hashing', doneBytes, totalBytes),
      });
      const file = path.join(node.home, 'torrents', `${keyOf(created.metainfo.info)}.torrent`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, created.bytes);
      const torrent = await node.add({
        source: { kind: 'metainfo', metainfo: created.metainfo },
        dir: created.dir,
        mode: 'seed',
        isFresh: true,
        // It has everything, and its own server is one of them.
        usesWebSeeds: false,
        isDiscovering: !switchOption(options, 'no-discovery'),
        trackers: listOption(options, 'tracker'),
      });
      place?.serve(torrent);
      announce(node, torrent, output, { file, place });
    }
    await serve(node, output, signal);
  });
}

async function seed(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  await withPeerNode(nodeOptionsOf(options), output, goOnSharing, async (node, signal) => {
    const source = await readSource(text, node.policy);
    if (source.kind === 'magnet') {
      throw usageError(
        'seed: expected a torrent file; with a magnet link use "get", which seeds too.',
      );
    }
    const web = await openWeb(node, options);
    const place = web?.reserve(source.metainfo.info.name);
    const torrent = node.prepare({
      source,
      webSeeds: place?.urls ?? [],
      usesWebSeeds: false,
      dir: textOption(options, 'dir')!,
      peers: listOption(options, 'peer'),
      mode: 'seed',
      isDiscovering: !switchOption(options, 'no-discovery'),
    });
    const unfollow = followTorrent(torrent, output);
    try {
      await torrent.start();
      place?.serve(torrent);
      announce(node, torrent, output, { place });
      await serve(node, output, signal);
    } finally {
      unfollow();
    }
  });
}

function keyOf(info: { infoHashV1?: Uint8Array; infoHashV2?: Uint8Array }): string {
  const { infoHashV1, infoHashV2 } = hexHashes(info);
  return (infoHashV1 ?? infoHashV2)!;
}

async function openWeb(node: PeerNode, options: OptionValues): Promise<WebSeedServer | undefined> {
  const listen = textOption(options, 'web');
  return listen === undefined ? undefined : await node.serveWeb(listen);
}

function announce(
  node: PeerNode,
  torrent: Torrent,
  output: Output,
  { file, place }: { readonly file?: string; readonly place: WebPlace | undefined },
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
  output.result(magnet);
  output.note(
    `Seeding ${torrent.name} on ${endpoints.map(formatEndpoint).join(', ')}; Ctrl-C stops.`,
  );
  if (place !== undefined) output.note(`Serving it over HTTP below ${place.urls.join(', ')}.`);
}

async function serve(node: PeerNode, output: Output, signal: AbortSignal): Promise<void> {
  await waitUntil(signal, () => {
    const first = node.torrents[0];
    if (first !== undefined) {
      const status = first.status();
      output.status(
        () =>
          `Seeding ${node.torrents.length} torrent(s) · ${status.peers.length} peers on ${status.name}`,
      );
    }
    return false;
  });
}

function goOnSharing(): string {
  return 'Stopped. Run the same command again to go on seeding.';
}
