/**
 * How fast does a torrent move between two clients on this machine, and what does it cost, beside the rivals in the same run?
 *
 * Every round runs every pair once, in turn, so that noise hits all alike; the table shows medians over rounds, and ratios of medians.
 * One seeder and one leecher, each its own process, loopback, plaintext; the swarm rows have four leechers that know each other.
 * Usage: node bench/throughput.ts [--rounds 7] [--mib 1024] [--only TEXT] [--dir DIR]
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeRandom } from './support/hash-rivals.ts';
import { type Cost, freePort, Measured, median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mib: { type: 'string', default: '1024' },
    only: { type: 'string', default: '' },
    dir: { type: 'string', default: path.join(os.tmpdir(), `starling-bench-${process.pid}`) },
  },
});
const rounds = Number(values.rounds);
const mib = Number(values.mib);
const dir = values.dir;
const root = path.join(import.meta.dirname, '..');
const python = fs.existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

interface Run {
  readonly seconds: number;
  readonly seed: Cost;
  readonly leech: Cost;
}

type Format = 'v1' | 'v2' | 'hybrid';
type Client = 'starling' | 'libtorrent';

const source = path.join(dir, 'source');
const torrentOf = (format: Format): string => path.join(dir, `${format}.torrent`);

function prepare(): void {
  writeRandom(path.join(source, 'random.bin'), mib);
  for (const format of ['v1', 'v2', 'hybrid'] as const) {
    const args = ['--format', format, '--piece-length', '1048576', '-o', torrentOf(format)];
    starling(['create', path.join(source, 'random.bin'), ...args, '--quiet']);
    // Checks the files once, so that no run measures the seeder's check.
    starling(['get', torrentOf(format), '--dir', source, '--no-discovery', '--quiet']);
  }
}

/** The built program, as it is published. */
const launcher = path.join(dir, 'package', 'bin', 'starling.mjs');

function starling(args: readonly string[]): void {
  execFileSync(process.execPath, [launcher, ...args], {
    env: { ...process.env, STARLING_OFFLINE: '1', STARLING_HOME: path.join(dir, 'home') },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Lays the built package out as npm would, so that what is measured is what people install. */
function installPackage(): void {
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-b', root]);
  const target = path.join(dir, 'package');
  for (const part of ['bin', 'dist', 'package.json']) {
    fs.cpSync(path.join(root, part), path.join(target, part), { recursive: true });
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(target, 'node_modules'));
}

async function startSeed(client: Client, format: Format, port: number): Promise<Measured> {
  const torrent = torrentOf(format);
  if (client === 'starling') {
    const args = ['seed', torrent, '--dir', source, '--listen', `127.0.0.1:${port}`, '--json'];
    const seed = new Measured(process.execPath, [launcher, ...args, '--no-discovery'], {
      STARLING_HOME: path.join(dir, 'home'),
    });
    await seed.line((line) => line.includes('"type":"seeding"'));
    return seed;
  }
  const script = path.join(root, 'bench/support/libtorrent-peer.py');
  const seed = new Measured(python, [script, 'seed', torrent, source, `${port}`]);
  await seed.line((line) => line === 'ready');
  return seed;
}

function startLeech(
  client: Client,
  format: Format,
  target: string,
  port: number,
  peers: readonly number[],
): { leech: Measured; seconds: () => Promise<number> } {
  const torrent = torrentOf(format);
  if (client === 'starling') {
    const args = ['get', torrent, '--dir', target, '--listen', `127.0.0.1:${port}`, '--json'];
    for (const peer of peers) args.push('--peer', `127.0.0.1:${peer}`);
    const leech = new Measured(
      process.execPath,
      [launcher, ...args, '--no-discovery', '--seed-time', '600'],
      { STARLING_HOME: path.join(target, 'home') },
    );
    const isSummary = (line: string): boolean => line.includes('"type":"summary"');
    return {
      leech,
      seconds: async () => (JSON.parse(await leech.line(isSummary)) as { seconds: number }).seconds,
    };
  }
  const script = path.join(root, 'bench/support/libtorrent-peer.py');
  const leech = new Measured(python, [
    script,
    'get',
    torrent,
    target,
    `${port}`,
    ...peers.map(String),
  ]);
  const isResult = (line: string): boolean => line.startsWith('{');
  return {
    leech,
    seconds: async () => (JSON.parse(await leech.line(isResult)) as { seconds: number }).seconds,
  };
}

/**
 * Gives every run the same free memory: on a virtual machine, pages that were free for some seconds belong to the host again, and taking
 * one back costs more than writing it (1 GiB into the page cache took 0.3 s or 4.5 s here). Files of more than the size are written and
 * deleted, right before the leeches start.
 */
function warmMemory(copies: number): void {
  const bytes = Buffer.alloc(1024 * 1024, 1);
  const file = path.join(dir, 'warm');
  const fd = fs.openSync(file, 'w');
  for (let i = 0; i < copies * mib; i += 1) fs.writeSync(fd, bytes);
  fs.closeSync(fd);
  fs.rmSync(file);
}

function freshFolder(): string {
  const target = path.join(dir, 'target');
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  return target;
}

async function pair(from: Client, to: Client, format: Format): Promise<Run> {
  const target = freshFolder();
  const [seedPort, leechPort] = [await freePort(), await freePort()];
  const seed = await startSeed(from, format, seedPort);
  try {
    warmMemory(2.5);
    const { leech, seconds } = startLeech(to, format, target, leechPort, [seedPort]);
    try {
      const took = await seconds();
      return { seconds: took, seed: seed.cost(), leech: leech.cost() };
    } finally {
      await leech.end();
    }
  } finally {
    await seed.end();
  }
}

async function swarm(client: Client): Promise<Run> {
  const target = freshFolder();
  const seedPort = await freePort();
  const seed = await startSeed(client, 'v1', seedPort);
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
  warmMemory(4.5);
  const startedMs = performance.now();
  const leeches = ports.map((port, index) => {
    const folder = path.join(target, `${index}`);
    fs.mkdirSync(folder);
    const peers = [seedPort, ...ports.filter((other) => other !== port)];
    return startLeech(client, 'v1', folder, port, peers);
  });
  try {
    await Promise.all(leeches.map(({ seconds }) => seconds()));
    const took = (performance.now() - startedMs) / 1000;
    const costs = leeches.map(({ leech }) => leech.cost());
    const cpuSeconds = costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
    const peakMiB = Math.max(...costs.map((cost) => cost.peakMiB));
    return { seconds: took, seed: seed.cost(), leech: { cpuSeconds, peakMiB } };
  } finally {
    for (const { leech } of leeches) await leech.end();
    await seed.end();
  }
}

async function sketch(receivers: number): Promise<Run> {
  const target = freshFolder();
  const port = await freePort();
  const script = path.join(root, 'bench/support/sketch.ts');
  const file = path.join(source, 'random.bin');
  const seed = new Measured(process.execPath, [script, 'send', file, `${mib}`, `${port}`]);
  await seed.line((line) => line === 'ready');
  warmMemory(receivers === 1 ? 2.5 : 4.5);
  const startedMs = performance.now();
  const leeches = Array.from({ length: receivers }, (_, index) => {
    const args = [script, 'receive', path.join(target, `${index}`), `${mib}`, `${port}`];
    return new Measured(process.execPath, args);
  });
  try {
    const results = await Promise.all(leeches.map((leech) => leech.line((l) => l.startsWith('{'))));
    const own = (JSON.parse(results[0]!) as { seconds: number }).seconds;
    const took = receivers === 1 ? own : (performance.now() - startedMs) / 1000;
    const costs = leeches.map((leech) => leech.cost());
    const cpuSeconds = costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
    const peakMiB = Math.max(...costs.map((cost) => cost.peakMiB));
    return { seconds: took, seed: seed.cost(), leech: { cpuSeconds, peakMiB } };
  } finally {
    for (const leech of leeches) await leech.end();
    await seed.end();
  }
}

const CASES: readonly { readonly name: string; readonly run: () => Promise<Run> }[] = [
  { name: 'sketch', run: () => sketch(1) },
  { name: 'libtorrent → libtorrent', run: () => pair('libtorrent', 'libtorrent', 'v1') },
  { name: 'starling → starling', run: () => pair('starling', 'starling', 'v1') },
  { name: 'libtorrent → starling', run: () => pair('libtorrent', 'starling', 'v1') },
  { name: 'starling → libtorrent', run: () => pair('starling', 'libtorrent', 'v1') },
  { name: 'starling → starling, v2', run: () => pair('starling', 'starling', 'v2') },
  { name: 'starling → starling, hybrid', run: () => pair('starling', 'starling', 'hybrid') },
  { name: 'sketch × 4', run: () => sketch(4) },
  { name: 'libtorrent × 4, trading', run: () => swarm('libtorrent') },
  { name: 'starling × 4, trading', run: () => swarm('starling') },
];

/** Name, its rival, and the goal for the ratio of their times. */
const GOALS: readonly (readonly [string, string, number])[] = [
  ['starling → starling', 'libtorrent → libtorrent', 0.55],
  ['starling → starling', 'sketch', 1.25],
  ['libtorrent → starling', 'libtorrent → libtorrent', 0.8],
  ['starling → libtorrent', 'libtorrent → libtorrent', 0.9],
  ['starling × 4, trading', 'libtorrent × 4, trading', 0.75],
  ['starling → starling, v2', 'starling → starling', 1.15],
  ['starling → starling, hybrid', 'starling → starling', 1.45],
  ['sketch × 4', 'libtorrent × 4, trading', 0.75],
];

function report(results: ReadonlyMap<string, readonly Run[]>): void {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'])
    .toString()
    .trim();
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  print(
    `\n${mib} MiB, ${rounds} rounds, medians; Node ${process.versions.node}, ${os.availableParallelism()} cores (${cpu}), commit ${commit}\n`,
  );
  print('| run | seconds (min–max) | seeder CPU-s | seeder MiB | leecher CPU-s | leecher MiB |');
  print('|---|---|---|---|---|---|');
  for (const [name, runs] of results) {
    const seconds = runs.map((run) => run.seconds);
    const of = (pick: (run: Run) => number): string => median(runs.map(pick)).toFixed(1);
    print(
      `| ${name} | ${median(seconds).toFixed(2)} (${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)}) | ${of((r) => r.seed.cpuSeconds)} | ${of((r) => r.seed.peakMiB)} | ${of((r) => r.leech.cpuSeconds)} | ${of((r) => r.leech.peakMiB)} |`,
    );
  }
  print('\n| ratio of times | measured | goal |');
  print('|---|---|---|');
  for (const [name, rival, goal] of GOALS) {
    const [ours, theirs] = [results.get(name), results.get(rival)];
    if (ours === undefined || theirs === undefined) continue;
    const ratio = median(ours.map((r) => r.seconds)) / median(theirs.map((r) => r.seconds));
    print(`| ${name} : ${rival} | ${ratio.toFixed(2)} | ≤ ${goal} |`);
  }
}

const results = new Map<string, Run[]>();
try {
  installPackage();
  prepare();
  const wanted = values.only.split(',');
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, run } of CASES) {
      if (!wanted.some((text) => name.includes(text))) continue;
      const result = await run();
      results.set(name, [...(results.get(name) ?? []), result]);
      process.stderr.write(
        `round ${round} ${name}: ${result.seconds.toFixed(2)} s, CPU ${result.seed.cpuSeconds} + ${result.leech.cpuSeconds}, MiB ${result.seed.peakMiB.toFixed(0)} + ${result.leech.peakMiB.toFixed(0)}\n`,
      );
    }
  }
  report(results);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
