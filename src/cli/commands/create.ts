/**
 * `starling create`: makes a torrent file.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { createTorrent, describeSource } from '../../node/api/index.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { collect, numberOption, withOutput } from '../options.ts';
import { formatBar, Output, type OutputOptions } from '../output.ts';

interface CreateCommandOptions extends OutputOptions {
  readonly output?: string;
  readonly format: string;
  readonly pieceLength?: number;
  readonly tracker: readonly string[];
  readonly webSeed: readonly string[];
  readonly private?: boolean;
  readonly comment?: string;
}

/** Adds the command. */
export function addCreate(program: Command): void {
  withOutput(program.command('create <path>'))
    .description('make a torrent file of a file or folder')
    .option('-o, --output <file>', 'where to write it (default: NAME.torrent in this folder)')
    .option('--format <format>', 'v1, v2 or hybrid', 'hybrid')
    .option(
      '--piece-length <bytes>',
      'bytes a piece, a power of two from 16384 (default: by size)',
      numberOption('--piece-length', 1),
    )
    .option('--tracker <url>', 'a tracker to announce to; may be repeated', collect, [])
    .option('--web-seed <url>', 'a web seed; may be repeated', collect, [])
    .option('--private', 'only peers from the trackers may be used (BEP 27)')
    .option('--comment <text>', 'a comment')
    .action(create);
}

async function create(target: string, options: CreateCommandOptions): Promise<void> {
  const output = new Output(options);
  const { format } = options;
  if (format !== 'v1' && format !== 'v2' && format !== 'hybrid') {
    throw usageError(`--format: expected v1, v2 or hybrid, got "${format}".`);
  }
  const created = await createTorrent(target, {
    version: format,
    trackers: options.tracker.map((url) => [url]),
    webSeeds: options.webSeed,
    isPrivate: options.private === true,
    ...(options.comment === undefined ? {} : { comment: options.comment }),
    ...(options.pieceLength === undefined ? {} : { pieceLengthBytes: options.pieceLength }),
    onProgress: (doneBytes, totalBytes) => {
      output.status((width) => {
        const share = doneBytes / Math.max(1, totalBytes);
        return `Hashing ${formatBar(share, Math.min(40, width - 20))} ${(share * 100).toFixed(0)} %`;
      });
    },
  });
  const file = options.output ?? `${created.metainfo.info.name}.torrent`;
  try {
    fs.writeFileSync(file, created.bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `Cannot write ${path.resolve(file)} (${code}): choose another place with -o.`;
    throw new CommandEnd(message, { exitCode: EXIT.failed, cause: error });
  }
  const description = describeSource({ kind: 'metainfo', metainfo: created.metainfo });
  output.event({ type: 'created', file: path.resolve(file), ...description });
  output.result(`${file}\n${description.magnet}`);
}
