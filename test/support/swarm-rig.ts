/**
 * A swarm core on a desk: connections by hand, every word that it says by peer, time that passes in ticks.
 * @module
 */
import assert from 'node:assert/strict';
import type { Bitfield } from '../../src/lib/bitfield.ts';
import { Rng } from '../../src/lib/rng.ts';
import { type Info, parseMetainfo } from '../../src/protocol/metainfo/index.ts';
import {
  BLOCK_BYTES,
  DONT_HAVE_EXTENSION,
  decodeExtendedHandshake,
  decodeMessage,
  decodePex,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  encodePex,
  type Message,
  MessageWriter,
  makeReserved,
  PEX_EXTENSION,
  type PexMessage,
} from '../../src/protocol/peer-wire/index.ts';
import {
  type PeerAddress,
  Swarm,
  type SwarmEvent,
  type SwarmOptions,
  type SwarmOutput,
} from '../../src/protocol/swarm/index.ts';
import { nodeCrypto } from './node-crypto.ts';
import { makeTorrent } from './torrents.ts';

/** Ids under which the peers of a rig take extension messages. */
export const RIG_PEX_ID = 11;
export const RIG_DONT_HAVE_ID = 12;
/** Port of the core. */
export const RIG_PORT = 7_000;

/** A v1 torrent of one file with pieces of two blocks. */
export function rigTorrent(pieceCount = 4, isPrivate = false): Info {
  const bytes = new Rng(1).bytes(pieceCount * 2 * BLOCK_BYTES);
  const plan = { name: 'a', isSingleFile: true, version: 'v1' } as const;
  const options = { ...plan, pieceLengthBytes: 2 * BLOCK_BYTES };
  const made = makeTorrent([{ path: ['a'], bytes }], options, { isPrivate });
  const parsed = parseMetainfo(made.bytes, nodeCrypto);
  assert(parsed.ok);
  return parsed.value.info;
}

/** How a peer connects. */
export interface RigPeer {
  readonly address: PeerAddress;
  /** The dial that this answers; absent: it came by itself. */
  readonly dial?: number;
  readonly peerId?: Uint8Array;
  readonly fast?: boolean;
  readonly isWebSeed?: boolean;
  /** It has a DHT node. */
  readonly dht?: boolean;
  /** Its extension handshake; default: it offers ut_pex and lt_donthave and tells no port. */
  readonly handshake?: Partial<ExtendedHandshake>;
}

/** A core and what it says. */
export class SwarmRig {
  readonly swarm: Swarm;
  readonly info: Info;
  readonly outputs: SwarmOutput[] = [];
  nowMs = 0;
  readonly #said = new Map<number, Message[]>();
  readonly #open = new Set<number>();
  #nextId = 1;

  constructor(
    options: Partial<SwarmOptions> & {
      readonly info?: Info;
      readonly have?: Bitfield;
      readonly isMagnet?: boolean;
    } = {},
  ) {
    const { info = rigTorrent(), have, isMagnet, ...rest } = options;
    this.info = info;
    this.swarm = new Swarm(0, {
      infoHashV1: info.infoHashV1!,
      peerId: new Uint8Array(20).fill(100),
      crypto: nodeCrypto,
      rng: new Rng(7),
      listenPort: RIG_PORT,
      clientName: 'rig',
      ...rest,
    });
    if (isMagnet !== true) this.setTorrent(have);
  }

  setTorrent(have?: Bitfield): void {
    this.swarm.setTorrent(this.nowMs, this.info, new Map(), have);
    this.drain();
  }

  /** Exchanges handshakes. @returns the number of the connection. */
  connect(peer: RigPeer): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#open.add(id);
    this.swarm.handleConnected(this.nowMs, {
      id,
      address: peer.address,
      isIncoming: peer.dial === undefined && peer.isWebSeed !== true,
      isWebSeed: peer.isWebSeed === true,
      ...(peer.dial === undefined ? {} : { dial: peer.dial }),
      reserved: makeReserved({ fast: peer.fast ?? true, extension: true, dht: peer.dht === true }),
      peerId: peer.peerId ?? new Rng(id).bytes(20),
      infoHash: this.info.infoHashV1!,
    });
    this.receive(id, (writer) => writer.extended(0, handshakeOf(peer.handshake)));
    return id;
  }

  /** The dial of an address that was asked for, answered. */
  connectDialled(address: PeerAddress, peer: Omit<RigPeer, 'address' | 'dial'> = {}): number {
    const found = this.dials().find(
      (dial) => dial.address.host === address.host && dial.address.port === address.port,
    );
    assert(found !== undefined, `${address.host}:${address.port} was dialled`);
    return this.connect({ ...peer, address, dial: found.dial });
  }

  /** Adds an address, dials it and answers. */
  connectOut(address: PeerAddress, peer: Omit<RigPeer, 'address' | 'dial'> = {}): number {
    this.swarm.addPeers(this.nowMs, [address], 'tracker');
    this.drain();
    return this.connectDialled(address, peer);
  }

  receive(id: number, write: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter();
    write(writer);
    for (const bytes of split(writer.take())) this.swarm.handleMessage(this.nowMs, id, bytes);
    this.drain();
  }

  /** A message of peer exchange comes. */
  hear(id: number, message: PexMessage): void {
    this.receive(id, (writer) => writer.extended(this.exchangeId(), encodePex(message)));
  }

  /** The id under which the core takes ut_pex, whether it offered it or not. */
  exchangeId(): number {
    return 2;
  }

  close(id: number): void {
    this.#open.delete(id);
    this.swarm.handleClosed(this.nowMs, id, 'closed by the peer');
    this.drain();
  }

  /** Lets time pass in ticks; every peer keeps its connection alive. */
  wait(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 500;
      for (const id of this.#open) {
        if (this.nowMs % 60_000 === 0) this.swarm.handleMessage(this.nowMs, id, new Uint8Array(0));
      }
      this.swarm.handleTimeout(this.nowMs);
      this.drain();
    }
  }

  drain(): void {
    for (;;) {
      const output = this.swarm.poll(this.nowMs);
      if (output === undefined) return;
      this.outputs.push(output);
      if (output.type === 'close') this.#open.delete(output.id);
      if (output.type !== 'transmit') continue;
      const said = this.#said.get(output.id) ?? [];
      this.#said.set(output.id, said);
      for (const bytes of split(output.bytes)) {
        const decoded = decodeMessage(bytes.slice());
        assert(decoded.ok);
        said.push(decoded.value);
      }
    }
  }

  /** What was said to a peer since this was asked last. */
  said(id: number): Message[] {
    const said = this.#said.get(id) ?? [];
    this.#said.set(id, []);
    return said;
  }

  /** Messages of peer exchange to a peer since anything was asked of it last. */
  told(id: number): PexMessage[] {
    return this.said(id).flatMap((message) => {
      if (message.type !== 'extended' || message.id !== RIG_PEX_ID) return [];
      const decoded = decodePex(message.payload);
      assert(decoded.ok);
      return [decoded.value];
    });
  }

  /** The extension handshakes to a peer since anything was asked of it last. */
  handshakes(id: number): ExtendedHandshake[] {
    return this.said(id).flatMap((message) => {
      if (message.type !== 'extended' || message.id !== 0) return [];
      const decoded = decodeExtendedHandshake(message.payload);
      assert(decoded.ok);
      return [decoded.value];
    });
  }

  /** Every dial so far. */
  dials(): Extract<SwarmOutput, { type: 'dial' }>[] {
    return this.outputs.filter((output) => output.type === 'dial');
  }

  /** Addresses dialled so far, as text. */
  dialled(): string[] {
    return this.dials().map(({ address }) => `${address.host}:${address.port}`);
  }

  /** Why a connection was closed from this side; undefined while it was not. */
  closeReason(id: number): string | undefined {
    for (const output of this.outputs) {
      if (output.type === 'close' && output.id === id) return output.reason;
    }
    return undefined;
  }

  events<T extends SwarmEvent['type']>(type: T): Extract<SwarmEvent, { type: T }>[] {
    return this.outputs.flatMap((output) =>
      output.type === 'event' && output.event.type === type
        ? [output.event as Extract<SwarmEvent, { type: T }>]
        : [],
    );
  }
}

function handshakeOf(handshake: Partial<ExtendedHandshake> = {}): Uint8Array {
  const extensions = new Map([
    [PEX_EXTENSION, RIG_PEX_ID],
    [DONT_HAVE_EXTENSION, RIG_DONT_HAVE_ID],
  ]);
  return encodeExtendedHandshake({ extensions, ...handshake });
}

function split(bytes: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}
