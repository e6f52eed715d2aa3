/**
 * One torrent of a long-running node: what is kept of it, and the running torrent where there is one.
 *
 * A torrent that cannot be started (its files are gone, the disk is not there) stays in the list with its error, and `run` tries again.
 * Not here: the list, what is written when (torrent-service.ts).
 * @module
 */
import type { TorrentRow, TorrentState } from '../../contract/index.ts';
import { AppError } from '../../lib/errors.ts';
import type { Info, Metainfo } from '../../protocol/metainfo/index.ts';
import type { PeerNode } from '../peer-node.ts';
import { renamed } from '../renames.ts';
import { moveResume } from '../resume.ts';
import type { ShareLimits } from '../share-limits.ts';
import { sourceFromBytes, sourceFromLink } from '../source.ts';
import type { TorrentRecord, TorrentTotals } from '../store/torrent-table.ts';
import type { Torrent } from '../torrent.ts';
import { infoOf } from '../torrent-files.ts';
import { tiersOf } from '../torrent-trackers.ts';
import type { AddOptions, TorrentSource, TorrentStatus } from '../torrent-types.ts';
import { RunClock } from './run-clock.ts';
import { rowOf } from './torrent-rows.ts';

/** What a torrent moved and how long it ran. */
export type EntryTotals = Omit<TorrentTotals, 'id'>;

const NOTHING = { downloadedBytes: 0, uploadedBytes: 0 };

/** What an entry tells its owner. */
export interface EntryEvents {
  readonly onComplete: (entry: TorrentEntry) => void;
  /** The metadata of a magnet link came. */
  readonly onMetadata: (entry: TorrentEntry) => void;
  readonly onProblem: (entry: TorrentEntry, message: string) => void;
  readonly onState: (entry: TorrentEntry, state: TorrentState) => void;
  /** It runs no more: what it moved can be counted for the last time. */
  readonly onEnded: (torrent: Torrent) => void;
  /** It has given enough, and is to be removed, or rests. */
  readonly onGivenEnough: (entry: TorrentEntry, action: 'stop' | 'pause') => void;
}

/** A torrent in the list. */
export class TorrentEntry {
  record: TorrentRecord;
  torrent: Torrent | undefined;
  /** Why it does not run. */
  error: string | undefined;
  /** Limits of giving that hold: its own, its category's, the node's. */
  shareLimits: ShareLimits | undefined;
  /** Its files are on their way to another folder. */
  isMoving = false;
  /** When something of it changed last, milliseconds since 1970. */
  lastActiveMs: number = Date.now();
  /** Of the files' bytes, while they are checked. */
  checked: number | undefined;
  readonly #events: EntryEvents;
  readonly #clock: RunClock;
  /** What was moved before this run. */
  #before: Pick<EntryTotals, 'downloadedBytes' | 'uploadedBytes'> = NOTHING;
  #source: TorrentSource | undefined;
  #row: TorrentRow | undefined;
  #rowMark = '';

  /** @param source what the record's source says, when it is read already. */
  constructor(record: TorrentRecord, events: EntryEvents, source?: TorrentSource) {
    this.record = record;
    this.#events = events;
    this.#source = source;
    this.error = record.error;
    this.#clock = new RunClock(record);
  }

  get id(): string {
    return this.record.id;
  }

  get state(): TorrentState {
    if (this.isMoving) return 'moving';
    if (this.error !== undefined) return this.record.isPaused ? 'paused' : 'error';
    return this.torrent?.state ?? (this.record.isPaused ? 'paused' : 'checking');
  }

  get status(): TorrentStatus | undefined {
    return this.torrent?.status();
  }

  /** What it moved and how long it ran, in all runs. */
  get totals(): EntryTotals {
    const { torrent, record } = this;
    this.#clock.note(torrent?.state);
    const { activeSeconds, seedingSeconds } = this.#clock;
    const own = torrent?.service.swarm.totals ?? NOTHING;
    // Resume data is newer than the record after a crash, and begins anew with a check of all files.
    const resumed = torrent?.files?.totals(own) ?? NOTHING;
    const base = torrent === undefined ? record : this.#before;
    const most = (name: 'downloadedBytes' | 'uploadedBytes'): number =>
      Math.max(base[name] + own[name], resumed[name]);
    return {
      downloadedBytes: most('downloadedBytes'),
      uploadedBytes: most('uploadedBytes'),
      activeSeconds,
      seedingSeconds,
    };
  }

  /** The info dictionary with the names that things have on disk; undefined before the metadata of a magnet link was received for the first time. */
  get info(): Info | undefined {
    const running = this.torrent?.info;
    if (running !== undefined) return running;
    const { record } = this;
    this.#source ??= sourceOf(record);
    const source = this.#source;
    const own =
      source.kind === 'metainfo'
        ? source.metainfo.info
        : infoOf(record.source.kind === 'magnet' ? record.source.info : undefined, source.magnet);
    return own && renamed(own, record.options.renames ?? []);
  }

  /** The torrent file's content, where there is one. */
  get metainfo(): Metainfo | undefined {
    return this.#source?.kind === 'metainfo' ? this.#source.metainfo : undefined;
  }

  /** The torrent file; undefined before the metadata. */
  torrentFile(): Uint8Array | undefined {
    const { source } = this.record;
    if (source.kind === 'metainfo') return source.bytes;
    const { info } = this;
    if (info === undefined) return undefined;
    // A dictionary with one key whose value is encoded already.
    const ends = [Buffer.from('d4:info'), Buffer.from('e')] as const;
    return Buffer.concat([ends[0], info.infoBytes, ends[1]]);
  }

  /** Its trackers by tier, as the torrent or the user has them. */
  get tiers(): readonly (readonly string[])[] {
    const { tiers, trackers } = this.record.options;
    return tiers ?? tiersOf(this.#source ?? sourceOf(this.record), trackers);
  }

  get magnet(): string {
    if (this.torrent !== undefined) return this.torrent.magnet();
    const { source, id } = this.record;
    if (source.kind === 'magnet') return source.link;
    return `magnet:?xt=urn:btih:${id}&dn=${encodeURIComponent(this.ownName)}`;
  }

  /** What the torrent calls itself, as far as it is known: the name for others. */
  get ownName(): string {
    const own = this.torrent?.files?.original ?? this.metainfo?.info;
    return own?.name ?? this.record.name;
  }

  /** The row of the moment; the same object while nothing changed. */
  get row(): TorrentRow {
    const mark = this.#markOf();
    if (this.#row === undefined || mark !== this.#rowMark) {
      this.#row = rowOf(this);
      this.#rowMark = mark;
      this.lastActiveMs = Date.now();
    }
    return this.#row;
  }

  /** A resting torrent is recognised by less than its row: 5,000 of them are looked at twice a second. */
  #markOf(): string {
    const { torrent } = this;
    if (torrent === undefined) return `${this.state} ${this.error} ${this.#changes}`;
    const { swarm } = torrent.service;
    const { downloadedBytes, uploadedBytes } = swarm.totals;
    // Rates and peers change by themselves, until all of it is over.
    if (swarm.peerCount > 0 || isBusy(this.#row)) this.#changes += 1;
    return `${this.state} ${this.#changes} ${this.checked} ${downloadedBytes} ${uploadedBytes} ${swarm.have?.count} ${torrent.discovery.trackers.changes}`;
  }

  #changes = 0;

  /** What is shown of it must be looked at anew. */
  touch(): void {
    this.#changes += 1;
  }

  /** Starts it, paused where that is kept. Resolves when its files are checked; what fails is kept as its error. */
  async run(node: PeerNode, extra: Partial<AddOptions>): Promise<void> {
    if (this.torrent !== undefined) return;
    this.error = undefined;
    this.touch();
    let torrent: Torrent | undefined;
    try {
      this.#source ??= sourceOf(this.record);
      torrent = node.prepare({ ...optionsOf(this.record, this.#source), ...extra });
      this.#before = this.record;
      this.torrent = torrent;
      this.#follow(torrent);
      if (this.record.isPaused) torrent.pause();
      await torrent.start();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (this.torrent === torrent) this.#drop();
      await torrent?.stop();
      if (error.code === 'ERR_STOPPED') return;
      this.#fail(error.message);
    } finally {
      this.checked = undefined;
      this.touch();
    }
  }

  /** Ends the running torrent; what is on disk stays known. */
  async halt(): Promise<void> {
    const { torrent } = this;
    this.#drop();
    await torrent?.stop();
    // Also what came while its connections were closed.
    if (torrent !== undefined) this.#events.onEnded(torrent);
    this.touch();
  }

  /** Its folder is another one: what is remembered of its files goes along, so that they need no check, unless they are others. */
  moveResume(home: string, to: string): void {
    const source = this.#source ?? sourceOf(this.record);
    const { infoHashV1, infoHashV2 } =
      source.kind === 'metainfo' ? source.metainfo.info : source.magnet;
    moveResume(home, (infoHashV1 ?? infoHashV2)!, this.record.dir, to);
  }

  /** It runs no more; what it moved is kept in the record, and in the database with the next write. */
  #drop(): void {
    const { totals, torrent } = this;
    if (torrent !== undefined) this.#events.onEnded(torrent);
    this.torrent = undefined;
    this.#clock.note(undefined);
    this.record = { ...this.record, ...totals };
  }

  #fail(message: string): void {
    this.error = message;
    this.touch();
    this.#events.onProblem(this, message);
  }

  #follow(torrent: Torrent): void {
    const isCurrent = (): boolean => this.torrent === torrent;
    torrent.on('state', ({ state }) => {
      if (isCurrent()) this.#clock.note(state);
      this.touch();
      if (isCurrent()) this.#events.onState(this, state);
    });
    torrent.on('checking', ({ doneBytes, totalBytes }) => {
      this.checked = totalBytes === 0 ? 1 : Math.floor((doneBytes / totalBytes) * 1000) / 1000;
    });
    torrent.on('metadata', () => {
      this.touch();
      if (isCurrent()) this.#events.onMetadata(this);
    });
    torrent.on('complete', () => {
      if (isCurrent()) this.#events.onComplete(this);
    });
    torrent.on('problem', ({ error, isFinal }) => {
      if (!isCurrent()) return;
      if (!isFinal) {
        this.#events.onProblem(this, error.message);
        return;
      }
      this.#drop();
      void torrent.stop();
      this.#fail(error.message);
    });
    torrent.on('share-limit', ({ action }) => {
      if (isCurrent() && action !== 'super-seed') this.#events.onGivenEnough(this, action);
    });
  }
}

function isBusy(row: TorrentRow | undefined): boolean {
  if (row === undefined) return false;
  return row.downloadBytesPerSec + row.uploadBytesPerSec + row.connectedPeers > 0;
}

/** @throws {AppError} ERR_SOURCE. */
function sourceOf({ source, name }: TorrentRecord): TorrentSource {
  return source.kind === 'magnet'
    ? sourceFromLink(source.link)
    : sourceFromBytes(source.bytes, name);
}

/** The options of the engine that a record stands for. */
function optionsOf(record: TorrentRecord, source: TorrentSource): AddOptions {
  const { options } = record;
  return {
    source,
    dir: record.dir,
    mode: record.mode,
    isSequential: options.isSequential ?? false,
    isDiscovering: options.usesDiscovery ?? true,
    select: options.select ?? [],
    peers: options.peers ?? [],
    renames: options.renames ?? [],
    trackers: options.trackers ?? [],
    ...(options.tiers === undefined ? {} : { tiers: options.tiers }),
    webSeeds: options.webSeeds ?? [],
    seededSeconds: record.seedingSeconds,
    ...(record.source.kind === 'magnet' && record.source.info !== undefined
      ? { infoBytes: record.source.info }
      : {}),
    downloadLimitBytesPerSec: options.downloadLimitBytesPerSec ?? 0,
    uploadLimitBytesPerSec: options.uploadLimitBytesPerSec ?? 0,
    ...(options.sha256 === undefined ? {} : { sha256: Buffer.from(options.sha256, 'hex') }),
  };
}

/** The id of a source: the v1 info-hash, or the first 20 bytes of the v2 one. */
export function idOf(source: TorrentSource): string {
  const { infoHashV1, infoHashV2 } =
    source.kind === 'metainfo' ? source.metainfo.info : source.magnet;
  return Buffer.from((infoHashV1 ?? infoHashV2)!)
    .toString('hex')
    .slice(0, 40);
}
