import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Rng } from '../../lib/rng.ts';
import type { Info } from '../../protocol/metainfo/index.ts';
import { createTorrent } from '../create.ts';
import { type Rename, renamed, withRename } from '../renames.ts';
import { judgedRename, renameFiles } from './rename-files.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'starling-rename-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));

/** A folder of its own with a torrent of "top". */
async function made(name: string, names: readonly string[]): Promise<{ dir: string; info: Info }> {
  const dir = path.join(root, name);
  for (const each of names) {
    const file = path.join(dir, 'top', each);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, each);
  }
  const { metainfo } = await createTorrent(path.join(dir, 'top'));
  return { dir, info: metainfo.info };
}

function pathsOf(info: Info): string[] {
  return info.files.filter(({ isPad }) => !isPad).map((file) => file.path.join('/'));
}

function onDisk(dir: string): string[] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Undefined: it cannot be. */
function renameOf(info: Info, where: string, name: string): Rename | undefined {
  try {
    return judgedRename(info, where, name);
  } catch {
    return undefined;
  }
}

function denied(): Error {
  return Object.assign(new Error('denied'), { code: 'EACCES' });
}

describe('other names', () => {
  it('go through folders and the top, one after the other, and leave the hashes', async () => {
    const { info } = await made('names', ['a.txt', 'sub/b.txt', 'sub/deep/c.txt']);
    let renames: readonly Rename[] = [];
    let now = info;
    for (const [where, name] of [
      ['sub/deep/c.txt', 'see.txt'],
      ['sub', 'below'],
      ['', 'Top'],
      ['below/deep', 'deeper'],
    ] as const) {
      renames = withRename(renames, judgedRename(now, where, name));
      now = renamed(info, renames);
    }
    assert.equal(now.name, 'Top');
    assert.deepEqual(pathsOf(now), ['Top/a.txt', 'Top/below/b.txt', 'Top/below/deeper/see.txt']);
    assert.equal(now.infoBytes, info.infoBytes);
    assert.equal(renamed(info, []), info);
  });

  it('count once, and not at all when it is the old one again', async () => {
    const { info } = await made('once', ['a.txt', 'b.txt']);
    const first = withRename([], judgedRename(info, 'a.txt', '1'));
    const second = withRename(first, judgedRename(renamed(info, first), '1', '2'));
    assert.deepEqual(second, [{ path: ['top', 'a.txt'], name: '2' }]);
    const back = withRename(second, judgedRename(renamed(info, second), '2', 'a.txt'));
    assert.deepEqual(back, []);
    const other = withRename(second, judgedRename(renamed(info, second), 'b.txt', '3'));
    assert.equal(other.length, 2);
  });

  it('count once too when others were given names in between, and lead where one after the other would', async () => {
    const { info } = await made('between', ['a', 'b', 'x/a', 'x/b', 'x/y/a', 'x/y/b']);
    const rng = new Rng(7);
    const one = <T>(of: readonly T[]): T => of[rng.below(of.length)]!;
    for (let round = 0; round < 50; round += 1) {
      let [kept, stepped]: [readonly Rename[], Info] = [[], info];
      for (let turn = 0; turn < 25; turn += 1) {
        const { path: whole } = one(stepped.files);
        const where = whole.slice(1, 1 + rng.below(whole.length)).join('/');
        const rename = renameOf(stepped, where, one(['a', 'b', 'c', 'x', 'y']));
        if (rename === undefined) continue;
        kept = withRename(kept, rename);
        stepped = renamed(stepped, [rename]);
        assert.deepEqual(pathsOf(renamed(info, kept)), pathsOf(stepped));
      }
    }
    let renames: readonly Rename[] = [];
    for (const [where, name] of [
      ['a', '1'],
      ['x/y/b', '2'],
      ['1', '3'],
      ['x/y/2', 'b'],
      ['b', '4'],
      ['3', 'a'],
    ] as const) {
      renames = withRename(renames, judgedRename(renamed(info, renames), where, name));
    }
    assert.deepEqual(renames, [{ path: ['top', 'b'], name: '4' }]);
  });

  it('are single safe components that nothing else in the folder has, in any case', async () => {
    const { info } = await made('fit', ['a.txt', 'B.txt', 'sub/c.txt']);
    for (const name of [
      '',
      '.',
      '..',
      '../x',
      'x/y',
      'x\\y',
      '/etc/passwd',
      'a\0b',
      'a\nb',
      '\u202egnp.exe',
      'x'.repeat(241),
      'b.txt',
      'SUB',
      '\ud800',
    ]) {
      assert.throws(() => judgedRename(info, 'a.txt', name), { code: 'ERR_API_INVALID' }, name);
    }
    for (const where of ['nothing', 'sub/', '/sub', '../top', 'sub/c.txt/d', 'top/a.txt', '.pad']) {
      assert.throws(
        () => judgedRename(info, where, 'x'),
        { code: 'ERR_API_NOT_FOUND' },
        JSON.stringify(where),
      );
    }
    assert.deepEqual(judgedRename(info, 'a.txt', 'A.txt').name, 'A.txt');
    assert.deepEqual(judgedRename(info, 'a.txt', 'ä 漢字.txt').name, 'ä 漢字.txt');
  });
});

describe('renaming on disk', () => {
  it('renames what is there, whole folders with whatever else is in them, and asked again does nothing', async () => {
    const { dir, info } = await made('disk', ['a.txt', 'sub/b.txt']);
    fs.writeFileSync(path.join(dir, 'top/sub/mine.txt'), 'mine');
    const rename = judgedRename(info, 'sub', 'other');
    await renameFiles(dir, info, rename);
    const expected = ['top/a.txt', 'top/other/b.txt', 'top/other/mine.txt'];
    assert.deepEqual(onDisk(dir), expected);
    await renameFiles(dir, info, rename, true);
    assert.deepEqual(onDisk(dir), expected);
  });

  it('takes no name that something of others has, neither for what is not there yet nor for a second name of the same file', async () => {
    const { dir, info } = await made('later', ['a.txt', 'sub/b.txt']);
    fs.rmSync(path.join(dir, 'top/a.txt'));
    fs.writeFileSync(path.join(dir, 'top/mine.txt'), 'mine');
    fs.linkSync(path.join(dir, 'top/sub/b.txt'), path.join(dir, 'top/sub/bee.txt'));
    for (const [where, name] of [
      ['a.txt', 'mine.txt'],
      ['sub/b.txt', 'bee.txt'],
    ] as const) {
      await assert.rejects(
        renameFiles(dir, info, judgedRename(info, where, name)),
        { code: 'ERR_FILE' },
        where,
      );
    }
    assert.deepEqual(onDisk(dir), ['top/mine.txt', 'top/sub/b.txt', 'top/sub/bee.txt']);
  });

  it('is refused where the disk cannot tell what is there', async () => {
    const { dir, info } = await made('loop', ['a.txt', 'sub/b.txt']);
    fs.rmSync(path.join(dir, 'top/sub'), { recursive: true });
    fs.symlinkSync('sub', path.join(dir, 'top/sub'));
    await assert.rejects(renameFiles(dir, info, judgedRename(info, 'sub/b.txt', 'x')), {
      code: 'ERR_FILE',
    });
  });

  it('writes over nothing, and leaves all where it was', async () => {
    const { dir, info } = await made('taken', ['a.txt', 'b.txt']);
    fs.writeFileSync(path.join(dir, 'top/mine.txt'), 'mine');
    await assert.rejects(renameFiles(dir, info, judgedRename(info, 'a.txt', 'mine.txt')), {
      code: 'ERR_FILE',
      details: { path: path.join(dir, 'top/mine.txt'), code: 'EEXIST', operation: 'write' },
    });
    assert.equal(fs.readFileSync(path.join(dir, 'top/mine.txt'), 'utf8'), 'mine');
    assert.equal(fs.readFileSync(path.join(dir, 'top/a.txt'), 'utf8'), 'a.txt');
  });

  it('goes through no folder that is a link leading out', async () => {
    const { dir, info } = await made('out', ['a.txt', 'sub/b.txt']);
    const outside = path.join(root, 'outside');
    fs.mkdirSync(outside);
    fs.renameSync(path.join(dir, 'top/sub/b.txt'), path.join(outside, 'b.txt'));
    fs.rmdirSync(path.join(dir, 'top/sub'));
    fs.symlinkSync(outside, path.join(dir, 'top/sub'));
    await assert.rejects(renameFiles(dir, info, judgedRename(info, 'sub/b.txt', 'x')), {
      code: 'ERR_FILE',
    });
    assert.deepEqual(fs.readdirSync(outside), ['b.txt']);
  });

  it('drops links to what is called otherwise now: the torrent makes them anew', async () => {
    const { dir } = await made('links', ['a.txt', 'sub/b.txt']);
    fs.symlinkSync('sub/b.txt', path.join(dir, 'top/to-b'));
    fs.symlinkSync('a.txt', path.join(dir, 'top/to-a'));
    const { metainfo } = await createTorrent(path.join(dir, 'top'));
    const { info } = metainfo;
    const rename = judgedRename(info, 'sub/b.txt', 'bee.txt');
    await renameFiles(dir, info, rename);
    assert.deepEqual(onDisk(dir), ['top/a.txt', 'top/sub/bee.txt', 'top/to-a']);
    const link = renamed(info, [rename]).files.find(({ path: at }) => at.at(-1) === 'to-b');
    assert.deepEqual(link!.symlinkTarget, ['top', 'sub', 'bee.txt']);
  });

  it('drops such links too when a crash came before it, and is done even when one stays', async (t) => {
    const { dir } = await made('stale', ['a.txt', 'sub/b.txt']);
    fs.symlinkSync('sub/b.txt', path.join(dir, 'top/to-b'));
    const { metainfo } = await createTorrent(path.join(dir, 'top'));
    const rename = judgedRename(metainfo.info, 'sub/b.txt', 'bee.txt');
    const rm = t.mock.method(fs.promises, 'rm', () => Promise.reject(denied()));
    await renameFiles(dir, metainfo.info, rename);
    assert.equal(rm.mock.callCount(), 1);
    assert.deepEqual(onDisk(dir), ['top/a.txt', 'top/sub/bee.txt', 'top/to-b']);
    rm.mock.restore();
    await renameFiles(dir, metainfo.info, rename, true);
    assert.deepEqual(onDisk(dir), ['top/a.txt', 'top/sub/bee.txt']);
  });
});
