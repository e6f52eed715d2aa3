/** `send` and `receive` by three words, on loopback, as a person uses them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Starling, startStarling } from '../support/cli.ts';
import { freePort, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, readTree, writeTree } from '../support/content.ts';
import { openTestNode, StreamReader } from '../support/daemon.ts';
import { codeOf, startReceive, startSend, storyOf } from '../support/sending.ts';

/** The digest of a folder, by the command that the documentation gives. */
const DIGEST = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum';
const MTIME = new Date('2021-03-04T05:06:07Z');

function digestOf(folder: string): string {
  return execFileSync('sh', ['-c', DIGEST], { cwd: folder, encoding: 'latin1' }).slice(0, 64);
}

/** Path → mode and time, of files and folders. */
function looksOf(folder: string): Record<string, string> {
  const names = ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort();
  const look = (name: string): [string, string] => {
    const { mode, mtimeMs } = lstatSync(join(folder, name));
    return [name, `${(mode & 0o777).toString(8)} ${Math.floor(mtimeMs / 1000)}`];
  };
  return Object.fromEntries(names.map(look));
}

function makeFolder(folder: string): string {
  writeTree(folder, MIXED_TREE);
  mkdirSync(join(folder, 'empty', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(folder, 'run.sh'), 0o755);
  chmodSync(join(folder, 'tiny.txt'), 0o600);
  utimesSync(join(folder, 'last.bin'), MTIME, MTIME);
  utimesSync(join(folder, 'deep', 'er'), MTIME, MTIME);
  return folder;
}

async function killed({ child }: Starling): Promise<void> {
  child.signal('SIGKILL');
  await child.exit();
}

describe('by three words', { concurrency: 2 }, () => {
  it('a folder goes as it is, a wrong code is shown to both ends and takes nothing', async () => {
    await using bed = new TestBed();
    const folder = makeFolder(bed.dir('from/ordner ä'));
    const at = `127.0.0.1:${await freePort()}`;
    const sender = startSend(bed, [folder, '--listen', at]);
    const code = await codeOf(sender);
    assert.match(code, /^[a-z]+-[a-z]+-[a-z]+$/);
    const to = bed.dir('to');
    mkdirSync(join(to, 'ordner ä'));
    writeFileSync(join(to, 'ordner ä', 'mine'), 'mine');
    const wrong = code === 'acorn-acorn-acorn' ? 'acorn-acorn-tiger' : 'acorn-acorn-acorn';
    const guesser = startReceive(bed, [wrong, '--dir', bed.dir('guess'), '--yes', '--peer', at]);
    const told = await sender.event('wrong-guess');
    assert.equal(told['left'], 9);
    const { reason } = await guesser.event('wrong-code');
    assert.match(String(reason), /wrong code/);
    await killed(guesser);
    assert.deepEqual(readdirSync(bed.dir('guess')), []);
    const digest = digestOf(folder);
    const receiver = startReceive(bed, [code, '--dir', to, '--yes', '--sha256', digest]);
    const [{ stdout }] = await Promise.all([receiver.done(), sender.done()]);
    const summary = JSON.parse(stdout.trim().split('\n').at(-1)!);
    assert.equal(summary.sha256, digest);
    assert.equal(summary.isRenamed, true);
    assert.notEqual(summary.path, join(to, 'ordner ä'));
    assert.deepEqual(readTree(summary.path), readTree(folder));
    assert.deepEqual(looksOf(summary.path), looksOf(folder));
    assert.deepEqual(readdirSync(join(to, 'ordner ä')), ['mine']);
    assert.equal(readdirSync(to).length, 2);
    assert.deepEqual(storyOf(receiver).slice(-3), ['offer', 'comparing', 'summary']);
    assert.deepEqual(storyOf(sender), ['code', 'wrong-guess', 'paired', 'accepted', 'summary']);
    const offer = receiver.events.find(({ type }) => type === 'offer')!;
    const { type: _, peer: __, ...shown } = offer;
    const files = Object.keys(readTree(folder)).length;
    const bytes = Object.values(MIXED_TREE).reduce((sum, one) => sum + one, 10);
    assert.deepEqual(shown, { name: 'ordner ä', bytes, files, kind: 'files' });
    // Whoever comes later with the same code finds nobody.
    assert.deepEqual(readdirSync(join(sender.home, 'sends')), []);
  });

  it('what comes by stdin goes to stdout', async () => {
    await using bed = new TestBed();
    const sent = Buffer.from('ein Strom ohne Ende\n'.repeat(5_000));
    const sender = startSend(bed, ['-', '--name', 'log.txt']);
    sender.child.write(sent.toString());
    sender.child.endInput();
    const code = await codeOf(sender);
    const receiver = startStarling(bed, [
      'receive',
      code,
      '--stdout',
      '--yes',
      '--listen',
      '127.0.0.1:0',
      '--dir',
      bed.dir('to'),
    ]);
    const { stdout, stderr } = await receiver.done();
    assert.equal(stdout, sent.toString());
    assert.match(stderr, /log\.txt: 97\.\d KiB in 1 file/);
    await sender.done();
    assert.deepEqual(readdirSync(bed.dir('to')), []);
    assert.deepEqual(readdirSync(join(sender.home, 'outgoing')), []);
  });
});

it('a code is not spent by a receiver who was not asked; its words may stand apart', async () => {
  await using bed = new TestBed();
  const file = join(bed.dir('from'), 'note.txt');
  writeFileSync(file, 'a note');
  const at = `127.0.0.1:${await freePort()}`;
  const sender = startSend(bed, [file, '--listen', at]);
  const words = (await codeOf(sender)).split('-');
  const home = bed.home();
  const receive = (...args: string[]): Starling =>
    startReceive(bed, [...words, '--dir', bed.dir('to'), '--peer', at, ...args], { home });
  const unasked = await receive().child.exit();
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /nobody to ask/);
  await Promise.all([receive('--yes').done(), sender.done()]);
  assert.deepEqual(readdirSync(bed.dir('to')), ['note.txt']);
});

it('a node has several codes at a time, for other nodes and for the command, and each is found by who has it', async () => {
  await using bed = new TestBed();
  const at = `127.0.0.1:${await freePort()}`;
  const ana = await openTestNode(bed, { settings: { listen: at } });
  const ben = await openTestNode(bed, { settings: { 'download-dir': bed.dir('to') } });
  const send = async (name: string): Promise<{ id: string; words: string }> => {
    const path = join(bed.dir('from'), name);
    writeFileSync(path, name.repeat(20_000));
    return (await ana.ask('POST', '/sends', { body: { path } })).body;
  };
  // The first one nobody comes for, and it does not see a guess.
  const all = await Promise.all(['idle.bin', 'one.bin', 'two.bin', 'three.bin'].map(send));
  assert.equal(new Set(all.map(({ words }) => words)).size, 4);
  const stream = new StreamReader(ben, 'transfers');
  const seeking = all.slice(1, 3).map(async ({ words }) => {
    const body = { words, peers: [at], isAccepted: true };
    assert.equal((await ben.ask('POST', '/receives', { body })).status, 201);
  });
  const dir = bed.dir('to');
  const command = startReceive(bed, [all[3]!.words, '--dir', dir, '--yes', '--peer', at]);
  await Promise.all([...seeking, command.done()]);
  const isDone = async (): Promise<boolean> =>
    (await ben.ask('GET', '/receives')).body.every(
      ({ state }: { state: string }) => state === 'complete',
    );
  for (let seen = 0; !(await isDone()); seen = stream.events.length) {
    await stream.event((event) => stream.events.indexOf(event) >= seen);
  }
  await stream.cut();
  for (const name of ['one.bin', 'two.bin', 'three.bin']) {
    assert.equal(readFileSync(join(dir, name), 'utf8'), name.repeat(20_000));
  }
  const { body: sends } = await ana.ask('GET', '/sends');
  assert.deepEqual(
    sends.map(({ guesses }: { guesses: number }) => guesses),
    [0, 0, 0, 0],
  );
  const idle = sends.find(({ id }: { id: string }) => id === all[0]!.id);
  assert.equal(idle.state, 'waiting');
});

it('words that are no code are told apart before anything is looked for', async () => {
  await using bed = new TestBed();
  for (const [words, says] of [
    ['acorn-tiger', /3 words/],
    ['acorn-tiger-blorb', /blorb/],
    ['', /3 words/],
  ] as const) {
    const exit = await startReceive(bed, [words]).child.exit();
    assert.equal(exit.code, 2);
    assert.match(exit.stderr, says);
  }
});
