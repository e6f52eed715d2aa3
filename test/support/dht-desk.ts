/**
 * A DHT core on a desk: datagrams by hand, decoded, and time that passes when told to.
 * @module
 */
import assert from 'node:assert/strict';
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  type BencodeDict,
  decodeDict,
  type Encodable,
  encode,
} from '../../src/protocol/bencode/index.ts';
import {
  Dht,
  type DhtEvent,
  type DhtOptions,
  type Endpoint,
} from '../../src/protocol/dht/index.ts';

/** A datagram of the core. */
export interface Sent {
  readonly to: Endpoint;
  readonly message: BencodeDict;
}

/** Where most of what a test says comes from. */
export const ASKER: Endpoint = { host: '50.1.2.3', port: 4_000 };

/** 20 bytes of one letter. */
export function idOf(letter: string): Uint8Array {
  return Buffer.from(letter.repeat(20));
}

/** A core and what it says. */
export class DhtDesk {
  readonly dht: Dht;
  nowMs = 1_000;
  readonly events: DhtEvent[] = [];
  #sent: Sent[] = [];

  constructor(options: Partial<DhtOptions> = {}) {
    this.dht = new Dht(this.nowMs, {
      family: 4,
      crypto: nodeCrypto,
      ed25519: nodeEd25519,
      rng: new Rng(5),
      ...options,
    });
  }

  /** Datagrams since this was asked last. */
  sent(): Sent[] {
    for (let output = this.dht.poll(); output !== undefined; output = this.dht.poll()) {
      if (output.type === 'event') this.events.push(output.event);
      else {
        const decoded = decodeDict(output.bytes);
        assert(decoded.ok, 'sent something that is no dictionary');
        this.#sent.push({ to: output.to, message: decoded.value });
      }
    }
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  receive(bytes: Uint8Array, from: Endpoint = ASKER): Sent[] {
    this.dht.handlePacket(this.nowMs, from, bytes);
    return this.sent();
  }

  /** Asks something. @returns the answer, without what the core asks back. */
  ask(
    name: string,
    args: Record<string, Encodable>,
    from: Endpoint = ASKER,
    more: Record<string, Encodable> = {},
  ): BencodeDict | undefined {
    const query = { a: { id: idOf('q'), ...args }, q: name, t: 'aa', y: 'q', ...more };
    return this.receive(encode(query), from).find(({ message }) => message.text('y') !== 'q')
      ?.message;
  }

  /** Answers a query of the core. */
  answer(
    { to, message }: Sent,
    values: Record<string, Encodable>,
    more: Record<string, Encodable> = {},
  ): Sent[] {
    return this.receive(encode({ r: values, t: message.bytes('t')!, y: 'r', ...more }), to);
  }

  wait(ms: number): Sent[] {
    this.nowMs += ms;
    this.dht.handleTimeout(this.nowMs);
    return this.sent();
  }

  /** Makes a node known: it is pinged and answers. */
  meet(node: Endpoint, id: Uint8Array, more: Record<string, Encodable> = {}): void {
    this.dht.addPeerNode(this.nowMs, node);
    for (const sent of this.sent()) {
      if (sent.message.text('q') === 'ping') this.answer(sent, { id }, more);
    }
    this.sent();
  }
}

/** Code and text of an error. */
export function errorOf(message: BencodeDict | undefined): [number, string] {
  const [code, text] = message?.list('e') ?? [];
  assert(typeof code === 'number' && text instanceof Uint8Array, 'expected an error');
  return [code, Buffer.from(text).toString()];
}
