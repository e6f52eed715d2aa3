/**
 * How long until a newcomer has its first peer and its first piece, by each way to find peers alone, and how much sooner when it was there before?
 *
 * Times count from the start of the process (`starling get --json`) to the event on its stdout. A newcomer has a host of its own in a network namespace, a
 * fresh home and an empty folder; what it meets stands for the whole run: a seed that all ways lead to, a tracker, eight DHT nodes, a web seed. A piece
 * is one block of 16 KiB, verified and on disk; its event may wait for up to 50 ms for others. *Again*: interrupted after the first piece, the same command; *nobody to ask*: without the DHT.
 * Rounds are interleaved. Needs root, for the namespaces.
 * Usage: node bench/discovery.ts [--rounds 7] [--delay 0] [--only TEXT]   (the delay in ms, each way)
 * @module
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Starling, WITH_LSD } from '../test/support/cli.ts';
import { TestBed } from '../test/support/cli-child.ts';
import { PYTHON } from '../test/support/libtorrent.ts';
import { namespaceObstacle } from '../test/support/namespace.ts';
import { addressOf, Neighbourhood, only, type SharedFile } from '../test/support/neighbourhood.ts';
import { median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    delay: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
  },
});
const ROUNDS = Number(values.rounds);
const DELAY_MS = Number(values.delay);

const TRACKER = 0;
const SEED = 1;
const WEB_SEED = 2;
const NODE = 3;
/** DHT nodes besides the seed. */
const NODES = 7;
/** Newcomers have the hosts from here on, each its own: nobody knows it from before. */
const FIRST_NEWCOMER = NODE + NODES;
const WEB_PORT = 8_080;

/** What a newcomer is started with, and who counts as found. */
interface Case {
  readonly source: (file: SharedFile) => string;
  readonly args: readonly string[];
  /** It is told of a peer that gives nothing, and only others count. */
  readonly toldOf?: 'leech';
  readonly isRestarted?: boolean;
}

interface Times {
  readonly peerMs: number;
  readonly pieceMs: number;
}

const bare = ({ magnet }: SharedFile): string => magnet;
const full = ({ magnetWithTrackers }: SharedFile): string => magnetWithTrackers;
const file = ({ torrent }: SharedFile): string => torrent;

function casesOf(hood: Neighbourhood): Readonly<Record<string, Case>> {
  const begin = ['--bootstrap', hood.at(NODE)];
  const web = `http://${hood.host(WEB_SEED)}:${WEB_PORT}/`;
  return {
    'given peer': { source: bare, args: [...only(), '--peer', hood.at(SEED)] },
    tracker: { source: full, args: only(), isRestarted: true },
    'local network': { source: bare, args: only('lsd'), isRestarted: true },
    DHT: { source: bare, args: [...only('dht'), ...begin], isRestarted: true },
    'peer exchange': { source: bare, args: only('pex'), toldOf: 'leech' },
    'web seed (torrent file)': { source: file, args: [...only(), '--web-seed', web] },
    'all but given and web': {
      source: full,
      args: [WITH_LSD, ...begin],
      isRestarted: true,
    },
  };
}

/** Starts a newcomer and times it. It is interrupted then. */
async function timed(start: () => Starling, isFound: (address: string) => boolean): Promise<Times> {
  const startedMs = performance.now();
  const newcomer = start();
  const since = (): number => performance.now() - startedMs;
  const isPeer = newcomer.event('peer-connected', (event) => isFound(addressOf(event)));
  const [peerMs, pieceMs] = await Promise.all([
    isPeer.then(since),
    newcomer.event('piece').then(since),
  ]);
  await newcomer.child.stop('SIGINT');
  return { peerMs, pieceMs };
}

/** Puts hosts far from each other, as the kernels of small machines cannot. */
async function setDelay(bed: TestBed, { network }: Neighbourhood, ms: number): Promise<void> {
  const script = join(import.meta.dirname, 'support', 'distant-hosts.py');
  const run = ([program, ...prefix]: readonly string[], ...command: string[]): void =>
    void execFileSync(program!, [...prefix, ...command]);
  for (const { prefix } of network.hosts) run(prefix, PYTHON, script, 'prepare');
  run(network.prefix, 'ip', 'link', 'set', 'switch', 'down');
  const [program, ...prefix] = network.prefix;
  const child = bed.start(program!, [...prefix, PYTHON, script, String(ms)]);
  await child.waitFor('the distant hosts', () => child.lines[0]);
}

/** A peer that may be told of: it has a connection with the seed and gives nothing. */
async function startToldLeech(
  hood: Neighbourhood,
  shared: SharedFile,
  host: number,
): Promise<Starling> {
  const args = [...only('pex'), '--peer', hood.at(SEED), '--upload-limit', '1'];
  const leech = hood.get(host, shared.torrent, args);
  await leech.event('peer-connected');
  return leech;
}

/** The hosts that stand for the whole run. */
async function openHood(bed: TestBed): Promise<{ hood: Neighbourhood; shared: SharedFile }> {
  const hood = new Neighbourhood(bed, FIRST_NEWCOMER + ROUNDS * 14);
  if (DELAY_MS > 0) await setDelay(bed, hood, DELAY_MS);
  // Long enough that nobody is complete before it is interrupted.
  const shared = await hood.share({ bytes: 30_000_000, trackers: [hood.trackerUrl(TRACKER)] });
  await hood.tracker(TRACKER);
  const begin = ['--bootstrap', hood.at(NODE)];
  for (let node = 0; node < NODES; node += 1) {
    await hood.dhtNode(NODE + node, ...(node === 0 ? [] : begin));
  }
  await hood.seed(SEED, shared, [WITH_LSD, ...begin, '--upload-limit', '500000']);
  const web = ['--web', `${hood.host(WEB_SEED)}:${WEB_PORT}`, '--upload-limit', '500000'];
  await hood.seed(WEB_SEED, shared, [...only(), '--no-discovery', ...web]);
  return { hood, shared };
}

async function run(bed: TestBed): Promise<Map<string, Times[]>> {
  const { hood, shared } = await openHood(bed);
  const results = new Map<string, Times[]>();
  let host = FIRST_NEWCOMER;
  const note = (name: string, times: Times): void => {
    results.set(name, [...(results.get(name) ?? []), times]);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, one] of Object.entries(casesOf(hood))) {
      if (!name.includes(values.only)) continue;
      const at = host;
      host += 2;
      const leech = one.toldOf === 'leech' ? await startToldLeech(hood, shared, at + 1) : undefined;
      const told = leech === undefined ? [] : ['--peer', hood.at(at + 1)];
      const home = bed.home();
      const start = (source: string, args: readonly string[]): Starling =>
        hood.get(at, source, [...args, ...told], { home });
      const isFound = (address: string): boolean => !told.includes(address);
      const again = (): Starling => start(one.source(shared), one.args);
      note(name, await timed(again, isFound));
      await leech?.child.stop('SIGKILL');
      if (one.isRestarted !== true) continue;
      note(`${name}, again`, await timed(again, isFound));
      if (name !== 'DHT') continue;
      note('nobody to ask, again', await timed(() => start(bare(shared), only()), isFound));
    }
  }
  return results;
}

function print(results: ReadonlyMap<string, readonly Times[]>): void {
  const root = join(import.meta.dirname, '..');
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).toString();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(
    `${ROUNDS} rounds, medians; ${2 * DELAY_MS} ms there and back; Node ${process.versions.node}, commit ${commit.trim()}\n`,
  );
  say('| way | first peer, ms | first piece, ms |\n|---|---|---|');
  const middle = (list: readonly Times[], key: keyof Times): string =>
    median(list.map((times) => times[key])).toFixed(0);
  for (const [name, list] of results) {
    say(`| ${name} | ${middle(list, 'peerMs')} | ${middle(list, 'pieceMs')} |`);
  }
}

const obstacle = namespaceObstacle();
if (obstacle === false) {
  await using bed = new TestBed();
  print(await run(bed));
} else {
  console.error(`bench/discovery.ts: ${obstacle}`);
  process.exitCode = 1;
}
