/**
 * aria2 as a peer: one daemon a torrent, driven by its JSON-RPC on loopback.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, poll, type TestBed, waitForPort } from './cli-child.ts';

interface Download {
  readonly gid: string;
  readonly status: string;
  readonly totalLength: string;
  readonly completedLength: string;
  readonly errorMessage?: string;
  readonly infoHash?: string;
  readonly seeder?: string;
  readonly bittorrent?: { readonly info?: { readonly name: string } };
}

/** A running aria2. */
export interface Aria2 {
  readonly port: number;
  readonly address: string;
  /** Resolves when all is there. */
  readonly complete: () => Promise<void>;
}

/** How aria2 is run. */
export interface Aria2Options {
  /** Peer exchange, default false. */
  readonly pex?: boolean;
  /** A DHT node to begin with; default: it knows none. */
  readonly dht?: string;
}

/** Starts aria2 with a torrent file or a magnet link, seeding what is in `dir` already. */
export async function startAria2(
  bed: TestBed,
  source: string,
  dir: string,
  options: Aria2Options = {},
): Promise<Aria2> {
  const [port, rpcPort] = [await freePort(), await freePort()];
  const child = bed.start('aria2c', [
    '--no-conf=true',
    '--enable-rpc=true',
    `--rpc-listen-port=${rpcPort}`,
    `--dir=${dir}`,
    `--listen-port=${port}`,
    // Without its DHT aria2 asks no UDP tracker; when it knows no node, it calls nobody.
    '--enable-dht=true',
    ...(options.dht === undefined ? [] : [`--dht-entry-point=${options.dht}`]),
    `--dht-listen-port=${port}`,
    `--dht-file-path=${join(bed.home(), 'dht.dat')}`,
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    `--enable-peer-exchange=${options.pex === true}`,
    '--bt-hash-check-seed=true',
    '--check-integrity=true',
    '--allow-overwrite=true',
    '--seed-ratio=0.0',
    '--file-allocation=none',
    '--disable-ipv6=true',
    '--bt-tracker-interval=2',
    `--stop-with-process=${process.pid}`,
  ]);
  const call = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${rpcPort}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: `aria2.${method}`, params }),
    });
    const reply = (await response.json()) as { result?: T; error?: { message: string } };
    if (reply.error !== undefined) throw new Error(`aria2: ${reply.error.message}`);
    return reply.result as T;
  };
  await waitForPort(rpcPort);
  if (source.startsWith('magnet:')) await call('addUri', [source]);
  else await call('addTorrent', readFileSync(source).toString('base64'));
  await waitForPort(port);
  const downloads = async (): Promise<Download[]> => [
    ...(await call<Download[]>('tellActive')),
    ...(await call<Download[]>('tellStopped', 0, 10)),
  ];
  const complete = async (): Promise<void> => {
    await poll(`complete download of aria2 (${child.stderr})`, async () => {
      const list = await downloads();
      return list.find(
        (one) =>
          one.bittorrent?.info !== undefined &&
          one.completedLength === one.totalLength &&
          (one.seeder === 'true' || one.status === 'complete'),
      );
    });
  };
  return { port, address: `127.0.0.1:${port}`, complete };
}
