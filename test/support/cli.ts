/**
 * The command line under test: starts `bin/starling.mjs` with this very Node, offline, with a home of its own, and reads its JSON events.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTorrent, describeSource } from '../../src/node/index.ts';
import { type Child, type ChildOptions, type Exit, type TestBed, WAIT_MS } from './cli-child.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'starling.mjs');

/** One line of --json. */
export interface StarlingEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The summary that ends `get --json`. */
export interface SummaryEvent extends StarlingEvent {
  readonly name: string;
  readonly infoHashV1?: string;
  readonly infoHashV2?: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly rate: number;
  readonly wastedBytes: number;
  readonly peers: number;
}

/** Options of a started command. */
export interface StarlingOptions extends ChildOptions {
  /** STARLING_HOME; default a fresh one. */
  readonly home?: string;
  /** Words before the program's name, for a network namespace. */
  readonly prefix?: readonly string[];
  /** All that it prints and reads is a terminal (Linux). */
  readonly isAtTerminal?: boolean;
}

/** A running command. */
export class Starling {
  readonly child: Child;
  #parsed = 0;
  readonly #events: StarlingEvent[] = [];

  /** Its STARLING_HOME. */
  readonly home: string;

  constructor(child: Child, home: string) {
    this.child = child;
    this.home = home;
  }

  /** The events so far; only with --json. */
  get events(): readonly StarlingEvent[] {
    for (; this.#parsed < this.child.lines.length; this.#parsed += 1) {
      this.#events.push(JSON.parse(this.child.lines[this.#parsed]!) as StarlingEvent);
    }
    return this.#events;
  }

  /** The first event of a type, past or future, that fits. */
  event(
    type: string,
    fits: (event: StarlingEvent) => boolean = () => true,
    timeoutMs: number = WAIT_MS,
  ): Promise<StarlingEvent> {
    const find = (): StarlingEvent | undefined =>
      this.events.find((event) => event.type === type && fits(event));
    return this.child.waitFor(`event "${type}"`, find, timeoutMs);
  }

  /** Waits for the end and insists on exit code 0. */
  async done(timeoutMs: number = WAIT_MS): Promise<Exit> {
    const exit = await this.child.exit(timeoutMs);
    if (exit.code === 0) return exit;
    throw new Error(
      `expected exit code 0, got ${exit.code}:\n${exit.stderr}\n${exit.stdout.slice(-3_000)}`,
    );
  }

  /** Waits until `get` is complete and gives its summary. */
  async summary(timeoutMs: number = WAIT_MS): Promise<SummaryEvent> {
    return (await this.event('summary', undefined, timeoutMs)) as SummaryEvent;
  }
}

/** Commands that run a node. */
const NODE_COMMANDS = new Set(['share', 'seed', 'get', 'peers', 'publish', 'follow']);

/** Among the arguments of a command: it may find peers in the local network. Others may not, since tests run side by side, some with the same torrent. */
export const WITH_LSD = '--with-lsd';

function argumentsOf(args: readonly string[]): string[] {
  const kept = args.filter((each) => each !== WITH_LSD);
  const isQuiet = NODE_COMMANDS.has(args[0]!) && kept.length === args.length;
  return isQuiet ? [...kept, '--no-lsd'] : kept;
}

/** Starts a command; it ends with the test. */
export function startStarling(
  bed: TestBed,
  args: readonly string[],
  options: StarlingOptions = {},
): Starling {
  const home = options.home ?? bed.home();
  const env = { STARLING_OFFLINE: '1', STARLING_HOME: home, ...options.env };
  const { prefix = [], isAtTerminal = false } = options;
  const line = [...prefix, process.execPath, PROGRAM, ...argumentsOf(args)];
  const quoted = line.map((word) => `'${word}'`).join(' ');
  const [program, ...words] = isAtTerminal ? ['script', '-qec', quoted, '/dev/null'] : line;
  return new Starling(bed.start(program!, words, { ...options, env }), home);
}

/** Runs a command to its end. */
export function runStarling(
  bed: TestBed,
  args: readonly string[],
  options: StarlingOptions = {},
): Promise<Exit> {
  return startStarling(bed, args, options).child.exit();
}

/** Runs a command that must succeed and gives the one object of its --json. */
export async function askStarling(
  bed: TestBed,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const { stdout } = await startStarling(bed, [...args, '--json']).done();
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
}

/** Options of `createTorrentFile`. */
export interface TorrentFileOptions {
  readonly pieceLength?: number;
  /** Tiers; a URL alone is one of its own. */
  readonly trackers?: readonly (string | readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly isPrivate?: boolean;
  /** The folder of the torrent file; default: the test's. */
  readonly out?: string;
}

/** Makes a torrent file, in this process, since a start of the program costs more. */
export async function createTorrentFile(
  bed: TestBed,
  path: string,
  version: 'v1' | 'v2' | 'hybrid',
  options: TorrentFileOptions = {},
): Promise<TorrentFile> {
  const { bytes, metainfo } = await createTorrent(path, {
    version,
    trackers: (options.trackers ?? []).map((tier) => [tier].flat()),
    webSeeds: options.webSeeds ?? [],
    ...(options.isPrivate === undefined ? {} : { isPrivate: options.isPrivate }),
    ...(options.pieceLength === undefined ? {} : { pieceLengthBytes: options.pieceLength }),
  });
  const file = join(options.out ?? bed.root, `${version}.torrent`);
  writeFileSync(file, bytes);
  return { ...describeSource({ kind: 'metainfo', metainfo }), file } as TorrentFile;
}

/** A torrent that was made. */
export interface TorrentFile {
  readonly file: string;
  readonly name: string;
  readonly magnet: string;
  readonly infoHashV1?: string;
  readonly infoHashV2?: string;
  readonly pieceCount: number;
  readonly pieceLength: number;
  readonly totalBytes: number;
}

/** A running `seed` or `share`. */
export interface RunningSeed {
  readonly starling: Starling;
  /** "127.0.0.1:PORT" */
  readonly address: string;
  readonly port: number;
  /** With x.pe of the seed. */
  readonly magnet: string;
  /** `share`: the torrent file it made. */
  readonly torrent?: string;
}

/** Starts `seed`, resolves when it serves. */
export function startSeed(
  bed: TestBed,
  torrent: string,
  dir: string,
  ...more: readonly string[]
): Promise<RunningSeed> {
  return startServing(bed, ['seed', torrent, '--dir', dir, ...more]);
}

/** Starts `seed` or `share`, resolves when it serves. */
export async function startServing(
  bed: TestBed,
  args: readonly string[],
  options: StarlingOptions = {},
): Promise<RunningSeed> {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const starling = startStarling(bed, [...args, ...listen, '--json'], options);
  const seeding = await starling.event('seeding');
  const address = String(seeding['listen']);
  return {
    starling,
    address,
    port: Number(address.split(':').at(-1)),
    magnet: String(seeding['magnet']),
    ...(seeding['torrent'] === undefined ? {} : { torrent: String(seeding['torrent']) }),
  };
}

/** Starts `get`. @param source a torrent file, magnet link or URL. */
export function startGet(
  bed: TestBed,
  source: string,
  dir: string,
  ...more: readonly string[]
): Starling {
  const listen = more.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  return startStarling(bed, ['get', source, '--dir', dir, ...listen, '--json', ...more]);
}
