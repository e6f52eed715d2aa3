/**
 * The one TCP port before anybody has shown who he is: lives of connections that come, say any first bytes, are closed, or turn out to be somebody.
 * Beside the doorman a model counts places; each connection goes to one reader, with all its bytes, or is closed.
 * @module
 */
import type { TcpConnection } from '../../src/io/tcp.ts';
import { equalBytes } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { Doorman } from '../../src/node/channel/doorman.ts';
import { Choices } from './peer-connection/choices.ts';

const MOST = 200;
const MOST_OF_HOST = 16;
const MOST_OF_NETWORK = 48;
/** Of one address at once, after a rest; a life takes no time to speak of. */
const BURST = 40;
const HOSTS = [
  '127.0.0.1',
  ...Array.from({ length: 40 }, (_, i) => `203.0.113.${i}`),
  ...Array.from({ length: 60 }, (_, i) => `198.51.${i}.7`),
  '2001:db8::1',
  '2001:db8:0:1::1',
  '2001:db8:1::1',
];
/** What the port tells apart, and what it does not know. */
const FIRST_BYTES = [22, 0x53, 19, 0, 255, 0x47];

type Handlers = Parameters<TcpConnection['attach']>[0];

/** As much of a connection as the doorman sees. */
class Visitor {
  readonly remote: { readonly host: string; readonly port: number };
  isClosed = false;
  takenBy: 'tls' | 'relay' | 'wire' | undefined;
  settle: (() => void) | undefined;
  said: Uint8Array | undefined;
  heard: Uint8Array | undefined;
  #handlers: Handlers | undefined;

  constructor(host: string) {
    this.remote = { host, port: 1 };
  }

  get network(): string {
    const { host } = this.remote;
    if (!host.includes(':')) return host.slice(0, host.lastIndexOf('.'));
    return host.startsWith('2001:db8:1:') ? '2001:db8:1' : '2001:db8:0';
  }

  attach(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  deliver(bytes: Uint8Array): void {
    if (this.takenBy === 'wire') this.heard = bytes;
    else this.#handlers?.onData(Buffer.from(bytes));
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#handlers?.onClose(undefined);
  }
}

function live(choices: Choices): void {
  const visitors: Visitor[] = [];
  /** Those that hold a place, longest waiting first. */
  let places: Visitor[] = [];
  const admitted = new Map<string, number>();
  const take =
    (by: 'tls' | 'relay') =>
    (connection: TcpConnection, early: Uint8Array): Promise<void> => {
      const visitor = connection as unknown as Visitor;
      visitor.takenBy = by;
      visitor.heard = early;
      // Settled when the life says so, not in a later turn of the loop.
      const later = {
        finally(settle: () => void) {
          visitor.settle = settle;
        },
      };
      return later as unknown as Promise<void>;
    };
  const speaksTls = !choices.oneIn(4);
  const isRelay = !choices.oneIn(4);
  const doorman = new Doorman({
    isExempt: (host) => host === '127.0.0.1',
    onTls: () => (speaksTls ? take('tls') : undefined),
    onRelayed: () => (isRelay ? take('relay') : undefined),
    onWire: (connection, settle) => {
      const visitor = connection as unknown as Visitor;
      visitor.takenBy = 'wire';
      visitor.settle = settle;
    },
    onRefused: () => {},
  });
  const leave = (visitor: Visitor | undefined): void => {
    places = places.filter((one) => one !== visitor);
  };
  const come = (): void => {
    const visitor = new Visitor(choices.of(HOSTS)!);
    const { remote, network } = visitor;
    const ofHost = places.filter((one) => one.remote.host === remote.host).length;
    const ofNetwork = places.filter((one) => one.network === network).length;
    const isExempt = remote.host === '127.0.0.1';
    const isCrowded = ofHost >= MOST_OF_HOST || ofNetwork >= MOST_OF_NETWORK;
    const before = admitted.get(remote.host) ?? 0;
    const first = places[0];
    doorman.admit(visitor as unknown as TcpConnection);
    if (visitor.isClosed) {
      if (isExempt || !(isCrowded || before >= BURST)) throw new Error('expected a place');
      return;
    }
    if (isCrowded && !isExempt) throw new Error(`expected no place for ${remote.host}`);
    admitted.set(remote.host, before + 1);
    if (places.length >= MOST) {
      if (first?.isClosed === false) throw new Error('expected the longest waiting to give way');
      leave(first);
    }
    places.push(visitor);
    visitors.push(visitor);
  };
  const speak = (visitor: Visitor): void => {
    if (visitor.said !== undefined || visitor.isClosed) return;
    const first = choices.of(FIRST_BYTES)!;
    const said = Uint8Array.of(first, ...Array(choices.below(4)).fill(choices.below(256)));
    visitor.said = said;
    visitor.deliver(said);
    const by = first === 22 && speaksTls ? 'tls' : first === 0x53 && isRelay ? 'relay' : 'wire';
    if (visitor.takenBy !== by) throw new Error(`expected ${by}, got ${visitor.takenBy}`);
    if (visitor.heard === undefined || !equalBytes(visitor.heard, said)) {
      throw new Error('expected the first bytes to be passed on');
    }
  };
  const settle = (visitor: Visitor): void => {
    if (visitor.settle === undefined) return;
    visitor.settle();
    // More than once is once.
    visitor.settle();
    leave(visitor);
  };
  for (let steps = 0; !choices.isDone && steps < 600; steps += 1) {
    const visitor = visitors[choices.below(Math.max(1, visitors.length))];
    const move = choices.below(8);
    if (move < 4 || visitor === undefined) come();
    else if (move < 6) speak(visitor);
    else if (move === 6) settle(visitor);
    else {
      visitor.destroy();
      // Whoever took it over lets go of it by itself.
      if (visitor.takenBy !== undefined) settle(visitor);
      leave(visitor);
    }
    if (doorman.pendingCount !== places.length || places.length > MOST) {
      throw new Error(`expected ${places.length} places to be taken, got ${doorman.pendingCount}`);
    }
  }
  for (const visitor of visitors) {
    visitor.destroy();
    visitor.settle?.();
  }
  if (doorman.pendingCount !== 0) throw new Error('expected no place to be held at the end');
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'doorman',
  seeds: [
    new Uint8Array(0),
    // More than all places, from many networks.
    Uint8Array.from({ length: 1_200 }, (_, i) => [0, 0, 41 + (Math.floor(i / 3) % 60)][i % 3]!),
  ],
  run: (bytes) => live(new Choices(bytes)),
  generate: (rng) => rng.bytes(rng.below(rng.below(16) === 0 ? 1_800 : 120)),
};
