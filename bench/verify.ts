/**
 * How fast are files checked against a torrent, beside a loop that only reads and hashes with as many workers?
 * Usage: node bench/verify.ts [--rounds 7] [--mib 1024]
 * @module
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bareLoop, builtLibrary, compare, writeRandom } from './support/hash-rivals.ts';

const { createTorrent, verifyFiles } = await builtLibrary();
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
  const verify = async (version: 'v1' | 'v2' | 'hybrid'): Promise<() => Promise<number>> => {
    const { metainfo } = await createTorrent(file, { version, pieceLengthBytes: 1_048_576 });
    return async () => {
      const startedMs = performance.now();
      const report = await verifyFiles(metainfo, dir);
      if (!report.isComplete) throw new Error('the check found damage that is not there');
      return (performance.now() - startedMs) / 1000;
    };
  };
  await compare(mib, Number(values.rounds), [
    ['bare loop, SHA-1', () => bareLoop(file)],
    ['verifyFiles, v1', await verify('v1')],
    ['verifyFiles, v2', await verify('v2')],
    ['verifyFiles, hybrid', await verify('hybrid')],
  ]);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
