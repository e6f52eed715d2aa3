/**
 * Where the running node of a home is: a file that it writes when it listens and removes when it ends.
 * @module
 */
import path from 'node:path';
import { readFileIfThere } from '../../io/atomic-file.ts';

/** Its name in the home. */
export const NODE_FILE = 'node.json';

/** What it says. */
export interface Whereabouts {
  readonly url: string;
  readonly token: string;
  /** Its process. */
  readonly pid: number;
}

/** What the file says; undefined where there is none that can be read. The node may be gone nevertheless: whoever asks it finds out. */
export function whereaboutsOf(home: string): Whereabouts | undefined {
  const text = textOf(path.join(home, NODE_FILE));
  const token = textOf(path.join(home, 'api-token'))?.trim();
  if (text === undefined || token === undefined) return undefined;
  try {
    const { url, pid } = JSON.parse(text) as { url?: unknown; pid?: unknown };
    return typeof url === 'string' && typeof pid === 'number' ? { url, token, pid } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  const bytes = readFileIfThere(file);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
