/**
 * `starling share` and `starling seed`: give files to whoever asks, until interrupted.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import {
  createTorrent,
  formatEndpoint,
  hexHashes,
  type PeerNode,
  readSource,
  type Torrent,
} from '../../node/api/index.ts';
import { usageError } from '../exit.ts';
import { collect, type NodeCommandOptions, withNode } from '../options.ts';
import { formatBar, Output } from '../output.ts';
import { followTorrent } from '../progress.ts';
import { waitUntil, withPeerNode } from '../session.ts';

interface ShareOptions extends NodeCommandOptions {
  readonly tracker: readonly string[];
}

interface SeedOptions extends NodeCommandOptions {
  readonly dir: string;
  readonly peer: readonly string[];
}

/** Adds both commands. */
export function addSeeding(program: Command): void {
  withNode(program.command('share <path...>'))
    .description('make torrents of files or folders and seed them; prints the magnet links')
    .option('--tracker <url>', 'a tracker to announce to; may be repeated', collect, [])
    .action(share);
  withNode(program.command('seed <torrent>'))
    .description('seed a torrent whose files are here')
    .requiredOption('--dir <dir>', "the folder that holds the torrent's top name")
    .option('--peer <host:port>', 'a peer to connect to; may be repeated', collect, [])
    .action(seed);
}

async function share(paths: readonly string[], options: ShareOptions): Promise<void> {
  const output = new Output(options);
  await withPeerNode(options, output, goOnSharing, async (node, signal) => {
    for (const target of paths) {
      const created = await createTorrent(target, {
        trackers: options.tracker.map((url) => [url]),
        signal,
        onProgress: (doneBytes, totalBytes) => {
          output.status((width) => {
            const share = doneBytes / Math.max(1, totalBytes);
            return `Hashing ${formatBar(share, Math.min(40, width - 20))} ${(share * 100).toFixed(0)} %`;
          });
        },
      });
      const file = path.join(node.home, 'torrents', `${keyOf(created.metainfo.info)}.torrent`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, created.bytes);
      const torrent = await node.add({
        source: { kind: 'metainfo', metainfo: created.metainfo },
        dir: created.dir,
        mode: 'seed',
        isFresh: true,
        isDiscovering: options.discovery,
        trackers: options.tracker,
      });
      announce(node, torrent, output, file);
    }
    await serve(node, output, signal);
  });
}

async function seed(text: string, options: SeedOptions): Promise<void> {
  const output = new Output(options);
  await withPeerNode(options, output, goOnSharing, async (node, signal) => {
    const source = await readSource(text, node.policy);
    if (source.kind === 'magnet') {
      throw usageError(
        'seed: expected a torrent file; with a magnet link use "get", which seeds too.',
      );
    }
    const torrent = node.prepare({
      source,
      dir: options.dir,
      peers: options.peer,
      mode: 'seed',
      isDiscovering: options.discovery,
    });
    const unfollow = followTorrent(torrent, output);
    try {
      await torrent.start();
      announce(node, torrent, output);
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

function announce(node: PeerNode, torrent: Torrent, output: Output, file?: string): void {
  const endpoints = node.reachableEndpoints;
  const magnet = torrent.magnet(endpoints);
  output.event({
    type: 'seeding',
    name: torrent.name,
    ...hexHashes(torrent.infoHashes),
    magnet,
    listen: formatEndpoint(node.endpoint),
    ...(file === undefined ? {} : { torrent: file }),
  });
  output.result(magnet);
  output.note(
    `Seeding ${torrent.name} on ${endpoints.map(formatEndpoint).join(', ')}; Ctrl-C stops.`,
  );
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
