/** `starling privacy`: what is revealed to whom; what is switched off stays off in every command that comes after. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { PeerNode } from '../../src/node/index.ts';
import { startStarling, WITH_LSD } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { openTestNode } from '../support/daemon.ts';

it('privacy: shows each mechanism with its way out; what is set off is off for commands and for the library, until it is set on', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const home = bed.home();
  const run = (...args: string[]) => startStarling(bed, args, { home }).child.exit();
  const ask = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const { stdout, stderr, code } = await run(...args, '--json');
    assert.equal(code, 0, stderr);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  const off = async (): Promise<unknown[]> =>
    (await ask('privacy')).filter(({ state }) => state === 'off').map(({ name }) => name);
  const skipped = async (): Promise<unknown[]> => {
    const checks = await ask('doctor', '--listen', '127.0.0.1:0', WITH_LSD);
    return checks.filter(({ finding }) => /is off/.test(String(finding))).map(({ name }) => name);
  };

  const unused = ['contacts', 'relay-use', 'relay-service'];
  assert.deepEqual(await off(), unused);
  for (const mechanism of await ask('privacy')) {
    const { type, name, reveals, to, when, offBy, isOffline } = mechanism;
    assert.deepEqual([type, isOffline], ['mechanism', true]);
    assert(Array.isArray(reveals) && reveals.length > 0, String(name));
    for (const text of [to, when, offBy]) assert.match(String(text), /\w/, String(name));
  }
  const { stdout } = await run('privacy');
  assert.match(
    stdout,
    /^lan: on\n {2}reveals .*info-hashes.*\n {2}to .*local network\n.*\n {2}off by {3}--no-lsd, or "starling privacy set lan off"$/m,
  );

  for (const name of ['dht', 'lan', 'pex', 'address-record', 'port-mapping']) {
    const [changed] = await ask('privacy', 'set', name, 'off');
    assert.equal(changed![name], false);
  }
  const switched = ['dht-node', 'dht-announces', 'address-record', 'lan', 'pex', 'port-mapping'];
  assert.deepEqual(await off(), [...switched, ...unused]);
  assert.deepEqual(await skipped(), ['UDP', 'Port mapping', 'DHT', 'Local network']);
  {
    await using node = await PeerNode.open({ home, listen: '127.0.0.1:0', isOffline: true });
    assert.deepEqual(new Set(Object.values(node.switches)), new Set([false]));
    assert.equal(node.dht, undefined);
  }
  await ask('privacy', 'set', 'lan', 'on');
  assert.deepEqual(await skipped(), ['UDP', 'Port mapping', 'DHT']);

  for (const args of [
    ['show'],
    ['set'],
    ['set', 'tor', 'off'],
    ['set', 'dht', 'maybe'],
    ['set', 'dht', 'on', 'x'],
  ]) {
    const exit = await run('privacy', ...args);
    assert.deepEqual([exit.code, /expected/.test(exit.stderr)], [2, true], args.join(' '));
  }
  writeFileSync(join(home, 'privacy.json'), '{');
  const damaged = await run('doctor', '--listen', '127.0.0.1:0');
  assert.equal(damaged.code, 2);
  assert.match(damaged.stderr, /privacy\.json: expected settings as "starling privacy"/);
});

it('privacy of a node: what its command line decides is off, and shown as off; the rest follows the switches of the home at once', {
  timeout: 30_000,
}, async () => {
  await using bed = new TestBed();
  const node = await openTestNode(bed, {
    settings: { 'discovery.dht': false, 'discovery.pex': false, 'discovery.port-mapping': false },
  });
  const off = async (): Promise<string[]> => {
    const { body } = await node.ask('GET', '/privacy');
    const switched: { name: string; canSwitch: boolean; isOn: boolean }[] = body.disclosures;
    return switched.filter((each) => each.canSwitch && !each.isOn).map(({ name }) => name);
  };
  const before = await off();
  for (const name of ['dht', 'pex', 'lan', 'port-mapping']) {
    assert(before.includes(name), `${name} of ${before}`);
  }
  assert(!before.includes('address-record'));
  const { status, body } = await node.ask('GET', `/dht/peers/${'ab'.repeat(20)}`);
  assert.deepEqual([status >= 400, /discovery\.dht/.test(body.detail)], [true, true], body.detail);
  await node.ask('PATCH', '/privacy', { body: { 'address-record': false, dht: true } });
  assert.deepEqual(new Set(await off()), new Set([...before, 'address-record']));
});
