/**
 * The bare limit of creating and checking: worker threads that read a file in runs of 1 MiB and hash each with SHA-1, and do nothing else.
 *
 * bare-hash.ts FILE WORKERS (prints {"seconds"})
 * @module
 */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const RUN = 1024 * 1024;

if (isMainThread) {
  const [file, workers] = [process.argv[2]!, Number(process.argv[3])];
  const startedMs = performance.now();
  const next = new Int32Array(new SharedArrayBuffer(4));
  const done = Array.from({ length: workers }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { file, next } });
    return new Promise((resolve) => worker.once('exit', resolve));
  });
  await Promise.all(done);
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(`${JSON.stringify({ seconds })}\n`);
} else {
  const { file, next } = workerData as { file: string; next: Int32Array };
  const fd = fs.openSync(file, 'r');
  const runs = Math.ceil(fs.fstatSync(fd).size / RUN);
  const bytes = Buffer.alloc(RUN);
  for (let run = Atomics.add(next, 0, 1); run < runs; run = Atomics.add(next, 0, 1)) {
    const count = fs.readSync(fd, bytes, 0, RUN, run * RUN);
    hash('sha1', bytes.subarray(0, count), 'buffer');
  }
}
