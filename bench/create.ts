/**
 * How fast is a torrent made, beside a loop that only reads and hashes with as many workers, and beside mktorrent?
 * Usage: node bench/create.ts [--rounds 7] [--mib 1024]
 * @module
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  bareLoop,
  builtLibrary,
  compare,
  ROOT,
  timed,
  WORKERS,
  writeRandom,
} from './support/hash-rivals.ts';

const { createTorrent } = await builtLibrary();
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mib: { type: 'string', default: '1024' },
  },
});
const mib = Number(values.mib);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));
try {
  const file = path.join(dir, 'random.bin');
  writeRandom(file, mib);
  const library = async (version: 'v1' | 'v2' | 'hybrid'): Promise<number> => {
    const startedMs = performance.now();
    await createTorrent(file, { version, pieceLengthBytes: 1_048_576 });
    return (performance.now() - startedMs) / 1000;
  };
  const command = (): number => {
    const args = ['create', file, '--format', 'v1', '--piece-length', '1048576', '--quiet'];
    const launcher = path.join(ROOT, 'bin/starling.mjs');
    return timed(process.execPath, [launcher, ...args, '-o', path.join(dir, 'ours.torrent')]);
  };
  const mktorrent = (): number => {
    const target = path.join(dir, 'rival.torrent');
    fs.rmSync(target, { force: true });
    return timed('mktorrent', ['-l', '20', '-t', `${WORKERS}`, '-o', target, file]);
  };
  await compare(mib, Number(values.rounds), [
    ['bare loop, SHA-1', () => bareLoop(file)],
    ['createTorrent, v1', () => library('v1')],
    ['createTorrent, v2', () => library('v2')],
    ['createTorrent, hybrid', () => library('hybrid')],
    ['starling create --format v1 (from source, with its start)', command],
    ['mktorrent (with its start)', mktorrent],
  ]);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
