/**
 * How good is a DHT of ten thousand of our nodes: what does a lookup find, with how many hops and messages and in what time, while nodes come and go?
 *
 * Simulated with the production core, in virtual time, so that the machine's load does not matter: one way takes 10 to 150 ms (nine tenths of it fixed
 * for each pair of hosts), and 2 % of the datagrams are lost. Nodes come one by one by real joins and know three others at first. Torrents have three peers
 * that announce themselves every 15 minutes, as the product does; one that vanished is followed by another. A lookup succeeds when it finds a peer that announced itself.
 * Usage: node bench/dht.ts [growth] [churn] [sybil] [--nodes 10000] [--attacked 2000] [--minutes 24] [--seed 1]; by default all parts; the first two share one network.
 * @module
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { nodeCrypto } from '../src/io/crypto.ts';
import type { Defences } from '../src/protocol/dht/index.ts';
import type { SimDhtNode } from '../test/simulation/dht-world.ts';
import { DhtNetwork, type Measured } from './support/dht-network.ts';
import { type Attack, besiege, type Population } from './support/dht-sybils.ts';
import { median } from './support/processes.ts';

const MINUTE_MS = 60_000;
const SIZES = [100, 300, 1_000, 3_000, 10_000];
const JOINS_PER_SEC = 20;
const REPLACED_PER_HOUR = 0.3;
const PEERS_EACH = 3;
const SUCCESS_GOAL = 0.999;

const KEYS = 100;
/** Items of others are kept for two hours. */
const FORGOTTEN_MS = 121 * MINUTE_MS;
const ACTORS = 40;
const ATTACKED_LOOKUPS = 200;

const ATTACKS: readonly Attack[] = [
  { name: '10 %, any ids', share: 0.1 },
  { name: '30 %, any ids', share: 0.3 },
  { name: '10 %, ids that BEP 42 allows', share: 0.1, hasRightIds: true },
  { name: '30 %, ids that BEP 42 allows', share: 0.3, hasRightIds: true },
  { name: '32 around each key', share: 0, aroundKeys: 32 },
  { name: '10 %, and beside any target', share: 0.1, isMasked: true },
];

const OFF: Defences = { checksIds: false, limitsSubnets: false, checksDensity: false, paths: 1 };
const DEFENCES: Readonly<Record<string, Partial<Defences>>> = {
  all: {},
  'no check of ids (BEP 42)': { checksIds: false },
  'no limits of subnets and hosts': { limitsSubnets: false },
  'no look at density': { checksDensity: false },
  'one path': { paths: 1 },
  none: OFF,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '10000' },
    attacked: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
  },
});
const nodes = Number(values.nodes);
const attacked = Number(values.attacked);
const parts = new Set(positionals.length > 0 ? positionals : ['growth', 'churn', 'sybil']);

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Starts lookups, evenly over a time, of torrents drawn by lot, and waits for their ends. */
function seekMany(network: DhtNetwork, count: number, overMs: number): Measured[] {
  const results: Measured[] = [];
  const { clock } = network.world;
  let started = 0;
  for (let i = 0; i < count; i += 1) {
    clock.after((overMs * i) / count, () => {
      started += 1;
      network.seek(network.drawReady(), network.drawTorrent(), (result) => results.push(result));
    });
  }
  clock.run(network.nowMs + overMs);
  clock.run(network.nowMs + MINUTE_MS, () => results.length === started);
  return results;
}

const COLUMNS =
  'lookups | found | of the 8 nearest | hops | log2(N/8) | queries | first peer, p50 ms | p99 | end, p50 ms | p99';

function cells(network: DhtNetwork, results: readonly Measured[]): string {
  const found = results.filter(({ isFound }) => isFound);
  const first = found.map(({ firstMs }) => firstMs);
  const ends = results.map(({ done }) => done.stats.durationMs);
  return [
    results.length,
    percent(found.length / results.length, 2),
    percent(mean(results.map(({ nearestShare }) => nearestShare))),
    mean(results.map(({ done }) => done.stats.hops)).toFixed(2),
    Math.log2(network.live.length / 8).toFixed(2),
    mean(results.map(({ done }) => done.stats.asked)).toFixed(1),
    median(first).toFixed(0),
    quantile(first, 0.99).toFixed(0),
    median(ends).toFixed(0),
    quantile(ends, 0.99).toFixed(0),
  ].join(' | ');
}

/** Heap of one node, with what the simulator keeps of it. */
function kibPerNode(network: DhtNetwork, emptyBytes: number): string {
  collect();
  return ((process.memoryUsage().heapUsed - emptyBytes) / network.live.length / 1_024).toFixed(1);
}

function growth(network: DhtNetwork): void {
  print(`Growth, ${JOINS_PER_SEC} joins a second\n`);
  print(`| nodes | ${COLUMNS} | entries alive | entries a node |`);
  print(`|${'---|'.repeat(13)}`);
  for (const size of SIZES.filter((each) => each <= nodes)) {
    network.growTo(size, JOINS_PER_SEC);
    network.torrents.length = 0;
    network.publish(Math.min(200, size), PEERS_EACH, MINUTE_MS);
    network.run(2 * MINUTE_MS);
    const results = seekMany(network, 1_000, MINUTE_MS);
    const { entries, aliveShare } = network.tables();
    print(
      `| ${size} | ${cells(network, results)} | ${percent(aliveShare)} | ${entries.toFixed(0)} |`,
    );
  }
  print('');
}

function churn(network: DhtNetwork, emptyBytes: number): void {
  const minutes = Number(values.minutes);
  network.growTo(nodes, JOINS_PER_SEC);
  network.torrents.length = 0;
  network.publish(500, PEERS_EACH, 10 * MINUTE_MS);
  network.churn(REPLACED_PER_HOUR, (minutes + 30) * MINUTE_MS);
  print(
    `${network.live.length} nodes, ${percent(REPLACED_PER_HOUR, 0)} of them replaced in an hour\n`,
  );
  print(`| minutes | ${COLUMNS} | entries alive | entries a node |`);
  print(`|${'---|'.repeat(13)}`);
  const all: Measured[] = [];
  const before = { datagrams: network.world.datagrams, ms: network.nowMs };
  const parts = 4;
  for (let part = 1; part <= parts; part += 1) {
    // The first minutes of each part only pass.
    const ms = (minutes / parts) * MINUTE_MS;
    network.run(ms * 0.25);
    if (part === 1) network.run(5 * MINUTE_MS);
    const results = seekMany(network, 2_500, ms * 0.75 - MINUTE_MS);
    network.run(MINUTE_MS);
    if (part > 1) all.push(...results);
    const { entries, aliveShare } = network.tables();
    print(
      `| ${((part - 1) * minutes) / parts}–${(part * minutes) / parts} | ${cells(network, results)} | ${percent(aliveShare)} | ${entries.toFixed(0)} |`,
    );
  }
  print(`| all but the first part | ${cells(network, all)} | | |`);
  const passed = (network.nowMs - before.ms) / MINUTE_MS;
  const perMinute = (network.world.datagrams - before.datagrams) / network.live.length / passed;
  const found = all.filter(({ isFound }) => isFound).length / all.length;
  print(`\n| what | measured | goal |\n|---|---|---|`);
  print(`| lookups that found a peer | ${percent(found, 2)} | ≥ ${percent(SUCCESS_GOAL)} |`);
  print(
    `| datagrams a node sends in a minute, those of the measured lookups among them | ${perMinute.toFixed(1)} | |`,
  );
  print(
    `| memory a node, with the simulator's part | ${kibPerNode(network, emptyBytes)} KiB | |\n`,
  );
}

interface Hunted {
  readonly found: number;
  readonly asked: number;
}

/** Of keys that one node announces, or puts an item at, and another one looks for: how many are found, and after how many questions. */
function hunt(
  network: DhtNetwork,
  defences: Partial<Defences>,
  values: readonly Uint8Array[],
  population: Population,
): [peers: Hunted, items: Hunted] {
  const { rng, clock } = network.world;
  // What others stored here is forgotten.
  network.run(FORGOTTEN_MS);
  const actors = population.actors(defences, ACTORS);
  const draw = (): SimDhtNode => actors[rng.below(actors.length)]!;
  const run = (
    count: number,
    start: (i: number, take: (result: Measured) => void) => void,
  ): Hunted => {
    const results: Measured[] = [];
    for (let i = 0; i < count; i += 1) {
      clock.after(i * 100, () => start(i, (result) => results.push(result)));
    }
    clock.run(network.nowMs + 10 * MINUTE_MS, () => results.length === count);
    const found = results.filter(({ isFound }) => isFound).length / count;
    return { found, asked: mean(results.map(({ done }) => done.stats.asked)) };
  };
  const peers = run(ATTACKED_LOOKUPS, (i, take) => {
    const torrent = {
      infoHash: nodeCrypto.sha1(values[i % values.length]!),
      peers: new Set<SimDhtNode>(),
    };
    network.announce(draw(), torrent, () => network.seek(draw(), torrent, take));
  });
  const items = run(values.length, (i, take) => {
    const value = values[i]!;
    network.put(draw(), { value }, () => network.get(draw(), nodeCrypto.sha1(value), take));
  });
  for (const actor of actors) network.crash(actor);
  return [peers, items];
}

function sybil(): void {
  const names = Object.keys(DEFENCES);
  print(
    `Found, of ${ATTACKED_LOOKUPS} lookups of peers and 100 to 200 of items, and questions of a lookup; ${attacked} nodes, tables filled by introductions\n`,
  );
  print(`| attacker's nodes | looked for | ${names.join(' | ')} |`);
  print(`|---|---|${'---|'.repeat(names.length)}`);
  for (const attack of ATTACKS) {
    const count = attack.aroundKeys === undefined ? ATTACKED_LOOKUPS : KEYS;
    const items = Array.from({ length: count }, (_, i) =>
      new TextEncoder().encode(`i${1_000_000 + i}e`),
    );
    const keys = items.map((value) => nodeCrypto.sha1(value));
    const found = new Map<string, [Hunted, Hunted]>();
    for (const limitsSubnets of [true, false]) {
      const population = besiege(Number(values.seed), attacked, attack, { limitsSubnets }, keys);
      for (const [name, defences] of Object.entries(DEFENCES)) {
        if ((defences.limitsSubnets ?? true) !== limitsSubnets) continue;
        found.set(name, hunt(population.network, defences, items, population));
      }
    }
    for (const [at, what] of ['peers', 'an item'].entries()) {
      const cellsOf = names.map((name) => {
        const each = found.get(name)![at]!;
        return `${percent(each.found)}, ${each.asked.toFixed(0)}`;
      });
      print(`| ${attack.name} | ${what} | ${cellsOf.join(' | ')} |`);
    }
  }
  print('');
}

const startedMs = performance.now();
collect();
const emptyBytes = process.memoryUsage().heapUsed;
print(`Node ${process.versions.node}, ${os.cpus().length} cores, seed ${values.seed}\n`);
if (parts.has('growth') || parts.has('churn')) {
  const network = new DhtNetwork(Number(values.seed));
  if (parts.has('growth')) growth(network);
  if (parts.has('churn')) churn(network, emptyBytes);
  print(`${(network.world.datagrams / 1e6).toFixed(1)} million datagrams`);
}
if (parts.has('sybil')) sybil();
print(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
