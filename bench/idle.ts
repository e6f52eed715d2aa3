/**
 * What does a node cost that seeds a thousand torrents nobody asks for? Memory, CPU and start, without peers and with 200 that rest.
 *
 * A first run makes the state (everything is hashed); a fresh process that starts from it is measured. CPU and memory are those that the
 * kernel counts for the process, threads included.
 * Usage: node bench/idle.ts [--torrents 1000] [--peers 200] [--seconds 30]
 * @module
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { encodeHandshake, makeReserved } from '../src/protocol/peer-wire/index.ts';
import { makeTorrent } from '../test/support/torrents.ts';
import { builtLibrary, ROOT } from './support/hash-rivals.ts';
import { Measured } from './support/processes.ts';

const FILE_BYTES = 80_000;
const PIECE_BYTES = 32_768;
/** Of the specification of this project: what 1,000 idle torrents may cost. */
const GOALS = { rssMiB: 300, cpuShare: 0.02, startSeconds: 5 };

interface Said {
  readonly seeding: number;
  readonly port: number;
  readonly fromProcessMs: number;
  readonly fromOpenMs: number;
}

const { values } = parseArgs({
  options: {
    torrents: { type: 'string', default: '1000' },
    peers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
  },
});
const torrentCount = Number(values.torrents);
const seconds = Number(values.seconds);
const { sourceFromBytes } = await builtLibrary();
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));
const hashes: Uint8Array[] = [];

/** Small files that differ, a third of them in each format. */
function makeContent(): void {
  for (const folder of ['torrents', 'content', 'home']) fs.mkdirSync(path.join(dir, folder));
  for (let index = 0; index < torrentCount; index += 1) {
    const name = `${String(index).padStart(5, '0')}.bin`;
    const bytes = new Uint8Array(FILE_BYTES);
    crypto.getRandomValues(bytes.subarray(0, 65_536));
    const version = (['v1', 'v2', 'hybrid'] as const)[index % 3]!;
    const options = { name, isSingleFile: true, version, pieceLengthBytes: PIECE_BYTES };
    const torrent = makeTorrent([{ path: [], bytes }], options).bytes;
    fs.writeFileSync(path.join(dir, 'content', name), bytes);
    fs.writeFileSync(path.join(dir, 'torrents', `${name}.torrent`), torrent);
    const source = sourceFromBytes(torrent, name);
    if (source.kind !== 'metainfo') throw new Error('a torrent file was read as a magnet link');
    const { infoHashV1, infoHashV2 } = source.metainfo.info;
    hashes.push((infoHashV1 ?? infoHashV2!).subarray(0, 20));
  }
}

function start(): Measured {
  const script = path.join(ROOT, 'bench/support/idle-node.ts');
  const places = ['torrents', 'content', 'home'].map((name) => path.join(dir, name));
  return new Measured(process.execPath, [script, path.join(ROOT, 'dist/node/index.js'), ...places]);
}

async function ready(run: Measured): Promise<Said> {
  const said = JSON.parse(await run.line((line) => line.startsWith('{'))) as Said;
  if (said.seeding !== torrentCount) {
    throw new Error(`expected ${torrentCount} torrents to seed, got ${said.seeding}`);
  }
  return said;
}

function openFiles(run: Measured): number {
  return fs.readdirSync(`/proc/${run.child.pid}/fd`).length;
}

/** The share of one core that the process used during the next `seconds`. */
async function cpuShare(run: Measured): Promise<number> {
  const before = run.cost().cpuSeconds;
  const startedMs = performance.now();
  await sleep(seconds * 1000);
  return (run.cost().cpuSeconds - before) / ((performance.now() - startedMs) / 1000);
}

/** Connections that shake hands, say that they have nothing and want nothing, and rest. */
async function connectPeers(port: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let index = 0; index < Number(values.peers); index += 1) {
    const infoHash = hashes[Math.floor((index * torrentCount) / Number(values.peers))]!;
    const peerId = new Uint8Array(20).fill(65);
    new DataView(peerId.buffer).setUint32(16, index);
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resume();
    socket.write(encodeHandshake({ reserved: makeReserved({ fast: true }), infoHash, peerId }));
    // have-none (BEP 6)
    socket.write(Uint8Array.from([0, 0, 0, 1, 15]));
    sockets.push(socket);
  }
  return sockets;
}

function print(rows: readonly (readonly [string, string, string])[]): void {
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
    .toString()
    .trim();
  process.stdout.write(
    `\n${torrentCount} torrents of ${FILE_BYTES} bytes, idle for ${seconds} s; Node ${process.versions.node}, ${os.availableParallelism()} cores (${os.cpus()[0]?.model}), commit ${commit}\n\n`,
  );
  process.stdout.write('| what | measured | goal |\n|---|---|---|\n');
  for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
}

try {
  makeContent();
  const first = start();
  const { fromProcessMs: firstMs } = await ready(first);
  first.child.stdin!.end();
  await once(first.child, 'exit');

  const run = start();
  const said = await ready(run);
  await sleep(2_000);
  const idle = await cpuShare(run);
  const idleMiB = run.rssMiB();
  const files = openFiles(run);
  const sockets = await connectPeers(said.port);
  await sleep(5_000);
  const withPeers = await cpuShare(run);
  const open = sockets.filter((socket) => !socket.destroyed).length;
  const percent = (share: number): string => `${(share * 100).toFixed(2)} % of a core`;
  print([
    [
      'start, from the process',
      `${(said.fromProcessMs / 1000).toFixed(2)} s`,
      `< ${GOALS.startSeconds} s`,
    ],
    [
      'start, from PeerNode.open',
      `${(said.fromOpenMs / 1000).toFixed(2)} s`,
      `< ${GOALS.startSeconds} s`,
    ],
    ['first start, which hashes', `${(firstMs / 1000).toFixed(2)} s`, ''],
    ['memory (RSS)', `${idleMiB.toFixed(0)} MiB`, `≤ ${GOALS.rssMiB} MiB`],
    ['CPU', percent(idle), `< ${GOALS.cpuShare * 100} %`],
    ['open files', String(files), ''],
    [`CPU with ${open} peers that rest`, percent(withPeers), ''],
    [`memory with ${open} peers that rest`, `${run.rssMiB().toFixed(0)} MiB`, ''],
  ]);
  for (const socket of sockets) socket.destroy();
  await run.end();
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
