/** `starling contacts` and the link of `starling id`: two people come to know each other. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startStarling } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';

it('contacts: the link of one is the contact of another; names, trust and relays are changed and listed; wrong calls say what is wrong', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const [alice, bob] = [bed.home(), bed.home()];
  const run = (home: string, ...args: string[]) => startStarling(bed, args, { home }).child.exit();
  const ask = async (home: string, ...args: string[]) => {
    const { stdout, stderr, code } = await run(home, ...args, '--json');
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  };

  const hints = ['--name', 'Bob B', '--address', '192.0.2.7:6881', '--address', '[2001:db8::7]:1'];
  const [identity] = await ask(bob, 'id', ...hints);
  assert.match(identity.link, /\?a=192\.0\.2\.7:6881&a=\[2001:db8::7\]:1&n=Bob%20B$/);
  assert.deepEqual(await ask(alice, 'contacts', 'list'), []);
  const [added] = await ask(alice, 'contacts', 'add', 'Bob', identity.link);
  assert.equal(added.peerId, identity.peerId);
  assert.equal(added.fingerprint, identity.fingerprint, 'both see the same digits');

  await ask(alice, 'contacts', 'trust', 'bob');
  await ask(alice, 'contacts', 'relay', 'Bob', '--use', '--serve');
  await ask(alice, 'contacts', 'relay', 'Bob', '--serve', '--off');
  const [neither] = await ask(alice, 'contacts', 'relay', 'Bob', '--off');
  assert.deepEqual([neither.isRelay, neither.mayRelay], [false, false]);
  await ask(alice, 'contacts', 'relay', 'Bob', '--use');
  const [renamed] = await ask(alice, 'contacts', 'rename', 'BOB', 'Robert');
  const [listed] = await ask(alice, 'contacts', 'list');
  const { type: _, ...facts } = listed;
  assert.deepEqual({ type: 'changed', ...facts }, renamed);
  const { name, isTrusted, isRelay, mayRelay, addresses } = listed;
  assert.deepEqual([name, isTrusted, isRelay, mayRelay], ['Robert', true, true, false]);
  assert.deepEqual(
    addresses.map(({ host, port }: { host: string; port: number }) => `${host} ${port}`),
    ['192.0.2.7 6881', '2001:db8::7 1'],
  );
  const { stdout } = await run(alice, 'contacts');
  assert.match(
    stdout,
    /^Robert\n {2}peer id {6}12D3KooW[\s\S]*\(told\)\n {2}allowed .*as a relay\n$/,
  );
  const [own] = await ask(alice, 'id', '--relay', 'robert');
  assert.match(own.link, new RegExp(`\\?r=${identity.peerId}@192\\.0\\.2\\.7:6881$`));

  for (const [pattern, ...args] of [
    [/expected one of list, add/, 'call', 'Robert'],
    [/expected NAME and ID-or-link, got "Eve"/, 'add', 'Eve'],
    [/expected a name that no contact has, got "Robert"/, 'add', 'ROBERT', own.peerId],
    [/expected a peer id, or a link/, 'add', 'Eve', 'eve'],
    [/expected --use or --serve, got neither/, 'relay', 'Robert'],
    [/contacts list" shows, got "nobody"/, 'trust', 'nobody'],
  ] as const) {
    const exit = await run(alice, 'contacts', ...args);
    assert.equal(exit.code, 2, args.join(' '));
    assert.match(exit.stderr, pattern);
  }
  assert.match((await run(bob, 'id', '--address', 'router:1')).stderr, /expected IP:PORT/);
  await ask(alice, 'contacts', 'remove', 'robert');
  assert.match((await run(alice, 'contacts', 'list')).stdout, /^No contacts yet/);
});
