/**
 * Which of the mechanisms that reveal something to others are on in a home: the defaults of every node that uses it, where its options say nothing.
 *
 * They are the user's wishes about privacy, so a file that is damaged is an error and not a default: nothing is revealed because a file could not be read.
 * File: `privacy.json` in the node's home, readable by its owner alone: an object of version and the switches that are off.
 * Not here: what each mechanism reveals (privacy.ts).
 * @module
 */
import path from 'node:path';
import { readFileIfThere } from '../io/atomic-file.ts';
import { withFileLock } from '../io/file-lock.ts';
import { nodeError } from './errors.ts';
import { writeMemory } from './memory-file.ts';

/** What can be switched for good. */
export const PRIVACY_SWITCHES = ['dht', 'lan', 'pex', 'address-record', 'port-mapping'] as const;

/** One of them. */
export type PrivacySwitch = (typeof PRIVACY_SWITCHES)[number];

/** Each switch: on or off. */
export type PrivacySettings = Readonly<Record<PrivacySwitch, boolean>>;

// Implementation limits
const VERSION = 1;
/** Longest file that is read as settings of privacy. */
const MAX_FILE_BYTES = 4_096;

/** The settings of a home; all on where nothing was set. @throws {AppError} ERR_CONFIG for a file that is none of ours; ERR_FILE. */
export function readPrivacy(home: string): PrivacySettings {
  const file = fileIn(home);
  const bytes = readBytes(file);
  const off = bytes === undefined ? [] : parse(bytes);
  if (off === undefined) {
    throw nodeError('ERR_CONFIG', {
      what: file,
      expected: 'settings as "starling privacy" of this version writes them',
      got: 'something else: put a copy of it back, or move it away, and everything is on',
    });
  }
  const settings = PRIVACY_SWITCHES.map((name) => [name, !off.includes(name)] as const);
  return Object.fromEntries(settings) as Record<PrivacySwitch, boolean>;
}

/** Sets a switch for good. @returns all settings. @throws as readPrivacy. */
export function setPrivacy(home: string, name: PrivacySwitch, isOn: boolean): PrivacySettings {
  const file = fileIn(home);
  return orFileError(file, 'write', () =>
    withFileLock(file, () => {
      const settings = { ...readPrivacy(home), [name]: isOn };
      writeMemory(file, VERSION, { off: PRIVACY_SWITCHES.filter((each) => !settings[each]) });
      return settings;
    }),
  );
}

/** @returns undefined where there is none, also below something that is no folder. */
function readBytes(file: string): Uint8Array | undefined {
  return orFileError(file, 'read', () => {
    try {
      return readFileIfThere(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
      throw error;
    }
  });
}

function fileIn(home: string): string {
  return path.join(home, 'privacy.json');
}

function parse(bytes: Uint8Array): readonly PrivacySwitch[] | undefined {
  if (bytes.length > MAX_FILE_BYTES) return undefined;
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) ?? {};
    const { version, off } = value as { version?: unknown; off?: unknown };
    const isOurs = version === VERSION && Array.isArray(off) && off.every(isPrivacySwitch);
    return isOurs ? off : undefined;
  } catch {
    return undefined;
  }
}

/** True for the name of a switch. */
export function isPrivacySwitch(name: unknown): name is PrivacySwitch {
  return (PRIVACY_SWITCHES as readonly unknown[]).includes(name);
}

function orFileError<T>(path: string, operation: 'read' | 'write', work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === undefined || (errno === undefined && code !== 'EBUSY')) throw error;
    throw nodeError('ERR_FILE', { path, code, operation }, error);
  }
}
