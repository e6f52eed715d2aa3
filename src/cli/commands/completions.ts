/**
 * `starling completions`: a script by which a shell completes commands, their words and their options, made of the commands themselves.
 * @module
 */
import type { CommandSpec, OptionSpec } from '../command.ts';
import { usageError } from '../exit.ts';

/** The command. @param load gives all commands. */
export function completionsCommand(load: () => Promise<readonly CommandSpec[]>): CommandSpec {
  return {
    name: 'completions',
    argument: 'shell',
    words: ['bash', 'zsh', 'fish'],
    summary: 'print completions for bash, zsh or fish',
    options: {},
    run: async ([shell]) => {
      if (!Object.hasOwn(SHELLS, shell!)) {
        throw usageError(`completions: expected bash, zsh or fish, got "${shell}".`);
      }
      process.stdout.write(completionsFor(shell as Shell, await load()));
    },
  };
}

/** The script. */
export function completionsFor(shell: Shell, specs: readonly CommandSpec[]): string {
  return SHELLS[shell](specs);
}

/** A shell that there are completions for. */
export type Shell = 'bash' | 'zsh' | 'fish';

const SHELLS: Readonly<Record<Shell, (specs: readonly CommandSpec[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const HELP: OptionSpec = { help: 'show the options of the command' };

function optionsOf(spec: CommandSpec): [string, OptionSpec][] {
  return Object.entries({ ...spec.options, help: HELP });
}

/** Words of a command stand behind it at once; everything else may be a path. */
function bashScript(specs: readonly CommandSpec[]): string {
  const cases = specs.map((spec) => {
    const options = optionsOf(spec).map(([name]) => `--${name}`);
    return `    ${spec.name}) options="${options.join(' ')}" words="${(spec.words ?? []).join(' ')}" ;;`;
  });
  return `_starling() {
  local word="\${COMP_WORDS[COMP_CWORD]}" options="" words="" IFS=$' \\t\\n'
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${specs.map(({ name }) => name).join(' ')} --help --version" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    # A name of a file may have blanks in it: one a line.
    IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _starling starling
`;
}

/** In single quotes, as bash's kin take it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function zshScript(specs: readonly CommandSpec[]): string {
  // In a description of _arguments, brackets and colons are syntax.
  const plain = (text: string): string => text.replaceAll(/[[\]:\\]/g, '\\$&');
  const cases = specs.map((spec) => {
    const options = optionsOf(spec).map(([name, { help, value, isRepeatable }]) => {
      const times = isRepeatable === true ? '*' : '';
      const takes = value === undefined ? '' : `:${plain(value)}:_files`;
      return quoted(`${times}--${name}[${plain(help)}]${takes}`);
    });
    const first = spec.words === undefined ? [] : [quoted(`1:word:(${spec.words.join(' ')})`)];
    return `    ${spec.name}) _arguments ${[...options, ...first, "'*:file:_files'"].join(' ')} ;;`;
  });
  const names = specs.map(({ name, summary }) => `    ${quoted(`${name}:${plain(summary)}`)}`);
  return `#compdef starling
_starling() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  # Options and words are those of the command alone.
  local command=$words[2]
  shift words
  (( CURRENT -= 1 ))
  case $command in
${cases.join('\n')}
  esac
}
# Read by the completion system, or sourced.
if [ "$funcstack[1]" = _starling ]; then
  _starling "$@"
else
  compdef _starling starling
fi
`;
}

function fishScript(specs: readonly CommandSpec[]): string {
  const inFish = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const lines = specs.flatMap((spec) => {
    const seen = `'__fish_seen_subcommand_from ${spec.name}'`;
    const words = spec.words?.join(' ');
    return [
      `complete -c starling -n __fish_use_subcommand -f -a ${spec.name} -d ${inFish(spec.summary)}`,
      ...(words === undefined
        ? []
        : [
            `complete -c starling -n '__fish_seen_subcommand_from ${spec.name}; and not __fish_seen_subcommand_from ${words}' -f -a ${inFish(words)}`,
          ]),
      ...optionsOf(spec).map(([name, { help, value }]) => {
        const takes = value === undefined ? '' : ' -r';
        return `complete -c starling -n ${seen} -l ${name}${takes} -d ${inFish(help)}`;
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}
