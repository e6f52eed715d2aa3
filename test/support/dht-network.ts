/**
 * DHT networks for tests, looked at from outside: whom a node knows, and who is announced.
 * @module
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { ReachPolicy } from '../../src/io/reach-policy.ts';
import { fromHex } from '../../src/lib/bytes.ts';
import { DhtService } from '../../src/node/dht-service.ts';
import { UdpDoor } from '../../src/node/udp-door.ts';
import type { DhtItem } from '../../src/protocol/dht/index.ts';
import { decodeKrpc, encodeQuery } from '../../src/protocol/dht/krpc.ts';
import { createTorrentFile, type RunningSeed, startServing } from './cli.ts';
import { type Child, poll, type TestBed } from './cli-child.ts';
import { writeFile } from './content.ts';

// Implementation limits
/** How long an answer is waited for before it is asked again. */
const ANSWER_MS = 500;

/** A node of ours that only stands in the DHT: it seeds what nobody wants. @param number another one for each node of a test. */
export async function standIn(
  bed: TestBed,
  number: number,
  bootstrap: readonly string[] = [],
  host = '127.0.0.1',
): Promise<RunningSeed> {
  const { dir, file } = await unwanted(bed, `stand-in-${number}`, number);
  const given = bootstrap.flatMap((node) => ['--bootstrap', node]);
  return startServing(bed, [
    'seed',
    file,
    '--dir',
    dir,
    '--no-lsd',
    '--listen',
    `${host}:0`,
    ...given,
  ]);
}

/** A torrent for a client that takes part in the DHT only when it has one. */
export async function unwanted(
  bed: TestBed,
  name: string,
  seed: number,
): Promise<{ readonly dir: string; readonly file: string }> {
  const dir = bed.dir(name);
  writeFile(join(dir, `${name}.bin`), 20_000, seed);
  const made = await createTorrentFile(bed, join(dir, `${name}.bin`), 'v1', { out: dir });
  return { dir, file: made.file };
}

/** Waits until everybody knows at least `count` of the others. @param nodes not of aria2: it would take the socket that asks for a node. */
export async function waitUntilKnown(
  nodes: readonly string[],
  others: readonly string[],
  count: number,
  timeoutMs?: number,
): Promise<void> {
  await Promise.all(
    nodes.map((node) => {
      const ask = async (): Promise<true | undefined> => {
        const known = await knownTo(node);
        return others.filter((other) => known.has(other)).length >= count || undefined;
      };
      return poll(`${count} others known to ${node}`, ask, timeoutMs);
    }),
  );
}

/** Tries of a libtorrent node, and how long each may take to know others. */
const LIBTORRENT_TRIES = 4;
const LIBTORRENT_MS = 10_000;

/**
 * libtorrent, once it knows others. It looks around when it starts: when those questions are lost, as on a busy machine, it stays alone for many minutes, and
 * is started again.
 */
export async function settled<T extends { readonly address: string; readonly child: Child }>(
  others: readonly string[],
  start: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const started = await start();
    try {
      await waitUntilKnown([started.address], others, 2, LIBTORRENT_MS);
      return started;
    } catch (error) {
      if (tries === LIBTORRENT_TRIES) throw error;
      await started.child.stop();
    }
  }
}

/** Up to eight nodes that a node tells of. */
async function knownTo(node: string): Promise<ReadonlySet<string>> {
  const [host, port] = node.split(':');
  await using socket = createSocket('udp4');
  const args = { id: Buffer.alloc(20, 1), target: Buffer.alloc(20, 2) };
  const signature = { version: Buffer.from('TEST'), isReadOnly: true };
  const bytes = encodeQuery(
    Buffer.from('tt'),
    'find_node',
    new Map(Object.entries(args)),
    signature,
  );
  const answer = messageOf(socket);
  socket.send(bytes, Number(port), host);
  const decoded = decodeKrpc(await answer);
  if (!decoded.ok || decoded.value.type !== 'response') return new Set();
  return new Set(decoded.value.nodes.map((each) => `${each.host}:${each.port}`));
}

async function messageOf(socket: Socket): Promise<Uint8Array> {
  const [bytes] = await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  return bytes as Uint8Array;
}

/** A node of this process, through which a test sees what the network knows. It stays for the whole test: aria2 takes whoever asks for a node. */
export class Observer {
  readonly #dht: DhtService;

  private constructor(dht: DhtService) {
    this.#dht = dht;
  }

  /** @param bootstrap nodes to begin with, "HOST:PORT". */
  static async join(bed: TestBed, bootstrap: readonly string[]): Promise<Observer> {
    const [host] = bootstrap[0]!.split(':');
    const udp = new UdpDoor(host!, 0);
    const policy = new ReachPolicy({ offline: true, givenSubnets: bootstrap });
    const dht = new DhtService({ udp, policy, families: [4], home: bed.home(), bootstrap });
    bed.onEnd(() => udp.close());
    bed.onEnd(() => dht.close());
    await dht.start();
    return new Observer(dht);
  }

  /** Resolves when so many nodes answered it. */
  async knows(count: number): Promise<void> {
    await poll(`${count} nodes`, () => {
      const { good } = this.#dht.status()[0]!.table;
      return good >= count || undefined;
    });
  }

  /** Stores an item. */
  async put(item: DhtItem): Promise<void> {
    await poll('a node that takes an item', async () => {
      const { stored } = await this.#dht.put(item);
      return stored > 0 || undefined;
    });
  }

  /** Resolves when a peer is announced. @param infoHash hex, of v2 too. */
  async sees(infoHash: string, address: string, timeoutMs?: number): Promise<void> {
    const target = fromHex(infoHash)!.subarray(0, 20);
    const look = async (): Promise<true | undefined> => {
      const { peers } = await this.#dht.peers(target);
      return peers.some(({ host, port }) => `${host}:${port}` === address) || undefined;
    };
    await poll(`announcement of ${address} for ${infoHash}`, look, timeoutMs);
  }
}
