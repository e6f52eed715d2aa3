/**
 * `starling get`: downloads a torrent, and seeds it afterwards when asked to.
 * @module
 */
import type { Command } from 'commander';
import { type AppError, readSource, type Summary, type Torrent } from '../../node/api/index.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { collect, type NodeCommandOptions, numberOption, withNode } from '../options.ts';
import { formatBytes, formatSeconds, Output } from '../output.ts';
import { followTorrent } from '../progress.ts';
import { waitUntil, withPeerNode } from '../session.ts';

// Implementation limits
/** How long a disk problem that may pass is waited for before the command gives up. */
const DISK_PATIENCE_MS = 20_000;
/** Problems that do not pass by themselves. */
const LASTING = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

interface GetOptions extends NodeCommandOptions {
  readonly dir: string;
  readonly peer: readonly string[];
  readonly select: readonly string[];
  readonly sequential?: boolean;
  readonly seedRatio?: number;
  readonly seedTime?: number;
}

/** Adds the command. */
export function addGet(program: Command): void {
  withNode(program.command('get <torrent>'))
    .description('download a magnet link, a torrent file or the URL of one')
    .option('--dir <dir>', "the folder to put the torrent's top name into", '.')
    .option('--peer <host:port>', 'a peer to connect to; may be repeated', collect, [])
    .option('--select <pattern>', 'only files that match; may be repeated', collect, [])
    .option('--sequential', 'fetch pieces in order')
    .option(
      '--seed-ratio <ratio>',
      'seed until so many times the size was given',
      numberOption('--seed-ratio', 0),
    )
    .option(
      '--seed-time <seconds>',
      'seed for so long after completion',
      numberOption('--seed-time', 0),
    )
    .action((text: string, options: GetOptions) => get(text, options));
}

async function get(text: string, options: GetOptions): Promise<void> {
  const output = new Output(options);
  const goOn = (): string => 'Interrupted; what came is kept. Run the same command again to go on.';
  await withPeerNode(options, output, goOn, async (node, signal) => {
    const source = await readSource(text, node.policy);
    const torrent = node.prepare({
      source,
      dir: options.dir,
      peers: options.peer,
      select: options.select,
      isSequential: options.sequential === true,
      isDiscovering: options.discovery,
    });
    const unfollow = followTorrent(torrent, output);
    const patience = new DiskPatience(torrent);
    try {
      const completed = torrent.completed({ signal: AbortSignal.any([signal, patience.signal]) });
      completed.catch(() => {});
      await torrent.start();
      const summary = await completed;
      report(output, summary, options);
      await seedOn(torrent, summary, options, signal);
    } finally {
      patience.end();
      unfollow();
    }
    // A problem with the goodbye must not hide that the download is complete.
    await torrent.stop();
  });
}

function report(output: Output, summary: Summary, options: GetOptions): void {
  output.result(
    `${summary.name}: ${formatBytes(summary.bytes)} in ${formatSeconds(summary.seconds)} (${formatBytes(summary.bytesPerSec)}/s) from ${summary.peers} peer(s), in ${options.dir}`,
  );
  output.event({
    type: 'summary',
    ...summary,
    rate: summary.bytesPerSec,
    wasted: summary.wastedBytes,
  });
}

/** Seeds until the ratio or the time is reached, whichever comes first; not at all when neither was given. */
async function seedOn(
  torrent: Torrent,
  summary: Summary,
  options: GetOptions,
  signal: AbortSignal,
): Promise<void> {
  const { seedRatio, seedTime } = options;
  if (seedRatio === undefined && seedTime === undefined) return;
  const endMs = performance.now() + (seedTime ?? Number.POSITIVE_INFINITY) * 1000;
  const enoughBytes = (seedRatio ?? Number.POSITIVE_INFINITY) * summary.bytes;
  await waitUntil(
    signal,
    () => performance.now() >= endMs || torrent.status().uploadedBytes >= enoughBytes,
  );
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
