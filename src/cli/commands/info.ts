/**
 * `starling info`: shows what a torrent file or magnet link says, without contacting anybody.
 * @module
 */
import { describeSource, readSource, type TorrentDescription } from '../../node/api/source.ts';
import type { CommandSpec, OptionValues } from '../command.ts';
import { usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';
import { formatBytes } from '../output.ts';

/** The command. */
export const infoCommand: CommandSpec = {
  name: 'info',
  argument: 'torrent',
  summary: 'show what a torrent file or magnet link says',
  options: COMMON_OPTIONS,
  run: ([text], options) => info(text!, options),
};

async function info(text: string, options: OptionValues): Promise<void> {
  if (/^https?:/i.test(text)) {
    throw usageError('info: expected a torrent file or a magnet link; fetch the URL first.');
  }
  const output = outputOf(options);
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
