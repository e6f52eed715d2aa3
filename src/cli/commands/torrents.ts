/**
 * `starling add`, `list`, `pause`, `resume`, `remove` and `limit`: torrents of the running node.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AddTorrent, TorrentDetails, TorrentRow } from '../../contract/index.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { NodeClient } from '../node-client.ts';
import { NODE_OUTPUT_OPTIONS, outputOf } from '../options.ts';
import { countOf, formatBytes, formatSeconds, type Output } from '../output.ts';

// Implementation limits
/** Torrents that are asked for at a time. */
const PAGE = 2_000;

/** What was done, for a person. */
const DONE: Readonly<Record<string, string>> = {
  pause: 'Paused',
  resume: 'Resumed',
  remove: 'Removed',
  'remove-with-files': 'Removed with their files',
};

/** `starling add`. */
export const addCommand: CommandSpec = {
  name: 'add',
  argument: 'torrent…',
  summary: 'add magnet links, torrent files or URLs to the running node, and return',
  options: {
    dir: { value: 'dir', help: "where it goes; default: the category's, then the setting's" },
    category: { value: 'name', help: 'its category' },
    tag: { value: 'name', isRepeatable: true, help: 'a tag' },
    select: { value: 'pattern', isRepeatable: true, help: 'only files that match' },
    peer: { value: 'host:port', isRepeatable: true, help: 'a peer to connect to' },
    sequential: { help: 'fetch pieces in order' },
    paused: { help: 'do not start it' },
    ...NODE_OUTPUT_OPTIONS,
  },
  run: async (words, options) => {
    const client = await NodeClient.need();
    for (const word of words) await addOne(client, word, options);
  },
};

/** `starling list`. */
export const listCommand: CommandSpec = {
  name: 'list',
  argument: '[text]',
  summary: 'list the torrents of the running node, or those with a text in their name',
  options: {
    category: { value: 'name', help: 'only of this category' },
    tag: { value: 'name', help: 'only with this tag' },
    state: { value: 'state', help: 'only in this state: downloading, seeding, paused, error …' },
    ...NODE_OUTPUT_OPTIONS,
  },
  run: ([text], options) => list(text, options),
};

/** `starling pause`. */
export const pauseCommand: CommandSpec = changing('pause', 'rest torrents of the running node');
/** `starling resume`. */
export const resumeCommand: CommandSpec = changing('resume', 'let rested torrents go on');
/** `starling remove`. */
export const removeCommand: CommandSpec = {
  ...changing('remove', 'remove torrents from the running node; their files stay'),
  options: { 'with-files': { help: 'remove their files, too' }, ...NODE_OUTPUT_OPTIONS },
};

/** `starling limit`. */
export const limitCommand: CommandSpec = {
  name: 'limit',
  argument: '[torrent…]',
  summary: 'set limits of rate of the running node, or of torrents',
  options: {
    download: { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
    upload: { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
    ...NODE_OUTPUT_OPTIONS,
  },
  run: limit,
};

/** What was given by the command: a link stays, a file is read here, since the node may stand elsewhere. @throws {CommandEnd}. */
export function wishOf(word: string): Pick<AddTorrent, 'link' | 'torrent'> {
  if (/^(?:magnet:|https?:\/\/)/i.test(word)) return { link: word };
  try {
    return { torrent: fs.readFileSync(word).toString('base64') };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const expected = 'give a magnet link, a .torrent file or the URL of one';
    const why: Readonly<Record<string, string>> = {
      ENOENT: `There is no file ${word}: ${expected}.`,
      EISDIR: `${word} is a folder, and a torrent is expected: "starling share" gives away what is in it.`,
    };
    const message = why[code] ?? `${word} cannot be read (${code}): ${expected}.`;
    throw new CommandEnd(message, { exitCode: EXIT.failed, cause: error });
  }
}

async function addOne(client: NodeClient, word: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const dir = textOption(options, 'dir');
  const category = textOption(options, 'category');
  const wish: AddTorrent = {
    ...wishOf(word),
    ...(dir === undefined ? {} : { dir: path.resolve(dir) }),
    ...(category === undefined ? {} : { category }),
    tags: [...listOption(options, 'tag')],
    select: [...listOption(options, 'select')],
    peers: [...listOption(options, 'peer')],
    isSequential: switchOption(options, 'sequential'),
    ...(switchOption(options, 'paused') ? { isPaused: true } : {}),
  };
  const added = await client.post<TorrentDetails>('/torrents', wish);
  output.event({ type: 'added', id: added.id, name: added.name, dir: added.dir });
  output.result(`${added.id}  ${added.name}`);
}

/** All torrents that match. */
export async function allTorrents(
  client: NodeClient,
  query: Readonly<Record<string, string>>,
): Promise<TorrentRow[]> {
  const all: TorrentRow[] = [];
  for (let total = 1; all.length < total; ) {
    const page = new URLSearchParams({ ...query, offset: `${all.length}`, limit: `${PAGE}` });
    const answer = await client.get<{ total: number; torrents: TorrentRow[] }>(`/torrents?${page}`);
    all.push(...answer.torrents);
    total = answer.torrents.length === 0 ? 0 : answer.total;
  }
  return all;
}

async function list(text: string | undefined, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const client = await NodeClient.need();
  const query: Record<string, string> = text === undefined ? {} : { search: text };
  for (const name of ['category', 'tag', 'state']) {
    const value = textOption(options, name);
    if (value !== undefined) query[name] = value;
  }
  const rows = await allTorrents(client, query);
  for (const row of rows) {
    output.event({ type: 'torrent', ...row });
    output.result(lineOf(row));
  }
  if (rows.length > 0) return;
  output.note(
    Object.keys(query).length > 0
      ? 'None of the node’s torrents is like that: "starling list" shows all.'
      : 'No torrents: "starling add LINK" brings one.',
  );
}

function lineOf(row: TorrentRow): string {
  const percent = `${(row.progress * 100).toFixed(1)} %`.padStart(7);
  const rates = `↓ ${formatBytes(row.downloadBytesPerSec)}/s ↑ ${formatBytes(row.uploadBytesPerSec)}/s`;
  const eta = row.etaSeconds === null ? '' : `, ${formatSeconds(row.etaSeconds)} left`;
  const trouble = row.error === null ? '' : `\n           ${row.error}`;
  return `${row.id.slice(0, 10)} ${percent} ${row.state.padEnd(11)} ${formatBytes(row.wantedBytes).padStart(9)}  ${row.name}  ${rates}${eta}${trouble}`;
}

/** Torrents that people mean: "all", the beginning of an id, or a part of a name that only one has. @throws {CommandEnd} */
export function meant(rows: readonly TorrentRow[], words: readonly string[]): string[] {
  if (words.includes('all')) return rows.map(({ id }) => id);
  return words.map((word) => {
    const text = word.toLowerCase();
    const byId = rows.filter(({ id }) => id.startsWith(text));
    const found =
      byId.length > 0 ? byId : rows.filter(({ name }) => name.toLowerCase().includes(text));
    if (found.length === 1) return found[0]!.id;
    const got = found.length === 0 ? 'none' : `${found.length} of them`;
    throw usageError(
      `expected the beginning of an id or a part of one torrent's name, and "${word}" fits ${got}: "starling list" shows all.`,
    );
  });
}

function changing(action: 'pause' | 'resume' | 'remove', summary: string): CommandSpec {
  return {
    name: action,
    argument: 'torrent…',
    summary: `${summary}; the beginning of an id, a part of the name, or "all"`,
    options: NODE_OUTPUT_OPTIONS,
    run: async (words, options) => {
      const client = await NodeClient.need();
      const ids = meant(await allTorrents(client, {}), words);
      const isWhole = action === 'remove' && switchOption(options, 'with-files');
      await act(client, outputOf(options), isWhole ? 'remove-with-files' : action, ids);
    },
  };
}

async function act(
  client: NodeClient,
  output: Output,
  action: string,
  ids: readonly string[],
): Promise<void> {
  const answer = await client.post<{ done: number; problems: { id: string; detail: string }[] }>(
    '/torrents/actions',
    { action, ids },
  );
  output.event({ type: action, ...answer });
  for (const { id, detail } of answer.problems) output.problem(`${id}: ${detail}`);
  output.result(`${DONE[action] ?? action}: ${countOf(answer.done, 'torrent')}`);
  if (answer.problems.length > 0) process.exitCode = EXIT.failed;
}

async function limit(words: readonly string[], options: OptionValues): Promise<void> {
  const download = numberOption(options, 'download', 0);
  const upload = numberOption(options, 'upload', 0);
  if (download === undefined && upload === undefined) {
    throw usageError('limit: expected --download or --upload with bytes a second.');
  }
  const client = await NodeClient.need();
  const output = outputOf(options);
  if (words.length === 0) {
    await client.patch('/settings', {
      ...(download === undefined ? {} : { 'transfers.download-limit': download }),
      ...(upload === undefined ? {} : { 'transfers.upload-limit': upload }),
    });
  }
  const ids = words.length === 0 ? [] : meant(await allTorrents(client, {}), words);
  for (const id of ids) {
    await client.patch(`/torrents/${id}`, {
      ...(download === undefined ? {} : { downloadLimitBytesPerSec: download }),
      ...(upload === undefined ? {} : { uploadLimitBytesPerSec: upload }),
    });
  }
  output.event({ type: 'limited', ids, download, upload });
  output.result(
    ids.length === 0 ? 'The node is limited.' : `Limited: ${countOf(ids.length, 'torrent')}`,
  );
}
