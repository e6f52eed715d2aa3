/**
 * Keeps space free: while a disk has less than the setting says, torrents that download to it rest; they go on when there is more again.
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../daemon/log.ts';
import type { NodeService, ServiceHealth } from '../daemon/service.ts';
import type { Settings } from '../settings/settings.ts';
import type { TorrentEntry } from './torrent-entry.ts';

// Implementation limits
/** How often the disks are asked. */
const LOOK_MS = 5_000;
/** What has to be free above the limit before torrents go on: no stopping and starting at the edge. */
const SLACK_BYTES = 64 * 1024 * 1024;

/** What is free where a folder is or will be; undefined: it cannot be told. */
export type SpaceOf = (dir: string) => Promise<number | undefined>;

/** The service. */
export class SpaceGuard implements NodeService {
  readonly name = 'space';
  readonly #settings: Settings;
  readonly #entries: () => readonly TorrentEntry[];
  readonly #log: Logger;
  readonly #spaceOf: SpaceOf;
  /** Torrents that rest because of it. */
  readonly #held = new Set<TorrentEntry>();
  readonly #full = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    settings: Settings,
    entries: () => readonly TorrentEntry[],
    log: Logger,
    spaceOf: SpaceOf = freeBytesAt,
  ) {
    this.#settings = settings;
    this.#entries = entries;
    this.#log = log;
    this.#spaceOf = spaceOf;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  health(): ServiceHealth {
    const [warning] = this.warnings();
    return warning === undefined ? { ok: true } : { ok: false, detail: warning };
  }

  /** What its user should know. */
  warnings(): string[] {
    const held = this.#held.size;
    return [...this.#full].map(
      (dir) =>
        `${dir} has less free than the setting disk.keep-free says: ${held} download(s) rest until there is more.`,
    );
  }

  /** Asks each disk once. */
  async look(): Promise<void> {
    const keep = this.#settings.get('disk.keep-free');
    const byDir = Map.groupBy(
      this.#entries().filter((entry) => isDownloading(entry) || this.#held.has(entry)),
      ({ record }) => record.dir,
    );
    for (const dir of this.#full) if (!byDir.has(dir)) this.#full.delete(dir);
    for (const [dir, entries] of byDir) {
      const free = await this.#spaceOf(dir);
      if (free === undefined) continue;
      if (free < keep) this.#hold(dir, entries);
      else if (free >= keep + SLACK_BYTES || keep === 0) this.#letGo(dir, entries);
    }
    for (const entry of this.#held) if (!this.#entries().includes(entry)) this.#held.delete(entry);
  }

  #hold(dir: string, entries: readonly TorrentEntry[]): void {
    if (!this.#full.has(dir)) {
      this.#full.add(dir);
      this.#log.warn(`${dir} is nearly full: downloads to it rest.`);
    }
    for (const entry of entries) {
      if (this.#held.has(entry) || entry.record.isPaused) continue;
      this.#held.add(entry);
      entry.torrent?.pause();
    }
  }

  #letGo(dir: string, entries: readonly TorrentEntry[]): void {
    if (this.#full.delete(dir)) this.#log.info(`${dir} has space again: downloads go on.`);
    for (const entry of entries) {
      if (this.#held.delete(entry) && !entry.record.isPaused) entry.torrent?.resume();
    }
  }
}

function isDownloading(entry: TorrentEntry): boolean {
  return entry.torrent !== undefined && ['downloading', 'metadata', 'queued'].includes(entry.state);
}

/** Of the nearest folder that exists. */
async function freeBytesAt(dir: string): Promise<number | undefined> {
  for (let at = path.resolve(dir); ; at = path.dirname(at)) {
    const found = await fs.statfs(at).catch(() => undefined);
    if (found !== undefined) return found.bavail * found.bsize;
    if (path.dirname(at) === at) return undefined;
  }
}
