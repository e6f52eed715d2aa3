import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Info } from '../../protocol/metainfo/index.ts';
import { moveFiles } from './move-files.ts';
import { removeFiles } from './remove-files.ts';

const KEY = '01'.repeat(20);

/** What moving and removing look at of a torrent. */
function torrentOf(...paths: readonly string[]): Info {
  const files = paths.map((each) => ({ path: each.split('/'), isPad: each.includes('.pad') }));
  const isSingleFile = paths.length === 1 && !paths[0]!.includes('/');
  return { files, isSingleFile, infoHashV1: new Uint8Array(20).fill(1) } as unknown as Info;
}

class Disk implements Disposable {
  readonly root: string = fs.mkdtempSync(path.join(tmpdir(), 'starling-files-'));

  at(...parts: readonly string[]): string {
    return path.join(this.root, ...parts);
  }

  write(...names: readonly string[]): void {
    for (const name of names) {
      fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
      fs.writeFileSync(this.at(name), name);
    }
  }

  /** Everything below: files, and folders with a slash. */
  list(name = ''): string[] {
    return fs
      .readdirSync(this.at(name), { recursive: true, withFileTypes: true })
      .map((entry) => {
        const where = path.relative(this.at(name), path.join(entry.parentPath, entry.name));
        return entry.isDirectory() ? `${where}/` : where;
      })
      .sort();
  }

  text(name: string): string {
    return fs.readFileSync(this.at(name), 'utf8');
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

describe('removing', () => {
  it('takes what the torrent names and the folders that are empty then', async () => {
    using disk = new Disk();
    disk.write(
      'd/top/a',
      'd/top/sub/deep/b',
      'd/top/.pad/1',
      'd/other/c',
      `d/.${KEY}.starling-parts`,
    );
    await removeFiles(disk.at('d'), torrentOf('top/a', 'top/sub/deep/b', 'top/.pad/1', 'top/gone'));
    assert.deepEqual(disk.list('d'), ['other/', 'other/c', 'top/', 'top/.pad/', 'top/.pad/1']);
  });

  it('leaves what others put into its folders, and the folder of downloads however empty', async () => {
    using disk = new Disk();
    disk.write('d/top/a', 'd/top/sub/b', 'd/top/sub/notes.txt', 'e/one');
    await removeFiles(disk.at('d'), torrentOf('top/a', 'top/sub/b'));
    assert.deepEqual(disk.list('d'), ['top/', 'top/sub/', 'top/sub/notes.txt']);
    await removeFiles(disk.at('e', '.', '..', 'e') + path.sep, torrentOf('one'));
    assert.deepEqual(disk.list('e'), []);
  });

  it('takes a folder that is written another way for the same', async () => {
    using disk = new Disk();
    disk.write('d/top/a');
    await removeFiles(`${disk.at('d')}/./x/..//`, torrentOf('top/a'));
    assert.deepEqual(disk.list(), ['d/']);
  });

  it('goes through no link that leads out; a link that is named goes, its target stays', async () => {
    using disk = new Disk();
    disk.write('outside/a', 'outside/deep/b', 'd/top/c', 'd/top/real/x');
    fs.symlinkSync(disk.at('outside'), disk.at('d/top/sub'));
    fs.symlinkSync(disk.at('outside/a'), disk.at('d/top/link'));
    fs.symlinkSync('real', disk.at('d/top/inner'));
    const torrent = torrentOf('top/c', 'top/sub/a', 'top/sub/deep/b', 'top/link', 'top/inner/x');
    await removeFiles(disk.at('d'), torrent);
    assert.deepEqual(disk.list('outside'), ['a', 'deep/', 'deep/b']);
    assert.ok(!fs.existsSync(disk.at('d/top/c')));
    assert.ok(!fs.lstatSync(disk.at('d/top/link'), { throwIfNoEntry: false }));
    assert.ok(!fs.existsSync(disk.at('d/top/real/x')), 'a link inside is a way like any other');
  });

  it('tells what cannot be removed, and removes the rest', async () => {
    using disk = new Disk();
    disk.write('d/top/a/inside', 'd/top/b');
    const work = removeFiles(disk.at('d'), torrentOf('top/a', 'top/b'));
    await assert.rejects(work, { code: 'ERR_FILE' });
    assert.deepEqual(disk.list('d'), ['top/', 'top/a/', 'top/a/inside']);
  });

  it('of what is not there is no error', async () => {
    using disk = new Disk();
    await removeFiles(disk.at('nowhere'), torrentOf('top/a'));
    await removeFiles(disk.root, torrentOf('top/a'));
  });
});

describe('moving', () => {
  it('brings files and parts to the new folder, which is made, and leaves nothing', async () => {
    using disk = new Disk();
    disk.write('d/top/a', 'd/top/sub/b', `d/.${KEY}.starling-parts`, 'd/other');
    await moveFiles(disk.at('d'), disk.at('new/e'), torrentOf('top/a', 'top/sub/b', 'top/missing'));
    assert.deepEqual(disk.list('d'), ['other']);
    const moved = [`.${KEY}.starling-parts`, 'top/', 'top/a', 'top/sub/', 'top/sub/b'];
    assert.deepEqual(disk.list('new/e'), moved);
    assert.equal(disk.text('new/e/top/sub/b'), 'd/top/sub/b');
  });

  it('never writes over what is there: all stays where it was', async () => {
    using disk = new Disk();
    disk.write('d/top/a', 'd/top/b', 'e/top/b');
    const before = disk.list();
    const work = moveFiles(disk.at('d'), disk.at('e'), torrentOf('top/a', 'top/b'));
    await assert.rejects(work, { code: 'ERR_FILE', message: /EEXIST/ });
    assert.deepEqual(disk.list(), before);
    assert.equal(disk.text('e/top/b'), 'e/top/b');
  });

  it('that fails on the way goes back', async () => {
    using disk = new Disk();
    disk.write('d/top/a', 'd/top/sub/b', 'e/top/sub');
    const work = moveFiles(disk.at('d'), disk.at('e'), torrentOf('top/a', 'top/sub/b'));
    await assert.rejects(work, { code: 'ERR_FILE' });
    assert.equal(disk.text('d/top/a'), 'd/top/a');
    assert.equal(disk.text('d/top/sub/b'), 'd/top/sub/b');
    assert.equal(disk.text('e/top/sub'), 'e/top/sub');
    assert.ok(!fs.existsSync(disk.at('e/top/a')));
  });

  it('into a folder of its own loses nothing', async () => {
    using disk = new Disk();
    // The old place of one that is missing is the new place of another.
    disk.write('d/a/x');
    await moveFiles(disk.at('d'), disk.at('d/a'), torrentOf('a/x', 'a/a/x'));
    assert.deepEqual(disk.list('d'), ['a/', 'a/a/', 'a/a/x']);
    assert.equal(disk.text('d/a/a/x'), 'd/a/x');
  });

  const memory = '/dev/shm';
  const isElsewhere =
    fs.existsSync(memory) && fs.statSync(memory).dev !== fs.statSync(tmpdir()).dev;
  const skip = isElsewhere ? false : 'needs a second disk';

  it('to another disk copies, with times, and takes the old ones away', { skip }, async () => {
    using disk = new Disk();
    const to = fs.mkdtempSync(path.join(memory, 'starling-files-'));
    try {
      disk.write('d/top/a', 'd/top/sub/b', 'd/top/other');
      fs.utimesSync(disk.at('d/top/a'), 1_000, 1_000);
      await moveFiles(disk.at('d'), to, torrentOf('top/a', 'top/sub/b'));
      assert.deepEqual(disk.list('d'), ['top/', 'top/other']);
      assert.equal(fs.readFileSync(path.join(to, 'top/sub/b'), 'utf8'), 'd/top/sub/b');
      assert.equal(fs.statSync(path.join(to, 'top/a')).mtimeMs, 1_000_000);
    } finally {
      fs.rmSync(to, { recursive: true });
    }
  });

  it('that was cut off goes on: what was renamed or copied whole counts, what others have does not', async () => {
    using disk = new Disk();
    disk.write('d/top/b', 'e/top/a', 'd/top/c', 'd/top/d');
    const move = (isResumed: boolean): Promise<void> =>
      moveFiles(
        disk.at('d'),
        disk.at('e'),
        torrentOf('top/a', 'top/b', 'top/c', 'top/d'),
        isResumed,
      );
    fs.cpSync(disk.at('d/top/c'), disk.at('e/top/c'), { preserveTimestamps: true });
    fs.writeFileSync(disk.at('e/top/d'), 'of somebody else');
    fs.writeFileSync(disk.at('e/top/b.starling-moving'), 'half');
    await assert.rejects(move(true), { code: 'ERR_FILE', message: /EEXIST/ });
    assert.deepEqual(disk.list('d'), ['top/', 'top/a', 'top/b', 'top/c', 'top/d'], 'all is back');
    assert.equal(disk.text('e/top/d'), 'of somebody else');
    fs.rmSync(disk.at('e/top/d'));
    fs.renameSync(disk.at('d/top/a'), disk.at('e/top/a'));
    await assert.rejects(move(false), { message: /EEXIST/ });
    fs.renameSync(disk.at('d/top/b'), disk.at('e/top/b'));
    await move(true);
    assert.ok(!fs.existsSync(disk.at('d/top')));
    for (const name of 'abcd') assert.ok(fs.existsSync(disk.at('e/top', name)), name);
  });

  it('a single file moves alone', async () => {
    using disk = new Disk();
    disk.write('d/one', 'd/two');
    await moveFiles(disk.at('d'), disk.at('e'), torrentOf('one'));
    assert.deepEqual(disk.list(), ['d/', 'd/two', 'e/', 'e/one']);
  });
});
