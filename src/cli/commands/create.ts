/**
 * `starling create`: makes a torrent file.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { createTorrent, describeSource } from '../../node/api/index.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';

/** The command. */
export const createCommand: CommandSpec = {
  name: 'create',
  argument: 'path',
  summary: 'make a torrent file of a file or folder',
  options: {
    output: { short: 'o', value: 'file', help: 'where to write it; default: NAME.torrent here' },
    format: { value: 'format', help: 'v1, v2 or hybrid; default: hybrid' },
    'piece-length': { value: 'bytes', help: 'a power of two from 16384; default: by size' },
    tracker: { value: 'url', isRepeatable: true, help: 'a tracker to announce to' },
    'web-seed': { value: 'url', isRepeatable: true, help: 'a web seed' },
    private: { help: 'only peers from the trackers may be used (BEP 27)' },
    comment: { value: 'text', help: 'a comment' },
    ...COMMON_OPTIONS,
  },
  run: ([target], options) => create(target!, options),
};

async function create(target: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const format = textOption(options, 'format') ?? 'hybrid';
  const comment = textOption(options, 'comment');
  const pieceLengthBytes = numberOption(options, 'piece-length', 1);
  if (format !== 'v1' && format !== 'v2' && format !== 'hybrid') {
    throw usageError(`--format: expected v1, v2 or hybrid, got "${format}".`);
  }
  const created = await createTorrent(target, {
    version: format,
    trackers: listOption(options, 'tracker').map((url) => [url]),
    webSeeds: listOption(options, 'web-seed'),
    isPrivate: switchOption(options, 'private'),
    ...(comment === undefined ? {} : { comment }),
    ...(pieceLengthBytes === undefined ? {} : { pieceLengthBytes }),
    onProgress: (doneBytes, totalBytes) => output.bar('Hashing', doneBytes, totalBytes),
  });
  const file = textOption(options, 'output') ?? `${created.metainfo.info.name}.torrent`;
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
