/**
 * `starling share` and `starling seed`: give files to whoever asks, until interrupted.
 * @module
 */
import { readSource } from '../../node/api/index.ts';
import { type CommandSpec, type OptionValues, textOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { nodeToUse, seedByNode, shareByNode } from '../handover.ts';
import { discoveryOf, NODE_OPTIONS, nodeOptionsOf, outputOf, WEB_OPTION } from '../options.ts';
import { followTorrent } from '../progress.ts';
import { SECURE_OPTION, swarmOf } from '../secure-swarm.ts';
import { withPeerNode } from '../session.ts';
import { announce, goOnSharing, openWeb, serve, shareTarget } from '../sharing.ts';

/** `starling share`. */
export const shareCommand: CommandSpec = {
  name: 'share',
  argument: 'path…',
  summary: 'make torrents of files or folders and seed them; prints the magnet links',
  options: {
    tracker: { value: 'url', isRepeatable: true, help: 'a tracker to announce to' },
    'web-seed': { value: 'url', isRepeatable: true, help: 'a web seed to put into the torrent' },
    ...WEB_OPTION,
    ...SECURE_OPTION,
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
    ...SECURE_OPTION,
    ...NODE_OPTIONS,
  },
  run: ([text], options) => seed(text!, options),
};

async function share(paths: readonly string[], options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const running = await nodeToUse(options, output);
  if (running !== undefined) {
    await shareByNode(running, paths, options, output);
    return;
  }
  await withPeerNode(nodeOptionsOf(options), output, goOnSharing, async (node, signal) => {
    const web = await openWeb(node, options);
    const swarm = await swarmOf(node, options, output);
    const context = { output, options, signal, web, swarm };
    for (const target of paths) await shareTarget(node, target, context);
    await serve(node, output, signal).finally(swarm.close);
  });
}

async function seed(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const running = await nodeToUse(options, output, ['secure']);
  if (running !== undefined) {
    await seedByNode(running, text, options, output);
    return;
  }
  await withPeerNode(nodeOptionsOf(options), output, goOnSharing, async (node, signal) => {
    const source = await readSource(text, node.policy);
    if (source.kind === 'magnet') {
      throw usageError(
        'seed: expected a torrent file; with a magnet link use "get", which seeds too.',
      );
    }
    const web = await openWeb(node, options);
    const place = web?.reserve(source.metainfo.info.name);
    const swarm = await swarmOf(node, options, output);
    const torrent = node.prepare({
      source,
      webSeeds: place?.urls ?? [],
      usesWebSeeds: false,
      dir: textOption(options, 'dir')!,
      mode: 'seed',
      ...discoveryOf(options),
      ...swarm.options,
    });
    const unfollow = followTorrent(torrent, output);
    try {
      await torrent.start();
      place?.serve(torrent);
      announce(node, torrent, output, { place });
      await serve(node, output, signal);
    } finally {
      unfollow();
      swarm.close();
    }
  });
}
