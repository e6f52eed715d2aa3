/**
 * The network thread's side of the disk workers: starts them, sends jobs in one batch a turn, hands results back.
 *
 * The first worker starts with the pool, each other one with its first job: a thread costs 35 ms of CPU to start. A worker hears of a storage with
 * the first job for it, so that the thousand storages of a node that only rests cost no worker anything.
 * All parts of a piece go to one worker (`nextOwner`), scans to the one with the fewest jobs. The network thread keeps a core, as far as there
 * are several: parts of pieces with one hash never use the last worker. Bound: a storage may have any number of part jobs only as far as the
 * slab pool lets it fill parts; scans are limited by whoever asks (SCANS_PER_WORKER at a time).
 * @module
 */
import { Worker } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import type { FromWorker, Job, JobResult, ToWorker, WorkerInit } from './disk-jobs.ts';
import type { StorageSpec } from './file-table.ts';

// Implementation limits
/** Scan jobs a caller keeps under way for each worker. */
export const SCANS_PER_WORKER = 3;
/** Bytes of parts that a worker may have waiting before pieces go to the next one. */
const OWNER_BACKLOG_BYTES = 8 * 1024 * 1024;
/** Bytes of parts that all workers may have waiting, each, before sockets should rest: beyond it memory goes cold before it is hashed. */
const FULL_BACKLOG_BYTES = 12 * 1024 * 1024;

/** Jobs that go to a worker together at most. */
const BATCH_JOBS = 8;
/** Batches that a worker may have: while it works on one, the next one gathers. */
const BATCHES_UNDER_WAY = 2;

type JobBody = Job extends infer J ? (J extends Job ? Omit<J, 'id'> : never) : never;

interface Pending {
  readonly done: (result: JobResult) => void;
  readonly partBytes: number;
}

/** A worker, and what it has to do. */
interface Lane {
  /** Undefined: not needed so far. */
  worker: Worker | undefined;
  /** Jobs that were not sent yet. */
  readonly outbox: Job[];
  /** Storages that the worker was told of. */
  readonly known: Set<number>;
  /** Jobs, batches and bytes of parts that it has not answered for. */
  jobs: number;
  batches: number;
  partBytes: number;
}

/** A set of disk workers around one slab memory. */
export class DiskPool {
  readonly workerCount: number;
  readonly #memory: SharedArrayBuffer;
  readonly #lanes: readonly Lane[];
  readonly #specs = new Map<number, StorageSpec>();
  readonly #pending = new Map<number, Pending>();
  readonly #partWorkers: number;
  #waiting: (() => void)[] = [];
  #nextId = 1;
  #nextStorage = 1;
  #isFlushing = false;
  #failure: Error | undefined;

  /** @param workerCount threads, at least 1. */
  constructor(memory: SharedArrayBuffer, workerCount: number) {
    this.workerCount = workerCount;
    this.#memory = memory;
    this.#partWorkers = Math.max(1, workerCount - 1);
    this.#lanes = Array.from({ length: workerCount }, () => ({
      worker: undefined,
      outbox: [],
      known: new Set<number>(),
      jobs: 0,
      batches: 0,
      partBytes: 0,
    }));
    this.#start(0);
  }

  /** Jobs that have not been answered. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Makes a storage known. @returns it with its id. */
  open(spec: Omit<StorageSpec, 'id'>): StorageSpec {
    const whole = { ...spec, id: this.#nextStorage };
    this.#nextStorage += 1;
    this.#specs.set(whole.id, whole);
    return whole;
  }

  /** More files of a known storage have a place of their own, for all jobs that are not under way yet. */
  respec(spec: StorageSpec): void {
    this.#specs.set(spec.id, spec);
    for (const { known, worker } of this.#lanes) {
      if (known.has(spec.id)) worker!.postMessage({ type: 'open', spec } satisfies ToWorker);
    }
  }

  /**
   * The worker for a new piece: the first one as long as it keeps up, since pieces then come back in order and one thread is woken,
   * not two; the least loaded one otherwise.
   * @param isHashedTwice a hybrid's piece: SHA-1 and SHA-256 of all that arrives are more than one core does, so every worker helps.
   */
  nextOwner(isHashedTwice = false): number {
    const lanes = this.#lanes.slice(0, isHashedTwice ? this.workerCount : this.#partWorkers);
    const free = lanes.findIndex(({ partBytes }) => partBytes < OWNER_BACKLOG_BYTES);
    return free >= 0 ? free : leastOf(lanes, 'partBytes');
  }

  /** True when so much waits to be hashed and written that no more should be read from sockets: `whenCaughtUp` tells when to go on. */
  get isBehind(): boolean {
    let bytes = 0;
    for (const { partBytes } of this.#lanes) bytes += partBytes;
    return bytes > FULL_BACKLOG_BYTES * this.#partWorkers;
  }

  /** Calls `wake` once, when the workers are no longer behind; each caller waits once at a time. */
  whenCaughtUp(wake: () => void): void {
    this.#waiting.push(wake);
  }

  /** The worker with the fewest jobs. */
  idlest(): number {
    return leastOf(this.#lanes, 'jobs');
  }

  /** Sends a job; `done` is called with its result, faults included. */
  submit(worker: number, body: JobBody, done: (result: JobResult) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    const job = { ...body, id: this.#nextId } as Job;
    this.#nextId += 1;
    const lane = this.#lanes[worker]!;
    if (lane.worker === undefined) this.#start(worker);
    const spec = this.#specs.get(body.storage);
    if (spec !== undefined && !lane.known.has(spec.id)) {
      lane.known.add(spec.id);
      // Before its jobs, which wait for the end of the turn.
      lane.worker!.postMessage({ type: 'open', spec } satisfies ToWorker);
    }
    if (this.#pending.size === 0) for (const each of this.#lanes) each.worker?.ref();
    const partBytes = job.kind === 'part' ? job.lengthBytes : 0;
    this.#pending.set(job.id, { done, partBytes });
    lane.partBytes += partBytes;
    lane.outbox.push(job);
    lane.jobs += 1;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Runs the same job on every worker that worked on the storage and waits for all. @returns the first fault, if any. */
  async onAll(kind: 'sync' | 'refresh' | 'close', storage: number): Promise<JobResult['fault']> {
    if (kind === 'close') this.#specs.delete(storage);
    const started = [...this.#lanes.keys()].filter((index) => {
      const { known } = this.#lanes[index]!;
      return kind === 'close' ? known.delete(storage) : known.has(storage);
    });
    const results = await Promise.all(
      started.map(
        (worker) =>
          new Promise<JobResult>((resolve) => this.submit(worker, { kind, storage }, resolve)),
      ),
    );
    return results.find((result) => result.fault !== undefined)?.fault;
  }

  /** Ends the workers; jobs under way are lost, so wait for them first. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ worker }) => worker?.terminate()));
  }

  #start(index: number): void {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./disk-worker.${extension}`, import.meta.url), {
      workerData: { memory: this.#memory } satisfies WorkerInit,
      // Little lives in a worker's heap; the default would let garbage pile up to many megabytes.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (message: FromWorker) => this.#settle(index, message.results));
    worker.on('error', (error) => this.#fail(error as Error));
    if (this.#pending.size === 0) worker.unref();
    this.#lanes[index]!.worker = worker;
  }

  #flush(): void {
    this.#isFlushing = false;
    for (const lane of this.#lanes) {
      while (lane.outbox.length > 0 && lane.batches < BATCHES_UNDER_WAY) {
        lane.batches += 1;
        const jobs = lane.outbox.splice(0, BATCH_JOBS);
        lane.worker!.postMessage({ type: 'jobs', jobs } satisfies ToWorker);
      }
    }
  }

  #settle(worker: number, results: readonly JobResult[]): void {
    const lane = this.#lanes[worker]!;
    lane.batches -= 1;
    this.#flush();
    for (const result of results) {
      const pending = this.#pending.get(result.id);
      assert(pending !== undefined, `a worker answered job ${result.id} twice`);
      this.#pending.delete(result.id);
      lane.jobs -= 1;
      lane.partBytes -= pending.partBytes;
      pending.done(result);
    }
    if (this.#waiting.length > 0 && !this.isBehind) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    }
    if (this.#pending.size === 0) for (const each of this.#lanes) each.worker?.unref();
  }

  #fail(error: Error): void {
    this.#failure = error;
    // A worker only dies of a broken invariant: the process must not go on as if data were written.
    queueMicrotask(() => {
      throw error;
    });
  }
}

function leastOf(lanes: readonly Lane[], what: 'jobs' | 'partBytes'): number {
  const amounts = lanes.map((lane) => lane[what]);
  return amounts.indexOf(Math.min(...amounts));
}
