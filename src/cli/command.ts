/**
 * What a command is: its words, its options, what it does; reading its arguments by Node's own parser, and its help.
 *
 * Node's `parseArgs` instead of a library: a library took 15 ms of a start that takes 50.
 * @module
 */
import { parseArgs } from 'node:util';
import { usageError } from './exit.ts';

/** An option. */
export interface OptionSpec {
  /** Placeholder of its value; absent: a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
  readonly help: string;
}

/** Option values by name, as they were written. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly string[] | undefined>
>;

/** A command. */
export interface CommandSpec {
  readonly name: string;
  /** Placeholder of its argument; one that ends with … may be given several times, one in brackets need not be given, an empty one must not. */
  readonly argument: string;
  /** Arguments at most; default: 1, or any number after a placeholder that ends with …. */
  readonly most?: number;
  /** Words that the first argument may be, for completions. */
  readonly words?: readonly string[];
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** @param words the arguments: as many as `argument` says. */
  run(words: readonly string[], options: OptionValues): Promise<void>;
}

const HELP: OptionSpec = { short: 'h', help: 'show this help' };

/** Runs a command with its arguments. @throws {CommandEnd} for a wrong call. */
export async function runCommand(spec: CommandSpec, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(spec, args);
  if (values['help'] === true) {
    process.stdout.write(commandHelp(spec));
    return;
  }
  const isMany = spec.argument.endsWith('…') || spec.argument.endsWith('…]');
  if (spec.argument === '') {
    if (positionals.length > 0) throw wrong(spec, `expected no argument, got "${positionals[0]}"`);
  } else if (positionals.length === 0 && !spec.argument.startsWith('['))
    throw wrong(spec, `expected <${spec.argument}>, got nothing`);
  const most = spec.most ?? 1;
  if (positionals.length > most && !isMany && spec.argument !== '') {
    const argument = spec.argument.startsWith('[') ? 'argument' : `<${spec.argument}>`;
    throw wrong(
      spec,
      `expected ${most === 1 ? 'one' : `at most ${most}`} ${argument}, got also "${positionals[most]}"`,
    );
  }
  for (const [name, option] of Object.entries(spec.options)) {
    if (option.isRequired === true && values[name] === undefined) {
      throw wrong(spec, `expected --${name} <${option.value}>: ${option.help}`);
    }
  }
  await spec.run(positionals, values);
}

function wrong(spec: CommandSpec, message: string): Error {
  return usageError(`${spec.name}: ${message}. "starling ${spec.name} --help" shows how.`);
}

function readArguments(
  spec: CommandSpec,
  args: readonly string[],
): { values: OptionValues; positionals: string[] } {
  const options: NonNullable<Parameters<typeof parseArgs>[0]>['options'] = {};
  for (const [name, option] of Object.entries({ ...spec.options, help: HELP })) {
    options[name] = {
      type: option.value === undefined ? 'boolean' : 'string',
      multiple: option.isRepeatable === true,
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as OptionValues, positionals };
  } catch (error) {
    // Its first sentence says what is wrong; the rest is about parseArgs.
    const [sentence = ''] = (error as Error).message.split(/\. |\n/);
    throw wrong(spec, sentence.replace(/\.$/, ''));
  }
}

function synopsis(spec: CommandSpec): string {
  return `starling ${callOf(spec)} [options]`;
}

function callOf({ name, argument }: CommandSpec): string {
  if (argument === '' || argument.startsWith('[')) return `${name} ${argument}`.trimEnd();
  return `${name} <${argument}>`;
}

/** The help of a command. */
export function commandHelp(spec: CommandSpec): string {
  const lines = [`${synopsis(spec)}\n`, `  ${spec.summary}\n`, 'Options:'];
  for (const [name, option] of Object.entries({ ...spec.options, help: HELP })) {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` <${option.value}>`;
    const repeat = option.isRepeatable === true ? '; may be repeated' : '';
    lines.push(`  ${`${short}--${name}${value}`.padEnd(30)} ${option.help}${repeat}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Width of the column of calls; a longer one has a line of its own. */
const CALL_COLUMNS = 22;

/** The help of the program. */
export function programHelp(specs: readonly CommandSpec[]): string {
  const lines = [
    'Starling: a peer-to-peer node in one program. Share files, and fetch them through a swarm.\n',
    'starling <command> …\n',
    'Commands:',
    ...specs.map((spec) => {
      const call = callOf(spec);
      const column = ''.padEnd(CALL_COLUMNS + 3);
      const gap =
        call.length > CALL_COLUMNS ? `\n${column}` : ' '.repeat(CALL_COLUMNS + 1 - call.length);
      return `  ${call}${gap}${spec.summary}`;
    }),
    '\n"starling <command> --help" shows the options of a command; "starling --version" the version.',
  ];
  return `${lines.join('\n')}\n`;
}

/** A text option; undefined when it was not given. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** A repeatable option; empty when it was not given. */
export function listOption(values: OptionValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** A switch. */
export function switchOption(values: OptionValues, name: string): boolean {
  return values[name] === true;
}

/** A number of at least `least`; undefined when it was not given. @throws {CommandEnd} for anything else. */
export function numberOption(
  values: OptionValues,
  name: string,
  least: number,
): number | undefined {
  const text = textOption(values, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
  throw usageError(`--${name}: expected a number of at least ${least}, got "${text}".`);
}
