/**
 * `starling get`: downloads a torrent, and seeds it afterwards when asked to.
 * @module
 */
import {
  type AppError,
  isPublicationLink,
  type PeerNode,
  readSource,
  type ShareLimits,
  type Summary,
  type Torrent,
  type TorrentSource,
  untilAborted,
} from '../../node/api/index.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { getByNode, nodeToUse } from '../handover.ts';
import {
  discoveryOf,
  NODE_OPTIONS,
  nodeOptionsOf,
  outputOf,
  WEB_SEED_OPTIONS,
} from '../options.ts';
import { formatBytes, formatSeconds, type Output } from '../output.ts';
import { followTorrent } from '../progress.ts';
import { SECURE_OPTION, swarmOf } from '../secure-swarm.ts';
import { waitUntil, withPeerNode } from '../session.ts';

// Implementation limits
/** How long a disk problem that may pass is waited for before the command gives up. */
const DISK_PATIENCE_MS = 20_000;
/** Problems that do not pass by themselves. */
const LASTING = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

/** The command. */
export const getCommand: CommandSpec = {
  name: 'get',
  argument: 'torrent',
  summary:
    'download a magnet link, a torrent file or the URL of one, or what is published behind a link',
  options: {
    dir: { value: 'dir', help: "the folder to put the torrent's top name into; default: here" },
    peer: { value: 'host:port', isRepeatable: true, help: 'a peer to connect to' },
    select: { value: 'pattern', isRepeatable: true, help: 'only files that match' },
    sequential: { help: 'fetch pieces in order' },
    sha256: {
      value: 'hex',
      help: 'what sha256sum says of the file; of a folder, see docs/protocol/send-transfer.md',
    },
    verbose: { help: 'tell of each peer: how it was found, why it failed or left' },
    'seed-ratio': { value: 'ratio', help: 'seed until so many times the size was given' },
    'seed-time': { value: 'seconds', help: 'seed for so long after completion' },
    'seed-idle': { value: 'seconds', help: 'seed until nobody took anything for so long' },
    ...WEB_SEED_OPTIONS,
    ...SECURE_OPTION,
    ...NODE_OPTIONS,
  },
  run: ([text], options) => get(text!, options),
};

async function get(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const dir = textOption(options, 'dir') ?? '.';
  const shareLimits = shareLimitsOf(options);
  const sha256 = digestOption(options);
  const running = await nodeToUse(options, output, ['secure', 'no-web-seeds']);
  if (running !== undefined) {
    await getByNode(running, text, options, output, shareLimits);
    return;
  }
  const goOn = (): string => 'Interrupted; what came is kept. Run the same command again to go on.';
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const source = await untilAborted(signal, sourceOf(text, node));
    const swarm = await swarmOf(node, options, output);
    const torrent = node.prepare({
      source,
      dir,
      select: listOption(options, 'select'),
      isSequential: switchOption(options, 'sequential'),
      ...discoveryOf(options),
      webSeeds: listOption(options, 'web-seed'),
      usesWebSeeds: !switchOption(options, 'no-web-seeds'),
      ...(shareLimits === undefined ? {} : { shareLimits }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...swarm.options,
    });
    const unfollow = followTorrent(torrent, output, {
      isVerbose: switchOption(options, 'verbose'),
    });
    const patience = new DiskPatience(torrent);
    try {
      const completed = torrent.completed({ signal: AbortSignal.any([signal, patience.signal]) });
      completed.catch(() => {});
      await torrent.start();
      const summary = await completed;
      report(output, summary, dir);
      if (shareLimits !== undefined) {
        output.event(summaryEvent(summary, torrent));
        // It ends itself when the first of its limits is reached.
        await waitUntil(signal, () => torrent.state === 'stopped');
      }
    } finally {
      const summary = torrent.summary;
      if (summary !== undefined) output.lastEvent(summaryEvent(summary, torrent));
      patience.end();
      unfollow();
      swarm.close();
    }
    // A problem with the goodbye must not hide that the download is complete.
    await torrent.stop();
  });
}

/** A link of a publisher (BEP 46) stands for the torrent that it put last. */
async function sourceOf(text: string, node: PeerNode): Promise<TorrentSource> {
  if (!isPublicationLink(text)) return await readSource(text, node.policy);
  const { newestSource } = await import('../../node/api/dht.ts');
  return await newestSource(text, node);
}

function report(output: Output, summary: Summary, dir: string): void {
  output.result(
    `${summary.name}: ${formatBytes(summary.bytes)} in ${formatSeconds(summary.seconds)} (${formatBytes(summary.bytesPerSec)}/s) from ${summary.peers} peer(s), in ${dir}`,
  );
}

/** Told at completion when seeding follows, and always at the very end. */
function summaryEvent(summary: Summary, torrent: Torrent): Readonly<Record<string, unknown>> {
  const { uploadedBytes } = torrent.status();
  return {
    type: 'summary',
    ...summary,
    rate: summary.bytesPerSec,
    wasted: summary.wastedBytes,
    uploadedBytes,
  };
}

/** @throws CommandEnd for what is no digest, or of files of which some are left out. */
function digestOption(options: OptionValues): Uint8Array | undefined {
  const text = textOption(options, 'sha256');
  if (text === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw usageError(`--sha256: expected 64 hex digits, as sha256sum prints them, got "${text}".`);
  }
  if (listOption(options, 'select').length > 0) {
    throw usageError('--sha256 is about all files: leave --select out.');
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** What the seed options say; undefined: no seeding. */
function shareLimitsOf(options: OptionValues): Omit<ShareLimits, 'action'> | undefined {
  const ratio = numberOption(options, 'seed-ratio', 0);
  const seedingSeconds = numberOption(options, 'seed-time', 0);
  const idleSeconds = numberOption(options, 'seed-idle', 0);
  if (ratio === undefined && seedingSeconds === undefined && idleSeconds === undefined) {
    return undefined;
  }
  return {
    ...(ratio === undefined ? {} : { ratio }),
    ...(seedingSeconds === undefined ? {} : { seedingSeconds }),
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
  };
}

/** Gives up on a disk problem: at once when it cannot pass, after DISK_PATIENCE_MS otherwise. */
class DiskPatience {
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(torrent: Torrent) {
    torrent.on('problem', ({ error, isFinal }) => {
      if (isFinal) return;
      if (LASTING.has(codeOf(error))) this.#giveUp(error);
      else this.#timer ??= setTimeout(() => this.#giveUp(error), DISK_PATIENCE_MS);
    });
    torrent.on('state', ({ state }) => {
      if (state !== 'error') this.end();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #giveUp(error: AppError): void {
    const message = `${error.message} What came is kept: run the same command again to go on.`;
    this.#abort.abort(new CommandEnd(message, { exitCode: EXIT.failed }));
  }
}

function codeOf(error: AppError): string {
  return (error.details as { code?: string } | undefined)?.code ?? '';
}
