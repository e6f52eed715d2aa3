/**
 * Generates the pages that are read off the source: `docs/limits.md`, `docs/reference/errors.md` and test vectors in `docs/protocol/vectors`.
 * `node tools/gen-docs.ts` writes them; `npm test` fails while they are out of date.
 * @module
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SETTING_NAMES, variableOf } from '../src/node/settings/resolve.ts';
import { SETTINGS, type SettingSpec } from '../src/node/settings/schema.ts';
import { channelVectors, relayVectors, sendWordVectors } from './channel-vectors.ts';
import { manifestVectors } from './manifest-vectors.ts';

const root = join(import.meta.dirname, '..');

/** A constant of a group "Implementation limits". */
export interface Limit {
  readonly name: string;
  /** The source expression, with commas in long numbers. */
  readonly value: string;
  readonly meaning: string;
}

/** Source files, tests left out, with forward slashes, in order. */
export function sourceFiles(): string[] {
  return globSync('src/**/*.{ts,tsx}', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.endsWith('.test.ts'))
    .sort();
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');
}

/** The limits that a source file declares. The group ends with the first statement that is no constant in capitals. */
export function limitsOf(source: string): Limit[] {
  const limits: Limit[] = [];
  const lines = source.split('\n');
  let isInside = false;
  let comment: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    if (line.startsWith('// ') && !isInside) isInside = line === '// Implementation limits';
    else if (line === '// Specification constants') isInside = false;
    if (!isInside) continue;
    if (line.startsWith('/**') || line.startsWith(' *')) {
      comment.push(line);
      continue;
    }
    const start = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: [^=]+)? = ?(.*)$/.exec(line);
    if (start !== null) {
      let value = start[2]!;
      while (!value.trimEnd().endsWith(';')) {
        at += 1;
        value += ` ${lines[at]!.trim()}`;
      }
      limits.push({
        name: start[1]!,
        value: value
          .trim()
          .replace(/;$/, '')
          .replaceAll(/(?<=\d)_(?=\d)/g, ','),
        meaning: textOf(comment),
      });
    } else if (/^[a-z@]/.test(line)) {
      isInside = false;
    }
    comment = [];
  }
  return limits;
}

/** A doc comment as one line. */
function textOf(comment: readonly string[]): string {
  return comment
    .join('\n')
    .replace(/^\s*\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The text of docs/limits.md. */
export function limitsPage(): string {
  const parts = [
    '# Limits',
    '',
    'Every bound that is ours and not a specification\'s. Generated from the groups "Implementation limits" of the source by',
    '`node tools/gen-docs.ts`; to change a number, change it there.',
    '',
  ];
  for (const path of sourceFiles()) {
    const limits = limitsOf(readSource(path));
    if (limits.length === 0) continue;
    parts.push(`## ${path}`, '', '| Constant | Value | Meaning |', '|---|---|---|');
    for (const { name, value, meaning } of limits) {
      parts.push(`| \`${name}\` | \`${cell(value)}\` | ${cell(meaning)} |`);
    }
    parts.push('');
  }
  return parts.join('\n');
}

/** The error codes a source file declares, with what is said about each. */
export function errorsOf(source: string): Map<string, string> {
  const errors = new Map<string, string>();
  const say = (code: string, text: string): void => {
    if ((errors.get(code) ?? '') === '') errors.set(code, text);
  };
  const union = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?(?:\||=)\s*'(ERR_[A-Z0-9_]+)'/g;
  for (const [, comment, code] of source.matchAll(union)) {
    say(code!, comment === undefined ? '' : textOf([`/**${comment}*/`]));
  }
  const table = /^\s+(ERR_[A-Z0-9_]+):([\s\S]*?)(?=^\s+ERR_[A-Z0-9_]+:|^[})])/gm;
  for (const [, code, entry] of source.matchAll(table)) {
    const sentence = /`([^`]*)`/.exec(entry!)?.[1] ?? /=>\s*'([^']*)'/.exec(entry!)?.[1] ?? '';
    say(
      code!,
      sentence.replaceAll(/\$\{([^}]*)\}/g, (_, expression: string) => `‹${nameOf(expression)}›`),
    );
  }
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  for (const [, used] of code.matchAll(/'(ERR_[A-Z0-9_]+)'/g)) say(used!, '');
  return errors;
}

/** What a placeholder stands for: the last name of `details.path`. */
function nameOf(expression: string): string {
  return /([A-Za-z]+)[^A-Za-z]*$/.exec(expression)?.[1] ?? expression;
}

/** The text of docs/reference/errors.md. */
export function errorsPage(): string {
  const areas = new Map<string, Map<string, string>>();
  const known = new Set<string>();
  // Files that describe a code come first, so that a code is listed where it is declared and not where it is used.
  const files = sourceFiles().sort(
    (a, b) => Number(isTable(b)) - Number(isTable(a)) || (a < b ? -1 : 1),
  );
  for (const path of files) {
    const area = path
      .split('/')
      .slice(1, path.startsWith('src/protocol/') ? 3 : 2)
      .join('/');
    for (const [code, text] of errorsOf(readSource(path))) {
      if (known.has(code)) continue;
      known.add(code);
      const codes = areas.get(area) ?? new Map<string, string>();
      areas.set(area, codes.set(code, text));
    }
  }
  const parts = [
    '# Errors',
    '',
    'Match on `code`, never on the message. Faults of a remote are values (`Result`), misuse by a caller is thrown (`AppError`).',
    'Generated from the error tables of the source by `node tools/gen-docs.ts`.',
    '',
  ];
  for (const [area, codes] of [...areas].sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(`## ${area}`, '', '| Code | Meaning |', '|---|---|');
    for (const [code, text] of [...codes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      parts.push(`| \`${code}\` | ${cell(text === '' ? inWords(code) : text)} |`);
    }
    parts.push('');
  }
  return parts.join('\n');
}

/** A code that says enough by itself: its words without the prefix of its area. */
function inWords(code: string): string {
  const words = code.toLowerCase().split('_').slice(1);
  const text = (words.length > 1 ? words.slice(1) : words).join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function isTable(path: string): boolean {
  return path.endsWith('errors.ts');
}

/** The text of docs/reference/settings.md. */
export function settingsPage(): string {
  const parts = [
    '# Settings',
    '',
    'Of a node that stays up (`starling node`). Command line (`--set NAME=VALUE`) > environment > `config.json` in the home > saved (`starling config set`, the dashboard) > default; `starling config show` says where each value comes from.',
    'Generated from `src/node/settings/schema.ts` by `node tools/gen-docs.ts`.',
    '',
    '| Name | Takes | Default | Environment | Meaning |',
    '|---|---|---|---|---|',
  ];
  for (const name of SETTING_NAMES) {
    const spec: SettingSpec = SETTINGS[name];
    const when = spec.isLive ? '' : ' Counts with the next start.';
    parts.push(
      `| \`${name}\` | ${cell(takes(spec))} | \`${JSON.stringify(spec.default)}\` | \`${variableOf(name)}\` | ${cell(spec.help)}${when} |`,
    );
  }
  return `${parts.join('\n')}\n`;
}

/** What a setting takes, in words. */
function takes(spec: SettingSpec): string {
  switch (spec.type) {
    case 'boolean':
      return 'true or false';
    case 'choice':
      return spec.choices.join(', ');
    case 'integer':
    case 'number': {
      const most = spec.maximum === Number.MAX_SAFE_INTEGER ? '…' : String(spec.maximum);
      return `${spec.minimum} – ${most}${spec.unit === undefined ? '' : ` ${spec.unit}`}`;
    }
    case 'list':
      return `a list: ${spec.expected ?? 'texts'}`;
    case 'text':
      return spec.expected ?? 'text';
  }
}

/** Generated pages by path. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/limits.md', limitsPage()],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/settings.md', settingsPage()],
    ['docs/protocol/vectors/channel.json', channelVectors()],
    ['docs/protocol/vectors/relay.json', relayVectors()],
    ['docs/protocol/vectors/send-words.json', sendWordVectors()],
    ['docs/protocol/vectors/manifest.json', manifestVectors()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generatedPages()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
