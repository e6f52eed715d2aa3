/**
 * What bench/create.ts and bench/verify.ts share: a file of random data, the bare loop, interleaved rounds, the table.
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from './processes.ts';

/** The checkout. */
export const ROOT: string = path.join(import.meta.dirname, '..', '..');
/** One worker a core, as the program takes. */
export const WORKERS: number = os.availableParallelism();

/** The built library: what people install is measured, not the source that Node strips at every start. */
export async function builtLibrary(): Promise<typeof import('../../src/node/index.ts')> {
  execFileSync(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', ROOT]);
  const entry = pathToFileURL(path.join(ROOT, 'dist/node/index.js')).href;
  return (await import(entry)) as typeof import('../../src/node/index.ts');
}

/** Writes `mib` MiB of random data. */
export function writeRandom(file: string, mib: number): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fd = fs.openSync(file, 'w');
  const bytes = Buffer.allocUnsafe(1024 * 1024);
  for (let i = 0; i < mib; i += 1) {
    for (let at = 0; at < bytes.length; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    fs.writeSync(fd, bytes);
  }
  fs.closeSync(fd);
}

/** Seconds of the bare loop over a file, workers' start included. */
export function bareLoop(file: string): number {
  const script = path.join(ROOT, 'bench/support/bare-hash.ts');
  const output = execFileSync(process.execPath, [script, file, `${WORKERS}`]).toString();
  return (JSON.parse(output) as { seconds: number }).seconds;
}

/** Seconds a command takes, its start included. */
export function timed(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): number {
  const startedMs = performance.now();
  execFileSync(command, args, {
    env: { ...process.env, STARLING_OFFLINE: '1', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return (performance.now() - startedMs) / 1000;
}

/** Runs all cases in turn, `rounds` times, and prints medians and rates; the first is the base of the ratios. */
export async function compare(
  mib: number,
  rounds: number,
  cases: readonly (readonly [name: string, run: () => number | Promise<number>])[],
): Promise<void> {
  const seconds = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [, run]] of cases.entries()) seconds[index]!.push(await run());
  }
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
    .toString()
    .trim();
  process.stdout.write(
    `\n${mib} MiB, ${rounds} rounds, medians; ${WORKERS} workers, Node ${process.versions.node}, commit ${commit}\n\n`,
  );
  process.stdout.write('| run | seconds | MiB/s | rate : bare loop |\n|---|---|---|---|\n');
  const base = median(seconds[0]!);
  for (const [index, [name]] of cases.entries()) {
    const middle = median(seconds[index]!);
    process.stdout.write(
      `| ${name} | ${middle.toFixed(2)} | ${(mib / middle).toFixed(0)} | ${(base / middle).toFixed(2)} |\n`,
    );
  }
}
