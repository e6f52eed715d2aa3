/**
 * Can people live with one node: how long does it take to start with thousands of torrents, how fast does it answer while it moves data, how much memory does it take, and what does it cost a download to run inside it?
 *
 * Crowd: a home with as many seeds as told (small files, all there); the time from the start of the process to the first answer of /healthz and to the moment when all torrents seed; RSS then. After that a
 * torrent of --mib MiB is downloaded by it from another process at a bounded rate while one client follows the list by events and others ask for the list, one torrent, the status and the dashboard's page in turn:
 * times of answers. Inside: the same download of a large torrent by `starling get` of its own and by a node with a follower of the list, in turns; both seeds are the same process. Times by the process that starts them.
 * Usage: node bench/node.ts [--torrents 5000] [--mib 1024] [--rounds 5] [--asks 400] [--only crowd,inside]
 * @module
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTorrent } from '../src/node/create.ts';
import { Store } from '../src/node/store/store.ts';
import type { TorrentRecord } from '../src/node/store/torrent-table.ts';
import { ROOT } from './support/hash-rivals.ts';
import { Measured, median } from './support/processes.ts';

/** What the project's specification asks. */
const GOALS = { startSeconds: 10, p99Ms: 50, inside: 1.1 };
const FILE_BYTES = 1_000;

const { values } = parseArgs({
  options: {
    torrents: { type: 'string', default: '5000' },
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    asks: { type: 'string', default: '400' },
    only: { type: 'string', default: 'crowd,inside' },
  },
});
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));
const mib = Number(values.mib);
const BIN = path.join(ROOT, 'bin/starling.mjs');
const QUIET = ['--no-dht', '--no-lsd', '--no-port-mapping'];

interface Running {
  readonly process: Measured;
  readonly url: string;
  readonly token: string;
}

async function startNode(home: string, ...more: readonly string[]): Promise<Running> {
  const words = [BIN, 'node', '--json', '--api', '127.0.0.1:0', ...QUIET, ...more];
  const running = new Measured(process.execPath, words, { STARLING_HOME: home });
  const line = JSON.parse(await running.line((text) => text.includes('"ready"')));
  const token = fs.readFileSync(path.join(home, 'api-token'), 'utf8').trim();
  return { process: running, url: line.url, token };
}

async function stopNode(node: Running): Promise<void> {
  const ended = new Promise((resolve) => node.process.child.once('exit', resolve));
  await ask(node, '/api/v1/stop', { method: 'POST', body: '{}' });
  await ended;
}

async function ask<T>(node: Running, where: string, init: RequestInit = {}): Promise<T> {
  const headers = { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' };
  const response = await fetch(`${node.url}${where}`, { ...init, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${where}: ${response.status} ${text.slice(0, 300)}`);
  return (where.startsWith('/api') ? JSON.parse(text) : text) as T;
}

interface Status {
  readonly torrents: { readonly seeding: number; readonly total: number };
}

/** A home with many seeds. */
async function makeCrowd(home: string, count: number): Promise<void> {
  const store = await Store.open(home);
  for (let index = 0; index < count; index += 1) {
    const file = path.join(dir, 'crowd', String(index), `file ${index}.bin`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, randomBytes(FILE_BYTES));
    const { bytes, metainfo, dir: where } = await createTorrent(file, { version: 'v1' });
    const record: TorrentRecord = {
      id: Buffer.from(metainfo.info.infoHashV1!).toString('hex'),
      source: { kind: 'metainfo', bytes },
      dir: where,
      name: metainfo.info.name,
      mode: 'seed',
      isPaused: false,
      queueIndex: index,
      category: undefined,
      tags: [],
      options: {},
      addedAt: Date.now(),
      completedAt: Date.now(),
      uploadedBytes: 0,
      downloadedBytes: 0,
      activeSeconds: 0,
      seedingSeconds: 0,
      error: undefined,
    };
    await store.torrents.add(record);
  }
  await store.close();
}

/** Follows the list as the dashboard does; @returns how many events came. */
function follow(node: Running, signal: AbortSignal): () => number {
  let events = 0;
  const run = async (): Promise<void> => {
    const headers = { authorization: `Bearer ${node.token}` };
    const where = `${node.url}/api/v1/events?topics=node,torrents`;
    const response = await fetch(where, { headers, signal });
    const decoder = new TextDecoder();
    for await (const part of response.body!) {
      events += decoder.decode(part).split('\nevent: ').length - 1;
    }
  };
  run().catch(() => {});
  return () => events;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

interface Seed {
  readonly process: Measured;
  readonly magnet: string;
  readonly address: string;
}

async function startSeed(file: string, ...more: readonly string[]): Promise<Seed> {
  const words = [BIN, 'share', file, '--json', '--listen', '127.0.0.1:0', ...QUIET, ...more];
  const running = new Measured(process.execPath, words, {
    STARLING_HOME: path.join(dir, 'seed-home'),
  });
  const line = JSON.parse(await running.line((text) => text.includes('"seeding"')));
  return { process: running, magnet: line.magnet, address: line.listen };
}

function makeFile(): string {
  const file = path.join(dir, 'large.bin');
  const block = randomBytes(1024 * 1024);
  const fd = fs.openSync(file, 'w');
  for (let index = 0; index < mib; index += 1) {
    block.writeUInt32BE(index);
    fs.writeSync(fd, block);
  }
  fs.closeSync(fd);
  return file;
}

async function crowd(large: string): Promise<void> {
  const count = Number(values.torrents);
  const home = path.join(dir, 'crowd-home');
  await makeCrowd(home, count);
  // The first start checks all files; the second is what people wait for.
  for (const round of ['first start', 'next start']) {
    const startedMs = performance.now();
    const node = await startNode(home, '--set', 'queue.active-seeds=0');
    const answersMs = performance.now() - startedMs;
    while ((await ask<Status>(node, '/api/v1/status')).torrents.seeding < count) await sleep(20);
    const allMs = performance.now() - startedMs;
    const rss = node.process.rssMiB();
    console.log(
      `| ${round}, ${count} torrents | ${(answersMs / 1000).toFixed(2)} | ${(allMs / 1000).toFixed(2)} | ${rss.toFixed(0)} |`,
    );
    if (round === 'next start') await answers(node, large);
    await stopNode(node);
  }
}

async function answers(node: Running, large: string): Promise<void> {
  const seed = await startSeed(large, '--upload-limit', '60000000');
  const abort = new AbortController();
  const events = follow(node, abort.signal);
  await ask(node, '/api/v1/torrents', {
    method: 'POST',
    body: JSON.stringify({ link: seed.magnet, dir: path.join(dir, 'got'), peers: [seed.address] }),
  });
  const [any] = (
    await ask<{ torrents: { id: string }[] }>(node, '/api/v1/torrents?limit=1&offset=17')
  ).torrents;
  const asked: Readonly<Record<string, string>> = {
    status: '/api/v1/status',
    'list, 100 rows': '/api/v1/torrents?limit=100',
    'list, 1,000 rows': '/api/v1/torrents?limit=1000',
    'one torrent': `/api/v1/torrents/${any!.id}`,
    'dashboard page': '/',
    Prometheus: '/metrics',
  };
  const times = new Map<string, number[]>(Object.keys(asked).map((name) => [name, []]));
  for (let index = 0; index < Number(values.asks); index += 1) {
    for (const [name, where] of Object.entries(asked)) {
      const fromMs = performance.now();
      await ask(node, where);
      times.get(name)!.push(performance.now() - fromMs);
    }
  }
  console.log('\n| answer while a download runs | median ms | p99 ms | most ms | goal, p99 |');
  console.log('|---|---|---|---|---|');
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b);
    console.log(
      `| ${name} | ${percentile(sorted, 0.5).toFixed(1)} | ${percentile(sorted, 0.99).toFixed(1)} | ${sorted.at(-1)!.toFixed(1)} | < ${GOALS.p99Ms} |`,
    );
  }
  const status = await ask<{ downloadBytesPerSec: number }>(node, '/api/v1/status');
  const rssMiB = node.process.rssMiB();
  console.log(
    `\nEvents meanwhile: ${events()}; rate at the end ${(status.downloadBytesPerSec / 1e6).toFixed(0)} MB/s; RSS ${rssMiB.toFixed(0)} MiB.`,
  );
  abort.abort();
  await seed.process.end();
}

async function inside(large: string): Promise<void> {
  const seed = await startSeed(large);
  const times: Record<'one-shot' | 'node', number[]> = { 'one-shot': [], node: [] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const into = (name: string): string => {
      const where = path.join(dir, `${name}-${round}`);
      fs.mkdirSync(where);
      return where;
    };
    const link = ['--peer', seed.address, '--no-discovery'];
    // Both are timed by the same command, which hands over where a node runs: the node is up already, as people have it.
    for (const way of ['one-shot', 'node'] as const) {
      const home = into(`home-${way}`);
      const got = into(way);
      const node = way === 'node' ? await startNode(home) : undefined;
      const abort = new AbortController();
      if (node !== undefined) follow(node, abort.signal);
      const words = [BIN, 'get', seed.magnet, '--dir', got, '--json', '--quiet', ...link];
      const fromMs = performance.now();
      const get = new Measured(process.execPath, words, { STARLING_HOME: home });
      await get.line((text) => text.includes('"summary"'));
      times[way].push(performance.now() - fromMs);
      await get.end();
      abort.abort();
      if (node !== undefined) await stopNode(node);
      fs.rmSync(got, { recursive: true });
    }
  }
  await seed.process.end();
  console.log(`\n| ${mib} MiB from a seed beside | seconds, median (min–max) |`);
  console.log('|---|---|');
  for (const [way, all] of Object.entries(times)) {
    const inSeconds = (ms: number): string => (ms / 1000).toFixed(2);
    console.log(
      `| ${way} | ${inSeconds(median(all))} (${inSeconds(Math.min(...all))}–${inSeconds(Math.max(...all))}) |`,
    );
  }
  const ratio = median(times.node) / median(times['one-shot']);
  console.log(`\nnode : one-shot ${ratio.toFixed(2)}; goal ≤ ${GOALS.inside}.`);
}

try {
  const large = makeFile();
  console.log(`Load ${os.loadavg()[0]!.toFixed(2)}, Node ${process.version}.\n`);
  if (values.only.includes('crowd')) {
    console.log(
      `| start | answers after s | all seed after s (goal < ${GOALS.startSeconds}) | RSS MiB |`,
    );
    console.log('|---|---|---|---|');
    await crowd(large);
  }
  if (values.only.includes('inside')) await inside(large);
} finally {
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
