/**
 * How many announces over UDP does the tracker answer on one core, and what does it remember a peer with? Beside Debian's opentracker, and beside a
 * node:dgram that answers without deciding anything, which is the bare limit of Node here.
 *
 * The server has the first core, the load generator, another process, the second one. CPU is what the kernel counts for the server: where the server's core
 * was not busy all the time, the generator was what ended, and announces per CPU-second say what the server can.
 * Usage: node bench/tracker.ts [--rounds 5] [--seconds 1.5]. Needs two cores, taskset and opentracker.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort, Measured, median } from './support/processes.ts';
import { infoHashOf, SWARMS_MAX } from './support/udp-swarms.ts';

const GOAL_PER_SEC = 40_000;
const ROOT = path.join(import.meta.dirname, '..');
const FIRST_FILL = 100_000;
const SECOND_FILL = 400_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1.5' },
  },
});
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));

const WHITE_LIST = 'allowed.txt';
fs.chmodSync(dir, 0o755);
fs.writeFileSync(
  path.join(dir, WHITE_LIST),
  Array.from({ length: SWARMS_MAX }, (_, swarm) => `${infoHashOf(swarm).toString('hex')}\n`).join(
    '',
  ),
);

interface Server {
  readonly name: string;
  command(port: number): readonly string[];
  /** The line that says that it serves; absent: it says nothing. */
  readonly said?: string;
}

const sink = path.join(ROOT, 'bench/support/udp-sink.ts');
const BARE: Server = {
  name: 'bare node:dgram, answers',
  command: (port) => [process.execPath, sink, `${port}`, 'answer'],
  said: 'tracking',
};
const OURS: Server = {
  name: 'starling tracker',
  command: (port) => [
    process.execPath,
    path.join(ROOT, 'bin/starling.mjs'),
    ...['tracker', '--json', '--listen', `127.0.0.1:${port}`],
  ],
  said: 'tracking',
};
/** Debian's opentracker serves listed torrents only, refuses to stay root, and takes IPv4 in IPv6 form. */
const RIVAL: Server = {
  name: 'opentracker',
  command: (port) => {
    const at = ['-i', '::ffff:127.0.0.1', '-p', `${port}`, '-P', `${port}`];
    return ['opentracker', ...at, '-d', dir, '-u', 'nobody', '-w', WHITE_LIST];
  },
};
const SERVERS = [BARE, RIVAL, OURS];

interface Run {
  readonly perSec: number;
  readonly perCpuSec: number;
  readonly cpuShare: number;
}

async function start(server: Server): Promise<{ run: Measured; port: number }> {
  const port = await freePort();
  const run = new Measured('taskset', ['-c', '0', ...server.command(port)], {}, 'ignore');
  if (server.said === undefined) await sleep(400);
  else await run.line((line) => line.includes(server.said!));
  return { run, port };
}

/** Runs a job of the generator. */
async function load(
  port: number,
  ...job: readonly string[]
): Promise<{ count: number; seconds: number }> {
  const script = path.join(ROOT, 'bench/support/udp-load.ts');
  const generator = new Measured('taskset', [
    '-c',
    '1',
    process.execPath,
    script,
    `${port}`,
    ...job,
  ]);
  const line = await generator.line((text) => text.startsWith('{'), 60_000);
  if (generator.child.exitCode === null) await once(generator.child, 'exit');
  return JSON.parse(line);
}

/** CPU is taken over the whole life of the generator less its start, warm-up included in both counts. */
async function rateOf(server: Server): Promise<Run> {
  const { run, port } = await start(server);
  // Compiled and filled by a first, short job.
  await load(port, 'rate', '0.2');
  const before = run.cost().cpuSeconds;
  const { count, seconds } = await load(port, 'rate', values.seconds!);
  const used = run.cost().cpuSeconds - before;
  await run.end();
  const answered = count + 60_000;
  const perSec = count / seconds;
  return { perSec, perCpuSec: answered / used, cpuShare: (perSec * used) / answered };
}

function rssMiB(run: Measured): number {
  const status = fs.readFileSync(`/proc/${run.child.pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

interface Memory {
  readonly empty: number;
  readonly first: number;
  readonly per100k: number;
}

async function memoryOf(server: Server): Promise<Memory> {
  const { run, port } = await start(server);
  const empty = rssMiB(run);
  await load(port, 'fill', '0', `${FIRST_FILL}`);
  const first = rssMiB(run);
  await load(port, 'fill', `${FIRST_FILL}`, `${SECOND_FILL}`);
  const per100k = ((rssMiB(run) - first) / SECOND_FILL) * 100_000;
  await run.end();
  return { empty, first, per100k };
}

/** What the generator sends when nobody answers. */
async function ceiling(): Promise<number> {
  const port = await freePort();
  const run = new Measured('taskset', ['-c', '0', process.execPath, sink, `${port}`, 'drop']);
  await run.line((line) => line.includes('tracking'));
  const { count, seconds } = await load(port, 'send', '1');
  await run.end();
  return count / seconds;
}

function print(
  rates: ReadonlyMap<Server, readonly Run[]>,
  memories: ReadonlyMap<Server, Memory>,
  sends: number,
): void {
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
    .toString()
    .trim();
  const of = (server: Server, pick: (run: Run) => number): number =>
    median(rates.get(server)!.map(pick));
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const lines = [
    `${values.rounds} rounds of ${values.seconds} s, medians; Node ${process.versions.node}, ${os.availableParallelism()} cores (${os.cpus()[0]?.model}), commit ${commit}\n`,
    '| server | announces/s (min–max) | its core | announces per CPU-s | MiB empty | MiB, 100,000 peers | MiB per further 100,000 |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const server of SERVERS) {
    const all = rates.get(server)!.map(({ perSec }) => perSec);
    const memory = memories.get(server);
    const mib = (value: number | undefined): string => value?.toFixed(1) ?? '–';
    const cells = [
      server.name,
      `${whole(median(all))} (${whole(Math.min(...all))}–${whole(Math.max(...all))})`,
      `${(of(server, ({ cpuShare }) => cpuShare) * 100).toFixed(0)} %`,
      whole(of(server, ({ perCpuSec }) => perCpuSec)),
      ...[memory?.empty, memory?.first, memory?.per100k].map(mib),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  const ratio = (a: Server, b: Server, pick: (run: Run) => number): string =>
    (of(a, pick) / of(b, pick)).toFixed(2);
  const perSec = ({ perSec }: Run): number => perSec;
  const perCpu = ({ perCpuSec }: Run): number => perCpuSec;
  const memoryRatio = memories.get(OURS)!.per100k / memories.get(RIVAL)!.per100k;
  lines.push(
    `\nThe generator alone sends ${whole(sends)} announces/s.\n`,
    '| ratio | measured | goal |',
    '|---|---|---|',
    `| starling, announces/s | ${whole(of(OURS, perSec))} | ≥ ${whole(GOAL_PER_SEC)} |`,
    `| starling : bare node:dgram, announces/s | ${ratio(OURS, BARE, perSec)} | |`,
    `| starling : bare node:dgram, per CPU-s | ${ratio(OURS, BARE, perCpu)} | |`,
    `| starling : opentracker, announces/s | ${ratio(OURS, RIVAL, perSec)} | |`,
    `| starling : opentracker, per CPU-s | ${ratio(OURS, RIVAL, perCpu)} | |`,
    `| starling : opentracker, memory of 100,000 further peers | ${memoryRatio.toFixed(1)} | |`,
  );
  process.stdout.write(`\n${lines.join('\n')}\n`);
}

try {
  const rates = new Map<Server, Run[]>(SERVERS.map((server) => [server, []]));
  const sends = await ceiling();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const server of SERVERS) rates.get(server)!.push(await rateOf(server));
  }
  const memories = new Map<Server, Memory>();
  for (const server of [RIVAL, OURS]) memories.set(server, await memoryOf(server));
  print(rates, memories, sends);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
