/**
 * `starling verify`: checks files against a torrent. Exit 0 when all is there and right, 3 when not.
 * @module
 */
import { readSource, verifyFiles } from '../../node/api/index.ts';
import { type CommandSpec, type OptionValues, textOption } from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';

/** The command. */
export const verifyCommand: CommandSpec = {
  name: 'verify',
  argument: 'torrent',
  summary: 'check files against a torrent file',
  options: {
    dir: { value: 'dir', isRequired: true, help: "the folder that holds the torrent's top name" },
    ...COMMON_OPTIONS,
  },
  run: ([text], options) => verify(text!, options),
};

async function verify(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const source = await readSource(text);
  if (source.kind === 'magnet') {
    throw usageError(
      'verify: expected a torrent file, since a magnet link has no hashes to check.',
    );
  }
  const report = await verifyFiles(source.metainfo, textOption(options, 'dir')!, {
    onProgress: (doneBytes, totalBytes) => output.bar('Checking', doneBytes, totalBytes),
  });
  output.event({ ...report });
  for (const file of report.files) {
    if (file.goodPieces < file.pieces) {
      output.result(`${file.path}: ${file.goodPieces} of ${file.pieces} pieces are right`);
    }
  }
  if (!report.isComplete) {
    const message = `${report.name}: ${report.goodPieces} of ${report.pieces} pieces are right; run "starling get" with the same --dir to mend it.`;
    throw new CommandEnd(message, { exitCode: EXIT.incomplete });
  }
  output.result(`${report.name}: all ${report.pieces} pieces are right`);
}
