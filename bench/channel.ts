/**
 * What does a channel cost beside the bare socket that it is made of, and beside js-libp2p: bulk, handshakes, questions, and a thousand that rest?
 *
 * Each end is a process of its own, on loopback, and does what bench/support/channel-rivals.ts says. Rivals take turns, round by round; figures are medians over
 * rounds, ratios are ratios of medians.
 * Bulk: from the first write to the receiver's word that all came; it only counts. Each rival writes 64 KiB and 1 MiB at a time, and its better size counts.
 * Handshake: one dial after another, from nothing to an end that has proved who it is; TLS of `node:tls` with certificates of both ends, Starling with the greeting of
 * a control connection. Questions: 32 bytes there and back, Starling by requests, the others by bytes on one open stream, which is less than a request.
 * Rest: as many peers as told connect to one process, which is looked at before, after, and for ten seconds.
 * js-libp2p is installed from npm into a folder of the run, or is in the one that --libp2p (or STARLING_BENCH_LIBP2P) names.
 * Usage: node bench/channel.ts [--rounds 7] [--mib 1024] [--dials 200] [--asks 5000] [--idle 1000] [--only bulk,dial,ask,idle] [--libp2p DIR] [--without-libp2p]
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RivalName } from './support/channel-rivals.ts';
import { builtLibrary, ROOT } from './support/hash-rivals.ts';
import { installLibp2p } from './support/libp2p.ts';
import { Measured, median } from './support/processes.ts';

/** What the project's specification asks. */
const GOALS = { bulkOfTls: 0.85, bulkOfLibp2p: 4, idleMiB: 200 };
const CHUNKS = [65_536, 1_048_576];
const IN_FLIGHT = 64;
const REST_SECONDS = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mib: { type: 'string', default: '1024' },
    dials: { type: 'string', default: '200' },
    asks: { type: 'string', default: '5000' },
    idle: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'bulk,dial,ask,idle' },
    libp2p: { type: 'string', default: process.env['STARLING_BENCH_LIBP2P'] ?? '' },
    'without-libp2p': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const mib = Number(values.mib);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));
const modules = values.libp2p === '' ? path.join(dir, 'libp2p') : path.resolve(values.libp2p);

const NAMES: Record<RivalName, string> = {
  tcp: 'bare node:net',
  tls: 'bare node:tls',
  starling: 'starling',
  libp2p: 'js-libp2p, noise',
  'libp2p-tls': 'js-libp2p, TLS',
};
const rivals = (Object.keys(NAMES) as RivalName[]).filter(
  (name) => !values['without-libp2p'] || !name.startsWith('libp2p'),
);

function endOf(rival: RivalName, ...args: readonly (string | number)[]): Measured {
  const script = path.join(ROOT, 'bench/support/channel-end.ts');
  const words = [script, rival, modules, ...args.map(String)];
  return new Measured(process.execPath, words, { STARLING_HOME: path.join(dir, 'home') });
}

const isSaid = (line: string): boolean => line.startsWith('{');

/** Runs a job against a server of its own. */
async function against<T>(
  rival: RivalName,
  countBytes: number,
  job: readonly (string | number)[],
): Promise<{ said: T; server: Measured; client: Measured; serverCpuSeconds: number }> {
  const server = endOf(rival, 'serve', countBytes);
  const [name, ...args] = job;
  let client: Measured | undefined;
  try {
    const address = await server.line(isSaid);
    const { cpuSeconds } = server.cost();
    client = endOf(rival, name!, address, ...args);
    const said = JSON.parse(await client.line(isSaid)) as T;
    const serverCpuSeconds = server.cost().cpuSeconds - cpuSeconds;
    return { said, server, client, serverCpuSeconds };
  } finally {
    await client?.end();
    await server.end();
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** The value at a share of the sorted ones. */
function quantile(of: readonly number[], share: number): number {
  const sorted = [...of].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Keeps lists of numbers by name. */
class Table {
  readonly #lists = new Map<string, number[]>();

  add(key: string, value: number): void {
    this.#lists.set(key, [...(this.#lists.get(key) ?? []), value]);
  }

  of(key: string): number {
    return median(this.#lists.get(key)!);
  }

  span(key: string, digits: number): string {
    const list = this.#lists.get(key)!;
    const [low, high] = [Math.min(...list).toFixed(digits), Math.max(...list).toFixed(digits)];
    return `${median(list).toFixed(digits)} (${low}–${high})`;
  }
}

async function bulk(): Promise<void> {
  const table = new Table();
  for (let round = 1; round <= rounds; round += 1) {
    for (const rival of rivals) {
      for (const chunk of CHUNKS) {
        const job = ['bulk', mib, chunk] as const;
        const bytes = mib * 1024 * 1024;
        const run = await against<{ seconds: number; cpuSeconds: number }>(rival, bytes, job);
        const { said, client, server, serverCpuSeconds } = run;
        const key = `${rival} ${chunk}`;
        table.add(key, mib / said.seconds);
        table.add(`${key} out`, said.cpuSeconds);
        table.add(`${key} in`, serverCpuSeconds);
        table.add(`${key} memory`, Math.max(client.cost().peakMiB, server.cost().peakMiB));
        process.stderr.write(`round ${round} bulk ${key}: ${(mib / said.seconds).toFixed(0)}\n`);
      }
    }
  }
  print(`\n${mib} MiB in one direction\n`);
  print(
    '| run | written at a time | MiB/s (min–max) | sender CPU-s | receiver CPU-s | larger MiB |',
  );
  print('|---|---|---|---|---|---|');
  const best = new Map<RivalName, number>();
  for (const rival of rivals) {
    for (const chunk of CHUNKS) {
      const key = `${rival} ${chunk}`;
      best.set(rival, Math.max(best.get(rival) ?? 0, table.of(key)));
      const cpu = `${table.of(`${key} out`).toFixed(2)} | ${table.of(`${key} in`).toFixed(2)}`;
      print(
        `| ${NAMES[rival]} | ${chunk / 1024} KiB | ${table.span(key, 0)} | ${cpu} | ${table.of(`${key} memory`).toFixed(0)} |`,
      );
    }
  }
  print('\n| ratio of rates, better sizes | measured | goal |\n|---|---|---|');
  const ratio = (rival: RivalName, goal: string): void => {
    const theirs = best.get(rival);
    if (theirs === undefined) return;
    const measured = (best.get('starling')! / theirs).toFixed(2);
    print(`| starling : ${NAMES[rival]} | ${measured} | ${goal} |`);
  };
  ratio('tls', `≥ ${GOALS.bulkOfTls}`);
  ratio('libp2p', `≥ ${GOALS.bulkOfLibp2p}`);
  ratio('libp2p-tls', '');
  ratio('tcp', '');
}

async function dials(): Promise<void> {
  const all = new Map<RivalName, number[]>();
  const table = new Table();
  for (let round = 1; round <= rounds; round += 1) {
    for (const rival of rivals) {
      const { said } = await against<{ ms: number[] }>(rival, 0, ['dial', values.dials]);
      // The first dial loads and compiles what the others use; it is told apart.
      const [first, ...others] = said.ms;
      table.add(rival, median(others));
      table.add(`${rival} first`, first!);
      all.set(rival, [...(all.get(rival) ?? []), ...others]);
      process.stderr.write(`round ${round} dial ${rival}: ${median(others).toFixed(2)} ms\n`);
    }
  }
  print(`\n${values.dials} dials a round, one after another\n`);
  print('| run | first, ms | median of the others, ms (min–max of rounds) | p99 of all, ms |');
  print('|---|---|---|---|');
  for (const rival of rivals) {
    const p99 = quantile(all.get(rival)!, 0.99).toFixed(2);
    print(
      `| ${NAMES[rival]} | ${table.of(`${rival} first`).toFixed(1)} | ${table.span(rival, 2)} | ${p99} |`,
    );
  }
}

async function asks(): Promise<void> {
  const table = new Table();
  const count = Number(values.asks);
  for (let round = 1; round <= rounds; round += 1) {
    for (const rival of rivals) {
      const one = await against<{ ms: number[] }>(rival, 0, ['ask', count, 1]);
      table.add(rival, median(one.said.ms) * 1000);
      table.add(`${rival} p99`, quantile(one.said.ms, 0.99) * 1000);
      const job = ['ask', count * 4, IN_FLIGHT] as const;
      const { said } = await against<{ seconds: number }>(rival, 0, job);
      table.add(`${rival} many`, (count * 4) / said.seconds);
      process.stderr.write(`round ${round} ask ${rival}: ${table.of(rival).toFixed(0)} µs\n`);
    }
  }
  print(`\n${count} questions one by one, ${count * 4} with ${IN_FLIGHT} under way\n`);
  print(`| run | there and back, µs (min–max) | p99, µs | a second, ${IN_FLIGHT} under way |`);
  print('|---|---|---|---|');
  for (const rival of rivals) {
    print(
      `| ${NAMES[rival]} | ${table.span(rival, 0)} | ${table.of(`${rival} p99`).toFixed(0)} | ${table.of(`${rival} many`).toFixed(0)} |`,
    );
  }
}

async function rest(): Promise<void> {
  const count = Number(values.idle);
  print(`\n${count} control connections that rest, of as many identities\n`);
  print('| run | MiB before | MiB with them | for the connections | KiB each | CPU at rest |');
  print('|---|---|---|---|---|---|');
  let ours = 0;
  for (const rival of rivals.filter((name) => name !== 'tcp')) {
    const server = endOf(rival, 'serve', 0);
    const address = await server.line(isSaid);
    await sleep(1_000);
    const before = server.rssMiB();
    const crowd = endOf(rival, 'crowd', address, count);
    await crowd.line(isSaid);
    await sleep(2_000);
    const cpuBefore = server.cost().cpuSeconds;
    await sleep(REST_SECONDS * 1000);
    const cpu = (server.cost().cpuSeconds - cpuBefore) / REST_SECONDS;
    const after = server.rssMiB();
    const open = server.socketCount();
    if (open < count) throw new Error(`expected ${count} connections, ${open} sockets are open`);
    await crowd.end();
    await server.end();
    const more = after - before;
    if (rival === 'starling') ours = more;
    print(
      `| ${NAMES[rival]} | ${before.toFixed(0)} | ${after.toFixed(0)} | ${more.toFixed(0)} | ${((more * 1024) / count).toFixed(0)} | ${(cpu * 100).toFixed(2)} % of a core |`,
    );
  }
  print(`\n| what | measured | goal |\n|---|---|---|`);
  const goal = `≤ ${((GOALS.idleMiB * count) / 1000).toFixed(0)} MiB`;
  print(`| memory of ${count} connections at rest | ${ours.toFixed(0)} MiB | ${goal} |`);
}

try {
  await builtLibrary();
  const hasLibp2p = rivals.includes('libp2p');
  const version = hasLibp2p ? `, js-libp2p ${installLibp2p(modules)}` : '';
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  }).trim();
  const cores = `${os.availableParallelism()} cores (${os.cpus()[0]?.model ?? 'unknown'})`;
  print(
    `\n${rounds} rounds, medians; Node ${process.versions.node}${version}, ${cores}, commit ${commit}`,
  );
  const parts = { bulk, dial: dials, ask: asks, idle: rest };
  for (const [name, run] of Object.entries(parts)) {
    if (values.only.split(',').includes(name)) await run();
  }
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
