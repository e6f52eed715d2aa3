/** `send --to` and `receive` without a code: contacts, on loopback. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Contacts } from '../../src/node/contacts.ts';
import { type Starling, startStarling } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';
import { befriend, peerIdIn, startReceive, startSend, storyOf } from '../support/sending.ts';

/** Two homes whose owners know each other as "ana" and "ben". */
function anaAndBen(bed: TestBed): { ana: string; ben: string } {
  const [ana, ben] = [bed.home(), bed.home()];
  befriend(ana, 'ana', ben, 'ben');
  return { ana, ben };
}

function trust(home: string, name: string): void {
  new Contacts(home).setFlags(name, { isTrusted: true });
}

async function killed({ child }: Starling): Promise<void> {
  child.signal('SIGKILL');
  await child.exit();
}

function summaryOf({ events }: Starling): Record<string, unknown> {
  return events.findLast(({ type }) => type === 'summary')!;
}

describe('to a contact', { concurrency: 3 }, () => {
  it('what is trusted is taken, one after the other, by one "receive" that waits; a message is shown', async () => {
    await using bed = new TestBed();
    const { ana, ben } = anaAndBen(bed);
    trust(ben, 'ana');
    const to = bed.dir('to');
    const receiver = startReceive(bed, ['--dir', to], { home: ben });
    assert.equal((await receiver.event('waiting'))['peer'], peerIdIn(ben));
    const folder = writeTree(bed.dir('from/tree'));
    const first = startSend(bed, [folder, '--to', 'ben'], { home: ana });
    await first.done();
    const got = await receiver.event('summary');
    assert.equal(got['peer'], peerIdIn(ana));
    assert.equal(got['sha256'], summaryOf(first)['sha256']);
    assert.deepEqual(readTree(join(to, 'tree')), readTree(folder));
    assert.deepEqual(storyOf(first), ['waiting', 'paired', 'accepted', 'summary']);
    const text = 'Grüße\nin zwei Zeilen';
    await startSend(bed, ['--text', text, '--to', 'ben'], { home: ana }).done();
    const message = await receiver.event('summary', (event) => event['text'] !== undefined);
    assert.equal(message['text'], text);
    assert.deepEqual(readdirSync(to), ['tree']);
    assert.deepEqual(storyOf(receiver), [
      ...['waiting', 'offer', 'comparing', 'summary'],
      ...['offer', 'comparing', 'summary'],
    ]);
    receiver.child.signal('SIGINT');
    assert.equal((await receiver.child.exit()).code, 130);
  });

  it('a sender and a receiver that are killed in turn go on from where they were', async () => {
    await using bed = new TestBed();
    const { ana, ben } = anaAndBen(bed);
    trust(ben, 'ana');
    const file = join(bed.dir('from'), 'large.bin');
    writeFile(file, 24_000_000, 5);
    const to = bed.dir('to');
    const send = (...more: string[]): Starling =>
      startSend(bed, [file, '--to', 'ben', ...more], { home: ana });
    const receive = (): Starling => startReceive(bed, ['--dir', to, '--once'], { home: ben });
    const slow = ['--upload-limit', '6000000'];
    const first = send(...slow);
    const receiver = receive();
    await receiver.event('progress', ({ doneBytes }) => Number(doneBytes) > 0);
    await killed(first);
    await receiver.event('lost');
    const done = doneOf(receiver);
    const second = send(...slow);
    await receiver.event('progress', ({ doneBytes }) => Number(doneBytes) > done + 1_000_000);
    await killed(receiver);
    const again = receive();
    const start = await again.event('progress');
    assert.ok(Number(start['doneBytes']) > done, 'it went on from where it was');
    await killed(second);
    await Promise.all([again.done(), send().done()]);
    assert.ok(readFileSync(join(to, 'large.bin')).equals(readFileSync(file)));
    assert.deepEqual(readdirSync(to), ['large.bin']);
  });

  it('without --yes, and nobody to ask, it is declined; a wrong digest is told and nothing kept; a folder fits no stdout', async () => {
    await using bed = new TestBed();
    const { ana, ben } = anaAndBen(bed);
    const file = join(bed.dir('from'), 'note.txt');
    writeFileSync(file, 'a note');
    const to = bed.dir('to');
    const send = (path = file): Starling => startSend(bed, [path, '--to', 'ben'], { home: ana });
    const receive = async (...args: string[]) => {
      const all = ['--dir', to, '--once', ...args];
      return await startReceive(bed, all, { home: ben }).child.exit();
    };
    const [declined, unasked] = await Promise.all([send().child.exit(), receive()]);
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /--yes/);
    assert.equal(declined.code, 1);
    assert.match(declined.stderr, /did not want it/);
    const sender = send();
    const wrong = await receive('--yes', '--sha256', 'ab'.repeat(32));
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /not what --sha256 says: expected (ab){32}/);
    await killed(sender);
    const tree = writeTree(bed.dir('from/tree'), { a: 5, b: 6 });
    const toStdout = ['receive', '--stdout', '--yes', '--once', '--listen', '127.0.0.1:0'];
    const [, unfit] = await Promise.all([
      send(tree).child.exit(),
      startStarling(bed, toStdout, { home: ben, cwd: to }).child.exit(),
    ]);
    assert.equal(unfit.code, 2);
    assert.match(unfit.stderr, /--stdout/);
    assert.deepEqual(readdirSync(to), []);
    assert.ok(
      !existsSync(join(ben, 'transfers')) || readdirSync(join(ben, 'transfers')).length === 0,
    );
  });

  it('unknown contacts and digests that are none are refused before anything is done; strangers are not heard', async () => {
    await using bed = new TestBed();
    const { ana, ben } = anaAndBen(bed);
    const file = join(bed.dir('from'), 'note.txt');
    writeFileSync(file, 'a note');
    const unknown = await startSend(bed, [file, '--to', 'eve'], { home: ana }).child.exit();
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /eve/);
    const digest = await startReceive(bed, ['--sha256', 'abc'], { home: ben }).child.exit();
    assert.equal(digest.code, 2);
    const both = await startSend(bed, [file, '--text', 'x'], { home: ana }).child.exit();
    assert.equal(both.code, 2);
    const none = await startSend(bed, [join(bed.root, 'nothing')], { home: ana }).child.exit();
    assert.equal(none.code, 1);
    assert.match(none.stderr, /nothing/);
    // Eve knows Ben, who does not know her.
    const eve = bed.home();
    new Contacts(eve).add('ben', peerIdIn(ben));
    const receiver = startReceive(bed, ['--dir', bed.dir('to'), '--yes', '--once'], { home: ben });
    await receiver.event('waiting');
    const stranger = startSend(bed, [file, '--to', 'ben'], { home: eve });
    await stranger.event('waiting');
    const known = startSend(bed, [file, '--to', 'ben'], { home: ana });
    await Promise.all([known.done(), receiver.done()]);
    assert.equal(summaryOf(receiver)['peer'], peerIdIn(ana));
    assert.deepEqual(storyOf(stranger), ['waiting']);
    assert.ok(receiver.events.every(({ peer }) => peer !== peerIdIn(eve)));
  });
});

it('a person at a terminal is asked, sees no control characters of the sender, and may say no', {
  skip: process.platform === 'linux' ? false : 'needs the script command of Linux',
}, async () => {
  await using bed = new TestBed();
  const { ana, ben } = anaAndBen(bed);
  const file = join(bed.dir('from'), 'a\u001b[2Jb\u202egpj.exe');
  writeFileSync(file, 'x');
  const words = ['receive', '--once', '--listen', '127.0.0.1:0', '--dir', bed.dir('to')];
  const receiver = startStarling(bed, words, { home: ben, isAtTerminal: true });
  const shown = (): true | undefined => receiver.child.stdout.includes('Take it?') || undefined;
  const sender = startSend(bed, [file, '--to', 'ben'], { home: ana });
  await receiver.child.waitFor('question', shown);
  const { stdout } = receiver.child;
  assert.match(stdout, /a \[2Jb gpj\.exe: 1 B in 1 file from ana/);
  receiver.child.write('n\n');
  assert.equal((await sender.child.exit()).code, 1);
  assert.equal((await receiver.child.exit()).code, 1);
  assert.deepEqual(readdirSync(bed.dir('to')), []);
});

function doneOf({ events }: Starling): number {
  const told = events.filter(({ type }) => type === 'progress');
  return Number(told.at(-1)?.['doneBytes'] ?? 0);
}
