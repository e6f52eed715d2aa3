/**
 * How fast does a torrent move between two clients on this machine, and what does it cost, beside the rivals in the same run?
 *
 * Every round runs every pair of a group once, in turn, so that noise hits all alike; the table shows medians over rounds, and ratios of medians.
 * One seeder and one leecher, each its own process, loopback, plaintext; the swarm rows have four leechers that know each other.
 * Needs libtorrent for Python, aria2, and npm's registry for WebTorrent.
 * With --inside: what it costs to run inside a long-running node with its dashboard open in Chromium, beside the one-shot commands.
 * Usage: node bench/throughput.ts [--rounds 7] [--mib 1024] [--only TEXT,NAME$,…] [--inside] [--dir DIR]
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTestTracker, type TestTracker } from '../test/support/tracker.ts';
import { type Client, Clients } from './support/clients.ts';
import { writeRandom } from './support/hash-rivals.ts';
import { HANDED_BACK_MS, warmMemory } from './support/memory.ts';
import { besideBrowser, readyNode, seedInNode } from './support/node-client.ts';
import { type Cost, freePort, Measured, median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mib: { type: 'string', default: '1024' },
    only: { type: 'string', default: '' },
    inside: { type: 'boolean', default: false },
    dir: { type: 'string', default: path.join(os.tmpdir(), `starling-bench-${process.pid}`) },
  },
});
const rounds = Number(values.rounds);
const mib = Number(values.mib);
const dir = values.dir;
const root = path.join(import.meta.dirname, '..');

interface Run {
  readonly seconds: number;
  readonly seed: Cost;
  readonly leech: Cost;
}

type Format = 'v1' | 'v2' | 'hybrid';

const source = path.join(dir, 'source');
const torrentOf = (format: Format): string => path.join(dir, `${format}.torrent`);
/** The v1 torrent with the run's tracker in it, for aria2, which cannot be told a peer. */
const trackedTorrent = path.join(dir, 'tracked.torrent');

async function prepare(clients: Clients): Promise<TestTracker> {
  const tracker = await startTestTracker();
  const file = path.join(source, 'random.bin');
  writeRandom(file, mib);
  const create = (format: Format, torrent: string, more: readonly string[]): void => {
    const args = ['--format', format, '--piece-length', '1048576', '-o', torrent, ...more];
    clients.run(['create', file, ...args, '--quiet']);
  };
  for (const format of ['v1', 'v2', 'hybrid'] as const) {
    create(format, torrentOf(format), []);
    // Checks the files once, so that no run measures the seeder's check.
    clients.run(['get', torrentOf(format), '--dir', source, '--no-discovery', '--quiet']);
  }
  create('v1', trackedTorrent, ['--tracker', tracker.httpUrl]);
  return tracker;
}

/** An empty folder to download to; what the run before left is deleted, and so handed back to the host, well before `warmMemory`. */
async function freshFolder(): Promise<string> {
  const target = path.join(dir, 'target');
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  await setTimeout(HANDED_BACK_MS);
  return target;
}

function infoHashOf(torrent: string): string {
  return (JSON.parse(clients.run(['info', torrent, '--json'])) as { infoHashV1: string })
    .infoHashV1;
}

/** Who may stand at an end of a pair: a client, or our node with its dashboard open. */
type End = Client | 'node';

async function pair(from: End, to: End, format: Format): Promise<Run> {
  const target = await freshFolder();
  const [seedPort, leechPort] = [await freePort(), await freePort()];
  const torrent = torrentOf(format);
  const seedTask = { torrent, folder: source, port: seedPort, peers: [] };
  const seed =
    from === 'node'
      ? await seedInNode(clients.launcher, seedTask)
      : await clients.seed(from, seedTask);
  try {
    const isTold = to !== 'aria2';
    if (!isTold) tracker.addPeer(infoHashOf(trackedTorrent), '127.0.0.1', seedPort);
    const task = {
      torrent: isTold ? torrent : trackedTorrent,
      folder: target,
      port: leechPort,
      peers: [seedPort],
    };
    const begin =
      to === 'node' ? await readyNode(clients.launcher, task) : () => clients.leech(to, task);
    // Last of all: what it warms cools in seconds.
    warmMemory(dir, 2.5 * mib);
    const { process: leech, seconds } = begin();
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
  const target = await freshFolder();
  const port = await freePort();
  const torrent = torrentOf('v1');
  const seed = await clients.seed(client, { torrent, folder: source, port, peers: [] });
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
  warmMemory(dir, 4.5 * mib);
  const startedMs = performance.now();
  const leeches = ports.map((own, index) => {
    const folder = path.join(target, `${index}`);
    fs.mkdirSync(folder);
    const peers = [port, ...ports.filter((other) => other !== own)];
    return clients.leech(client, { torrent, folder, port: own, peers });
  });
  try {
    await Promise.all(leeches.map(({ seconds }) => seconds()));
    const took = (performance.now() - startedMs) / 1000;
    return { seconds: took, seed: seed.cost(), leech: together(leeches.map((l) => l.process)) };
  } finally {
    for (const leech of leeches) await leech.process.end();
    await seed.end();
  }
}

/** CPU of all, memory of the largest. */
function together(processes: readonly Measured[]): Cost {
  const costs = processes.map((each) => each.cost());
  return {
    cpuSeconds: costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0),
    peakMiB: Math.max(...costs.map((cost) => cost.peakMiB)),
  };
}

async function sketch(receivers: number): Promise<Run> {
  const target = await freshFolder();
  const port = await freePort();
  const script = path.join(root, 'bench/support/sketch.ts');
  const file = path.join(source, 'random.bin');
  const seed = new Measured(process.execPath, [script, 'send', file, `${mib}`, `${port}`]);
  await seed.line((line) => line === 'ready');
  warmMemory(dir, (receivers === 1 ? 2.5 : 4.5) * mib);
  const startedMs = performance.now();
  const leeches = Array.from({ length: receivers }, (_, index) => {
    const args = [script, 'receive', path.join(target, `${index}`), `${mib}`, `${port}`];
    return new Measured(process.execPath, args);
  });
  try {
    const results = await Promise.all(leeches.map((leech) => leech.line((l) => l.startsWith('{'))));
    const own = (JSON.parse(results[0]!) as { seconds: number }).seconds;
    const took = receivers === 1 ? own : (performance.now() - startedMs) / 1000;
    return { seconds: took, seed: seed.cost(), leech: together(leeches) };
  } finally {
    for (const leech of leeches) await leech.end();
    await seed.end();
  }
}

interface Case {
  readonly name: string;
  readonly run: () => Promise<Run>;
}

function pairCase(from: End, to: End, format: Format = 'v1'): Case {
  const name = `${from} → ${to}${format === 'v1' ? '' : `, ${format}`}`;
  return { name, run: () => pair(from, to, format) };
}

/**
 * What is compared takes turns, group by group: after four leeches have written 4 GiB the next run would meet cold memory, and the sketch,
 * first of its group, did (0.9 to 3 s).
 */
const GROUPS: readonly (readonly Case[])[] = [
  [
    { name: 'sketch', run: () => sketch(1) },
    pairCase('starling', 'starling'),
    pairCase('libtorrent', 'libtorrent'),
    pairCase('libtorrent', 'starling'),
    pairCase('starling', 'libtorrent'),
    pairCase('starling', 'starling', 'v2'),
    pairCase('starling', 'starling', 'hybrid'),
  ],
  [
    { name: 'sketch × 4', run: () => sketch(4) },
    { name: 'libtorrent × 4, trading', run: () => swarm('libtorrent') },
    { name: 'starling × 4, trading', run: () => swarm('starling') },
  ],
  [
    pairCase('aria2', 'aria2'),
    pairCase('aria2', 'starling'),
    pairCase('starling', 'aria2'),
    pairCase('libtorrent', 'aria2'),
    pairCase('WebTorrent', 'WebTorrent'),
    pairCase('WebTorrent', 'starling'),
    pairCase('starling', 'WebTorrent'),
    pairCase('libtorrent', 'WebTorrent'),
  ],
];

/** What the machine gives with any browser open: the bare limit of a node with its dashboard. */
function besideCase(format: Format): Case {
  const { name, run } = pairCase('starling', 'starling', format);
  return { name: `${name}, beside a browser`, run: () => besideBrowser(clients.launcher, run) };
}

/** With --inside. */
const INSIDE: readonly (readonly Case[])[] = [
  [
    pairCase('starling', 'starling'),
    besideCase('v1'),
    pairCase('starling', 'node'),
    pairCase('node', 'starling'),
    pairCase('libtorrent', 'starling'),
    pairCase('libtorrent', 'node'),
    pairCase('starling', 'libtorrent'),
    pairCase('node', 'libtorrent'),
  ],
  [
    pairCase('starling', 'starling', 'v2'),
    besideCase('v2'),
    pairCase('starling', 'node', 'v2'),
    pairCase('starling', 'starling', 'hybrid'),
    pairCase('starling', 'node', 'hybrid'),
  ],
];

/** Name, its rival, and the goal for the ratio of their times, where there is one. */
const GOALS: readonly (readonly [string, string, number?])[] = [
  ['starling → starling', 'libtorrent → libtorrent', 0.55],
  ['starling → starling', 'sketch', 1.25],
  ['libtorrent → starling', 'libtorrent → libtorrent', 0.8],
  ['starling → libtorrent', 'libtorrent → libtorrent', 0.9],
  ['starling × 4, trading', 'libtorrent × 4, trading', 0.75],
  ['starling → starling, v2', 'starling → starling', 1.15],
  ['starling → starling, hybrid', 'starling → starling', 1.45],
  ['sketch × 4', 'libtorrent × 4, trading', 0.75],
  ['starling → node', 'starling → starling', 1.1],
  ['starling → starling, beside a browser', 'starling → starling'],
  ['starling → node', 'starling → starling, beside a browser'],
  ['node → starling', 'starling → starling', 1.1],
  ['libtorrent → node', 'libtorrent → starling', 1.1],
  ['node → libtorrent', 'starling → libtorrent', 1.1],
  ['starling → node, v2', 'starling → starling, v2', 1.1],
  ['starling → starling, v2, beside a browser', 'starling → starling, v2'],
  ['starling → node, v2', 'starling → starling, v2, beside a browser'],
  ['starling → node, hybrid', 'starling → starling, hybrid', 1.1],
  ['aria2 → starling', 'aria2 → aria2'],
  ['starling → aria2', 'aria2 → aria2'],
  ['WebTorrent → starling', 'WebTorrent → WebTorrent'],
  ['starling → WebTorrent', 'WebTorrent → WebTorrent'],
];

function report(results: ReadonlyMap<string, readonly Run[]>): void {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
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
    print(
      `| ${name} : ${rival} | ${ratio.toFixed(2)} | ${goal === undefined ? '' : `≤ ${goal}`} |`,
    );
  }
}

/** A part of a name, or with a $ behind it the whole. */
function isMeant(name: string, text: string): boolean {
  return text.endsWith('$') ? name === text.slice(0, -1) : name.includes(text);
}

async function runGroup(cases: readonly Case[], results: Map<string, Run[]>): Promise<void> {
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, run } of cases) {
      const result = await run();
      results.set(name, [...(results.get(name) ?? []), result]);
      process.stderr.write(
        `round ${round} ${name}: ${result.seconds.toFixed(2)} s, CPU ${result.seed.cpuSeconds} + ${result.leech.cpuSeconds}, MiB ${result.seed.peakMiB.toFixed(0)} + ${result.leech.peakMiB.toFixed(0)}\n`,
      );
    }
  }
}

/** What is measured, whatever is committed meanwhile. */
const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
  encoding: 'utf8',
}).trim();
const clients = new Clients(dir);
const tracker = await prepare(clients);
try {
  const wanted = values.only.split(',');
  const groups = (values.inside ? INSIDE : GROUPS).map((cases) =>
    cases.filter(({ name }) => wanted.some((text) => isMeant(name, text))),
  );
  if (groups[2]?.some(({ name }) => name.includes('WebTorrent'))) clients.installWebTorrent();
  const results = new Map<string, Run[]>();
  for (const cases of groups) await runGroup(cases, results);
  report(results);
} finally {
  await tracker.close();
  fs.rmSync(dir, { recursive: true, force: true });
}
