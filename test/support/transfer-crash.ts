/**
 * A transfer whose ends are killed (SIGKILL) again and again, at moments that a seed says: by what the process printed last, not by a clock.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../src/lib/rng.ts';
import { type Child, freePort, TestBed } from './cli-child.ts';
import { readTree, writeTree } from './content.ts';

const PROGRAM = join(import.meta.dirname, 'transfer-child.ts');
const DIGEST = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum';

/** Kills so many times, then lets it end. @param bytes of the large file; small ones come besides. */
export async function killAndGoOn(seed: number, kills: number, bytes: number): Promise<void> {
  await using bed = new TestBed();
  const rng = new Rng(seed);
  const small = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`s/${i}`, 5_000 + i]));
  const top = writeTree(join(bed.dir('from'), 'top'), {
    large: bytes,
    ...small,
    'z/last': 3_000_000,
  });
  const digest = execFileSync('sh', ['-c', DIGEST], { cwd: top, encoding: 'latin1' }).slice(0, 64);
  const port = await freePort();
  const homes = { STARLING_HOME: bed.home(), STARLING_OFFLINE: '1' };
  const start = async (): Promise<Child> => {
    const args = [PROGRAM, 'send', `${port}`, bed.dir('from'), 'top'];
    const child = bed.start(process.execPath, args, {
      env: { ...homes, STARLING_HOME: bed.home() },
    });
    await child.waitFor('serving', () => (child.lines.includes('serving') ? true : undefined));
    return child;
  };
  let sender = await start();
  const receiverArgs = [
    PROGRAM,
    'receive',
    `${port}`,
    bed.dir('to'),
    join(bed.dir('from'), 'manifest'),
    digest,
  ];
  let had = 0;
  let kill = 0;
  for (;;) {
    const receiver = bed.start(process.execPath, receiverArgs, { env: homes });
    const isOver = (): boolean => receiver.lines.some((line) => line.startsWith('finished'));
    // The last ones while names, modes and times are given.
    const isFinishing = kill >= kills - 3;
    // So many pieces in this run, or the end if it comes first.
    const pieces = 1 + rng.below(Math.ceil(bytes / 2 ** 20 / kills));
    const isDue = (): true | undefined => {
      const count = receiver.lines.filter((line) => line === 'piece').length;
      const isLate = receiver.lines.includes('finishing');
      return isOver() || isLate || (!isFinishing && count >= pieces) ? true : undefined;
    };
    if (kill < kills) await receiver.waitFor('a moment to be killed', isDue);
    else await receiver.waitFor('the end', () => (isOver() ? true : undefined));
    const told = receiver.lines.find((line) => line.startsWith('had '))!.slice(4);
    const now = told === 'all' ? had : Number(told);
    assert.ok(now >= had, `${now} pieces are there, ${had} were`);
    had = now;
    if (isOver()) {
      assert.equal((await receiver.exit()).code, 0);
      break;
    }
    kill += 1;
    if (rng.below(3) === 0 && !receiver.lines.includes('finishing')) {
      sender.signal('SIGKILL');
      await sender.exit();
      sender = await start();
    }
    receiver.signal('SIGKILL');
    await receiver.exit();
  }
  assert.ok(kill >= kills - 3, `it ended after ${kill} of ${kills} kills`);
  assert.deepEqual(readdirSync(bed.dir('to')), ['top']);
  assert.deepEqual(readTree(join(bed.dir('to'), 'top')), readTree(top));
  for (const folder of ['resume', 'transfers']) {
    const where = join(homes.STARLING_HOME, folder);
    assert.deepEqual(existsSync(where) ? readdirSync(where) : [], []);
  }
}
