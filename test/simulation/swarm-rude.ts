/**
 * Peers without manners: each kind bothers a leech in its own way, for as long as it is let; the download completes from the others at about the
 * speed it would have without them, and what each may do is bounded.
 * @module
 */
import assert from 'node:assert/strict';
import type { Rng } from '../../src/lib/rng.ts';
import {
  BLOCK_BYTES,
  encodeExtendedHandshake,
  encodeHandshake,
  encodePex,
  type MessageWriter,
  makePeerId,
  makeReserved,
  PEX_FLAG,
  type PexContact,
  type PexMessage,
} from '../../src/protocol/peer-wire/index.ts';
import { OUR_EXCHANGE_ID } from '../../src/protocol/swarm/connecting.ts';
import type { Host, StreamEnd } from './network.ts';
import type { Scenario } from './scenario.ts';
import { type Chunk, written } from './swarm-link.ts';
import type { SimPeer } from './swarm-node.ts';
import { FAST_LINE, MINUTE_MS } from './swarm-scenarios.ts';
import { type SimTorrent, simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

/** How a kind of rude peer behaves on one connection. */
export interface Behaviour {
  /** Said once after the handshake. */
  readonly greet: (writer: MessageWriter, torrent: SimTorrent) => void;
  /** Said every 100 ms, `count` messages. */
  readonly bother?: (writer: MessageWriter, torrent: SimTorrent, rng: Rng) => number;
  /** Closes the connection after so long. */
  readonly leaveAfterMs?: number;
}

/** Dials its victim, bothers it, and comes back as soon as it was thrown out. */
export class RudePeer {
  readonly #host: Host<Chunk>;
  readonly #victim: SimPeer;
  readonly #torrent: SimTorrent;
  readonly #rng: Rng;
  readonly #behaviour: Behaviour;
  connections = 0;
  messages = 0;

  constructor(world: SwarmWorld, name: string, victim: SimPeer, behaviour: Behaviour) {
    this.#host = world.network.addHost({ name, ...FAST_LINE });
    this.#victim = victim;
    this.#torrent = world.torrent;
    this.#rng = world.rng.fork();
    this.#behaviour = behaviour;
    this.#dial();
  }

  #dial(): void {
    this.#host.dial(
      this.#victim.address,
      (end) => this.#open(end),
      () => this.#comeBack(),
    );
  }

  #comeBack(): void {
    this.#host.network.clock.after(100, () => this.#dial());
  }

  #open(end: StreamEnd<Chunk>): void {
    const { clock } = this.#host.network;
    const { info } = this.#torrent;
    const reserved = makeReserved({ fast: true, extension: true });
    const peerId = makePeerId(this.#rng, '6.6.6');
    const infoHash = info.infoHashV1 ?? info.infoHashV2!.subarray(0, 20);
    let isWelcome = false;
    end.send({ type: 'bytes', bytes: encodeHandshake({ reserved, infoHash, peerId }) }, 68);
    const say = (write: (writer: MessageWriter) => void): void => {
      const bytes = written(write);
      end.send({ type: 'bytes', bytes }, bytes.length);
    };
    const bother = (): void => {
      if (end.isClosed) return;
      let count = 0;
      say((writer) => {
        count = this.#behaviour.bother?.(writer, this.#torrent, this.#rng) ?? 0;
      });
      this.messages += count;
      clock.after(100, bother);
    };
    end.handlers = {
      onChunk: (chunk) => {
        if (isWelcome || chunk.type !== 'bytes') return;
        isWelcome = true;
        this.connections += 1;
        say((writer) => this.#behaviour.greet(writer, this.#torrent));
        bother();
        const { leaveAfterMs } = this.#behaviour;
        if (leaveAfterMs === undefined) return;
        clock.after(leaveAfterMs, () => {
          if (end.isClosed) return;
          end.close();
          this.#comeBack();
        });
      },
      onClosed: () => this.#comeBack(),
    };
  }
}

const nothing = (writer: MessageWriter): void => writer.haveNone();

function repeat(count: number, write: () => void): number {
  for (let i = 0; i < count; i += 1) write();
  return count;
}

/** Contacts that nobody is at. */
export function inventedContacts(rng: Rng): PexMessage {
  const invent = (): PexContact => ({
    host: `10.${200 + rng.below(50)}.${rng.below(256)}.${1 + rng.below(250)}`,
    port: 1 + rng.below(65_535),
    flags: PEX_FLAG.reachable,
  });
  return { added: Array.from({ length: 50 }, invent), dropped: [] };
}

/** What a bitfield of so many bytes says, all of it set. */
function allSet(writer: MessageWriter, bytes: number): void {
  writer.bitfield(new Uint8Array(bytes).fill(0xff));
}

const KINDS: Readonly<Record<string, Behaviour>> = {
  'HAVE spammer': {
    greet: nothing,
    bother: (writer) => repeat(500, () => writer.have(3)),
  },
  'interest toggler': {
    greet: nothing,
    bother: (writer) =>
      2 *
      repeat(250, () => {
        writer.interested();
        writer.notInterested();
      }),
  },
  'request flooder': {
    greet: (writer) => {
      writer.haveNone();
      writer.interested();
    },
    bother: (writer, { info }, rng) =>
      repeat(1000, () => writer.request(rng.below(info.pieceCount), 0, BLOCK_BYTES)),
  },
  'reject flooder': {
    greet: nothing,
    bother: (writer) => repeat(1000, () => writer.reject(0, 0, BLOCK_BYTES)),
  },
  'cancel flooder': {
    greet: nothing,
    bother: (writer) => repeat(1000, () => writer.cancel(0, 0, BLOCK_BYTES)),
  },
  'allowed-fast flooder': {
    greet: nothing,
    bother: (writer, { info }, rng) =>
      repeat(300, () => writer.allowedFast(rng.below(info.pieceCount))),
  },
  'extension flooder': {
    greet: nothing,
    bother: (writer) =>
      repeat(300, () => writer.extended(0, encodeExtendedHandshake({ extensions: new Map() }))),
  },
  'exchange flooder': {
    greet: nothing,
    bother: (writer, _, rng) =>
      repeat(20, () => writer.extended(OUR_EXCHANGE_ID, encodePex(inventedContacts(rng)))),
  },
  'exchange of nonsense': {
    greet: (writer) => {
      writer.haveNone();
      writer.extended(OUR_EXCHANGE_ID, Uint8Array.of(1, 2, 3));
    },
  },
  'hash flooder': {
    greet: nothing,
    bother: (writer, { info }) =>
      repeat(300, () =>
        writer.hashRequest({
          root: info.files[0]!.piecesRoot ?? new Uint8Array(32),
          baseLayer: 0,
          index: 0,
          length: 4,
          proofLayers: 0,
        }),
      ),
  },
  'bitfield of another length': {
    greet: (writer, { info }) => allSet(writer, Math.ceil(info.pieceCount / 8) + 1),
  },
  'bitfield with spare bits': {
    greet: (writer, { info }) => allSet(writer, Math.ceil(info.pieceCount / 8)),
  },
  'piece that does not exist': {
    greet: (writer, { info }) => {
      writer.haveNone();
      writer.have(info.pieceCount);
    },
  },
  'choke-happy liar': {
    greet: (writer) => writer.haveAll(),
    bother: (writer) =>
      2 *
      repeat(100, () => {
        writer.unchoke();
        writer.choke();
      }),
  },
  'liar that serves nothing': {
    greet: (writer) => {
      writer.haveAll();
      writer.unchoke();
    },
  },
  'guest of half a second': {
    greet: (writer) => {
      writer.haveAll();
      writer.unchoke();
    },
    leaveAfterMs: 500,
  },
};

/** Most messages that one connection gets through before it ends: the largest allowance and what is on its way. */
const MESSAGES_PER_CONNECTION = 16_000;

function worldWith(seed: number, names: readonly string[]): [SwarmWorld, SimPeer, RudePeer[]] {
  // Not a multiple of 8 pieces, so that bitfields have spare bits.
  const files = [{ path: ['a'], lengthBytes: 61 * 65_536 - 1000 }];
  const torrent = simTorrent({ seed, files, version: 'hybrid' });
  const world = new SwarmWorld(seed, torrent);
  for (let i = 0; i < 2; i += 1) world.add(`seed ${i}`, { have: 'all' });
  const leech = world.add('leech', { line: FAST_LINE });
  leech.addPeers(world.peers);
  return [world, leech, names.map((name) => new RudePeer(world, name, leech, KINDS[name]!))];
}

function timeToComplete(seed: number, names: readonly string[]): [number, RudePeer[], SwarmWorld] {
  const [world, leech, rude] = worldWith(seed, names);
  world.complete([leech], 5 * MINUTE_MS);
  return [leech.completedMs!, rude, world];
}

/** One kind at a time: slows the download little, and sends a bounded number of messages. */
function oneKind(name: string): (seed: number) => void {
  return (seed) => {
    const [aloneMs] = timeToComplete(seed, []);
    const [botheredMs, [rude], world] = timeToComplete(seed, [name]);
    // A liar may get the last blocks: they are free for others 20 s later at the latest.
    const slackMs = 25_000;
    assert(
      botheredMs < 1.5 * aloneMs + slackMs,
      `${name}: ${botheredMs} ms instead of ${aloneMs} ms`,
    );
    world.clock.run(world.clock.nowMs + 5 * MINUTE_MS);
    const minutes = world.clock.nowMs / MINUTE_MS;
    const { connections, messages } = rude!;
    assert(connections >= 1, 'it was let in at first');
    assert(
      connections <= 21 * (minutes + 1),
      `${name}: ${connections} connections in ${minutes} min`,
    );
    const most = MESSAGES_PER_CONNECTION * (minutes + 1);
    if (KINDS[name]!.bother !== undefined) {
      assert(messages <= most, `${name}: ${messages} messages in ${minutes} min`);
    }
  };
}

function allTogether(seed: number): void {
  const names = Object.keys(KINDS);
  const [aloneMs] = timeToComplete(seed, []);
  const [botheredMs, , world] = timeToComplete(seed, names);
  assert(botheredMs < 2 * aloneMs + 25_000, `${botheredMs} ms instead of ${aloneMs} ms`);
  world.settle();
}

/** Twenty seeds that trickle beside a good one: they cost no more than what they bring. */
function trickle(seed: number): void {
  const time = (slowCount: number): number => {
    const world = new SwarmWorld(seed, simTorrent({ seed }));
    world.add('seed', { have: 'all' });
    const line = { uploadBytesPerSec: 1_000, downloadBytesPerSec: 1_000 };
    for (let i = 0; i < slowCount; i += 1) world.add(`slow ${i}`, { have: 'all', line });
    const leech = world.add('leech', { line: FAST_LINE });
    leech.addPeers(world.peers);
    world.complete([leech], 5 * MINUTE_MS);
    world.settle();
    return leech.completedMs!;
  };
  const [without, withThem] = [time(0), time(20)];
  assert(withThem < 1.2 * without + 3_000, `${withThem} ms with, ${without} ms without`);
}

/** Silent for half a minute, then honest again: it is used again. */
function recovery(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', {
    have: 'all',
    line: { uploadBytesPerSec: 60_000, downloadBytesPerSec: 60_000 },
  });
  const leech = world.add('leech');
  leech.addPeers([source]);
  world.clock.run(10_000);
  const hosts = new Map([[source.host, 1]]);
  world.network.partition((host) => hosts.get(host) ?? 0);
  world.clock.run(40_000);
  assert.deepEqual(
    leech.swarm.peers(world.clock.nowMs).map(({ isSnubbed }) => isSnubbed),
    [true],
  );
  world.network.partition(() => 0);
  world.complete([leech], 4 * MINUTE_MS);
  world.settle();
  assert(leech.swarm.totals.wastedBytes < 0.05 * world.torrent.info.totalBytes);
}

/** Scenarios of bad manners. */
export const rudeScenarios: readonly Scenario[] = [
  ...Object.keys(KINDS).map((name) => ({
    name: `rude: ${name}`,
    run: oneKind(name),
    seeds: 1,
  })),
  { name: 'rude: all together', run: allTogether, seeds: 2 },
  { name: 'trickle', run: trickle },
  { name: 'snub-recovery', run: recovery },
];
