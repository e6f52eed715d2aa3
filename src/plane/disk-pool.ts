/**
 * The network thread's side of the disk workers: starts them, sends jobs in one batch a turn, hands results back.
 *
 * All parts of a piece go to one worker (`nextOwner`), scans to the one with the fewest jobs. Bound: a storage may have any number
 * of part jobs only as far as the slab pool lets it fill parts; scans are limited by whoever asks (SCANS_PER_WORKER at a time).
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

type JobBody = Job extends infer J ? (J extends Job ? Omit<J, 'id'> : never) : never;

interface Pending {
  readonly done: (result: JobResult) => void;
  readonly partBytes: number;
}

/** A set of disk workers around one slab memory. */
export class DiskPool {
  readonly workerCount: number;
  readonly #workers: Worker[] = [];
  readonly #outbox: Job[][] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #load: number[] = [];
  /** Bytes of parts that each worker has not answered for. */
  readonly #partBytes: number[] = [];
  #nextId = 1;
  #nextStorage = 1;
  #isFlushing = false;
  #failure: Error | undefined;

  /** @param workerCount threads, at least 1. */
  constructor(memory: SharedArrayBuffer, workerCount: number) {
    this.workerCount = workerCount;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    for (let index = 0; index < workerCount; index += 1) {
      const worker = new Worker(new URL(`./disk-worker.${extension}`, import.meta.url), {
        workerData: { memory } satisfies WorkerInit,
        // Little lives in a worker's heap; the default would let garbage pile up to many megabytes.
        resourceLimits: { maxYoungGenerationSizeMb: 4 },
      });
      worker.on('message', (message: FromWorker) => this.#settle(index, message.results));
      worker.on('error', (error) => this.#fail(error as Error));
      worker.unref();
      this.#workers.push(worker);
      this.#outbox.push([]);
      this.#load.push(0);
      this.#partBytes.push(0);
    }
  }

  /** Jobs that have not been answered. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Makes a storage known to every worker; a known id is replaced. @returns its id. */
  open(spec: Omit<StorageSpec, 'id'>): StorageSpec {
    const whole = { ...spec, id: this.#nextStorage };
    this.#nextStorage += 1;
    this.reopen(whole);
    return whole;
  }

  /** Replaces what the workers know of a storage (another selection, say). */
  reopen(spec: StorageSpec): void {
    for (const worker of this.#workers) {
      worker.postMessage({ type: 'open', spec } satisfies ToWorker);
    }
  }

  /**
   * The worker for a new piece: the first one as long as it keeps up, since pieces then come back in order and one thread is woken,
   * not two; the least loaded one otherwise.
   */
  nextOwner(): number {
    const free = this.#partBytes.findIndex((bytes) => bytes < OWNER_BACKLOG_BYTES);
    return free >= 0 ? free : this.#partBytes.indexOf(Math.min(...this.#partBytes));
  }

  /** The worker with the fewest jobs. */
  idlest(): number {
    return this.#load.indexOf(Math.min(...this.#load));
  }

  /** Sends a job; `done` is called with its result, faults included. */
  submit(worker: number, body: JobBody, done: (result: JobResult) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    const job = { ...body, id: this.#nextId } as Job;
    this.#nextId += 1;
    if (this.#pending.size === 0) for (const each of this.#workers) each.ref();
    const partBytes = job.kind === 'part' ? job.lengthBytes : 0;
    this.#pending.set(job.id, { done, partBytes });
    this.#partBytes[worker]! += partBytes;
    this.#outbox[worker]!.push(job);
    this.#load[worker]! += 1;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Runs the same job on every worker and waits for all. @returns the first fault, if any. */
  async onAll(kind: 'sync' | 'close', storage: number): Promise<JobResult['fault']> {
    const results = await Promise.all(
      this.#workers.map(
        (_, worker) =>
          new Promise<JobResult>((resolve) => this.submit(worker, { kind, storage }, resolve)),
      ),
    );
    return results.find((result) => result.fault !== undefined)?.fault;
  }

  /** Ends the workers; jobs under way are lost, so wait for them first. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #flush(): void {
    this.#isFlushing = false;
    for (const [index, jobs] of this.#outbox.entries()) {
      if (jobs.length === 0) continue;
      this.#outbox[index] = [];
      this.#workers[index]!.postMessage({ type: 'jobs', jobs } satisfies ToWorker);
    }
  }

  #settle(worker: number, results: readonly JobResult[]): void {
    for (const result of results) {
      const pending = this.#pending.get(result.id);
      assert(pending !== undefined, `a worker answered job ${result.id} twice`);
      this.#pending.delete(result.id);
      this.#load[worker]! -= 1;
      this.#partBytes[worker]! -= pending.partBytes;
      pending.done(result);
    }
    if (this.#pending.size === 0) for (const each of this.#workers) each.unref();
  }

  #fail(error: Error): void {
    this.#failure = error;
    // A worker only dies of a broken invariant: the process must not go on as if data were written.
    queueMicrotask(() => {
      throw error;
    });
  }
}
