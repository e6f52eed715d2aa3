/**
 * Whom a tracker serves: everybody, those with a key in the path (`/KEY/announce`), the torrents of a list; or both rules at once.
 * Bounds: KEYS_MAX keys of KEY_LENGTH_MAX letters, ALLOWED_MAX info-hashes.
 * @module
 */
import { fromHex, toLatin1 } from '../../../lib/bytes.ts';
import { fail, ok, type Result } from '../../../lib/errors.ts';
import { checkOption } from '../errors.ts';
import { ALLOWED_MAX, KEY_LENGTH_MAX, KEYS_MAX } from './constants.ts';
import type { TrackerServerFaultCode } from './errors.ts';

/** What a path asks for. */
export interface TrackerPath {
  readonly action: 'announce' | 'scrape';
  /** '' when there is none. */
  readonly key: string;
}

const KEY = /^[A-Za-z0-9._~-]+$/;

/**
 * `/announce`, `/KEY/announce` and `/announce/KEY`, and the same with `scrape`; undefined: something else. The last form is for local trackers: careful
 * clients, ours too, ask addresses outside the public Internet for paths that begin with /announce only.
 */
export function parseTrackerPath(path: string): TrackerPath | undefined {
  const match = /^(?:\/([A-Za-z0-9._~-]{1,64}))?\/(announce|scrape)$/.exec(path);
  if (match !== null) return { action: actionOf(match[2]!), key: match[1] ?? '' };
  const behind = /^\/(announce|scrape)\/([A-Za-z0-9._~-]{1,64})$/.exec(path);
  return behind === null ? undefined : { action: actionOf(behind[1]!), key: behind[2]! };
}

function actionOf(word: string): TrackerPath['action'] {
  return word === 'scrape' ? 'scrape' : 'announce';
}

/** The rules of one tracker. */
export class Access {
  readonly #keys: ReadonlySet<string> | undefined;
  #allowed: ReadonlySet<string> | undefined;

  /**
   * @param keys letters, digits and `._~-`; none: no key is asked for.
   * @param allowed info-hashes of 20 bytes; undefined: every torrent is served.
   * @throws AppError ERR_TRACKER_BAD_OPTION.
   */
  constructor(keys: readonly string[] = [], allowed?: readonly Uint8Array[]) {
    checkOption(keys.length <= KEYS_MAX, 'keys', `at most ${KEYS_MAX}`, keys.length);
    for (const key of keys) {
      const isKey = KEY.test(key) && key.length <= KEY_LENGTH_MAX;
      checkOption(isKey, 'keys', `1 to ${KEY_LENGTH_MAX} letters, digits or ._~-`, key);
    }
    this.#keys = keys.length === 0 ? undefined : new Set(keys);
    this.setAllowed(allowed);
  }

  get needsKey(): boolean {
    return this.#keys !== undefined;
  }

  /** Another list of torrents; those that are not on it any more fade out as their peers are refused. */
  setAllowed(allowed: readonly Uint8Array[] | undefined): void {
    if (allowed !== undefined) {
      const count = allowed.length;
      checkOption(count <= ALLOWED_MAX, 'allowed', `at most ${ALLOWED_MAX} info-hashes`, count);
    }
    this.#allowed = allowed === undefined ? undefined : new Set(allowed.map(toLatin1));
  }

  allowsKey(key: string): boolean {
    return this.#keys === undefined || this.#keys.has(key);
  }

  allowsTorrent(infoHash: Uint8Array): boolean {
    return this.#allowed === undefined || this.#allowed.has(toLatin1(infoHash));
  }
}

/**
 * Reads an allow list: an info-hash in hex a line (40 digits; of 64, v2, the first 40 count), what follows it and lines with # are comments.
 * @returns the line that is none as a failure.
 */
export function parseAllowList(text: string): Result<Uint8Array[], TrackerServerFaultCode> {
  const hashes: Uint8Array[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const word = /^\s*([^\s#]*)/.exec(line)![1]!;
    if (word === '') continue;
    const bytes = word.length === 40 || word.length === 64 ? fromHex(word) : undefined;
    if (bytes === undefined) {
      return fail(
        'ERR_TRACKER_ALLOW_LIST',
        `line ${index + 1}: expected an info-hash of 40 or 64 hex digits, got ${JSON.stringify(word.slice(0, 80))}`,
      );
    }
    hashes.push(bytes.subarray(0, 20));
  }
  return ok(hashes);
}
