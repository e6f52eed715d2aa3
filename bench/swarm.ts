/**
 * Do connections that rest slow a transfer? One seed, one leech, as in `throughput.ts`; in every second run the leech is the 200th peer of
 * the seed: 180 have nothing and say nothing, and 19 tell of a piece twenty times a second.
 *
 * The idle peers live in this process; each has an address of its own in 127.0.0.0/8. Runs take turns; medians.
 * Usage: node bench/swarm.ts [--rounds 7] [--mib 1024] [--idle 180] [--busy 19]
 * @module
 */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fromHex } from '../src/lib/bytes.ts';
import { Rng } from '../src/lib/rng.ts';
import {
  encodeHandshake,
  MessageWriter,
  makePeerId,
  makeReserved,
} from '../src/protocol/peer-wire/index.ts';
import { Clients } from './support/clients.ts';
import { writeRandom } from './support/hash-rivals.ts';
import { HANDED_BACK_MS, warmMemory } from './support/memory.ts';
import { type Cost, freePort, median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mib: { type: 'string', default: '1024' },
    idle: { type: 'string', default: '180' },
    busy: { type: 'string', default: '19' },
  },
});
const [rounds, mib] = [Number(values.rounds), Number(values.mib)];
const [idleCount, busyCount] = [Number(values.idle), Number(values.busy)];
const dir = path.join(os.tmpdir(), `starling-bench-${process.pid}`);
const source = path.join(dir, 'source');
const torrent = path.join(dir, 'v1.torrent');
const rng = new Rng(1);

/** A peer with nothing, that stays. */
function connectIdle(port: number, infoHash: Uint8Array, number: number): Promise<net.Socket> {
  const localAddress = `127.0.${1 + (number >> 7)}.${1 + (number & 127)}`;
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  socket.resume();
  const writer = new MessageWriter();
  writer.haveNone();
  const reserved = makeReserved({ fast: true });
  socket.write(encodeHandshake({ reserved, infoHash, peerId: makePeerId(rng, '0.0.1') }));
  socket.write(writer.take());
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve(socket));
    socket.once('close', () => reject(new Error(`idle peer ${number} was refused`)));
  });
}

/** Idle peers at a port; some of them tell of a piece twenty times a second. @returns how to end them. */
async function crowd(port: number, infoHash: Uint8Array): Promise<() => number> {
  const count = idleCount + busyCount;
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, number) => connectIdle(port, infoHash, number)),
  );
  let piece = 0;
  const timer = setInterval(() => {
    const writer = new MessageWriter();
    writer.have(piece % mib);
    const bytes = writer.take();
    for (const socket of sockets.slice(0, busyCount)) socket.write(bytes);
    piece += 1;
  }, 50);
  return () => {
    clearInterval(timer);
    const open = sockets.filter((socket) => !socket.destroyed).length;
    for (const socket of sockets) socket.destroy();
    return open;
  };
}

interface Run {
  readonly seconds: number;
  readonly seed: Cost;
  readonly leech: Cost;
  readonly connected: number;
}

async function run(isCrowded: boolean): Promise<Run> {
  const target = path.join(dir, 'target');
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  await setTimeout(HANDED_BACK_MS);
  const [seedPort, leechPort] = [await freePort(), await freePort()];
  const seed = await clients.seed('starling', {
    torrent,
    folder: source,
    port: seedPort,
    peers: [],
  });
  const end = isCrowded ? await crowd(seedPort, infoHash) : undefined;
  warmMemory(dir, 2.5 * mib);
  const { process: leech, seconds } = clients.leech('starling', {
    torrent,
    folder: target,
    port: leechPort,
    peers: [seedPort],
  });
  try {
    const took = await seconds();
    const connected = end?.() ?? 0;
    return { seconds: took, seed: seed.cost(), leech: leech.cost(), connected };
  } finally {
    await leech.end();
    await seed.end();
  }
}

const clients = new Clients(dir);
writeRandom(path.join(source, 'random.bin'), mib);
const form = ['--format', 'v1', '--piece-length', '1048576', '-o', torrent, '--quiet'];
clients.run(['create', path.join(source, 'random.bin'), ...form]);
clients.run(['get', torrent, '--dir', source, '--no-discovery', '--quiet']);
const info = JSON.parse(clients.run(['info', torrent, '--json'])) as { infoHashV1: string };
const infoHash = fromHex(info.infoHashV1)!;
try {
  const runs: Record<'alone' | 'crowded', Run[]> = { alone: [], crowded: [] };
  for (let round = 0; round < rounds; round += 1) {
    runs.alone.push(await run(false));
    runs.crowded.push(await run(true));
  }
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  print(`${mib} MiB, ${rounds} rounds, medians; Node ${process.versions.node}\n`);
  print('| run | seconds | seeder CPU-s | seeder MiB | leecher CPU-s | idle peers at the end |');
  print('|---|---|---|---|---|---|');
  for (const [name, list] of Object.entries(runs)) {
    const of = (pick: (one: Run) => number): number => median(list.map(pick));
    print(
      `| ${name} | ${of((r) => r.seconds).toFixed(2)} | ${of((r) => r.seed.cpuSeconds).toFixed(2)} | ${of((r) => r.seed.peakMiB).toFixed(0)} | ${of((r) => r.leech.cpuSeconds).toFixed(2)} | ${of((r) => r.connected)} |`,
    );
  }
  const ratio =
    median(runs.crowded.map((r) => r.seconds)) / median(runs.alone.map((r) => r.seconds));
  print(`\nratio of times ${ratio.toFixed(2)}`);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
