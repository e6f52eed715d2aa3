/**
 * `starling publish`: seeds a file or folder as the newest version of a publication, a link that always leads to the newest one (BEP 46).
 * @module
 */
import path from 'node:path';
import {
  formatPublicationLink,
  keepPublished,
  PUBLISH_KEY_FILE,
  PublicationMemory,
  publicKeyOf,
  publisherSeed,
  publishVersion,
  toHex,
} from '../../node/api/dht.ts';
import { untilAborted } from '../../node/api/index.ts';
import { type CommandSpec, listOption, type OptionValues, textOption } from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import { saltOption } from '../salt.ts';
import { withPeerNode } from '../session.ts';
import { serve, shareTarget } from '../sharing.ts';

/** The command. */
export const publishCommand: CommandSpec = {
  name: 'publish',
  argument: 'path',
  summary: 'seed a file or folder under a link that always leads to the newest version',
  options: {
    salt: { value: 'text', help: 'one key has a publication for each; default: none' },
    key: {
      value: 'file',
      help: `the key that signs; default: ${PUBLISH_KEY_FILE} in STARLING_HOME`,
    },
    tracker: { value: 'url', isRepeatable: true, help: 'a tracker to announce to' },
    'web-seed': { value: 'url', isRepeatable: true, help: 'a web seed to put into the torrent' },
    ...NODE_OPTIONS,
  },
  run: ([target], options) => publish(target!, options),
};

async function publish(target: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const salt = saltOption(options);
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const { dht } = node;
    if (dht === undefined) throw usageError('publish: expected the DHT to be on.');
    const file = textOption(options, 'key') ?? path.join(node.home, PUBLISH_KEY_FILE);
    const seed = publisherSeed(node.home, file);
    const torrent = await shareTarget(node, target, {
      output,
      options,
      signal,
      isLinkHidden: true,
    });
    const { infoHashV1 } = torrent.infoHashes;
    const memory = new PublicationMemory(node.home);
    const publishing = publishVersion(dht, memory, { seed, salt }, infoHashV1!);
    const result = await untilAborted(signal, publishing);
    const link = formatPublicationLink({
      publicKey: publicKeyOf(seed),
      salt,
      displayName: torrent.name,
      trackers: listOption(options, 'tracker'),
      peers: [],
    });
    const { seq, stored } = result;
    const key = toHex(publicKeyOf(seed));
    output.event({ type: 'published', link, key, seq, infoHash: toHex(infoHashV1!), stored });
    if (stored === 0) {
      throw new CommandEnd('No node of the DHT took the item: try again in a while.', {
        exitCode: EXIT.failed,
      });
    }
    output.result(link);
    output.note(
      `Version ${seq} is published; "starling follow" with that link fetches it and all that come after.`,
    );
    void keepPublished(dht, () => result.item, signal);
    await serve(node, output, signal);
  });
}

function goOn(): string {
  return 'Stopped. Run the same command again to go on seeding, with other content to publish a new version.';
}
