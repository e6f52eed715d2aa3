import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { CommandSpec } from '../command.ts';
import { completionsFor, type Shell } from './completions.ts';

const SPECS: readonly CommandSpec[] = [
  {
    name: 'share',
    argument: 'path…',
    summary: 'give [files] away: a friend’s or one\'s own, at 10 % of "cost"',
    options: { peer: { value: 'host:port', isRepeatable: true, help: 'whom [1]: by address' } },
    run: async () => {},
  },
  {
    name: 'config',
    argument: '[show | set]',
    words: ['show', 'set'],
    summary: 'settings',
    options: { changed: { help: "only what isn't as by default" } },
    run: async () => {},
  },
];

const dir = mkdtempSync(join(tmpdir(), 'starling-completions-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function shell(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd: dir, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

function without(name: string): string | false {
  const isThere = spawnSync(name, ['-c', 'exit 0']).status === 0;
  return isThere ? false : `${name} is not installed`;
}

function scriptFile(name: Shell): string {
  const file = join(dir, `starling.${name}`);
  writeFileSync(file, completionsFor(name, SPECS));
  return file;
}

describe('completions', () => {
  it('of bash: commands, options, words of a command, else paths', {
    skip: without('bash'),
  }, () => {
    const file = scriptFile('bash');
    writeFileSync(join(dir, 'two words.txt'), '');
    const complete = (...words: string[]): string[] =>
      shell(
        'bash',
        '-c',
        `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _starling; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        file,
        'starling',
        ...words,
      )
        .split('\n')
        .filter((line) => line !== '');
    assert.deepEqual(complete('s'), ['share']);
    assert.deepEqual(complete('share', '--'), ['--peer', '--help']);
    assert.deepEqual(complete('config', ''), ['show', 'set']);
    assert.deepEqual(complete('share', 'tw'), ['two words.txt']);
    assert.deepEqual(complete('nobody', '--'), []);
  });

  it('of zsh parse, whatever stands in a help', { skip: without('zsh') }, () => {
    shell('zsh', '-f', '-n', scriptFile('zsh'));
    const used = 'autoload -Uz compinit && compinit -u -D; source "$1"; print -- $_comps[starling]';
    assert.equal(shell('zsh', '-f', '-c', used, 'zsh', scriptFile('zsh')), '_starling\n');
  });

  it('of fish: commands with what they do, options, words', { skip: without('fish') }, () => {
    const file = scriptFile('fish');
    const complete = (line: string): string =>
      shell('fish', '--no-config', '-c', `source ${file}; complete -C '${line}'`);
    assert.match(complete('starling sh'), /^share\tgive \[files\] away: .*one's own/);
    assert.match(complete('starling config --ch'), /^--changed\tonly what isn't/);
    assert.match(complete('starling config s'), /^set\n?.*\nshow/);
  });
});
