/**
 * Where the running node of a home is: a file that it writes when it listens and removes when it ends.
 * @module
 */
import path from 'node:path';
import tls from 'node:tls';
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

/** Lets this process believe the certificate that the node shows. */
function trust(cert: string): void {
  const pem = textOf(cert);
  if (pem !== undefined) tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem]);
}

/** What the file says; undefined where there is none that can be read. The node may be gone nevertheless: whoever asks it finds out. */
export function whereaboutsOf(home: string): Whereabouts | undefined {
  const text = textOf(path.join(home, NODE_FILE));
  const token = textOf(path.join(home, 'api-token'))?.trim();
  if (text === undefined || token === undefined) return undefined;
  try {
    const { url, cert, pid } = JSON.parse(text) as Record<string, unknown>;
    if (typeof url !== 'string' || typeof pid !== 'number') return undefined;
    if (typeof cert === 'string') trust(cert);
    return { url, token, pid };
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  const bytes = readFileIfThere(file);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
