/**
 * How long does a small answer take? `starling info` of a small torrent from the built package, beside `node -e 0`.
 * Usage: node bench/startup.ts [--rounds 25]
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { builtLibrary, ROOT, timed, writeRandom } from './support/hash-rivals.ts';
import { median } from './support/processes.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '25' } } });
const { createTorrent } = await builtLibrary();
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-bench-'));
try {
  const target = path.join(dir, 'package');
  for (const part of ['bin', 'dist', 'package.json']) {
    fs.cpSync(path.join(ROOT, part), path.join(target, part), { recursive: true });
  }
  const file = path.join(dir, 'random.bin');
  writeRandom(file, 4);
  const torrent = path.join(dir, 'small.torrent');
  fs.writeFileSync(torrent, (await createTorrent(file)).bytes);
  const info = [path.join(target, 'bin/starling.mjs'), 'info', torrent];
  // The binary itself: a package of the same name puts a script before it in some folders.
  const node = process.execPath;
  timed(node, info);
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    bare.push(timed(node, ['-e', '0']));
    ours.push(timed(node, info));
  }
  const commit = execFileSync('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
    .toString()
    .trim();
  process.stdout.write(
    `\n${values.rounds} rounds, medians; Node ${process.versions.node}, commit ${commit}\n\n`,
  );
  process.stdout.write('| run | ms |\n|---|---|\n');
  process.stdout.write(`| node -e 0 | ${(median(bare) * 1000).toFixed(0)} |\n`);
  process.stdout.write(`| starling info | ${(median(ours) * 1000).toFixed(0)} |\n`);
  process.stdout.write(`\nratio ${(median(ours) / median(bare)).toFixed(2)}, goal ≤ 2.5\n`);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
