/**
 * libtorrent as a DHT node without torrents, which puts and gets items (BEP 44) when told to.
 * @module
 */
import { join } from 'node:path';
import { type Child, freePort, type TestBed } from './cli-child.ts';
import { PYTHON } from './libtorrent.ts';

const SCRIPT = join(import.meta.dirname, 'libtorrent-peer.py');

/** A line of the script. */
interface Line {
  readonly type: string;
  readonly target?: string;
  readonly nodes?: number;
  readonly value?: string;
  readonly seq?: number;
  readonly salt?: string;
}

/** Whose item, and which of the owner's. */
export interface ItemName {
  /** The public key, hex. */
  readonly key: string;
  readonly salt: string;
}

/** A running node. */
export class LibtorrentNode {
  readonly address: string;
  readonly child: Child;

  constructor(child: Child, address: string) {
    this.child = child;
    this.address = address;
  }

  /** Resolves when it has joined; one that began without others never has. */
  async joined(): Promise<void> {
    await this.#line('bootstrapped', 0);
  }

  /** Resolves when it can be asked. */
  async listens(): Promise<void> {
    await this.#line('listening', 0);
  }

  /** @returns the target. */
  async put(value: string): Promise<string> {
    const line = await this.#call({ call: 'put', value }, 'stored');
    return line.target!;
  }

  /** @returns the text, empty when nothing is found. */
  async get(target: string): Promise<string> {
    return (await this.#call({ call: 'get', target }, 'item')).value!;
  }

  /** Puts with the number after the one that it finds. @param seed the secret key, hex. */
  putMutable(seed: string, name: ItemName, value: string): Promise<Line> {
    return this.#call({ call: 'putMutable', seed, ...name, value }, 'stored');
  }

  /** Looks until it finds the item with this number. */
  getMutable(name: ItemName, seq: number): Promise<Line> {
    return this.#call({ call: 'getMutable', ...name }, 'signed', (line) => line.seq === seq);
  }

  #call(job: object, type: string, fits?: (line: Line) => boolean): Promise<Line> {
    const from = this.child.lines.length;
    this.child.write(`${JSON.stringify(job)}\n`);
    return this.#line(type, from, fits);
  }

  #line(type: string, from: number, fits: (line: Line) => boolean = () => true): Promise<Line> {
    return this.child.waitFor(`"${type}" of libtorrent`, () =>
      this.child.lines
        .slice(from)
        .map((text) => JSON.parse(text) as Line)
        .find((line) => line.type === type && fits(line)),
    );
  }
}

/** Starts a node. @param dht nodes to begin with. */
export async function startLibtorrentNode(
  bed: TestBed,
  dht: readonly string[],
  host = '127.0.0.1',
): Promise<LibtorrentNode> {
  const port = await freePort(host);
  const job = { node: true, host, port, dht };
  const node = new LibtorrentNode(
    bed.start(PYTHON, [SCRIPT, JSON.stringify(job)]),
    `${host}:${port}`,
  );
  if (dht.length > 0) await node.joined();
  else await node.listens();
  return node;
}
