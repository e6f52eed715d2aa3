/**
 * The settings of a running node: read once from everywhere, changed while it runs, told to whoever follows them.
 *
 * The file is `config.json` in the home, an object of names and values, written by people; what the API changes is saved in the database, so that nobody's file is rewritten. Switches of privacy live in
 * privacy.json, which commands without a node read, too.
 * @module
 */
import path from 'node:path';
import type { Setting } from '../../contract/index.ts';
import { readFileIfThere } from '../../io/atomic-file.ts';
import { nodeError } from '../errors.ts';
import { passwordDigest } from '../http/server-tls.ts';
import { type PrivacySwitch, readPrivacy, setPrivacy } from '../privacy-settings.ts';
import {
  environmentLayer,
  type Layers,
  mistakesError,
  type Resolved,
  readSetting,
  resolveSettings,
  SETTING_NAMES,
  type SettingSource,
  variableOf,
} from './resolve.ts';
import { SETTINGS, type SettingName, type SettingSpec, type SettingValues } from './schema.ts';

/** The name of the file in a home. */
export const CONFIG_FILE = 'config.json';

// Implementation limits
/** Longest file that is read as settings. */
const MAX_FILE_BYTES = 1_048_576;

/** Where changes are saved. */
export interface SavedSettings {
  all(): Promise<Record<string, unknown>>;
  set(entries: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Options of `Settings.open`. */
export interface SettingsOptions {
  readonly home: string;
  readonly table: SavedSettings;
  readonly commandLine?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
}

interface Follower {
  readonly areas: readonly string[];
  readonly tell: () => void;
}

/** The settings. */
export class Settings {
  readonly #home: string;
  readonly #table: SavedSettings;
  #layers: Layers;
  #resolved: ReadonlyMap<SettingName, Resolved>;
  /** Saved values that did not count at the start, as sentences for the log. */
  readonly warnings: readonly string[];
  readonly #followers = new Set<Follower>();

  private constructor(options: SettingsOptions, layers: Layers) {
    this.#home = options.home;
    this.#table = options.table;
    this.#layers = layers;
    const { values, dropped } = resolveSettings(layers);
    this.#resolved = values;
    this.warnings = dropped.map((mistake) => `A saved setting does not count. ${mistake}`);
  }

  /** @throws {AppError} ERR_SETTINGS with every mistake; ERR_CONFIG for a file that is no object of JSON. */
  static async open(options: SettingsOptions): Promise<Settings> {
    const { home, table, commandLine = {}, env = process.env } = options;
    return new Settings(options, {
      'command line': commandLine,
      environment: environmentLayer(env),
      file: fileLayer(home),
      saved: { ...(await table.all()), ...privacyLayer(home) },
    });
  }

  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#resolved.get(name)!.value as SettingValues[N];
  }

  /** Where its value comes from. */
  source(name: SettingName): SettingSource {
    return this.#resolved.get(name)!.source;
  }

  /** All, as the API shows them; a password stays hidden. */
  describe(): Setting[] {
    return SETTING_NAMES.map((name) => {
      const spec: SettingSpec = SETTINGS[name];
      const { value, source } = this.#resolved.get(name)!;
      const range = 'minimum' in spec ? spec : { minimum: null, maximum: null };
      return {
        name,
        area: areaOf(name),
        help: spec.help,
        type: spec.type,
        unit: spec.unit ?? null,
        choices: 'choices' in spec ? [...spec.choices] : null,
        minimum: range.minimum,
        maximum: range.maximum,
        value: name === 'api.password' && value !== '' ? '••••••••' : value,
        default: spec.default,
        source,
        isLive: spec.isLive,
      };
    });
  }

  /**
   * Changes settings, all or none; null takes one back to what stands behind it. Resolves when they are saved and in force.
   * @throws {AppError} ERR_SETTINGS with every mistake; one that a stronger source decides cannot be changed here.
   */
  async change(entries: Readonly<Record<string, unknown>>): Promise<void> {
    const saved = new Map<string, unknown>();
    const mistakes: string[] = [];
    for (const [name, given] of Object.entries(entries)) {
      const read = given === null ? readNothing(name) : readSetting(name, given);
      if (!read.ok) mistakes.push(read.mistake);
      else {
        const held = this.#heldBy(name as SettingName);
        if (held === undefined) saved.set(name, read.value);
        else mistakes.push(`${name}: ${held}`);
      }
    }
    if (mistakes.length > 0) throw mistakesError(mistakes);
    const own: Record<string, unknown> = {};
    for (const [name, value] of saved) {
      if (name === 'api.password' && value !== undefined && value !== '') {
        own[name] = await passwordDigest(String(value));
      } else if (SETTINGS[name as SettingName].isPrivacy !== true) own[name] = value;
      else setPrivacy(this.#home, switchOf(name), value !== false);
    }
    await this.#table.set(own);
    await this.#resolveAgain();
  }

  /** Reads the file again. @throws {AppError} as open; everything then stays as it was. */
  async reload(): Promise<void> {
    this.#layers = { ...this.#layers, file: fileLayer(this.#home) };
    await this.#resolveAgain();
  }

  /** Follows areas ("schedule") or single names. */
  onChange(areas: readonly string[], tell: () => void): () => void {
    const follower = { areas, tell };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  async #resolveAgain(): Promise<void> {
    const saved = { ...(await this.#table.all()), ...privacyLayer(this.#home) };
    const layers = { ...this.#layers, saved };
    const before = this.#resolved;
    this.#resolved = resolveSettings(layers).values;
    this.#layers = layers;
    const changed = SETTING_NAMES.filter(
      (name) =>
        JSON.stringify(before.get(name)?.value) !== JSON.stringify(this.#resolved.get(name)?.value),
    );
    const touched = new Set(changed.flatMap((name) => [name, areaOf(name)]));
    for (const { areas, tell } of this.#followers) {
      if (areas.some((area) => touched.has(area))) tell();
    }
  }

  /** Why a change here would not count. */
  #heldBy(name: SettingName): string | undefined {
    const { source } = this.#resolved.get(name)!;
    switch (source) {
      case 'command line':
        return 'the command line of the node decides it; start the node without it to change it here';
      case 'environment':
        return `the environment variable ${variableOf(name)} decides it; unset it and start the node again`;
      case 'file':
        return `${path.join(this.#home, CONFIG_FILE)} decides it; change it there, or take it out`;
      default:
        return undefined;
    }
  }
}

function readNothing(name: string): ReturnType<typeof readSetting> {
  if (Object.hasOwn(SETTINGS, name)) return { ok: true, value: undefined };
  return readSetting(name, undefined);
}

/** "schedule" of "schedule.days"; names without a dot are of the node. */
function areaOf(name: string): string {
  return name.includes('.') ? name.split('.', 1)[0]! : 'node';
}

function switchOf(name: string): PrivacySwitch {
  return name.slice('discovery.'.length) as PrivacySwitch;
}

/** Switches that are off. */
function privacyLayer(home: string): Record<string, unknown> {
  const off = Object.entries(readPrivacy(home)).filter(([, isOn]) => !isOn);
  return Object.fromEntries(off.map(([name]) => [`discovery.${name}`, false]));
}

/** @throws {AppError} ERR_CONFIG. */
function fileLayer(home: string): Record<string, unknown> {
  const file = path.join(home, CONFIG_FILE);
  const wrong = (got: string): Error => {
    const expected =
      'an object of JSON with names of settings and values, as {"log.level": "debug"}';
    return nodeError('ERR_CONFIG', { what: file, expected, got });
  };
  const bytes = readFileIfThere(file);
  if (bytes === undefined) return {};
  if (bytes.length > MAX_FILE_BYTES) throw wrong(`${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('another value');
  return value as Record<string, unknown>;
}
