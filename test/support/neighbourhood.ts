/**
 * Programs on hosts of their own at one switch (`namespace.ts`), each with an address and port that the others can dial, and none told of another unless
 * its arguments say so. For tests and benchmarks of how peers find each other.
 * @module
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTorrent, describeSource } from '../../src/node/index.ts';
import {
  type RunningSeed,
  type Starling,
  type StarlingEvent,
  type StarlingOptions,
  startServing,
  startStarling,
  WITH_LSD,
} from './cli.ts';
import type { Child, TestBed } from './cli-child.ts';
import { writeFile } from './content.ts';
import { makeSwitch, type SwitchedNetwork } from './namespace.ts';

const WATCH = join(import.meta.dirname, 'announce-watch.py');
/** Where the program of the first host listens; the others have the ports after it: a peer at one's own port may be oneself. */
const FIRST_PORT = 6_881;
const TRACKER_PORT = 6_969;

/** One way to find peers; each can be switched off alone. */
export type Way = 'dht' | 'lsd' | 'pex';

/** Arguments that leave these ways and trackers, if there are any. */
export function only(...ways: readonly Way[]): string[] {
  const off = (['dht', 'pex'] as const).filter((way) => !ways.includes(way));
  const lsd = ways.includes('lsd') ? WITH_LSD : '--no-lsd';
  return [...off.map((way) => `--no-${way}`), lsd];
}

/** Something to share. */
export interface SharedFile {
  readonly infoHash: string;
  /** The folder that holds the file. */
  readonly dir: string;
  readonly name: string;
  readonly torrent: string;
  /** Nothing but the hash. */
  readonly magnet: string;
  /** With the trackers. */
  readonly magnetWithTrackers: string;
}

/** How a file is made. */
export interface SharedFileOptions {
  readonly bytes?: number;
  readonly trackers?: readonly string[];
  readonly isPrivate?: boolean;
}

/** An announce or a lookup that a host sent. */
export interface SeenAnnounce {
  readonly way: 'lan' | 'dht-lookup' | 'dht-announce' | 'ready';
  readonly from: string;
  readonly infoHash: string;
}

/** Sees what hosts tell of torrents. */
export class AnnounceWatch {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  get seen(): readonly SeenAnnounce[] {
    return this.#child.lines.map((line) => JSON.parse(line) as SeenAnnounce);
  }

  /** How often a host told of this torrent by this way. */
  count(way: SeenAnnounce['way'], from: string, infoHash: string): number {
    const fits = (one: SeenAnnounce): boolean =>
      one.way === way && one.from === from && one.infoHash === infoHash;
    return this.seen.filter(fits).length;
  }

  /** Resolves when a host told of this torrent more than `before` times. */
  async more(way: SeenAnnounce['way'], from: string, infoHash: string, before = 0): Promise<void> {
    await this.#child.waitFor(`${way} announce of ${from}`, () =>
      this.count(way, from, infoHash) > before ? true : undefined,
    );
  }

  async ready(): Promise<this> {
    await this.#child.waitFor('watch', () => this.seen[0]);
    return this;
  }
}

/** Hosts at a switch, and what runs on them. */
export class Neighbourhood {
  readonly #bed: TestBed;
  readonly network: SwitchedNetwork;
  #files = 0;

  constructor(bed: TestBed, hosts: number) {
    this.#bed = bed;
    this.network = makeSwitch(bed, hosts);
  }

  /** The address of a host. */
  host(index: number): string {
    return this.network.hosts[index]!.address;
  }

  /** Where the program of a host listens. */
  at(index: number): string {
    return `${this.host(index)}:${FIRST_PORT + index}`;
  }

  /** The URL of a tracker on this host. */
  trackerUrl(index: number): string {
    return `udp://${this.host(index)}:${TRACKER_PORT}/announce`;
  }

  /** Makes a file and a torrent of it. */
  async share(options: SharedFileOptions = {}): Promise<SharedFile> {
    const { bytes: length = 1_500_017, trackers = [], isPrivate = false } = options;
    this.#files += 1;
    const name = `file-${this.#files}.bin`;
    const dir = this.#bed.dir(`original-${this.#files}`);
    writeFile(join(dir, name), length, this.#files);
    const { bytes, metainfo } = await createTorrent(join(dir, name), {
      version: 'v1',
      pieceLengthBytes: 16_384,
      trackers: trackers.map((url) => [url]),
      isPrivate,
    });
    const torrent = join(dir, '..', `${name}.torrent`);
    writeFileSync(torrent, bytes);
    const { infoHashV1 } = describeSource({ kind: 'metainfo', metainfo });
    const magnet = `magnet:?xt=urn:btih:${infoHashV1}`;
    const urls = trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('');
    return {
      infoHash: infoHashV1!,
      dir,
      name,
      torrent,
      magnet,
      magnetWithTrackers: magnet + urls,
    };
  }

  /** Starts a command on a host; if it runs a node, that listens at `at`. */
  start(index: number, args: readonly string[], options: StarlingOptions = {}): Starling {
    return startStarling(this.#bed, [...args, '--listen', this.at(index), '--json'], {
      ...options,
      prefix: this.network.hosts[index]!.prefix,
    });
  }

  /** Starts `get` into a folder of its own. */
  get(index: number, source: string, args: readonly string[], options?: StarlingOptions): Starling {
    const dir = this.#bed.dir(`copy-${index}`);
    return this.start(index, ['get', source, '--dir', dir, ...args], options);
  }

  /** The folder that `get` of a host fills. */
  copy(index: number): string {
    return this.#bed.dir(`copy-${index}`);
  }

  /** Starts a command that serves, and waits until it does. */
  serve(index: number, args: readonly string[], options?: StarlingOptions): Promise<RunningSeed> {
    const { prefix } = this.network.hosts[index]!;
    const more = { ...options, prefix };
    return startServing(this.#bed, [...args, '--listen', this.at(index)], more);
  }

  /** Starts the seed of a file. */
  seed(
    index: number,
    { torrent, dir }: SharedFile,
    args: readonly string[],
    options?: StarlingOptions,
  ): Promise<RunningSeed> {
    return this.serve(index, ['seed', torrent, '--dir', dir, ...args], options);
  }

  /** Starts a node that stands in the DHT and knows nothing of the file: it seeds something else. */
  async dhtNode(index: number, ...args: readonly string[]): Promise<Starling> {
    const other = await this.share({ bytes: 20_000 });
    return (await this.seed(index, other, [...only('dht'), ...args])).starling;
  }

  /** Starts a tracker. */
  async tracker(index: number): Promise<Starling> {
    const listen = `${this.host(index)}:${TRACKER_PORT}`;
    const { prefix } = this.network.hosts[index]!;
    const args = ['tracker', '--listen', listen, '--json'];
    const tracker = startStarling(this.#bed, args, { prefix });
    await tracker.event('tracking');
    return tracker;
  }

  /** Starts to watch what hosts tell of torrents. */
  watch(python: string): Promise<AnnounceWatch> {
    const [program, ...args] = [...this.network.prefix, python, WATCH];
    return new AnnounceWatch(this.#bed.start(program!, args)).ready();
  }
}

/** Hosts that a program connected with, by either end's dial. */
export function hostsMet({ events }: Starling): Set<string> {
  const addresses = events.filter(({ type }) => type === 'peer-connected').map(addressOf);
  return new Set(addresses.map((address) => address.slice(0, address.lastIndexOf(':'))));
}

/** The address of an event. */
export function addressOf({ address }: StarlingEvent): string {
  return String(address);
}

/** Pieces that a program has reported. */
export function piecesOf({ events }: Starling): number {
  return events.filter(({ type }) => type === 'piece').length;
}

/** How a program found the peers that it dialled. */
export function sourcesOf({ events }: Starling): Set<string> {
  const connected = events.filter(({ type }) => type === 'peer-connected');
  return new Set(connected.map(({ source }) => String(source)).filter((one) => one !== 'incoming'));
}
