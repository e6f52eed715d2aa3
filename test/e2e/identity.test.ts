/** `starling id`: one peer id for an installation, moved to another one with and without a passphrase. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { saveIdentity } from '../../src/node/identity-store.ts';
import { startStarling } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { ok, openTestNode } from '../support/daemon.ts';

it('id: the same every time; export and import carry it to another home; wrong calls say what is wrong', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const [home, other, third] = [bed.home(), bed.home(), bed.home()];
  const secret = { STARLING_PASSPHRASE: 'three words long' };
  const id = (args: string[], at = home, env: Record<string, string> = {}) =>
    startStarling(bed, ['id', ...args], { home: at, env }).child.exit();
  const { stdout } = await id([]);
  assert.match(
    stdout,
    /^(12D3KooW\w{44})\nfingerprint {2}(?:\d{5} ){5}\d{5}\nlink {9}starling:\/\/peer\/\1\n$/,
  );
  assert.equal((await id([])).stdout, stdout);
  const file = join(bed.root, 'moved.json');
  const saved = await id(['export', file], home, secret);
  assert.equal(saved.code, 0, saved.stderr);
  assert(!/"seed"/.test(readFileSync(file, 'utf8')), 'sealed');
  assert.equal((await id(['import', file], other, secret)).code, 0);
  assert.equal((await id([], other)).stdout, stdout);
  // What a guess costs is no matter here.
  const cheap = join(bed.root, 'cheap.json');
  const kdf = { memoryKib: 64, passes: 1, lanes: 1 };
  saveIdentity(cheap, new Uint8Array(32).fill(1), secret.STARLING_PASSPHRASE, kdf);
  const wrong = await id(['import', cheap], third, { STARLING_PASSPHRASE: 'guess' });
  assert.deepEqual([wrong.code, existsSync(join(third, 'identity.json'))], [2, false]);
  assert.match(
    (await id(['import', file], other, secret)).stderr,
    /an identity that is replaced is lost/,
  );
  for (const args of [['export'], ['sign', 'x'], ['import', 'a', 'b']]) {
    assert.equal((await id(args)).code, 2, args.join(' '));
  }
});

it('a node hands out a sealed copy of its identity, which another installation imports', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const node = await openTestNode(bed);
  const { peerId } = await ok(node, 'GET', '/identity');
  const passphrase = 'three words long';
  const short = await node.ask('POST', '/identity/copy', { body: { passphrase: 'short' } });
  assert.deepEqual([short.status, short.body.code], [400, 'ERR_API_INVALID']);
  const copyIt = () => node.ask('POST', '/identity/copy', { body: { passphrase } });
  const answers = await Promise.all([copyIt(), copyIt()]);
  const [made, refused] = answers.sort((a, b) => a.status - b.status);
  assert.deepEqual([made!.status, refused!.status], [200, 429], 'each takes much memory');
  assert.equal(refused!.body.code, 'ERR_API_TOO_MANY');
  const file = join(bed.root, 'copy.json');
  writeFileSync(file, JSON.stringify(made!.body));
  const home = bed.home();
  const env = { STARLING_PASSPHRASE: passphrase };
  const run = startStarling(bed, ['id', 'import', file], { home, env });
  const { code, stdout, stderr } = await run.child.exit();
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^${peerId}\n`));
});
