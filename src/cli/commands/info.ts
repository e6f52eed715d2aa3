/**
 * `starling info`: shows what a torrent file or magnet link says, without contacting anybody.
 * @module
 */
import type { Command } from 'commander';
import { describeSource, readSource, type TorrentDescription } from '../../node/api/source.ts';
import { usageError } from '../exit.ts';
import { withOutput } from '../options.ts';
import { formatBytes, Output, type OutputOptions } from '../output.ts';

/** Adds the command. */
export function addInfo(program: Command): void {
  withOutput(program.command('info <torrent>'))
    .description('show what a torrent file or magnet link says')
    .action(info);
}

async function info(text: string, options: OutputOptions): Promise<void> {
  if (/^https?:/i.test(text)) {
    throw usageError('info: expected a torrent file or a magnet link; fetch the URL first.');
  }
  const output = new Output(options);
  const description = describeSource(await readSource(text));
  output.event({ ...description });
  output.result(render(description).join('\n'));
}

function render(description: TorrentDescription): string[] {
  const rows: [string, string | undefined][] = [
    ['Name', description.name],
    ['Format', description.version],
    ['Info-hash v1', description.infoHashV1],
    ['Info-hash v2', description.infoHashV2],
    [
      'Size',
      description.totalBytes === undefined ? undefined : formatBytes(description.totalBytes),
    ],
    [
      'Pieces',
      description.pieceCount === undefined
        ? undefined
        : `${description.pieceCount} of ${formatBytes(description.pieceLength ?? 0)}`,
    ],
    ['Private', description.isPrivate === true ? 'yes' : undefined],
    ['Trackers', description.trackers.flat().join('\n') || undefined],
    ['Web seeds', description.webSeeds.join('\n') || undefined],
    ['Peers', description.peers?.join('\n') || undefined],
    ['Comment', description.comment],
    ['Created by', description.createdBy],
    ['Created', description.creationDate],
    ['Magnet', description.magnet],
  ];
  const lines: string[] = [];
  for (const [name, value] of rows) {
    if (value === undefined || value === '') continue;
    for (const [index, part] of value.split('\n').entries()) {
      lines.push(`${(index === 0 ? name : '').padEnd(13)} ${plain(part)}`);
    }
  }
  for (const file of description.files ?? []) {
    lines.push(`${formatBytes(file.length).padStart(12)}  ${plain(file.path)}`);
  }
  return lines;
}

/** A torrent's author must not steer the reader's terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}
