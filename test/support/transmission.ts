/**
 * Transmission as a peer: one daemon with a configuration of its own, driven by its RPC.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from '../../src/protocol/bencode/index.ts';
import { compactEndpoint, type Endpoint } from '../../src/protocol/dht/krpc.ts';
import { type Child, freePort, poll, type TestBed, waitForPort } from './cli-child.ts';

interface TorrentState {
  readonly name: string;
  readonly hashString: string;
  readonly status: number;
  readonly percentDone: number;
  readonly metadataPercentComplete: number;
  readonly leftUntilDone: number;
  readonly errorString: string;
}

// Specification constants: Transmission's RPC
const STATUS_SEEDING = 6;

/** A running Transmission. */
export interface Transmission {
  readonly port: number;
  readonly address: string;
  readonly child: Child;
  /** Resolves when all is there and checked. @returns the v1 info-hash. */
  readonly complete: () => Promise<string>;
  readonly status: () => Promise<TorrentState | undefined>;
}

/** How Transmission is run. */
export interface TransmissionOptions {
  /** Words before the program's name, for a network namespace. */
  readonly prefix?: readonly string[];
  /** Address of its RPC and its peers as this process reaches it. Default 127.0.0.1. */
  readonly host?: string;
  /** Peer exchange, default false. */
  readonly pex?: boolean;
  /** Local discovery, default false. */
  readonly lsd?: boolean;
  /** DHT nodes of an earlier run. Default: no DHT. It looks for torrents once more than 8 answered. */
  readonly dht?: readonly Endpoint[];
}

/** Starts Transmission with a torrent file or a magnet link, seeding what is in `dir` already. */
export async function startTransmission(
  bed: TestBed,
  source: string,
  dir: string,
  options: TransmissionOptions = {},
): Promise<Transmission> {
  const { host = '127.0.0.1', prefix = [] } = options;
  const [port, rpcPort] = [await freePort(), await freePort()];
  const home = bed.home();
  writeFileSync(
    join(home, 'settings.json'),
    JSON.stringify(settings(port, rpcPort, host, dir, options)),
  );
  if (options.dht !== undefined) writeFileSync(join(home, 'dht.dat'), knownNodes(options.dht));
  const [program, ...args] = [...prefix, 'transmission-daemon', '-f', '-g', home];
  const child = bed.start(program!, args, { env: { TRANSMISSION_HOME: home } });
  const call = rpc(`http://${host}:${rpcPort}/transmission/rpc`);
  await waitForPort(rpcPort, host);
  await call('torrent-add', {
    'download-dir': dir,
    paused: false,
    ...(source.startsWith('magnet:')
      ? { filename: source }
      : { metainfo: readFileSync(source).toString('base64') }),
  });
  await waitForPort(port, host);
  const status = async (): Promise<TorrentState | undefined> => {
    const fields =
      'name hashString status percentDone metadataPercentComplete leftUntilDone errorString';
    const reply = await call('torrent-get', { fields: fields.split(' ') });
    return (reply as { torrents: TorrentState[] }).torrents[0];
  };
  const complete = async (): Promise<string> => {
    const one = await poll('complete download of Transmission', async () => {
      const now = await status();
      return now?.status === STATUS_SEEDING && now.leftUntilDone === 0 ? now : undefined;
    });
    return one.hashString;
  };
  return { port, address: `${host}:${port}`, child, complete, status };
}

function settings(
  port: number,
  rpcPort: number,
  host: string,
  dir: string,
  options: TransmissionOptions,
): object {
  return {
    'peer-port': port,
    'bind-address-ipv4': host,
    'rpc-enabled': true,
    'rpc-port': rpcPort,
    'rpc-bind-address': host,
    'rpc-whitelist-enabled': false,
    'rpc-host-whitelist-enabled': false,
    'download-dir': dir,
    'dht-enabled': options.dht !== undefined,
    'lpd-enabled': options.lsd === true,
    'pex-enabled': options.pex === true,
    'utp-enabled': false,
    'port-forwarding-enabled': false,
    'ratio-limit-enabled': false,
    'idle-seeding-limit-enabled': false,
    'rename-partial-files': false,
    'blocklist-enabled': false,
    'start-added-torrents': true,
  };
}

/** The file in which Transmission keeps its DHT between runs. */
function knownNodes(nodes: readonly Endpoint[]): Uint8Array {
  const id = new Uint8Array(randomBytes(20));
  return encode({ id, nodes: Buffer.concat(nodes.map(compactEndpoint)) });
}

/** RPC with the session id that the first answer (409) tells. */
function rpc(url: string): (method: string, args: object) => Promise<unknown> {
  let session = '';
  return async (method, args) => {
    for (;;) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'X-Transmission-Session-Id': session },
        body: JSON.stringify({ method, arguments: args }),
      });
      if (response.status === 409) {
        session = response.headers.get('X-Transmission-Session-Id') ?? '';
        await response.body?.cancel();
        continue;
      }
      const reply = (await response.json()) as { result: string; arguments: unknown };
      if (reply.result !== 'success') throw new Error(`Transmission: ${method}: ${reply.result}`);
      return reply.arguments;
    }
  };
}
