/**
 * The torrents of a long-running node: kept in its database, run in its engine, changed by its users.
 *
 * What is acknowledged is in the database first; the engine follows. Nothing of a torrent's files is removed but by `remove` with files, and only what the torrent itself names.
 * Not here: routes (torrent-routes.ts), rules for seeds and folders (seeding-rules.ts, watch-folders.ts), moving files (move-files.ts).
 * @module
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ChangeTorrent, TorrentRow } from '../../contract/index.ts';
import { Turns } from '../../lib/turns.ts';
import type { Row, Topic, TopicSource } from '../daemon/feed.ts';
import type { Logger } from '../daemon/log.ts';
import type { Metric } from '../daemon/metric.ts';
import { MovedBytes } from '../daemon/moved-bytes.ts';
import type { NodeService } from '../daemon/service.ts';
import { nodeError } from '../errors.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';
import { type Rename, withRename } from '../renames.ts';
import type {
  TorrentRecord,
  TorrentRecordOptions,
  TorrentTable,
  TorrentTotals,
} from '../store/torrent-table.ts';
import { givenPeers } from '../torrent-link.ts';
import type { AddOptions } from '../torrent-types.ts';
import { type Addition, expectAbsolute } from './addition.ts';
import { Additions } from './additions.ts';
import { moveFiles } from './move-files.ts';
import { removeFiles } from './remove-files.ts';
import { expectFewRenames, expectThere, judgedRename, renameFiles } from './rename-files.ts';
import { changedRecord, filesUnknown } from './torrent-changes.ts';
import { type EntryEvents, idOf, TorrentEntry } from './torrent-entry.ts';
import { torrentRoutes } from './torrent-routes.ts';
import { detailsOf } from './torrent-rows.ts';

// Implementation limits
/** Torrents in one node. */
const MAX_TORRENTS = 100_000;
/** Torrents that are started side by side after a restart. */
const STARTS_AT_ONCE = 16;
/** What torrents moved is written this often. */
const TOTALS_INTERVAL_MS = 60_000;
/** Of a torrent that moved nothing, after so much time at work: thousands that only wait for somebody are not worth a write a minute. */
const TIMES_AFTER_SECONDS = 600;

/** Changes that rules depend on. */
const RULED = [
  'shareLimits',
  'category',
  'downloadLimitBytesPerSec',
  'uploadLimitBytesPerSec',
] as const;

/** What is needed of the rest of the node. */
export interface TorrentServiceOptions {
  readonly node: PeerNode;
  readonly table: TorrentTable;
  readonly log: Logger;
  /** Where downloads go when nothing else says so. @param category its own folder goes first. */
  readonly dirFor: (category: string | undefined) => string;
  /** True when what is added without a word about it starts at once. */
  readonly startsAdded: () => boolean;
  /** Options that rules of the node add to a torrent's own: limits, who may join. */
  readonly rulesFor?: (record: TorrentRecord) => Partial<AddOptions>;
  /** Peer ids of contacts by what a person calls them. @throws {AppError} */
  readonly peersOf?: (names: readonly string[]) => string[];
  /** Told when the list or a row changed in a way that should be seen at once. */
  readonly onChange?: () => void;
  /** @param isFirst false when it is known of an earlier run already. */
  readonly onComplete?: (entry: TorrentEntry, isFirst: boolean) => void;
}

/** The service. */
export class TorrentService implements NodeService {
  readonly name = 'torrents';
  readonly additions: Additions;
  /** What all of them moved since the node's start, those that are gone, too. */
  readonly moved: MovedBytes = new MovedBytes();
  readonly #options: TorrentServiceOptions;
  readonly #entries = new Map<string, TorrentEntry>();
  readonly #events: EntryEvents;
  /** Changes of one torrent happen one after the other. */
  readonly #turns = new Turns();
  /** Totals that are in the database. */
  readonly #saved = new Map<string, TorrentTotals>();
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #restoring: Promise<void> = Promise.resolve();

  constructor(options: TorrentServiceOptions) {
    this.#options = options;
    const { log, node, peersOf } = options;
    this.additions = new Additions(node, this, peersOf ?? ((names) => [...names]));
    this.#events = {
      onComplete: (entry) => this.#onComplete(entry),
      onMetadata: (entry) => this.#onMetadata(entry),
      onProblem: (entry, message) => log.warn(`${entry.record.name}: ${message}`),
      onState: (entry, state) => {
        log.debug(`${entry.record.name}: ${state}`);
        // A completion is told right after this, and shown with it.
        if (state !== 'seeding') options.onChange?.();
      },
      onEnded: ({ service: { swarm } }) => this.moved.look(swarm, swarm.totals),
      onGivenEnough: (entry, action) => {
        const { name } = entry.record;
        if (action === 'stop') this.#background(this.remove(entry.id, false), `remove ${name}`);
        else {
          const noted = this.#turns.run(entry.id, () => this.keep(entry, { isPaused: true }));
          this.#background(noted, `note that ${name} rests`);
        }
      },
    };
  }

  /** Knows all torrents when it resolves; they are started after that, in the order of the queue. */
  async start(): Promise<void> {
    for (const record of await this.#options.table.all()) {
      const entry = new TorrentEntry(record, this.#events);
      this.#entries.set(record.id, entry);
      this.#saved.set(record.id, { id: record.id, ...entry.totals });
    }
    this.#restoring = this.#restore();
    this.#timer = setInterval(() => {
      this.#background(this.#saveTotals(), 'save what torrents moved');
    }, TOTALS_INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#restoring;
    await this.#turns.settled();
    await this.#saveTotals();
  }

  /** Resolves when all that were kept have been started. */
  get restored(): Promise<void> {
    return this.#restoring;
  }

  routes(api: Api): void {
    torrentRoutes(api, this, this.additions);
  }

  readonly topics: TopicSource = (name) => {
    if (name === 'torrents') return this.#listTopic();
    const [kind, id = ''] = name.split(':');
    return kind === 'torrent' && this.#entries.has(id) ? this.#detailTopic(name, id) : undefined;
  };

  metrics(): Metric[] {
    const states = new Map<string, number>();
    for (const { state } of this.#entries.values()) {
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    const value = [...states].map(([state, count]) => [{ state }, count] as const);
    return [{ name: 'starling_torrents', type: 'gauge', help: 'Torrents by state.', value }];
  }

  get entries(): readonly TorrentEntry[] {
    return [...this.#entries.values()];
  }

  find(id: string): TorrentEntry | undefined {
    return this.#entries.get(id);
  }

  /** @throws {AppError} ERR_API_NOT_FOUND. */
  get(id: string): TorrentEntry {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      const hint = 'it may have been removed; GET /api/v1/torrents lists all';
      throw apiError('ERR_API_NOT_FOUND', { what: `torrent ${id}`, hint });
    }
    return entry;
  }

  /** Keeps a torrent and starts it; resolves when it is kept. @throws {AppError} ERR_DUPLICATE, ERR_CONFIG, ERR_API_TOO_MANY. */
  async add(addition: Addition): Promise<TorrentEntry> {
    const { source, choices } = addition;
    const id = idOf(source);
    if (this.#entries.has(id)) throw nodeError('ERR_DUPLICATE', { infoHash: id });
    if (this.#entries.size >= MAX_TORRENTS) {
      throw apiError('ERR_API_TOO_MANY', { what: 'torrents', most: MAX_TORRENTS });
    }
    const dir = choices.dir ?? this.#options.dirFor(choices.category);
    expectAbsolute(dir);
    const record: TorrentRecord = {
      id,
      source: addition.kept,
      dir,
      name: addition.name,
      mode: addition.mode,
      isPaused: choices.isPaused ?? (addition.origin !== 'share' && !this.#options.startsAdded()),
      queueIndex: this.#entries.size,
      category: choices.category,
      tags: choices.tags ?? [],
      options: { ...optionsOf(choices), origin: addition.origin, ...addition.extra },
      addedAt: Date.now(),
      completedAt: undefined,
      uploadedBytes: 0,
      downloadedBytes: 0,
      activeSeconds: 0,
      seedingSeconds: 0,
      error: undefined,
    };
    const entry = new TorrentEntry(record, this.#events, source);
    this.#entries.set(id, entry);
    try {
      await this.#options.table.add(record);
    } catch (error) {
      this.#entries.delete(id);
      throw error;
    }
    this.#options.log.info(`${record.name}: added`);
    const isFresh = addition.isFresh ?? false;
    this.#background(
      this.#turns.run(id, () => this.#run(entry, { isFresh })),
      `start ${record.name}`,
    );
    this.#options.onChange?.();
    return entry;
  }

  /** Changes a torrent; resolves when the change is kept. @throws {AppError} ERR_API_NOT_FOUND, ERR_API_INVALID. */
  change(id: string, changes: ChangeTorrent): Promise<TorrentEntry> {
    return this.#inTurn(id, async (entry) => {
      const { table } = this.#options;
      const before = entry.record;
      const record = changedRecord(entry, changes);
      if (record !== before) {
        const { id: _, source: __, ...fields } = record;
        await table.update(id, fields);
        entry.record = record;
      }
      if (changes.queue !== undefined) await this.#requeue(entry, changes.queue);
      this.#apply(entry, before, changes);
      entry.touch();
      this.#options.onChange?.();
      return entry;
    });
  }

  /** Works on a torrent when everything asked of it before is over; what was removed by then is left alone. @throws {AppError} ERR_API_NOT_FOUND. */
  async #inTurn<T>(id: string, work: (entry: TorrentEntry) => Promise<T>): Promise<T> {
    this.get(id);
    return await this.#turns.run(id, async () => await work(this.get(id)));
  }

  /** Puts the node's rules into force anew: those of a category or of the settings changed. */
  applyRules(): void {
    for (const entry of this.#entries.values()) {
      const { torrent, record } = entry;
      if (torrent === undefined) continue;
      const rules = this.#options.rulesFor?.(record) ?? {};
      // The same limits are not set anew: one that struck, and was overruled by a person, would strike again.
      if (!isDeepStrictEqual(rules.shareLimits, entry.shareLimits)) {
        entry.shareLimits = rules.shareLimits;
        torrent.setShareLimits(rules.shareLimits);
      }
      torrent.setLimits({
        downloadBytesPerSec: rules.downloadLimitBytesPerSec ?? 0,
        uploadBytesPerSec: rules.uploadLimitBytesPerSec ?? 0,
      });
    }
  }

  /** Dials peers that a person names. @param peers "host:port" or "[v6]:port". @throws {AppError} ERR_API_NOT_FOUND, ERR_API_CONFLICT; for what is no address, or may not be contacted. */
  async addPeers(id: string, peers: readonly string[]): Promise<void> {
    const { torrent, record } = this.get(id);
    if (torrent === undefined || record.options.secureContacts !== undefined) {
      const [reason, remedy] =
        torrent === undefined
          ? ['It does not run', 'resume it first']
          : ['It is shared with contacts alone', 'they find each other'];
      throw apiError('ERR_API_CONFLICT', { reason, remedy });
    }
    torrent.service.addPeers(await givenPeers(peers, this.#options.node.policy, 'peers'), 'given');
  }

  /** Checks its files anew, from the first byte. */
  recheck(id: string): Promise<void> {
    return this.#inTurn(id, async (entry) => {
      const files = entry.torrent?.files;
      await entry.halt();
      // Not before: the end of a torrent writes what it knows.
      files?.forget();
      this.#runAnew(entry);
    });
  }

  /** Ends a torrent and forgets it. @param withFiles its files are removed from the disk, too. @throws {AppError} ERR_API_NOT_FOUND, ERR_FILE. */
  remove(id: string, withFiles: boolean): Promise<void> {
    return this.#inTurn(id, async (entry) => {
      const { info } = entry;
      await this.#options.table.remove(id);
      this.#entries.delete(id);
      this.#saved.delete(id);
      this.#options.log.info(`${entry.record.name}: removed${withFiles ? ' with its files' : ''}`);
      this.#options.onChange?.();
      const { torrent } = entry;
      await entry.halt();
      if (!withFiles || info === undefined) return;
      torrent?.files?.forget();
      await removeFiles(entry.record.dir, info);
    });
  }

  /** Moves its files to another folder; resolves when they are there. What fails leaves all where it was. @throws {AppError} ERR_CONFIG, ERR_FILE. */
  async moveTo(id: string, dir: string): Promise<void> {
    expectAbsolute(dir);
    await this.#inTurn(id, async (entry) => {
      if (path.resolve(dir) === path.resolve(entry.record.dir)) return;
      await entry.halt();
      try {
        await this.#move(entry, dir, false);
      } finally {
        this.#runAnew(entry);
      }
    });
  }

  /** For a torrent that does not run. @param isResumed a crash cut it off. */
  async #move(entry: TorrentEntry, dir: string, isResumed: boolean): Promise<void> {
    const { info } = entry;
    entry.isMoving = true;
    try {
      await this.keep(entry, { options: { ...entry.record.options, movingTo: dir } });
      if (info !== undefined) await moveFiles(entry.record.dir, dir, info, isResumed);
      await this.#changeDir(entry, dir);
    } catch (error) {
      await this.keep(entry, { options: withoutMove(entry.record) });
      throw error;
    } finally {
      entry.isMoving = false;
    }
  }

  /** Looks for its files in another folder, where somebody put them. @throws {AppError} ERR_CONFIG. */
  async setDir(id: string, dir: string): Promise<void> {
    expectAbsolute(dir);
    await this.#inTurn(id, async (entry) => {
      await entry.halt();
      await this.#changeDir(entry, dir);
      this.#runAnew(entry);
    });
  }

  /**
   * Gives a file or folder another name, here alone: peers know the torrent's. Resolves when it is so called on disk.
   * @param where below the top name, with "/"; '': the top itself. @throws {AppError} ERR_API_NOT_FOUND, ERR_API_INVALID, ERR_API_TOO_MANY, ERR_FILE.
   */
  rename(id: string, where: string, name: string): Promise<TorrentEntry> {
    return this.#inTurn(id, async (entry) => {
      const { info } = entry;
      if (info === undefined) throw filesUnknown();
      const rename = judgedRename(info, where, name);
      if (rename.path.at(-1) === name) return entry;
      const { options, completedAt, dir } = entry.record;
      expectFewRenames(withRename(options.renames ?? [], rename));
      if (completedAt !== undefined) await expectThere(dir, info);
      await entry.halt();
      try {
        await this.#rename(entry, rename, false);
        this.#options.log.info(`${entry.record.name}: ${rename.path.at(-1)} is called ${name} now`);
      } finally {
        this.#runAnew(entry);
      }
      return entry;
    });
  }

  /** For a torrent that does not run. @param isResumed a crash cut it off. */
  async #rename(entry: TorrentEntry, rename: Rename, isResumed: boolean): Promise<void> {
    const { renaming: _, ...options } = entry.record.options;
    await this.keep(entry, { options: { ...options, renaming: rename } });
    try {
      await renameFiles(entry.record.dir, entry.info!, rename, isResumed);
    } catch (error) {
      await this.keep(entry, { options });
      throw error;
    }
    const renames = withRename(options.renames ?? [], rename);
    const isTop = rename.path.length === 1;
    const done = { options: { ...options, renames }, ...(isTop ? { name: rename.name } : {}) };
    // The disk has it, and the next start finishes it, whatever becomes of the database.
    entry.record = { ...entry.record, ...done };
    await this.keep(entry, done);
  }

  /** Writes fields of a record. */
  async keep(entry: TorrentEntry, fields: Partial<TorrentRecord>): Promise<void> {
    await this.#options.table.update(entry.id, fields);
    entry.record = { ...entry.record, ...fields };
    entry.touch();
  }

  async #changeDir(entry: TorrentEntry, dir: string): Promise<void> {
    try {
      entry.moveResume(this.#options.node.home, dir);
    } catch (error) {
      this.#options.log.warn(`${entry.record.name} is checked again: ${(error as Error).message}`);
    }
    await this.keep(entry, { dir, options: withoutMove(entry.record) });
  }

  async #restore(): Promise<void> {
    const waiting = this.entries;
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < waiting.length && !this.#isStopping) {
        const entry = waiting[next]!;
        next += 1;
        await this.#turns.run(entry.id, () => this.#runAgain(entry));
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, work));
  }

  async #runAgain(entry: TorrentEntry): Promise<void> {
    const { movingTo, renaming } = entry.record.options;
    const onFailure = (error: Error): void =>
      this.#options.log.error(`Cannot finish a move of ${entry.record.name}: ${error.message}`);
    if (movingTo !== undefined) await this.#move(entry, movingTo, true).catch(onFailure);
    if (renaming !== undefined) await this.#rename(entry, renaming, true).catch(onFailure);
    await this.#run(entry, {});
  }

  async #run(entry: TorrentEntry, extra: Partial<AddOptions>): Promise<void> {
    if (this.#isStopping || this.#entries.get(entry.id) !== entry) return;
    const { node, rulesFor } = this.#options;
    const rules = rulesFor?.(entry.record);
    entry.shareLimits = rules?.shareLimits;
    await entry.run(node, { ...rules, ...extra });
    const { priorities } = entry.record.options;
    if (priorities !== undefined) entry.torrent?.setFilePriorities(priorities);
  }

  /** Runs one that was halted, at its place in the queue: what begins comes last. */
  #runAnew(entry: TorrentEntry): void {
    this.#background(this.#run(entry, {}), `start ${entry.record.name}`);
    const { torrent, record } = entry;
    if (torrent === undefined) return;
    let next: TorrentEntry | undefined;
    for (const other of this.#entries.values()) {
      const { queueIndex } = other.record;
      const isBehind = other.torrent !== undefined && queueIndex > record.queueIndex;
      if (isBehind && queueIndex < (next?.record.queueIndex ?? Infinity)) next = other;
    }
    this.#options.node.queue.place(torrent, next?.torrent);
  }

  #apply(entry: TorrentEntry, before: TorrentRecord, changes: ChangeTorrent): void {
    const { torrent, record } = entry;
    if (changes.isPaused !== undefined && changes.isPaused !== before.isPaused) {
      if (changes.isPaused) torrent?.pause();
      else if (torrent !== undefined) torrent.resume();
      else this.#background(this.#run(entry, {}), `start ${record.name}`);
    }
    if (torrent === undefined) return;
    if (changes.trackers !== undefined) torrent.discovery.setTrackers(entry.tiers);
    if (changes.files !== undefined) torrent.setFilePriorities(record.options.priorities ?? []);
    if (changes.isSequential !== undefined) torrent.setSequential(changes.isSequential);
    if (RULED.some((name) => changes[name] !== undefined)) this.applyRules();
  }

  async #requeue(entry: TorrentEntry, to: NonNullable<ChangeTorrent['queue']>): Promise<void> {
    const order = this.entries.toSorted((a, b) => a.record.queueIndex - b.record.queueIndex);
    const from = order.indexOf(entry);
    const last = order.length - 1;
    const at = { up: Math.max(0, from - 1), down: Math.min(last, from + 1), top: 0, bottom: last };
    order.splice(from, 1);
    order.splice(at[to], 0, entry);
    await this.#options.table.setQueue(order.map(({ id }) => id));
    for (const [queueIndex, each] of order.entries()) {
      if (each.record.queueIndex === queueIndex) continue;
      each.record = { ...each.record, queueIndex };
      each.touch();
    }
    if (entry.torrent !== undefined) this.#options.node.queue.move(entry.torrent, to);
  }

  #onComplete(entry: TorrentEntry): void {
    const isFirst = entry.record.completedAt === undefined;
    if (isFirst) {
      this.#options.log.info(`${entry.record.name}: complete`);
      // Seen at once, not when the disk has it: whoever reads "seeding" reads since when.
      const completion = { completedAt: Date.now() };
      entry.record = { ...entry.record, ...completion };
      this.#background(this.keep(entry, completion), 'note a completion');
    }
    this.#options.onComplete?.(entry, isFirst);
    this.#options.onChange?.();
  }

  #onMetadata(entry: TorrentEntry): void {
    const { source } = entry.record;
    const name = entry.torrent?.name ?? entry.record.name;
    const infoBytes = entry.torrent?.info?.infoBytes;
    if (source.kind === 'magnet' && source.info === undefined && infoBytes !== undefined) {
      const kept = { name, source: { ...source, info: infoBytes } };
      this.#background(this.keep(entry, kept), 'keep the metadata');
    } else if (name !== entry.record.name) {
      this.#background(this.keep(entry, { name }), 'note a name');
    }
    this.#options.onChange?.();
  }

  async #saveTotals(): Promise<void> {
    const rows = this.entries.flatMap((entry) => {
      const now = { id: entry.id, ...entry.totals };
      const saved = this.#saved.get(entry.id);
      const isSame =
        now.downloadedBytes === saved?.downloadedBytes &&
        now.uploadedBytes === saved.uploadedBytes &&
        now.activeSeconds - saved.activeSeconds < (this.#isStopping ? 1e-3 : TIMES_AFTER_SECONDS);
      if (isSame) return [];
      this.#saved.set(entry.id, now);
      return [now];
    });
    if (rows.length > 0) await this.#options.table.updateTotals(rows);
  }

  /** Work that nobody waits for: what fails is told in the log. */
  #background(work: Promise<unknown>, what: string): void {
    work.catch((error: Error) => this.#options.log.error(`Cannot ${what}: ${error.message}`));
  }

  #listTopic(): Topic {
    const rows = function* (entries: Iterable<TorrentEntry>): Generator<readonly [string, Row]> {
      for (const entry of entries) yield [entry.id, entry.row];
    };
    return { name: 'torrents', rows: () => rows(this.#entries.values()) };
  }

  #detailTopic(name: string, id: string): Topic {
    return {
      name,
      rows: () => {
        const entry = this.#entries.get(id);
        if (entry === undefined) return undefined;
        const { files, peers, trackers, ...details } = detailsOf(entry);
        return [
          ['details', details as Row],
          ...files.map((file) => [`file:${file.index}`, file] as const),
          ...peers.map((peer) => [`peer:${peer.id}`, peer] as const),
          ...trackers.map((tracker, index) => [`tracker:${index}`, tracker] as const),
        ];
      },
    };
  }

  /** Rows of all, for the list. */
  rows(): TorrentRow[] {
    return this.entries.map((entry) => entry.row);
  }
}

function withoutMove({ options }: TorrentRecord): TorrentRecordOptions {
  const { movingTo: _, ...rest } = options;
  return rest;
}

function optionsOf(choices: Addition['choices']): TorrentRecordOptions {
  const { dir: _, category: __, tags: ___, isPaused: ____, ...options } = choices;
  return options;
}
