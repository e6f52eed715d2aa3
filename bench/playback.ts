/**
 * How long does a player wait, at the start and after a jump to a place that is not there, while the download runs at its limit; and does it stall?
 *
 * A seed and a reader, two nodes of one process, on loopback; the reader's node may download at the limit. The player takes `--play` bytes a second; after `--watch` seconds it jumps to
 * 80 % of the file. Each round has a new folder and home; figures are medians over rounds, and the worst. A stall is the time that the player lacks what it should show.
 * Beside it: what one piece takes at the limit, the least that can be: nothing of a piece can be shown before all of it was verified.
 * Usage: node bench/playback.ts [--rounds 5] [--mib 256] [--limit 20000000] [--play 2000000] [--watch 3] [--pieces 262144,1048576,4194304] [--dir DIR]
 * @module
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTorrent, PeerNode } from '../src/node/index.ts';
import { readTorrentFile } from '../src/node/media/reader.ts';
import type { Torrent } from '../src/node/torrent.ts';
import { writeRandom } from './support/hash-rivals.ts';
import { median } from './support/processes.ts';

/** What the project's specification asks. */
const GOAL_SEEK_MS = 1_000;
const JUMP_SHARE = 0.8;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    mib: { type: 'string', default: '256' },
    limit: { type: 'string', default: '20000000' },
    play: { type: 'string', default: '2000000' },
    watch: { type: 'string', default: '3' },
    pieces: { type: 'string', default: '262144,1048576,4194304' },
    dir: { type: 'string', default: os.tmpdir() },
  },
});
const lengthBytes = Number(values.mib) * 1024 * 1024;
const limit = Number(values.limit);
const playBytesPerSec = Number(values.play);
const watchMs = Number(values.watch) * 1000;
const folder = fs.mkdtempSync(path.join(values.dir, 'starling-playback-'));
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const OPTIONS = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;

interface Viewing {
  readonly firstMs: number;
  readonly stallMs: number;
}

interface Round {
  readonly start: Viewing;
  readonly jump: Viewing;
  readonly wasThere: boolean;
  readonly duplicateBytes: number;
}

/** Plays from a place for some time, as a player that shows what it has at its rate. */
async function view(torrent: Torrent, begin: number, original: string): Promise<Viewing> {
  const beganMs = performance.now();
  const abort = new AbortController();
  let firstMs = 0;
  let stallMs = 0;
  let shown = 0;
  const digest = createHash('sha1');
  const options = { file: 0, begin, bytesPerSec: playBytesPerSec, signal: abort.signal };
  for await (const bytes of readTorrentFile(torrent, options)) {
    const nowMs = performance.now() - beganMs;
    digest.update(bytes);
    if (shown === 0) firstMs = nowMs;
    const dueMs = firstMs + stallMs + (shown * 1000) / playBytesPerSec;
    if (nowMs > dueMs) stallMs += nowMs - dueMs;
    shown += bytes.length;
    if (nowMs > watchMs + firstMs) break;
    // It has a second in its buffer, and then takes what it shows.
    const aheadMs = firstMs + stallMs + (shown * 1000) / playBytesPerSec - nowMs;
    if (aheadMs > 1_000) await sleep(aheadMs - 1_000);
  }
  const file = fs.openSync(original, 'r');
  const expected = Buffer.alloc(shown);
  fs.readSync(file, expected, 0, shown, begin);
  fs.closeSync(file);
  if (!digest.digest().equals(createHash('sha1').update(expected).digest())) {
    throw new Error(`what was read at ${begin} is not what was shared`);
  }
  return { firstMs, stallMs };
}

async function round(pieceLengthBytes: number, number: number): Promise<Round> {
  const place = path.join(folder, `${pieceLengthBytes}-${number}`);
  const original = path.join(folder, 'film.mp4');
  const { metainfo, dir } = await createTorrent(original, { pieceLengthBytes });
  const source = { kind: 'metainfo', metainfo } as const;
  await using seeder = await PeerNode.open({ ...OPTIONS, home: path.join(place, 'seed') });
  await seeder.add({ source, dir, mode: 'seed', isFresh: true });
  await using node = await PeerNode.open({
    ...OPTIONS,
    home: path.join(place, 'home'),
    downloadLimitBytesPerSec: limit,
  });
  const peers = [`127.0.0.1:${seeder.endpoint.port}`];
  const torrent = await node.add({ source, dir: path.join(place, 'copy'), peers });
  const start = await view(torrent, 0, original);
  const at = Math.floor(lengthBytes * JUMP_SHARE) + 12_345;
  const wasThere = torrent.service.swarm.have!.has(Math.floor(at / pieceLengthBytes));
  const jump = await view(torrent, at, original);
  const { duplicateBytes } = torrent.service.swarm.deadlineTotals!;
  await torrent.stop();
  fs.rmSync(place, { recursive: true, force: true });
  return { start, jump, wasThere, duplicateBytes };
}

function describe(name: string, of: readonly Viewing[]): void {
  const figure = (ms: readonly number[]): string =>
    `${Math.round(median(ms))} ms (worst ${Math.round(Math.max(...ms))})`;
  const first = of.map(({ firstMs }) => firstMs);
  const stalls = of.map(({ stallMs }) => stallMs);
  print(`  ${name}: first byte after ${figure(first)}, stalled for ${figure(stalls)}`);
}

writeRandom(path.join(folder, 'film.mp4'), Number(values.mib));
print(`${values.mib} MiB at ${limit} bytes a second, played at ${playBytesPerSec}`);
let worstMs = 0;
for (const pieceLengthBytes of values.pieces.split(',').map(Number)) {
  const rounds: Round[] = [];
  for (let i = 0; i < Number(values.rounds); i += 1) rounds.push(await round(pieceLengthBytes, i));
  const pieceMs = Math.round((pieceLengthBytes * 1000) / limit);
  print(`pieces of ${pieceLengthBytes} bytes: one at the limit takes ${pieceMs} ms`);
  describe(
    'start',
    rounds.map(({ start }) => start),
  );
  const jumps = rounds.filter(({ wasThere }) => !wasThere).map(({ jump }) => jump);
  if (jumps.length > 0) describe('jump to 80 %, which was not there', jumps);
  else print('  in no round the place of the jump was missing');
  const twice = Math.round(median(rounds.map(({ duplicateBytes }) => duplicateBytes)) / 1024);
  print(`  came twice: ${twice} KiB`);
  worstMs = Math.max(worstMs, ...jumps.map(({ firstMs }) => firstMs));
}
print(`goal: a jump within ${GOAL_SEEK_MS} ms: ${worstMs <= GOAL_SEEK_MS ? 'met' : 'missed'}`);
fs.rmSync(folder, { recursive: true, force: true });
