/**
 * `starling info`: shows what a torrent file or magnet link says, without contacting anybody; with --scrape it asks the trackers for their counts.
 * @module
 */
import type { TrackerScrape } from '../../node/api/scrape.ts';
import { describeSource, readSource, type TorrentDescription } from '../../node/api/source.ts';
import { type CommandSpec, type OptionValues, switchOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';
import { formatBytes } from '../output.ts';

/** The command. */
export const infoCommand: CommandSpec = {
  name: 'info',
  argument: 'torrent',
  summary: 'show what a torrent file or magnet link says',
  options: {
    scrape: { help: 'ask its trackers for seeds, leeches and downloads' },
    ...COMMON_OPTIONS,
  },
  run: ([text], options) => info(text!, options),
};

async function info(text: string, options: OptionValues): Promise<void> {
  if (/^https?:/i.test(text)) {
    throw usageError('info: expected a torrent file or a magnet link; fetch the URL first.');
  }
  const output = outputOf(options);
  const source = await readSource(text);
  const description = describeSource(source);
  const lines = render(description);
  if (!switchOption(options, 'scrape')) {
    output.event({ ...description });
    output.result(lines.join('\n'));
    return;
  }
  const { scrapeTrackers } = await import('../../node/api/scrape.ts');
  const scrape = await scrapeTrackers(source);
  output.event({ ...description, scrape });
  output.result([...lines, ...scrape.flatMap(renderScrape)].join('\n'));
}

/** A line for each swarm that a tracker knows, or one that says why there is none. */
function renderScrape({ url, swarms, error }: TrackerScrape): string[] {
  const label = (text: string): string => `${'Swarm'.padEnd(13)} ${plain(url)}: ${plain(text)}`;
  if (error !== undefined) return [label(error)];
  if (swarms.length === 0) return [label('not known there')];
  const many = (count: number | undefined, noun: string): string =>
    `${count ?? 'unknown'} ${noun}${count === 1 ? '' : 's'}`;
  return swarms.map(({ seeds, leeches, downloads }) =>
    label(
      `${many(seeds, 'seed')}, ${leeches ?? 'unknown'} ${leeches === 1 ? 'leech' : 'leeches'}, ${many(downloads, 'download')}`,
    ),
  );
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
