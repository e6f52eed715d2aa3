/**
 * Folders that are watched for torrent files and links: what is put there is added, and its file then renamed, so that it is added once.
 *
 * A file counts when it did not change between two looks, so that one that is still being written waits. A torrent file that cannot be taken is renamed, too, with the reason in the log.
 * Bounds: MAX_FILES of one folder at a look; polled, since network shares tell of nothing.
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../daemon/log.ts';
import type { NodeService } from '../daemon/service.ts';
import type { Settings } from '../settings/settings.ts';
import type { Additions } from './additions.ts';

// Implementation limits
/** How often folders are looked into. */
const LOOK_MS = 2_000;
/** Files that are taken from one folder at a look. */
const MAX_FILES = 200;
/** Longest file that is read as links, one a line. */
const MAX_LINK_BYTES = 1024 * 1024;

/** A folder, and the category of what comes from it. */
interface Watched {
  readonly dir: string;
  readonly category: string | undefined;
}

/** The service. */
export class WatchFolders implements NodeService {
  readonly name = 'watch';
  readonly #settings: Settings;
  readonly #additions: Additions;
  readonly #log: Logger;
  /** What a file looked like at the last look. */
  readonly #seen = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(settings: Settings, additions: Additions, log: Logger) {
    this.#settings = settings;
    this.#additions = additions;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => {
        this.#looking = undefined;
      });
    }, LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks into all folders once. */
  async look(): Promise<void> {
    for (const text of this.#settings.get('watch.folders')) await this.#lookInto(watchedOf(text));
  }

  async #lookInto({ dir, category }: Watched): Promise<void> {
    const names = await fs.readdir(dir).catch((error: NodeJS.ErrnoException) => {
      this.#log.warn(`The watched folder ${dir} cannot be read (${error.code}).`);
      return [];
    });
    const wanted = names.filter((name) => /\.(?:torrent|magnet)$/i.test(name)).slice(0, MAX_FILES);
    for (const name of wanted) {
      const file = path.join(dir, name);
      const stat = await fs.stat(file).catch(() => undefined);
      if (stat === undefined || !stat.isFile()) continue;
      const look = `${stat.size} ${stat.mtimeMs}`;
      if (this.#seen.get(file) !== look) {
        this.#seen.set(file, look);
        continue;
      }
      this.#seen.delete(file);
      await this.#take(file, category, stat.size);
    }
    for (const file of this.#seen.keys()) {
      if (path.dirname(file) === dir && !wanted.includes(path.basename(file))) {
        this.#seen.delete(file);
      }
    }
  }

  async #take(file: string, category: string | undefined, size: number): Promise<void> {
    const more = category === undefined ? {} : { category };
    let end = 'added';
    try {
      if (/\.torrent$/i.test(file)) {
        const torrent = (await fs.readFile(file)).toString('base64');
        await this.#additions.add({ torrent, ...more }, 'watch');
      } else {
        if (size > MAX_LINK_BYTES) throw new Error(`it is larger than ${MAX_LINK_BYTES} bytes`);
        for (const link of linesOf(await fs.readFile(file, 'utf8'))) {
          await this.#additions.add({ link, ...more }, 'watch');
        }
      }
      this.#log.info(`Added ${file}.`);
    } catch (error) {
      const isKnown = (error as { code?: string }).code === 'ERR_DUPLICATE';
      end = isKnown ? 'added' : 'refused';
      this.#log.warn(`${file}: ${(error as Error).message}`);
    }
    await fs.rename(file, `${file}.${end}`).catch((error: NodeJS.ErrnoException) => {
      this.#log.warn(`${file} cannot be renamed (${error.code}): it is looked at again.`);
    });
  }
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** "PATH" or "PATH=CATEGORY". */
function watchedOf(text: string): Watched {
  const at = text.lastIndexOf('=');
  if (at < 0) return { dir: text, category: undefined };
  return { dir: text.slice(0, at), category: text.slice(at + 1) };
}
