/**
 * `starling completions`: a script by which a shell completes commands and options, made of the commands themselves.
 * @module
 */
import type { CommandSpec } from '../command.ts';
import { usageError } from '../exit.ts';

/** The command. @param load gives all commands. */
export function completionsCommand(load: () => Promise<readonly CommandSpec[]>): CommandSpec {
  return {
    name: 'completions',
    argument: 'shell',
    summary: 'print completions for bash, zsh or fish',
    options: {},
    run: async ([shell]) => {
      const script = SHELLS[shell!];
      if (!Object.hasOwn(SHELLS, shell!) || script === undefined) {
        throw usageError(`completions: expected bash, zsh or fish, got "${shell}".`);
      }
      process.stdout.write(script(await load()));
    },
  };
}

const SHELLS: Readonly<Record<string, (specs: readonly CommandSpec[]) => string>> = {
  bash: bashScript,
  zsh: (specs) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(specs)}`,
  fish: fishScript,
};

function optionsOf(spec: CommandSpec): string[] {
  return [...Object.keys(spec.options), 'help'].map((name) => `--${name}`);
}

function bashScript(specs: readonly CommandSpec[]): string {
  const cases = specs.map((spec) => `    ${spec.name}) words="${optionsOf(spec).join(' ')}" ;;`);
  return `_starling() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${specs.map(({ name }) => name).join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _starling starling
`;
}

function fishScript(specs: readonly CommandSpec[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const lines = specs.flatMap((spec) => [
    `complete -c starling -n __fish_use_subcommand -a ${spec.name} -d ${quoted(spec.summary)}`,
    ...Object.entries(spec.options).map(([name, { help, value }]) => {
      const takes = value === undefined ? '' : ' -r';
      return `complete -c starling -n '__fish_seen_subcommand_from ${spec.name}' -l ${name}${takes} -d ${quoted(help)}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}
