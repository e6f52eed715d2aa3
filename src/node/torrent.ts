/**
 * One torrent of a node, from link to complete files: metadata → check of what is there → download → seed.
 *
 * States and transitions are drawn in README.md. Disk faults put it into `error` and stop requests; it tries again (`trouble.ts`).
 * Resume data: see resume.ts; it is written at the start of a download, some time after data moved (`torrent-records.ts`), and at the end.
 * It has no timer while nothing fails: what takes time is looked at when the node's pulse comes (`pulse`).
 * @module
 */
import { EventEmitter } from 'node:events';
import { monotonicMs } from '../io/clock.ts';
import { nodeCrypto } from '../io/crypto.ts';
import type { AppError } from '../lib/errors.ts';
import { type DiskFault, FileTable } from '../plane/file-table.ts';
import { type Info, parseInfo } from '../protocol/metainfo/index.ts';
import type { SwarmEvent } from '../protocol/swarm/index.ts';
import type { ScrapeResult } from '../protocol/tracker/index.ts';
import { DownloadWork, whenCompleted } from './completion.ts';
import { nodeError } from './errors.ts';
import { FileGuard, UNDERNEATH } from './file-guard.ts';
import { FileWants } from './file-wants.ts';
import { type NeededPiece, type NeededRange, needsByPiece } from './playback.ts';
import { HOLDABLE, type QueueFacts } from './queue-plan.ts';
import { noteEvent } from './reputation.ts';
import type { ResumeStore } from './resume.ts';
import { type ShareLimits, ShareWatch } from './share-limits.ts';
import { SwarmService } from './swarm-service.ts';
import { checkDigest } from './torrent-digest.ts';
import { TorrentDiscovery } from './torrent-discovery.ts';
import { tellPeerEvent } from './torrent-events.ts';
import { TorrentFaults } from './torrent-faults.ts';
import { rememberedMetadata, TorrentFiles } from './torrent-files.ts';
import type { RateLimits } from './torrent-gates.ts';
import type { TorrentHost } from './torrent-host.ts';
import {
  addFirstPeers,
  hashesOf,
  isUnhashed,
  limitsOf,
  linkOf,
  nameOf,
  noteProven,
  resumeStoreOf,
  serviceOptionsOf,
  settledOptions,
  trackersOf,
} from './torrent-link.ts';
import { fileProgressOf, progressOf, transferStatsOf } from './torrent-picture.ts';
import type { Queueable } from './torrent-queue.ts';
import { TorrentRecords } from './torrent-records.ts';
import { areCountsDue, TorrentTurn } from './torrent-turn.ts';
import type {
  AddOptions,
  InfoHashes,
  Summary,
  TorrentEvents,
  TorrentState,
  TorrentStatus,
} from './torrent-types.ts';

/** A torrent. Dispose it, or call `stop`, to end it. */
export class Torrent extends EventEmitter<TorrentEvents> implements AsyncDisposable, Queueable {
  readonly #host: TorrentHost;
  readonly #options: AddOptions;
  readonly #service: SwarmService;
  readonly #resume: ResumeStore;
  readonly #work = new DownloadWork(monotonicMs());
  readonly #abort = new AbortController();
  readonly #turn = new TorrentTurn(monotonicMs());
  readonly #share: ShareWatch;
  /** @internal Its ways to peers. */
  readonly discovery: TorrentDiscovery;
  readonly #wants: FileWants;
  #isSequential: boolean;
  /** Kept from connections and trackers: it waits for its turn, or was told to. */
  #hold: 'queued' | 'paused' | undefined;
  /** The files were checked, or there is no metadata yet: it may run. */
  #isReady = false;
  #files: TorrentFiles | undefined;
  #guard: FileGuard | undefined;
  #state: TorrentState;
  readonly #faults: TorrentFaults;
  readonly #records = new TorrentRecords({
    files: () => this.#files,
    swarm: () => this.#service.swarm,
    isStopped: () => this.#state === 'stopped',
    guardDisk: (write) => this.#faults.guardDisk(write),
    onPiece: (piece) => this.emit('piece', { piece }),
  });
  #summary: Summary | undefined;
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(host: TorrentHost, options: AddOptions) {
    super();
    this.#host = host;
    this.#options = settledOptions(options);
    this.#state = options.source.kind === 'magnet' ? 'metadata' : 'checking';
    this.#share = new ShareWatch(options.shareLimits, options.seededSeconds);
    this.#faults = new TorrentFaults({
      dir: this.#options.dir,
      service: () => this.#service,
      guard: () => this.#guard,
      files: () => this.#files,
      state: () => this.#state,
      setState: (state) => this.#setState(state),
      onTold: (error, isFinal) => this.emit('problem', { error, isFinal }),
    });
    this.#resume = resumeStoreOf(host, this.#options, this.infoHashes);
    this.#service = new SwarmService({
      ...serviceOptionsOf(host, options, this.infoHashes),
      onEvent: (event) => this.#onSwarmEvent(event),
      onDiskFault: (fault) => this.#onDiskFault(fault),
    });
    this.#isSequential = options.isSequential === true;
    this.#wants = new FileWants(
      {
        disk: host.plane.disk,
        service: this.#service,
        isReadOnly: options.mode === 'seed',
        signal: this.#abort.signal,
        onChanged: () => this.#wantsChanged(),
        onFault: (fault) => this.#onDiskFault(fault),
      },
      options.priorities,
    );
    this.discovery = new TorrentDiscovery({
      host,
      ...trackersOf(options),
      isDiscovering: options.isDiscovering !== false,
      stats: () => transferStatsOf(this.#files, this.#service.swarm),
      onPeers: (found, source) => this.#service.addPeers(found, source),
      onSwitch: () => this.#service.forgetPeers(),
      onProblem: (url, message) => this.emit('tracker-problem', { url, message }),
      onRemember: () => this.#records.save(),
    });
    this.setLimits(limitsOf(options));
  }

  /** v1 of 20 bytes, v2 of 32; the second one of a hybrid's magnet is known with the metadata. */
  get infoHashes(): InfoHashes {
    return hashesOf(this.#options, this.#files?.info);
  }

  get state(): TorrentState {
    return this.#hold !== undefined && HOLDABLE.has(this.#state) ? this.#hold : this.#state;
  }

  /** Known with the metadata. */
  get info(): Info | undefined {
    return this.#files?.info;
  }

  get name(): string {
    return nameOf(this.#options, this.#files?.info);
  }

  /** What the finished download amounts to; undefined while something is wanted. */
  get summary(): Summary | undefined {
    return this.#summary;
  }

  /** A magnet link with these addresses in it, and the name that the torrent has elsewhere. @param peers listening addresses to put in. */
  magnet(peers: readonly { host: string; port: number }[] = []): string {
    const name = nameOf(this.#options, this.#files?.original);
    return linkOf(this.#options, this.discovery.trackers.urls, this.infoHashes, name, peers);
  }

  /** Starts; resolves when the files are checked, or at once for a magnet that needs its metadata first. @throws {AppError} */
  async start(): Promise<void> {
    const { source } = this.#options;
    this.#service.start();
    // It is not seen to run before it is its turn.
    if (this.#host.queue.isLimited && this.#options.usesQueue !== false) this.setQueued(true);
    const known =
      source.kind === 'metainfo'
        ? { info: source.metainfo.info, layers: source.metainfo.pieceLayers }
        : rememberedMetadata(this.#resume, this.infoHashes, this.#options.infoBytes);
    if (known?.info.isPrivate === true) this.#service.setPrivate();
    if (known !== undefined && this.#options.mode !== 'look') {
      this.#starting = this.#open(known.info, known.layers);
      await this.#starting;
    }
    this.#isReady = true;
    this.#host.queue.ready(monotonicMs());
    const given = addFirstPeers(this.#host, this.#options, this.#service);
    this.#announce();
    await given;
  }

  /** Ends all connections and tells the trackers goodbye, until `resume`. What is on disk stays known. */
  pause(): void {
    this.#holdBack('paused');
  }

  /** Goes on after `pause`, when the queue lets it. */
  resume(): void {
    if (this.#hold !== 'paused') return;
    if (this.#options.usesQueue !== false) this.#holdBack('queued');
    else this.#release();
    this.#host.queue.consider(monotonicMs());
  }

  /** Limits after which this seed rests or ends; undefined: none. What is reached already strikes at once. */
  setShareLimits(limits: ShareLimits | undefined): void {
    this.#share.set(limits);
    this.#checkShare(monotonicMs());
  }

  /** Resolves when every wanted piece is on disk. @throws {AppError} the final problem, or ERR_STOPPED; the signal's reason. */
  completed(options: { readonly signal?: AbortSignal } = {}): Promise<Summary> {
    return whenCompleted(this, options.signal);
  }

  /** Limits of this torrent, besides those of its node; 0 lifts one, undefined leaves it. */
  setLimits(limits: RateLimits): void {
    this.#service.setLimits(limits);
  }

  /** Priority of each file by its index in `info.files`, 0 (not wanted) to 7 (first); before the metadata what was set, if anything was. */
  get filePriorities(): readonly number[] {
    return this.#wants.priorities;
  }

  /**
   * Changes what is wanted of the files, at any time: 0 (not wanted) to 7 (first) by index, a missing number leaves a file as it is. A seed that
   * wants more downloads again; a download that wants no more than there is is complete. Remembered in resume data; the event
   * `priorities` tells when it holds. @throws {AppError} ERR_CONFIG for a number out of range, or more of them than files.
   */
  setFilePriorities(priorities: readonly number[]): void {
    if (this.#stopping === undefined) this.#wants.set(priorities);
  }

  /** Bytes on disk of each file, by its index in `info.files`; empty before the files are checked. */
  fileProgress(): readonly number[] {
    return this.#files === undefined ? [] : fileProgressOf(this.#files, this.#service.swarm);
  }

  /** Pieces in order, or rarest first. */
  setSequential(isSequential: boolean): void {
    this.#isSequential = isSequential;
    this.#service.swarm.setSequential(isSequential);
  }

  /** Says when pieces, or ranges of files, are needed (playback.ts), in place of what was said before. @returns false before the files are checked. */
  setDeadlines(needs: readonly (NeededPiece | NeededRange)[]): boolean {
    const files = this.#service.swarm.have === undefined ? undefined : this.#files;
    if (files !== undefined) this.#service.setDeadlines(needsByPiece(files.info, needs));
    return files !== undefined;
  }

  /** Asks its trackers for seeds, leeches and downloads; `status` shows them too. Not more often than people look. */
  scrape(): Promise<readonly ScrapeResult[]> {
    return this.discovery.trackers.scrape(this.infoHashes);
  }

  /** @internal A seed that waits for its turn is ranked by its swarm's counts, which only its trackers can tell. */
  wantsCounts(nowMs: number): boolean {
    if (this.#hold !== 'queued' || !this.#isReady || !this.#service.swarm.isComplete) return false;
    if (this.#options.isDiscovering === false) return false;
    return areCountsDue(nowMs, this.discovery.trackers);
  }

  /** A picture of the moment. */
  status(): TorrentStatus {
    const { swarm } = this.#service;
    return {
      state: this.state,
      name: this.name,
      ...progressOf(monotonicMs(), this.#files, swarm),
      trackers: this.discovery.trackers.status,
      webSeeds: this.#service.webSeeds,
      ...(this.#faults.error === undefined ? {} : { error: this.#faults.error.message }),
    };
  }

  /** Ends the torrent: connections closed, data flushed, resume data written, trackers told. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal The node's pulse, about once a second: what time brings to a torrent without a timer of its own. */
  pulse(nowMs: number): void {
    this.#checkShare(nowMs);
    this.discovery.pulse(nowMs, this.#service.swarm);
    this.#service.pulse(nowMs);
    this.#records.pulse(nowMs).catch((error: AppError) => this.#faults.fail(error, false));
  }

  /** @internal Who was met is remembered. */
  notePeers(): void {
    noteProven(this.#host, this.#options.source, this.#service.swarm);
  }

  /** @internal For the node's queue. */
  queueFacts(nowMs: number): QueueFacts | undefined {
    const isOut = this.#hold === 'paused' || !HOLDABLE.has(this.#state);
    if (isOut || !this.#isReady || this.#stopping !== undefined) return undefined;
    const isRunning = this.#hold === undefined;
    return this.#turn.facts(nowMs, isRunning, this.#service.swarm, this.discovery.trackers);
  }

  /** @internal For the node's queue. */
  setQueued(isQueued: boolean): void {
    if (isQueued && this.#hold === undefined) this.#holdBack('queued');
    else if (!isQueued && this.#hold === 'queued') this.#release();
  }

  /** @internal Its files, once the metadata is known. */
  get files(): TorrentFiles | undefined {
    return this.#files;
  }

  /** @internal What will not pass by itself. */
  get finalError(): AppError | undefined {
    return this.#faults.finalError;
  }

  /** @internal Forgets what is had and fetches it again: digests of whole files say that something in it is wrong. */
  fetchAgain(): void {
    this.#summary = undefined;
    if (this.#state === 'seeding') this.#setState('downloading');
    this.#guard?.lose();
  }

  /** @internal A file is not what it was when sending began: nobody gets more, never a mix of two versions. @returns ERR_SOURCE_CHANGED. */
  endChanged(changed: string): AppError {
    const error = nodeError('ERR_SOURCE_CHANGED', { path: changed });
    this.#endWith(error);
    return error;
  }

  /** @internal For the node's listener. */
  get service(): SwarmService {
    return this.#service;
  }

  async #open(info: Info, layers: ReadonlyMap<string, Uint8Array>): Promise<void> {
    this.#setState('checking');
    const { dir, select = [], source, looks, renames } = this.#options;
    const files = new TorrentFiles({
      info,
      layers,
      dir,
      disk: this.#host.plane.disk,
      resume: this.#resume,
      select,
      selectOnly: source.kind === 'magnet' ? source.magnet.selectOnly : undefined,
      priorities: this.#wants.early,
      looks,
      renames,
    });
    if (files.trackers !== undefined) this.discovery.trackers.recall(files.trackers);
    files.trackerMemory = () => this.discovery.trackers.memory;
    this.#files = files;
    this.#wants.learn(files);
    this.emit('metadata', { info });
    const have = await files.checkAs(this.#options, this.#abort.signal, (doneBytes, totalBytes) =>
      this.emit('checking', { doneBytes, totalBytes }),
    );
    if (this.#abort.signal.aborted) return;
    this.#faults.guardDisk(() => files.createEmpty());
    const table = new FileTable(files.spec);
    this.#service.activate({
      info,
      layers,
      have,
      geometry: files.geometry,
      storage: files.spec.id,
      files: table,
      priorityOf: this.#wants.priorityOf(),
      isSequential: this.#isSequential,
    });
    this.#guard = new FileGuard({
      files,
      table,
      have: () => this.#service.swarm.have!,
      isReadOnly: this.#options.mode === 'seed',
      signal: this.#abort.signal,
      onLost: (pieces) => this.#onLost(pieces),
      onFound: (piece, outcome) => {
        this.#service.swarm.handlePiece(monotonicMs(), piece, outcome);
        this.#service.drain();
      },
    });
    this.#faults.guardDisk(() => files.begin(have, this.#service.swarm.isComplete));
    if (this.#state === 'checking') this.#setState('downloading');
    this.#wants.open({ files, table, guard: this.#guard });
  }

  // Peers

  #announce(): void {
    if (this.#hold !== undefined || this.#abort.signal.aborted) return;
    const { isPrivate, isComplete } = this.#service.swarm;
    this.discovery.start(this.infoHashes, isPrivate, isComplete);
  }

  #holdBack(hold: 'queued' | 'paused'): void {
    if (this.#hold === hold || this.#stopping !== undefined) return;
    const before = this.state;
    const wasRunning = this.#hold === undefined;
    this.#hold = hold;
    if (wasRunning) {
      this.#service.rest();
      this.discovery.stop();
    }
    this.#showState(before);
  }

  #release(): void {
    const before = this.state;
    this.#hold = undefined;
    this.#turn.begin(monotonicMs());
    this.#showState(before);
    this.#service.wake();
    if (this.#isReady) this.#announce();
  }

  #checkShare(nowMs: number): void {
    const { swarm } = this.#service;
    const uploaded = this.#files?.totals(swarm.totals).uploadedBytes ?? 0;
    const isSeeding = this.state === 'seeding';
    const reason = this.#share.observe(nowMs, isSeeding, uploaded, this.#files?.wantedBytes ?? 0);
    if (reason === undefined) return;
    const action = this.#share.limits?.action ?? 'stop';
    this.emit('share-limit', { reason, action });
    if (action === 'pause') this.pause();
    else if (action === 'super-seed') swarm.setSuperSeeding(true);
    // Its own goodbye is nobody's to wait for; `stop` gives the same promise to whoever asks.
    else void this.stop().catch((error: AppError) => this.#faults.fail(error, true));
  }

  // Events

  #onSwarmEvent(event: SwarmEvent): void {
    if (!isUnhashed(this.#options)) noteEvent(this.#host.reputation, event);
    switch (event.type) {
      case 'metadata':
        this.#onMetadata(event.infoBytes);
        return;
      case 'piece':
        this.#onPiece(event.piece);
        return;
      case 'complete':
        this.#onComplete();
        return;
      case 'layers':
        this.#files!.layers = event.layers;
        this.#records.save();
        return;
      case 'inconsistent':
        this.#faults.fail(
          nodeError('ERR_INCONSISTENT', { name: this.name, piece: event.piece }),
          true,
        );
        return;
      case 'dht-node':
        this.#host.dht?.addPeerNode(event.address);
        return;
      case 'peer-closed':
        this.#work.note(event);
        tellPeerEvent(this, event);
        return;
      default:
        tellPeerEvent(this, event);
    }
  }

  #onMetadata(infoBytes: Uint8Array): void {
    const parsed = parseInfo(infoBytes, nodeCrypto);
    if (!parsed.ok) {
      const what = 'The metadata of this magnet link';
      this.#faults.fail(nodeError('ERR_SOURCE', { what, reason: parsed.message }), true);
      return;
    }
    const before = this.infoHashes;
    const { isPrivate } = parsed.value;
    // At once: the files may take minutes to check.
    if (isPrivate) this.#service.setPrivate();
    this.discovery.learn(before, parsed.value, isPrivate);
    if (this.#options.mode === 'look') return;
    this.#starting = this.#open(parsed.value, new Map()).catch((error: AppError) =>
      this.#faults.fail(error, true),
    );
  }

  #onPiece(piece: number): void {
    this.#faults.clear();
    this.#guard?.pieceHad(piece);
    this.#records.note(monotonicMs(), piece);
  }

  #onComplete(): void {
    const { sha256 } = this.#options;
    if (sha256 === undefined) this.#complete();
    else {
      checkDigest(this.#host.plane.disk, this.#files!, sha256, this.#abort.signal).then(
        () => this.#complete(),
        (error: AppError) => this.#endWith(error),
      );
    }
  }

  #complete(): void {
    const files = this.#files!;
    this.#records.writeJournal();
    const gone = files.findVanished(this.#service.swarm.have!);
    if (gone !== undefined) {
      this.#onDiskFault({ path: gone, code: 'VANISHED', operation: 'read' });
      return;
    }
    this.#faults.guardDisk(() => files.createLinks());
    const { swarm } = this.#service;
    const now = monotonicMs();
    this.#summary = this.#work.summarize(now, files, swarm);
    this.discovery.trackers.complete();
    this.#setState('seeding');
    this.emit('complete', this.#summary);
    this.#checkShare(now);
  }

  #wantsChanged(): void {
    const { swarm } = this.#service;
    this.#faults.guardDisk(() => this.#files!.createEmpty());
    if (!swarm.isComplete) {
      this.#summary = undefined;
      if (this.#state === 'seeding') this.#setState('downloading');
    }
    this.#records.save();
    this.emit('priorities', { priorities: this.filePriorities });
    this.#service.drain();
    this.#host.queue.consider(monotonicMs());
  }

  // Faults
  #onDiskFault(fault: DiskFault): void {
    if (this.#options.looks !== undefined && UNDERNEATH.has(fault.code)) {
      this.endChanged(fault.path);
      return;
    }
    this.#faults.take(fault);
  }

  /** These pieces are not on disk any more, since another program changed a file. */
  #onLost(pieces: readonly number[]): void {
    const { swarm } = this.#service;
    for (const piece of pieces) swarm.losePiece(monotonicMs(), piece);
    // What only seeds must not write over somebody's file.
    if (this.#options.mode === 'seed') swarm.setPriorities(this.#wants.priorityOf());
    this.emit('pieces-lost', { pieces });
    this.#records.save();
    this.#service.drain();
  }

  /** For good, and nobody gets anything of it any more. */
  #endWith(error: AppError): void {
    this.#faults.fail(error, true);
    this.#service.rest();
    this.discovery.stop();
  }

  #setState(state: TorrentState): void {
    const before = this.state;
    this.#state = state;
    this.#showState(before);
  }

  #showState(before: TorrentState): void {
    if (this.state !== before) this.emit('state', { state: this.state });
  }

  async #stop(): Promise<void> {
    this.#abort.abort(nodeError('ERR_STOPPED', { name: this.name }));
    this.#faults.close();
    this.discovery.stop();
    await this.#starting.catch(() => {});
    this.#guard?.close();
    this.notePeers();
    this.#service.disconnect();
    await this.#guard?.idle();
    await this.#wants.idle();
    const storage = this.#files?.spec.id;
    // A close queued behind all writes of the storage: when it is answered, they are done and judged.
    if (storage !== undefined) await this.#host.plane.disk.onAll('close', storage);
    this.#service.close();
    this.#records.writeJournal();
    const { have, totals } = this.#service.swarm;
    if (this.#guard?.isUnsure === true) this.#faults.guardDisk(() => this.#files?.forget());
    else if (have !== undefined) this.#faults.guardDisk(() => this.#files?.end(have, totals));
    this.#resume.close();
    await this.discovery.trackers.farewell();
    this.#setState('stopped');
    this.#host.onStopped(this);
  }
}
