import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nodeEd25519 } from '../io/crypto.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { encode } from '../protocol/bencode/index.ts';
import { isMutable, REPUBLISH_MS } from '../protocol/dht/index.ts';
import { ADDRESS_SALT, formatPeerId, peerIdOf } from '../protocol/identity/index.ts';
import {
  AddressPublisher,
  type AddressPublisherOptions,
  addressFinder,
  findPeerAddresses,
  type OwnAddresses,
  ownEndpoints,
} from './address-publisher.ts';
import { Contacts } from './contacts.ts';
import { signDhtItem } from './dht-client.ts';
import { DhtService } from './dht-service.ts';
import { setPrivacy } from './privacy-settings.ts';
import { UdpDoor } from './udp-door.ts';

const SEED = new Uint8Array(32).fill(7);
const KEY = nodeEd25519.publicKey(SEED);
const PEER_ID = formatPeerId(peerIdOf(KEY));
const OFFLINE = new ReachPolicy({ offline: true, givenSubnets: ['192.0.2.1', '10.0.0.1'] });
const at = (host: string, port = 6881) => ({ host, port });
const told = (...hosts: string[]): OwnAddresses => ({ addresses: hosts.map((host) => at(host)) });

function makeHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'starling-address-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

async function openService(t: TestContext, bootstrap: readonly string[] = []): Promise<DhtService> {
  const udp = new UdpDoor('127.0.0.1', 0);
  const policy = new ReachPolicy({ offline: true });
  const service = new DhtService({ udp, policy, families: [4], home: makeHome(t), bootstrap });
  t.after(async () => {
    service.close();
    await udp.close();
  });
  await service.start();
  return service;
}

/** Two nodes that know each other: what one puts the other one has. */
async function openPair(t: TestContext): Promise<readonly [DhtService, DhtService]> {
  const one = await openService(t);
  const two = await openService(t, [`127.0.0.1:${one.port(4)}`]);
  assert(await two.ready(10_000));
  assert(await one.ready(10_000));
  return [one, two];
}

/** A publisher on the first node, with a clock and a home of its own, looked for on the second. */
async function rig(t: TestContext, more: Partial<AddressPublisherOptions> = {}) {
  const [dht, other] = await openPair(t);
  const clock = { nowMs: 1_800_000_000_000 };
  const own = { now: told('192.0.2.7') };
  const home = makeHome(t);
  const open = (): AddressPublisher => {
    const current = () => own.now;
    const rest = { dht, home, seed: SEED, current, nowMs: () => clock.nowMs };
    return new AddressPublisher({ ...rest, ...more });
  };
  const find = () => findPeerAddresses(PEER_ID, { policy: OFFLINE, dht: other });
  const seq = async (): Promise<number> => {
    const { item } = await other.getMutable(KEY, ADDRESS_SALT);
    assert(item !== undefined && isMutable(item));
    return item.seq;
  };
  return { dht, other, clock, own, open, find, seq };
}

test('what one node publishes another one finds; what changes is told, what does not only after an hour', async (t) => {
  const { clock, own, open, find, seq } = await rig(t);
  assert.deepEqual(await find(), { addresses: [], relays: [], record: undefined });
  const publisher = open();
  await publisher.look();
  const found = await find();
  assert.deepEqual(found.addresses, [{ ...at('192.0.2.7'), origin: 'dht' }]);
  assert.deepEqual(found.record, publisher.status().record);
  assert.equal(found.record?.timeMs, clock.nowMs);
  const first = await seq();
  assert.equal(first, clock.nowMs);

  clock.nowMs += REPUBLISH_MS - 1;
  await publisher.look();
  assert.equal(await seq(), first);
  clock.nowMs += 1;
  await publisher.look();
  assert.equal(await seq(), clock.nowMs);
  own.now = { ...told('192.0.2.8'), isRelay: true };
  clock.nowMs += 1;
  await publisher.look();
  const { record } = await find();
  assert.deepEqual([record?.addresses, record?.isRelay], [[at('192.0.2.8')], true]);
  await publisher.close();
});

test('the number grows over a restart and a clock that was set back, whatever home it comes from', async (t) => {
  const { clock, own, open, find, seq, dht } = await rig(t);
  const publisher = open();
  await publisher.look();
  await publisher.close();
  const first = await seq();
  clock.nowMs -= 86_400_000;
  own.now = told('192.0.2.9');
  const again = open();
  await again.look();
  assert.equal(await seq(), first + 1);
  await again.close();
  // The same identity in another home, which knows the number from the DHT alone.
  const rest = { current: () => told('192.0.2.10'), nowMs: () => clock.nowMs };
  const elsewhere = new AddressPublisher({ dht, seed: SEED, home: makeHome(t), ...rest });
  await elsewhere.look();
  assert.equal(await seq(), first + 2);
  assert.deepEqual((await find()).record?.addresses, [at('192.0.2.10')]);
});

test('the switch: nothing is told while it is off, and turning it off replaces what was told by nothing', async (t) => {
  const home = makeHome(t);
  setPrivacy(home, 'address-record', false);
  const { clock, open, find } = await rig(t, { home });
  const publisher = open();
  await publisher.look();
  assert.equal((await find()).record, undefined);
  setPrivacy(home, 'address-record', true);
  await publisher.look();
  assert.equal((await find()).addresses.length, 1);
  setPrivacy(home, 'address-record', false);
  clock.nowMs += 1;
  await publisher.look();
  const { record } = await find();
  assert.deepEqual([record?.addresses, record?.timeMs], [[], clock.nowMs]);
  assert.deepEqual([publisher.status().isOn, publisher.status().record], [false, undefined]);
  writeFileSync(join(home, 'privacy.json'), '{');
  await publisher.look();
  assert.deepEqual((await find()).record, record, 'where it cannot be read nothing is told');
});

test('closing forgets when it is told to', async (t) => {
  const { open, find } = await rig(t);
  const publisher = open();
  await publisher.look();
  await publisher.close(true);
  assert.deepEqual((await find()).record?.addresses, []);
});

test('private addresses are told only when asked for; who has none to tell says so', async (t) => {
  const { own, open, find, dht } = await rig(t);
  own.now = told('10.0.0.7', '127.0.0.1');
  await open().look();
  const { record } = await find();
  assert.deepEqual([record?.addresses, record?.isHidden], [[], true]);
  const rest = { current: () => own.now, home: makeHome(t), includesPrivate: true };
  await new AddressPublisher({ dht, seed: SEED, ...rest }).look();
  assert.deepEqual((await find()).record?.addresses, [at('10.0.0.7')]);
});

test("contacts' last addresses come first and without the DHT; loopback and what the policy forbids are left out", async (t) => {
  const { open, own, other } = await rig(t, { isOffline: true });
  const contacts = new Contacts(makeHome(t));
  contacts.add('Bob', PEER_ID);
  contacts.noteAddress(PEER_ID, at('192.0.2.7'));
  contacts.noteAddress(PEER_ID, at('203.0.113.9'));
  own.now = told('192.0.2.7', '192.0.2.8', '127.0.0.1');
  await open().look();
  const heard: string[] = [];
  const ways = { policy: OFFLINE, dht: other, contacts };
  const found = await findPeerAddresses(PEER_ID, {
    ...ways,
    onAddress: ({ host }, origin) => heard.push(`${origin} ${host}`),
  });
  assert.deepEqual(heard, ['contact 192.0.2.7', 'dht 192.0.2.8', 'dht 127.0.0.1']);
  assert.deepEqual(
    found.addresses.map(({ host, origin }) => `${origin} ${host}`),
    heard,
  );
  const online = new ReachPolicy({ offline: false });
  const open4 = await findPeerAddresses(PEER_ID, { ...ways, policy: online });
  assert.deepEqual(
    open4.addresses.map(({ host }) => host),
    ['203.0.113.9', '192.0.2.7', '192.0.2.8'],
  );
  const alone = await findPeerAddresses(PEER_ID, { policy: online, contacts });
  assert.equal(alone.addresses.length, 2);
  await assert.rejects(findPeerAddresses('Bob', { policy: online }), RangeError);
});

test('an item that is no record counts as none', async (t) => {
  const { other, find } = await rig(t);
  for (const [seq, value] of [encode('x'), encode(7), encode(new Uint8Array(20))].entries()) {
    await other.put(signDhtItem(SEED, seq + 1, value, ADDRESS_SALT));
    assert.equal((await find()).record, undefined);
  }
});

test('as a finder of channels: addresses at once, relays after them, nothing once it was given up', async (t) => {
  const { open, own, other } = await rig(t);
  const relay = {
    peerId: peerIdOf(nodeEd25519.publicKey(new Uint8Array(32))),
    address: at('192.0.2.9'),
  };
  own.now = { ...told('192.0.2.7'), relays: [relay] };
  await open().look();
  const find = addressFinder({ policy: OFFLINE, dht: other });
  const heard: unknown[] = [];
  await find(PEER_ID, (found) => heard.push(found), new AbortController().signal);
  const relays = [{ peerId: formatPeerId(relay.peerId), addresses: [at('192.0.2.9')] }];
  assert.deepEqual(heard, [{ addresses: [at('192.0.2.7')] }, { addresses: [], relays }]);
  await find(PEER_ID, () => assert.fail('heard something'), AbortSignal.abort());
});

test('what the router gave is told before what this machine calls itself', () => {
  const reachable = [at('10.0.0.7')];
  assert.deepEqual(ownEndpoints({ state: 'failed' }, reachable), reachable);
  const mapped = { state: 'mapped', externalHost: '198.51.100.1', tcpPort: 7_001 } as const;
  assert.deepEqual(ownEndpoints(mapped, reachable), [at('198.51.100.1', 7_001), at('10.0.0.7')]);
});
