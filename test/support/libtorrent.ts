/**
 * libtorrent as a peer and as a maker of torrents, through its Python binding.
 * @module
 */
import { join } from 'node:path';
import { type Child, freePort, type TestBed, waitForPort } from './cli-child.ts';

/** Debian's Python, where python3-libtorrent lives. */
export const PYTHON = '/usr/bin/python3';
const SCRIPT = join(import.meta.dirname, 'libtorrent-peer.py');

/** A line of the script. */
interface Line {
  readonly type: string;
  readonly name: string;
  readonly infoHashV1?: string;
  readonly infoHashV2?: string;
}

/** A running libtorrent. */
export interface Libtorrent {
  readonly port: number;
  readonly address: string;
  readonly child: Child;
  /** The torrent's name and info-hashes, once known. */
  readonly metadata: () => Promise<Line>;
  /** Resolves when all is there and checked. */
  readonly complete: () => Promise<void>;
}

/** How libtorrent is run. */
export interface LibtorrentOptions {
  readonly peers?: readonly string[];
  readonly uploadLimit?: number;
  /** Words before the program's name, for a network namespace. */
  readonly prefix?: readonly string[];
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string;
  /** Local discovery, default false. */
  readonly lsd?: boolean;
  /** DHT nodes to begin with; default: no DHT. */
  readonly dht?: readonly string[];
}

/** Starts libtorrent with a torrent file or a magnet link, seeding what is in `dir` already. */
export async function startLibtorrent(
  bed: TestBed,
  source: string,
  dir: string,
  options: LibtorrentOptions = {},
): Promise<Libtorrent> {
  const { prefix = [], host = '127.0.0.1' } = options;
  const port = await freePort();
  const job = JSON.stringify({ source, dir, port, ...options });
  const [program, ...args] = [...prefix, PYTHON, SCRIPT, job];
  const child = bed.start(program!, args);
  await waitForPort(port, host);
  const line = (type: string): Promise<Line> =>
    child.waitFor(`"${type}" of libtorrent`, () =>
      child.lines.map((text) => JSON.parse(text) as Line).find((one) => one.type === type),
    );
  return {
    port,
    address: `${host}:${port}`,
    child,
    metadata: () => line('metadata'),
    complete: async () => {
      await line('seeding');
    },
  };
}

/** Makes a torrent with libtorrent. @param isCanonical files sorted by name and no pad after the last, as we do it. */
export async function createWithLibtorrent(
  bed: TestBed,
  path: string,
  flags: 'v1' | 'v2' | 'hybrid',
  pieceLength = 0,
  isCanonical = false,
): Promise<Line & { readonly file: string }> {
  const out = join(bed.root, `libtorrent-${flags}.torrent`);
  const job = { create: path, out, flags, pieceLength, isCanonical };
  const exit = await bed.start(PYTHON, [SCRIPT, JSON.stringify(job)]).exit();
  if (exit.code !== 0) throw new Error(`libtorrent could not make a torrent: ${exit.stderr}`);
  return { ...(JSON.parse(exit.stdout) as Line), file: out };
}
