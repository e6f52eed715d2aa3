/**
 * What the environment and the platform say: where state lives, whether to stay offline.
 * @module
 */
import os from 'node:os';
import path from 'node:path';

/** Name and version of this program as others see it; the version is the package's. */
export const VERSION = '0.1.0';
export const CLIENT_NAME: string = `Starling/${VERSION}`;

// Specification constants
/** The first of the ports that BEP 3 names. */
export const DEFAULT_PORT = 6881;

/** The folder for state: STARLING_HOME, or the platform's data folder. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['STARLING_HOME'];
  if (given !== undefined && given !== '') return path.resolve(given);
  if (process.platform === 'win32') {
    return path.join(
      env['LOCALAPPDATA'] ?? path.join(os.homedir(), 'AppData', 'Local'),
      'Starling',
    );
  }
  if (process.platform === 'darwin') {
    return path.join(os.homedir(), 'Library', 'Application Support', 'Starling');
  }
  return path.join(env['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local', 'share'), 'starling');
}

/** True with STARLING_OFFLINE=1: no built-in host is contacted and no DNS asked. */
export function isOffline(env: NodeJS.ProcessEnv = process.env): boolean {
  const value = env['STARLING_OFFLINE'];
  return value !== undefined && value !== '' && value !== '0';
}
