/**
 * What a node remembers between runs, as JSON files in its home: an object with the version of its form.
 *
 * Such a memory is a help, not data of the user: a file that is missing, damaged or of another version counts as an empty one.
 * Not here: what stands in it, and its bounds.
 * @module
 */
import { readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';

/** Only its owner may read it. */
const OWNER_ONLY = 0o600;

/** The object in a file; an empty one where there is none of this version. */
export function readMemory(file: string, version: number): Readonly<Record<string, unknown>> {
  try {
    const bytes = readFileIfThere(file);
    if (bytes === undefined) return {};
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    return value['version'] === version ? value : {};
  } catch {
    return {};
  }
}

/** Replaces the object in a file. @param mode default: readable by its owner alone. @throws the system's error. */
export function writeMemory(
  file: string,
  version: number,
  content: Readonly<Record<string, unknown>>,
  mode: number = OWNER_ONLY,
): void {
  writeFileAtomic(file, Buffer.from(`${JSON.stringify({ version, ...content })}\n`), mode);
}
