/**
 * What a DHT must do whatever the seed: peers and items are found, through loss, churn, partitions, restarts, NATs and liars.
 * @module
 */
import assert from 'node:assert/strict';
import { nodeEd25519 } from '../../src/io/crypto.ts';
import { isMutable, type MutableItem, makeNodeId, signItem } from '../../src/protocol/dht/index.ts';
import { DHT_PORT, DhtWorld, type SimDhtNode } from './dht-world.ts';
import type { Scenario } from './scenario.ts';

const MINUTE_MS = 60_000;

function pick(world: DhtWorld, nodes: readonly SimDhtNode[]): SimDhtNode {
  return nodes[world.rng.below(nodes.length)]!;
}

/** One announces, another looks. @returns whether it was found. */
function isFound(world: DhtWorld, announcer: SimDhtNode, seeker: SimDhtNode): boolean {
  const infoHash = world.rng.bytes(20);
  const announced = world.finish(announcer, (dht, nowMs) => dht.getPeers(nowMs, infoHash, 7_000));
  assert(announced.stored > 0, 'stored nowhere');
  const { lookup } = world.finish(seeker, (dht, nowMs) => dht.getPeers(nowMs, infoHash));
  return seeker.peersOf(lookup).has(`${announcer.host} 7000`);
}

function expectFound(world: DhtWorld, nodes: readonly SimDhtNode[], tries: number): void {
  for (let i = 0; i < tries; i += 1) {
    assert(isFound(world, pick(world, nodes), pick(world, nodes)), `try ${i}: nothing found`);
  }
}

function joinAndFind(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(60, MINUTE_MS);
  for (const node of nodes) {
    const { good } = node.dht.status(world.clock.nowMs).table;
    assert(good >= 8, `${node.host} knows ${good} nodes`);
  }
  expectFound(world, nodes, 5);
}

function lossy(seed: number): void {
  const world = new DhtWorld(seed, { lossShare: 0.2 });
  expectFound(world, world.join(60, MINUTE_MS), 5);
}

/** Half of the nodes go, and as many come. */
function churn(seed: number): void {
  const world = new DhtWorld(seed);
  let nodes = world.join(60, MINUTE_MS);
  for (let i = 0; i < 30; i += 1) {
    world.clock.run(world.clock.nowMs + 30_000);
    const leaving = pick(world, nodes);
    leaving.crash();
    nodes = nodes.filter((node) => node !== leaving);
    const fresh = world.add();
    world.introduce(fresh, nodes);
    nodes.push(fresh);
  }
  world.clock.run(world.clock.nowMs + MINUTE_MS);
  expectFound(world, nodes, 5);
}

function partition(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(60, MINUTE_MS);
  for (const [i, node] of nodes.entries()) node.side = i % 2;
  world.clock.run(world.clock.nowMs + 5 * MINUTE_MS);
  const half = nodes.filter(({ side }) => side === 0);
  expectFound(world, half, 2);
  for (const node of nodes) node.side = 0;
  world.clock.run(world.clock.nowMs + 20 * MINUTE_MS);
  expectFound(world, nodes, 4);
}

/** A node comes back with what it had saved, and nothing else. */
function restart(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(40, MINUTE_MS);
  const [old] = nodes as [SimDhtNode];
  const saved = old.dht.savedNodes();
  const { id } = old.dht;
  old.crash();
  const back = world.add({ host: old.host, id });
  assert.deepEqual(back.dht.id, id);
  back.act((dht, nowMs) => dht.addNodes(nowMs, saved));
  world.clock.run(world.clock.nowMs + 30_000);
  assert(isFound(world, pick(world, nodes.slice(1)), back));
  assert(isFound(world, back, pick(world, nodes.slice(1))));
}

/** A third cannot be reached but by answers. */
function natted(seed: number): void {
  const world = new DhtWorld(seed);
  const open = world.join(40, MINUTE_MS);
  const hidden = Array.from({ length: 20 }, (_, i) =>
    world.add({ isNatted: true, isReadOnly: i % 2 === 0 }),
  );
  for (const node of hidden) world.introduce(node, open);
  world.clock.run(world.clock.nowMs + 2 * MINUTE_MS);
  for (let i = 0; i < 4; i += 1) assert(isFound(world, pick(world, hidden), pick(world, hidden)));
}

/** The number of the newest item of a key that a node finds. */
function newest(world: DhtWorld, seeker: SimDhtNode, of: MutableItem): number | undefined {
  const { lookup } = world.finish(seeker, (dht, nowMs) =>
    dht.getMutable(nowMs, of.publicKey, of.salt),
  );
  const found = seeker.events.findLast((e) => e.type === 'item' && e.lookup === lookup);
  return found?.type === 'item' && isMutable(found.item) ? found.item.seq : undefined;
}

function items(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(40, MINUTE_MS);
  const key = world.rng.bytes(32);
  const salt = Uint8Array.of(1, 2, 3);
  const value = (n: number): Uint8Array => Buffer.from(`i${n}e`);
  for (let seq = 1; seq <= 3; seq += 1) {
    const item = signItem(nodeEd25519, key, seq, value(seq), salt);
    const put = world.finish(pick(world, nodes), (dht, nowMs) => dht.put(nowMs, item, seq - 1));
    assert(put.stored >= 4, `stored at ${put.stored}`);
    assert.equal(newest(world, pick(world, nodes), item), seq);
  }
  const stale = signItem(nodeEd25519, key, 2, value(9), salt);
  const refused = world.finish(pick(world, nodes), (dht, nowMs) => dht.put(nowMs, stale));
  assert(refused.refusals.has(302), 'nobody refused a lower number');
  assert.equal(newest(world, pick(world, nodes), stale), 3, 'went back to a lower number');
  const late = signItem(nodeEd25519, key, 4, value(4), salt);
  const mismatch = world.finish(pick(world, nodes), (dht, nowMs) => dht.put(nowMs, late, 1));
  assert(mismatch.refusals.has(301), 'cas was not looked at');
}

/** Nodes with ids right beside a key, many of few networks, who say nothing of anybody. */
function planted(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(120, 2 * MINUTE_MS);
  const infoHash = world.rng.bytes(20);
  for (let i = 0; i < 24; i += 1) {
    const id = infoHash.slice();
    id[19] = i;
    const liar = world.add({
      host: `99.1.${i % 3}.${i + 1}`,
      id,
      isIdFixed: true,
    });
    liar.act((dht, nowMs) =>
      dht.addNodes(
        nowMs,
        nodes.slice(0, 20).map(({ endpoint }) => endpoint),
      ),
    );
  }
  world.clock.run(world.clock.nowMs + 5 * MINUTE_MS);
  const careful = world.add();
  const careless = world.add({
    defences: { checksIds: false, limitsSubnets: false, checksDensity: false },
  });
  for (const node of [careful, careless]) world.introduce(node, nodes);
  world.clock.run(world.clock.nowMs + MINUTE_MS);
  for (const node of [careful, careless]) {
    world.finish(node, (dht, nowMs) => dht.getPeers(nowMs, infoHash, 7_000));
  }
  for (const node of world.nodes.values()) if (node.host.startsWith('99.')) node.crash();
  const seeker = pick(world, nodes);
  const { lookup } = world.finish(seeker, (dht, nowMs) => dht.getPeers(nowMs, infoHash));
  const found = seeker.peersOf(lookup);
  assert(found.has(`${careful.host} 7000`), 'the planted nodes took it away');
  assert(
    !found.has(`${careless.host} 7000`),
    'without defences nothing is lost: the attack is none',
  );
}

/** A hundred thousand datagrams from everywhere: little is kept, and lookups still succeed. */
function flood(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(40, MINUTE_MS);
  const victim = pick(world, nodes);
  const query = Buffer.from(
    'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe',
  );
  const sentBefore = victim.sent;
  for (let i = 0; i < 100_000; i += 1) {
    const bytes = i % 3 === 0 ? world.rng.bytes(40) : Uint8Array.from(query);
    if (i % 3 === 1) bytes.set(world.rng.bytes(20), 12);
    const host = `77.${world.rng.below(256)}.${world.rng.below(256)}.${1 + world.rng.below(200)}`;
    victim.dht.handlePacket(world.clock.nowMs, { host, port: DHT_PORT }, bytes);
    victim.drain();
    if (i % 1_000 === 0) world.clock.run(world.clock.nowMs + 10);
  }
  const status = victim.dht.status(world.clock.nowMs);
  assert(status.pendingQueries <= 512 && status.storedInfoHashes <= 4_000);
  // Answers, and questions whether those live who asked.
  assert(victim.sent - sentBefore < 10_000, `sent ${victim.sent - sentBefore} datagrams`);
  world.clock.run(world.clock.nowMs + 10_000);
  assert(isFound(world, victim, pick(world, nodes)) && isFound(world, pick(world, nodes), victim));
}

/** Hosts say that we are somewhere else: the id is changed for it, and everything goes on. */
function moved(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(40, MINUTE_MS);
  const node = world.add({ id: makeNodeId('1.2.3.4', world.rng), externalHost: '1.2.3.4' });
  world.introduce(node, nodes);
  world.clock.run(world.clock.nowMs + MINUTE_MS);
  const event = node.events.find((e) => e.type === 'address');
  assert(event?.type === 'address' && event.host === node.host, 'it did not learn its address');
  assert.deepEqual(node.dht.id, event.id);
  assert(isFound(world, pick(world, nodes), node));
}

/** Three nodes, of which one dies: it holds nothing up, and what the others store can be read from both. */
function tiny(seed: number): void {
  const world = new DhtWorld(seed, { lossShare: 0 });
  const [first, second, third] = world.join(3, 1_000) as [SimDhtNode, SimDhtNode, SimDhtNode];
  third.crash();
  const infoHash = world.rng.bytes(20);
  const item = signItem(nodeEd25519, world.rng.bytes(32), 1, Buffer.from('i1e'));
  world.finish(first, (dht, nowMs) => dht.getPeers(nowMs, infoHash, 7_000));
  world.finish(first, (dht, nowMs) => dht.put(nowMs, item));
  for (const seeker of [first, second]) {
    const done = world.finish(seeker, (dht, nowMs) => dht.getPeers(nowMs, infoHash));
    // Twice the longest that one is waited for, and a way.
    assert(done.stats.durationMs < 2_200, `a dead node held it up: ${done.stats.durationMs} ms`);
    assert(seeker.peersOf(done.lookup).has(`${first.host} 7000`), `${seeker.host} has no peer`);
    assert.equal(newest(world, seeker, item), 1);
  }
  second.crash();
  const { lookup } = world.finish(first, (dht, nowMs) => dht.getPeers(nowMs, infoHash));
  assert(first.peersOf(lookup).has(`${first.host} 7000`), 'what it holds itself was not told');
}

/** Half of the nodes vanish at once and nobody looks for anything: an hour later no table names them. */
function resting(seed: number): void {
  const world = new DhtWorld(seed);
  const nodes = world.join(60, MINUTE_MS);
  for (const node of nodes.slice(30)) node.crash();
  world.clock.run(world.clock.nowMs + 60 * MINUTE_MS);
  for (const { host, dht } of nodes.slice(0, 30)) {
    const known = dht.closest(dht.id, 100);
    const dead = known.filter((node) => !world.nodes.has(node.host));
    assert.equal(dead.length, 0, `${host} still names ${dead.length} dead nodes`);
    assert(known.length >= 8, `${host} knows ${known.length} nodes`);
  }
}

export const dhtScenarios: readonly Scenario[] = [
  { name: 'dht-join', run: joinAndFind, seeds: 1 },
  { name: 'dht-lossy', run: lossy, seeds: 1 },
  { name: 'dht-churn', run: churn, seeds: 1 },
  { name: 'dht-partition', run: partition, seeds: 1 },
  { name: 'dht-restart', run: restart, seeds: 1 },
  { name: 'dht-natted', run: natted, seeds: 1 },
  { name: 'dht-items', run: items, seeds: 1 },
  { name: 'dht-planted', run: planted, seeds: 1 },
  { name: 'dht-flood', run: flood, seeds: 1 },
  { name: 'dht-moved', run: moved, seeds: 1 },
  { name: 'dht-tiny', run: tiny, seeds: 2 },
  { name: 'dht-resting', run: resting, seeds: 1, keptSeeds: [450_944_403, 496_273_402] },
];
