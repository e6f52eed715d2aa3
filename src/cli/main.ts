/**
 * The command line: reads the arguments, loads the one command that is meant, ends with its exit code and one sentence.
 * @module
 */
import { AppError } from '../lib/errors.ts';
import { VERSION } from '../node/config.ts';
import { type CommandSpec, programHelp, runCommand } from './command.ts';
import { CommandEnd, EXIT, usageError } from './exit.ts';
import { forTerminal } from './output.ts';

/** Where each command is; loaded when asked for, since start-up time is felt. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandSpec>>> = {
  node: async () => (await import('./commands/node.ts')).nodeCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  add: async () => (await import('./commands/torrents.ts')).addCommand,
  list: async () => (await import('./commands/torrents.ts')).listCommand,
  pause: async () => (await import('./commands/torrents.ts')).pauseCommand,
  resume: async () => (await import('./commands/torrents.ts')).resumeCommand,
  remove: async () => (await import('./commands/torrents.ts')).removeCommand,
  limit: async () => (await import('./commands/torrents.ts')).limitCommand,
  stop: async () => (await import('./commands/status.ts')).stopCommand,
  logs: async () => (await import('./commands/status.ts')).logsCommand,
  token: async () => (await import('./commands/status.ts')).tokenCommand,
  share: async () => (await import('./commands/seed.ts')).shareCommand,
  get: async () => (await import('./commands/get.ts')).getCommand,
  send: async () => (await import('./commands/send.ts')).sendCommand,
  receive: async () => (await import('./commands/receive.ts')).receiveCommand,
  relay: async () => (await import('./commands/relay.ts')).relayCommand,
  create: async () => (await import('./commands/create.ts')).createCommand,
  seed: async () => (await import('./commands/seed.ts')).seedCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  dht: async () => (await import('./commands/dht.ts')).dhtCommand,
  publish: async () => (await import('./commands/publish.ts')).publishCommand,
  follow: async () => (await import('./commands/follow.ts')).followCommand,
  contacts: async () => (await import('./commands/contacts.ts')).contactsCommand,
  id: async () => (await import('./commands/id.ts')).idCommand,
  info: async () => (await import('./commands/info.ts')).infoCommand,
  peers: async () => (await import('./commands/peers.ts')).peersCommand,
  privacy: async () => (await import('./commands/privacy.ts')).privacyCommand,
  reputation: async () => (await import('./commands/reputation.ts')).reputationCommand,
  tracker: async () => (await import('./commands/tracker.ts')).trackerCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  config: async () => (await import('./commands/config.ts')).configCommand,
  completions: async () =>
    (await import('./commands/completions.ts')).completionsCommand(allCommands),
};

function allCommands(): Promise<CommandSpec[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** Codes of errors that are those of a call. */
const USAGE: ReadonlySet<string> = new Set(['ERR_CONFIG', 'ERR_SETTINGS']);

/** Runs the program. @param args the words behind the program's name. */
export async function main(args: readonly string[]): Promise<void> {
  const [word, ...rest] = commandFirst(args);
  // Whoever reads what is printed may have read enough ("… --json | head -3").
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.failed);
    throw error;
  });
  try {
    if (word === 'help' && Object.hasOwn(COMMANDS, rest[0] ?? '')) {
      await runCommand(await COMMANDS[rest[0]!]!(), ['--help']);
    } else if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
      process.stdout.write(programHelp(await allCommands()));
    } else if (word === '--version' || word === '-V') {
      process.stdout.write(`${VERSION}\n`);
    } else if (Object.hasOwn(COMMANDS, word)) {
      await runCommand(await COMMANDS[word]!(), rest);
    } else {
      const known = Object.keys(COMMANDS).join(', ');
      throw usageError(`expected a command (${known}), got "${word}".`);
    }
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/** Options may stand before the command too. */
function commandFirst(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => Object.hasOwn(COMMANDS, arg));
  const isBehindOptions = at > 0 && args.slice(0, at).every((arg) => arg.startsWith('-'));
  return isBehindOptions ? [args[at]!, ...args.slice(0, at), ...args.slice(at + 1)] : args;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandEnd) {
    process.stderr.write(`starling: ${forTerminal(error.message)}\n`);
    return error.exitCode;
  }
  if (error instanceof AppError) {
    process.stderr.write(`starling: ${forTerminal(error.message)}\n`);
    if (error.code === 'ERR_DIGEST') return EXIT.incomplete;
    return USAGE.has(error.code) ? EXIT.usage : EXIT.failed;
  }
  const { message, code } = error as NodeJS.ErrnoException;
  if (code !== undefined) {
    process.stderr.write(`starling: ${forTerminal(message)}\n`);
    return EXIT.failed;
  }
  // A bug of ours: the trace is what its report needs.
  process.stderr.write(
    `starling: unexpected failure, please report it: ${(error as Error).stack}\n`,
  );
  return EXIT.failed;
}
