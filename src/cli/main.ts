/**
 * The command line: reads the arguments, loads the one command that is meant, ends with its exit code and one sentence.
 * @module
 */
import { Command, CommanderError } from 'commander';
import { AppError } from '../lib/errors.ts';
import { VERSION } from '../node/config.ts';
import { CommandEnd, EXIT } from './exit.ts';

/** Which module adds a command; loaded when asked for, since start-up time is felt. */
const LOADERS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  create: async () => (await import('./commands/create.ts')).addCreate,
  info: async () => (await import('./commands/info.ts')).addInfo,
  share: async () => (await import('./commands/seed.ts')).addSeeding,
  seed: async () => (await import('./commands/seed.ts')).addSeeding,
  get: async () => (await import('./commands/get.ts')).addGet,
  verify: async () => (await import('./commands/verify.ts')).addVerify,
};

/** Runs the program. @param args the words behind the program's name. */
export async function main(args: readonly string[]): Promise<void> {
  const program = new Command('starling')
    .description('A peer-to-peer node in one program: share files, and fetch them through a swarm.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(run with --help for the options)')
    .exitOverride();
  const wanted = args.find((word) => !word.startsWith('-'));
  const loaders =
    wanted !== undefined && Object.hasOwn(LOADERS, wanted)
      ? [LOADERS[wanted]!]
      : [...new Set(Object.values(LOADERS))];
  const adders = new Set(await Promise.all(loaders.map((load) => load())));
  for (const add of adders) add(program);
  for (const command of program.commands) command.exitOverride().showHelpAfterError(true);
  if (args.length === 0) {
    program.outputHelp();
    return;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  // commander has said it already; its help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandEnd) {
    process.stderr.write(`starling: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof AppError) {
    process.stderr.write(`starling: ${error.message}\n`);
    return error.code === 'ERR_CONFIG' ? EXIT.usage : EXIT.failed;
  }
  const { message, code } = error as NodeJS.ErrnoException;
  if (code !== undefined) {
    process.stderr.write(`starling: ${message}\n`);
    return EXIT.failed;
  }
  // A bug of ours: the trace is what its report needs.
  process.stderr.write(
    `starling: unexpected failure, please report it: ${(error as Error).stack}\n`,
  );
  return EXIT.failed;
}
