/**
 * The DHT without torrents: one read-only node (BEP 43) for as long as a command takes, with its own socket: it will be gone before anybody could ask it.
 * Not here: which command (src/cli/commands/dht.ts).
 * @module
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { nodeEd25519 } from '../io/crypto.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { type MutableItem, signItem } from '../protocol/dht/index.ts';
import { familiesOf, formatEndpoint, parseEndpoint } from './address.ts';
import { DEFAULT_PORT, defaultHome, isOffline } from './config.ts';
import { DhtService } from './dht-service.ts';
import { nodeError } from './errors.ts';
import { UdpDoor } from './udp-door.ts';

// Implementation limits
const SEED_BYTES = 32;
/** How long it gets to know ENOUGH_NODES after the first answer: a dead node holds a question up for a second, and one may follow the other. */
const SETTLE_MS = 3_000;
const ENOUGH_NODES = 8;
/** Only its owner may read a key. */
const KEY_MODE = 0o600;

/** Options of `openDht`. */
export interface DhtClientOptions {
  /** "HOST:PORT"; default: port 6881 or a free one, on all addresses of IPv4 (offline: on loopback). */
  readonly listen?: string;
  /** DHT nodes to begin with, "HOST:PORT". */
  readonly bootstrap?: readonly string[];
  /** Folder for state; default STARLING_HOME or the platform's data folder. */
  readonly home?: string;
  /** Default: STARLING_OFFLINE. */
  readonly isOffline?: boolean;
}

/** A DHT node of its own. Dispose it. */
export class DhtClient implements AsyncDisposable {
  readonly dht: DhtService;
  readonly #udp: UdpDoor;

  private constructor(udp: UdpDoor, dht: DhtService) {
    this.#udp = udp;
    this.dht = dht;
  }

  /** Starts, and waits until nodes answered or `patienceMs` have passed. @throws {AppError} ERR_CONFIG, ERR_LISTEN. */
  static async open(options: DhtClientOptions, patienceMs: number): Promise<DhtClient> {
    const { bootstrap = [], home = defaultHome() } = options;
    for (const node of bootstrap) parseEndpoint(node, '--bootstrap');
    const offline = options.isOffline ?? isOffline();
    const policy = new ReachPolicy({ offline, givenSubnets: bootstrap });
    const fallback = { host: offline ? '127.0.0.1' : '0.0.0.0', port: DEFAULT_PORT };
    const { listen } = options;
    if (listen !== undefined) policy.giveSubnet(listen);
    const at = listen === undefined ? fallback : parseEndpoint(listen, '--listen', DEFAULT_PORT);
    const udp = new UdpDoor(at.host, at.port);
    const families = familiesOf(at.host);
    const dht = new DhtService({ udp, policy, families, home, bootstrap, isReadOnly: true });
    await dht.start();
    const port = dht.port(families.at(-1)!);
    // Another port is as good, unless this one was asked for.
    const isTaken = port !== undefined && listen !== undefined && at.port !== 0 && port !== at.port;
    if (port === undefined || isTaken) {
      dht.close();
      await udp.close();
      const code = isTaken ? 'EADDRINUSE' : 'EADDRNOTAVAIL';
      throw nodeError('ERR_LISTEN', { endpoint: formatEndpoint(at), code });
    }
    // The first node may be one that knows no items (BEP 44), as aria2: a lookup that began with it alone would end there.
    if (await dht.ready(patienceMs)) await dht.settle(SETTLE_MS, ENOUGH_NODES);
    return new DhtClient(udp, dht);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dht.close();
    await this.#udp.close();
  }
}

/**
 * The seed of the key that signs this node's own items, made at first use. @param file default: `dht.key` in the home folder.
 * @throws {AppError} ERR_CONFIG for a file that holds none; ERR_FILE.
 */
export function publisherSeed(home: string = defaultHome(), file?: string): Uint8Array {
  const at = file ?? path.join(home, 'dht.key');
  const bytes = orFileError(at, 'read', () => readFileIfThere(at));
  if (bytes === undefined) {
    const seed = new Uint8Array(randomBytes(SEED_BYTES));
    orFileError(at, 'write', () => writeFileAtomic(at, seed, KEY_MODE));
    return seed;
  }
  if (bytes.length === SEED_BYTES) return new Uint8Array(bytes);
  throw nodeError('ERR_CONFIG', {
    what: at,
    expected: 'a key of 32 bytes',
    got: `${bytes.length}`,
  });
}

function orFileError<T>(file: string, operation: 'read' | 'write', work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    throw nodeError('ERR_FILE', { path: file, code, operation }, error);
  }
}

/** Signs an item. @throws RangeError beyond the bounds of BEP 44. */
export function signDhtItem(
  seed: Uint8Array,
  seq: number,
  value: Uint8Array,
  salt: Uint8Array,
): MutableItem {
  return signItem(nodeEd25519, seed, seq, value, salt);
}

/** The public key, 32 bytes, of a seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return nodeEd25519.publicKey(seed);
}
