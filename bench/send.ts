/**
 * How long until somebody has what another sends, from typing the code to two programs that ended, beside magic-wormhole: a file, many small ones, a message of one byte?
 *
 * Sender and receiver are processes, on loopback, with the built package; rivals take turns, figures are medians over rounds. The sender is up and has shown its code
 * before the clock starts with `receive`; it stops when both have ended, and what came is compared with what was sent after that. Both of Starling's ends have a home from
 * former runs; they find each other in the local network (on loopback), and in rows with "--peer" the receiver is told the address, so that what finding costs can be read off.
 * magic-wormhole has its own mailbox server on loopback and no relay; its codes are given, and it makes an archive of a folder before it shows the code, which is told apart.
 * Where Starling's time goes is read off the receiver's events: "start and keys" until it looks for the sender (argon2id alone is measured beside it), "finding, handshake,
 * proof" until it is paired, "fetching" until all is on disk, "digest" until the sender's is the same and everything has its name, "goodbye" until both have ended.
 * A bare `node:tls` stream of as many bytes as the file, SHA-256 over as many, and as many small files made in a loop are measured in every round: with argon2id the least that
 * this machine needs for what the protocol prescribes.
 * Usage: node bench/send.ts [--rounds 5] [--mib 1024] [--files 10000] [--only file,folder,message] [--without-wormhole] [--dir DIR]
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash, hash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { nodeArgon2id } from '../src/io/argon2.ts';
import { deriveKeys } from '../src/protocol/send/index.ts';
import { Clients } from './support/clients.ts';
import { ROOT, writeRandom } from './support/hash-rivals.ts';
import { HANDED_BACK_MS, warmMemory } from './support/memory.ts';
import { freePort, Measured, median } from './support/processes.ts';
import { Wormhole } from './support/wormhole.ts';

/** What the project's specification asks. */
const GOALS = { fileOfWormhole: 1 / 3, folderOfWormhole: 1 / 10 };
const SMALL_FILE_BYTES = 4_096;
/** Of a round trip that hangs. */
const RUN_TIMEOUT_MS = 180_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    mib: { type: 'string', default: '1024' },
    files: { type: 'string', default: '10000' },
    only: { type: 'string', default: 'file,folder,message' },
    'without-wormhole': { type: 'boolean', default: false },
    dir: { type: 'string', default: path.join(os.tmpdir(), `starling-bench-${process.pid}`) },
  },
});
const rounds = Number(values.rounds);
const mib = Number(values.mib);
const { dir } = values;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

type Load = 'file' | 'folder' | 'message';

const LOADS: Record<Load, { readonly name: string; readonly what: readonly string[] }> = {
  file: { name: `a file of ${mib} MiB`, what: [path.join(dir, 'source', 'random.bin')] },
  folder: {
    name: `${values.files} files of ${SMALL_FILE_BYTES} bytes`,
    what: [path.join(dir, 'source', 'many')],
  },
  message: { name: 'a message of 1 byte', what: ['--text', 'x'] },
};

/** Milliseconds. */
interface Run {
  /** From the sender's start to its code. */
  readonly shown: number;
  /** From the receiver's start to the end of both. */
  readonly all: number;
  /** CPU-s of both, as far as they were seen. */
  readonly cpuSeconds: number;
  /** Starling's stages, by name. */
  readonly stages: ReadonlyMap<string, number>;
}

let targets = 0;

function prepare(): void {
  writeRandom(path.join(dir, 'source', 'random.bin'), mib);
  const folder = path.join(dir, 'source', 'many');
  for (let i = 0; i < Number(values.files); i += 1) {
    const below = path.join(folder, `${Math.floor(i / 100)}`);
    if (i % 100 === 0) fs.mkdirSync(below, { recursive: true });
    const bytes = crypto.getRandomValues(new Uint8Array(SMALL_FILE_BYTES));
    fs.writeFileSync(path.join(below, `${i}.bin`), bytes);
  }
}

/**
 * What small files came is kept to the end: ext4 hands out no place of a file that was deleted lately, and looks at each in turn to find one. Making 10,000
 * files took 1.1 s, and 4 s (up to 15 s) after as many had been deleted, whoever made them.
 */
async function freshFolder(load: Load): Promise<string> {
  targets += 1;
  const target = path.join(dir, 'target', `${load}${load === 'file' ? '' : targets}`);
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  if (load !== 'file') return target;
  await sleep(HANDED_BACK_MS);
  warmMemory(dir, 1.5 * mib);
  return target;
}

/** SHA-256 of each file, by path. */
function digests(top: string): string {
  if (fs.statSync(top).isFile()) return digestOf(top);
  const names = fs.readdirSync(top, { recursive: true }) as string[];
  const files = names.filter((name) => fs.statSync(path.join(top, name)).isFile()).sort();
  return hash('sha256', files.map((name) => name + digestOf(path.join(top, name))).join('\n'));
}

function digestOf(file: string): string {
  return hash('sha256', fs.readFileSync(file));
}

function expectSame(load: Load, came: string): void {
  const isRight =
    load === 'message' ? came === 'x' : digests(came) === digests(LOADS[load].what[0]!);
  if (!isRight) throw new Error(`what came of ${LOADS[load].name} is not what was sent`);
}

/** When a process ended. @throws when it hangs or failed. */
async function ended(process: Measured): Promise<number> {
  const { child } = process;
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS);
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
  clearTimeout(timer);
  if (child.exitCode !== 0) throw new Error(`ended with ${child.exitCode ?? child.signalCode}`);
  return performance.now();
}

const STAGES: readonly (readonly [event: string, stage: string])[] = [
  ['searching', 'start and keys'],
  ['paired', 'finding, handshake, proof'],
  ['comparing', 'fetching'],
  ['summary', 'digest'],
];

async function starling(load: Load, isTold: boolean): Promise<Run> {
  const target = await freshFolder(load);
  const port = await freePort();
  const begin = (home: string, args: readonly string[]): Measured =>
    new Measured(process.execPath, [clients.launcher, ...args, '--json', '--quiet'], {
      STARLING_HOME: path.join(dir, home),
    });
  const startedMs = performance.now();
  const sender = begin('sender', ['send', ...LOADS[load].what, '--listen', `127.0.0.1:${port}`]);
  const code = await sender.line((line) => line.includes('"type":"code"'));
  const shownMs = performance.now();
  const peer = isTold ? ['--peer', `127.0.0.1:${port}`] : [];
  const words = ['--listen', '127.0.0.1:0', '--yes', '--dir', target, ...peer];
  const receiver = begin('receiver', [
    'receive',
    (JSON.parse(code) as { code: string }).code,
    ...words,
  ]);
  const stages = new Map<string, number>();
  let lastMs = shownMs;
  let line = '';
  for (const [event, stage] of STAGES) {
    line = await receiver.line((text) => text.includes(`"type":"${event}"`));
    stages.set(stage, performance.now() - lastMs);
    lastMs = performance.now();
  }
  const cpuSeconds = receiver.cost().cpuSeconds + sender.cost().cpuSeconds;
  const endMs = Math.max(...(await Promise.all([ended(receiver), ended(sender)])));
  stages.set('goodbye', endMs - lastMs);
  const { path: where, text } = JSON.parse(line) as { path?: string; text?: string };
  expectSame(load, text ?? where!);
  return { shown: shownMs - startedMs, all: endMs - shownMs, cpuSeconds, stages };
}

let codes = 1;

async function wormholeRun(wormhole: Wormhole, load: Load): Promise<Run> {
  const target = await freshFolder(load);
  const code = `${codes}-bench-code`;
  codes += 1;
  const startedMs = performance.now();
  const sender = wormhole.send(code, LOADS[load].what);
  await sender.line((line) => line.includes('code is'));
  const shownMs = performance.now();
  const out = path.join(target, 'came');
  const receiver = wormhole.receive(code, load === 'message' ? undefined : out);
  const isDone = (line: string): boolean => line === 'x' || line.includes('written to');
  const said = receiver.line(isDone);
  await said;
  const cpuSeconds = receiver.cost().cpuSeconds + sender.cost().cpuSeconds;
  const endMs = Math.max(...(await Promise.all([ended(receiver), ended(sender)])));
  expectSame(load, load === 'message' ? await said : out);
  return { shown: shownMs - startedMs, all: endMs - shownMs, cpuSeconds, stages: new Map() };
}

/** Seconds of a bare TLS stream of as many bytes as the file has. */
async function bareTls(): Promise<number> {
  const script = path.join(ROOT, 'bench/support/channel-end.ts');
  const server = new Measured(process.execPath, [
    script,
    'tls',
    '',
    'serve',
    `${mib * 1024 * 1024}`,
  ]);
  const isSaid = (line: string): boolean => line.startsWith('{');
  const address = await server.line(isSaid);
  const job = [script, 'tls', '', 'bulk', address, `${mib}`, '1048576'];
  const client = new Measured(process.execPath, job);
  const { seconds } = JSON.parse(await client.line(isSaid)) as { seconds: number };
  await client.end();
  await server.end();
  return seconds;
}

async function keySeconds(): Promise<number> {
  const startedMs = performance.now();
  await deriveKeys(nodeArgon2id, 'pageant-moorland-toucan', Math.floor(Date.now() / 3_600_000));
  return (performance.now() - startedMs) / 1000;
}

/** Seconds of SHA-256 over as many bytes as the file has, without reading them. */
function hashSeconds(): number {
  const block = Buffer.alloc(1024 * 1024, 7);
  const whole = createHash('sha256');
  const startedMs = performance.now();
  for (let at = 0; at < mib; at += 1) whole.update(block);
  whole.digest();
  return (performance.now() - startedMs) / 1000;
}

/** Seconds of making as many small files in a loop that does nothing else. */
async function creatingSeconds(): Promise<number> {
  const folder = await freshFolder('folder');
  const block = Buffer.alloc(SMALL_FILE_BYTES, 7);
  const startedMs = performance.now();
  for (let i = 0; i < Number(values.files); i += 1) {
    fs.writeFileSync(path.join(folder, `${i}`), block);
  }
  return (performance.now() - startedMs) / 1000;
}

/** What is asked, beside the least that this machine needs for what the protocol prescribes. */
function bounds(results: ReadonlyMap<Load, ReadonlyMap<string, readonly Run[]>>): void {
  const argon = median(keys);
  const theirs = (load: Load): number | undefined => {
    const runs = results.get(load)?.get('magic-wormhole');
    return runs && middle(runs, (run) => run.all) / 1000;
  };
  const rows: [string, number, number | undefined][] = [];
  if (hashed.length > 0) {
    const least = argon + median(bare) + median(hashed);
    rows.push(['file: argon2id, bare TLS, SHA-256 once', least, theirs('file')]);
  }
  if (created.length > 0) {
    rows.push([
      'folder: argon2id, the files made in a loop',
      argon + median(created),
      theirs('folder'),
    ]);
  }
  print('\n| the least, one after the other | s | goal, s |\n|---|---|---|');
  for (const [what, least, rival] of rows) {
    const share = what.startsWith('file') ? GOALS.fileOfWormhole : GOALS.folderOfWormhole;
    const goal = rival === undefined ? '' : (rival * share).toFixed(2);
    print(`| ${what} | ${least.toFixed(2)} | ${goal} |`);
  }
}

const middle = (runs: readonly Run[], pick: (run: Run) => number): number => median(runs.map(pick));
const seconds = (ms: number): string => (ms / 1000).toFixed(2);

function report(load: Load, results: ReadonlyMap<string, readonly Run[]>): void {
  print(`\n${LOADS[load].name}\n`);
  print('| run | seconds (min–max) | until the code was shown, s | CPU-s of both |');
  print('|---|---|---|---|');
  for (const [name, runs] of results) {
    const all = runs.map((run) => run.all);
    const span = `${seconds(Math.min(...all))}–${seconds(Math.max(...all))}`;
    const shown = seconds(middle(runs, (run) => run.shown));
    const cpu = middle(runs, (run) => run.cpuSeconds).toFixed(1);
    print(`| ${name} | ${seconds(median(all))} (${span}) | ${shown} | ${cpu} |`);
  }
  const ours = [...results].filter(([name]) => name.startsWith('starling'));
  print(`\n| where it goes, s | ${ours.map(([name]) => name).join(' | ')} |`);
  print(`|---|${'---|'.repeat(ours.length)}`);
  for (const stage of [...STAGES.map(([, name]) => name), 'goodbye']) {
    const cells = ours.map(([, runs]) => seconds(middle(runs, (run) => run.stages.get(stage)!)));
    print(`| ${stage} | ${cells.join(' | ')} |`);
  }
}

function ratios(results: ReadonlyMap<Load, ReadonlyMap<string, readonly Run[]>>): void {
  print('\n| what | measured | goal |\n|---|---|---|');
  for (const [load, goal] of [
    ['file', `≤ ${GOALS.fileOfWormhole.toFixed(2)}`],
    ['folder', `≤ ${GOALS.folderOfWormhole.toFixed(2)}`],
    ['message', ''],
  ] as const) {
    const ours = results.get(load)?.get('starling');
    const theirs = results.get(load)?.get('magic-wormhole');
    if (ours === undefined || theirs === undefined) continue;
    const ratio = middle(ours, (run) => run.all) / middle(theirs, (run) => run.all);
    print(
      `| time, starling : magic-wormhole, ${LOADS[load].name} | ${ratio.toFixed(2)} | ${goal} |`,
    );
    const whole = (run: Run): number => run.all + run.shown;
    const both = middle(ours, whole) / middle(theirs, whole);
    print(`| the same, with the sender's start | ${both.toFixed(2)} | |`);
  }
  const fetched = results.get('file')?.get('starling');
  if (fetched !== undefined) {
    const tls = median(bare);
    const data = (run: Run): number =>
      (run.stages.get('fetching')! + run.stages.get('digest')!) / 1000;
    print(`| rate of bare TLS, MiB/s | ${(mib / tls).toFixed(0)} | |`);
    const share = tls / middle(fetched, data);
    print(`| rate of fetching and digest : bare TLS | ${share.toFixed(2)} | |`);
  }
  print(`| argon2id of one hour, s | ${median(keys).toFixed(2)} | |`);
}

const bare: number[] = [];
const keys: number[] = [];
const hashed: number[] = [];
const created: number[] = [];
prepare();
const clients = new Clients(dir);
const wormhole = values['without-wormhole']
  ? undefined
  : await Wormhole.start(dir, await freePort());
try {
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  }).trim();
  const cores = `${os.availableParallelism()} cores (${os.cpus()[0]?.model ?? 'unknown'})`;
  print(`\n${rounds} rounds, medians; Node ${process.versions.node}, ${cores}, commit ${commit}`);
  const results = new Map<Load, Map<string, Run[]>>();
  for (const load of (['file', 'folder', 'message'] as const).filter((name) =>
    values.only.split(',').includes(name),
  )) {
    const runs = new Map<string, Run[]>();
    results.set(load, runs);
    const cases: [string, () => Promise<Run>][] = [
      ['starling', () => starling(load, false)],
      ['starling, --peer', () => starling(load, true)],
    ];
    if (wormhole !== undefined) cases.push(['magic-wormhole', () => wormholeRun(wormhole, load)]);
    for (let round = 1; round <= rounds; round += 1) {
      if (load === 'file') {
        bare.push(await bareTls());
        hashed.push(hashSeconds());
      } else if (load === 'folder') created.push(await creatingSeconds());
      keys.push(await keySeconds());
      for (const [name, run] of cases) {
        const result = await run();
        runs.set(name, [...(runs.get(name) ?? []), result]);
        process.stderr.write(`round ${round} ${load} ${name}: ${seconds(result.all)} s\n`);
      }
    }
    report(load, runs);
  }
  ratios(results);
  bounds(results);
} finally {
  await wormhole?.close();
  fs.rmSync(dir, { recursive: true, force: true });
}
