/**
 * Which value each setting has: command line > environment > file > saved > default; every mistake is told, at once.
 * @module
 */
import { nodeError } from '../errors.ts';
import { SETTINGS, type SettingName, type SettingSpec } from './schema.ts';

/** Where a value comes from; the first one that has it decides. */
export const SOURCES = ['command line', 'environment', 'file', 'saved', 'default'] as const;
export type SettingSource = (typeof SOURCES)[number];

/** Values by name, as each source has them. */
export type Layers = Readonly<
  Record<Exclude<SettingSource, 'default'>, Readonly<Record<string, unknown>>>
>;

/** The value of a setting and where it comes from. */
export interface Resolved {
  readonly value: unknown;
  readonly source: SettingSource;
}

/** All names. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[];

/** The environment variable of a setting. */
export function variableOf(name: string): string {
  return `STARLING_${name.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

/** Values of the environment that are settings. */
export function environmentLayer(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const found = SETTING_NAMES.flatMap((name) => {
    const value = env[variableOf(name)];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

/** What all sources say together. */
export interface Resolution {
  readonly values: ReadonlyMap<SettingName, Resolved>;
  /** What was saved and does not count, since this version does not take it: nobody could mend it while the node does not start. */
  readonly dropped: readonly string[];
}

/** @throws {AppError} ERR_SETTINGS, which names every mistake of command line, environment and file. */
export function resolveSettings(layers: Layers): Resolution {
  const mistakes: string[] = [];
  const dropped: string[] = [];
  const resolved = new Map<SettingName, Resolved>();
  for (const name of SETTING_NAMES) {
    resolved.set(name, { value: SETTINGS[name].default, source: 'default' });
  }
  // From the weakest to the strongest: what is weaker is checked, too.
  for (const source of SOURCES.toReversed()) {
    if (source === 'default') continue;
    for (const [name, given] of Object.entries(layers[source])) {
      const read = readSetting(name, given);
      if (read.ok) resolved.set(name as SettingName, { value: read.value, source });
      else (source === 'saved' ? dropped : mistakes).push(`${read.mistake} (${source})`);
    }
  }
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return { values: resolved, dropped };
}

/** One error of all mistakes. */
export function mistakesError(mistakes: readonly string[]): Error {
  return nodeError('ERR_SETTINGS', { mistakes });
}

type Read =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; mistake: string };

/** A value as its setting takes it; text is read as its type says. */
export function readSetting(name: string, given: unknown): Read {
  if (!Object.hasOwn(SETTINGS, name)) {
    return { ok: false, mistake: `${name}: there is no such setting; ${nearest(name)}` };
  }
  const spec: SettingSpec = SETTINGS[name as SettingName];
  const value = typeof given === 'string' ? fromText(spec, given) : given;
  const expected = expectation(spec, value);
  if (expected === undefined) return { ok: true, value };
  // A password that is too short is perhaps the beginning of the right one: errors end in logs.
  const got = name === 'api.password' ? 'another value' : JSON.stringify(given);
  return { ok: false, mistake: `${name}: expected ${expected}, got ${got}` };
}

function fromText(spec: SettingSpec, text: string): unknown {
  switch (spec.type) {
    case 'boolean':
      if (/^(?:true|on|yes|1)$/i.test(text)) return true;
      return /^(?:false|off|no|0)$/i.test(text) ? false : text;
    case 'integer':
    case 'number':
      return text.trim() === '' ? text : Number(text);
    case 'list':
      return text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '');
    default:
      return text;
  }
}

/** What is expected, when the value is not that. */
function expectation(spec: SettingSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'integer':
    case 'number': {
      const { minimum, maximum, type } = spec;
      const isNumber = typeof value === 'number' && value >= minimum && value <= maximum;
      if (isNumber && (type === 'number' || Number.isInteger(value))) return undefined;
      const kind = type === 'integer' ? 'a whole number' : 'a number';
      return `${kind} from ${minimum} to ${maximum}${spec.unit === undefined ? '' : ` (${spec.unit})`}`;
    }
    case 'choice':
      return spec.choices.includes(value as string)
        ? undefined
        : `one of ${spec.choices.join(', ')}`;
    case 'text':
      return fits(spec, value) ? undefined : (spec.expected ?? 'text');
    case 'list':
      if (
        Array.isArray(value) &&
        value.length <= 1_000 &&
        value.every((each) => fits(spec, each))
      ) {
        return undefined;
      }
      return spec.expected ?? 'a list of texts';
  }
}

function fits({ pattern }: { readonly pattern?: RegExp }, value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 4_096 || value.includes('\0')) return false;
  return pattern?.test(value) ?? true;
}

/** The names that were perhaps meant: one that is nearly the same, one that ends or begins the same way, or those of the area. */
function nearest(name: string): string {
  const given = name.slice(0, 40);
  const rank = (known: string): number => distance(given, known);
  const [best] = SETTING_NAMES.toSorted((a, b) => rank(a) - rank(b));
  const alike = SETTING_NAMES.find((known) => known.endsWith(`.${given}`));
  const area = SETTING_NAMES.filter((known) => known.startsWith(`${given.split('.', 1)[0]}.`));
  const close = alike ?? (rank(best!) <= given.length / 3 ? best : undefined);
  if (close !== undefined) return `did you mean ${close}? "starling config show" lists all`;
  const those = area.length === 0 ? '' : `of this area there are ${area.join(', ')}; `;
  return `${those}"starling config show" lists all`;
}

/** Edits that make one text of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = row[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
