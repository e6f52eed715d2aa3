/**
 * Ways from one process to another, all behind one shape: serve, dial, a pipe for much data, a question and its answer.
 *
 * `node:tls` and `node:net` as the documentation shows them ('data' events, TLS 1.3 and the default cipher as Starling's, a P-256 certificate that both show);
 * Starling's own channels; js-libp2p over TCP with yamux and either of its encrypters, out of a folder that the driver installed.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import type { ChannelService } from '../../src/node/channel/channel-service.ts';
import type { PeerNode } from '../../src/node/index.ts';
import { ROOT } from './hash-rivals.ts';
import { selfSigned } from './self-signed.ts';

/** The rivals' names. */
export type RivalName = 'tcp' | 'tls' | 'starling' | 'libp2p' | 'libp2p-tls';

/** Where a server is. */
export interface Address {
  readonly port: number;
  /** Undefined where nobody proves who they are. */
  readonly peerId?: string;
}

/** A stream of bytes that is open. */
export interface Pipe {
  /** Queues bytes; more may come after `done`. */
  write(bytes: Uint8Array, done: () => void): void;
  /** Hears how many bytes came. */
  onBytes(take: (count: number) => void): void;
  close(): void;
}

/** What a server does with the bytes of a pipe: counts them and answers with one byte in the end, or sends them back. */
export type Service = { readonly countBytes: number } | 'echo';

/** One way. */
export interface Rival {
  serve(service: Service): Promise<Address>;
  /** Resolves when the other end has proved who it is. @returns what closes it. */
  dial(address: Address): Promise<() => Promise<void>>;
  open(address: Address): Promise<Pipe>;
  /** What asks one question of 32 bytes. Undefined: over a pipe. */
  asker?(address: Address): Promise<(question: Uint8Array) => Promise<unknown>>;
  /** Connects as so many different peers. Undefined: by dialling. */
  crowd?(address: Address, count: number): Promise<void>;
}

const HOST = '127.0.0.1';

/** @param modules where js-libp2p is installed. */
export async function rivalOf(name: RivalName, modules: string): Promise<Rival> {
  switch (name) {
    case 'tcp':
      return bare();
    case 'tls':
      return bare(await selfSigned());
    case 'starling':
      return await starling();
    case 'libp2p':
    case 'libp2p-tls':
      return libp2p(modules, name === 'libp2p' ? 'noise' : 'tls');
  }
}

/** Feeds a service. */
function serveBytes(service: Service, answer: (bytes: Uint8Array) => void): (b: Buffer) => void {
  if (service === 'echo') return (bytes) => answer(Uint8Array.from(bytes));
  let left = service.countBytes;
  return (bytes) => {
    left -= bytes.length;
    if (left === 0) answer(Uint8Array.of(1));
  };
}

function bare(credentials?: { key: string; cert: string }): Rival {
  const isSecure = credentials !== undefined;
  const both = { ...credentials, minVersion: 'TLSv1.3', rejectUnauthorized: false } as const;
  const connect = async ({ port }: Address): Promise<net.Socket> => {
    const socket = isSecure
      ? tls.connect({ host: HOST, port, ...both })
      : net.connect({ host: HOST, port });
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return socket.setNoDelay(true);
  };
  return {
    serve: async (service) => {
      const take = (socket: net.Socket): void => {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on(
          'data',
          serveBytes(service, (bytes) => socket.write(bytes)),
        );
      };
      const server = isSecure
        ? tls.createServer({ ...both, requestCert: true }, take)
        : net.createServer(take);
      server.listen(0, HOST);
      await once(server, 'listening');
      return { port: (server.address() as net.AddressInfo).port };
    },
    dial: async (address) => {
      const socket = await connect(address);
      return async () => {
        socket.destroy();
        await once(socket, 'close');
      };
    },
    open: async (address) => {
      const socket = await connect(address);
      return {
        write: (bytes, done) => void socket.write(bytes, done),
        onBytes: (take) => void socket.on('data', (bytes: Buffer) => take(bytes.length)),
        close: () => void socket.destroy(),
      };
    },
  };
}

const anybody = (): boolean => true;

/** The built package, as people install it. */
async function starling(): Promise<Rival> {
  const built = pathToFileURL(path.join(ROOT, 'dist/node/')).href;
  const { PeerNode: Node } = (await import(`${built}index.js`)) as { PeerNode: typeof PeerNode };
  const { ChannelService: Service } = (await import(`${built}channel/channel-service.js`)) as {
    ChannelService: typeof ChannelService;
  };
  const open = async (): Promise<{ node: PeerNode; channels: ChannelService }> => {
    const node = await Node.open({
      home: path.join(os.tmpdir(), `starling-bench-home-${process.pid}`),
      listen: `${HOST}:0`,
      usesDht: false,
      usesLocalDiscovery: false,
      usesPortMapping: false,
      isOffline: true,
    });
    const own = { seed: randomBytes(32), isKnown: anybody, finders: [] };
    return { node, channels: node.openChannels(own) };
  };
  let own: Promise<{ channels: ChannelService }> | undefined;
  const reach = async ({ port, peerId }: Address) => {
    own ??= open();
    const { channels } = await own;
    const hints = { addresses: [{ host: HOST, port }] };
    return { channels, channel: await channels.channelTo(peerId!, { hints }) };
  };
  return {
    serve: async (service) => {
      const { node, channels } = await open();
      channels.handle('bench', {
        admits: anybody,
        onRequest: (_channel, { payload }) => payload,
        onBulk: ({ connection }) => {
          const onData = serveBytes(service, (bytes) => connection.write(bytes));
          connection.attach({ onData, onDrain: () => {}, onClose: () => {} });
        },
      });
      return { port: node.endpoint.port, peerId: channels.peerId };
    },
    dial: async (address) => {
      const { channel, channels } = await reach(address);
      return async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const unlisten = channels.listen((change) => change.type === 'closed' && resolve());
        channel.close('done');
        await promise;
        unlisten();
      };
    },
    open: async (address) => {
      const { channels } = await reach(address);
      const bulk = await channels.openBulk(address.peerId!, 'bench', new Uint8Array());
      const { connection } = bulk;
      let take: (count: number) => void = () => {};
      connection.attach({
        onData: (bytes) => take(bytes.length),
        onDrain: () => {},
        onClose: () => {},
      });
      return {
        write: (bytes, done) => connection.write(bytes, done),
        onBytes: (given) => {
          take = given;
        },
        close: () => connection.destroy(),
      };
    },
    asker: async (address) => {
      const { channel } = await reach(address);
      return (question) => channel.request('bench', question);
    },
    crowd: async ({ port, peerId }, count) => {
      await manyAtOnce(count, async () => {
        const channels = new Service({
          seed: randomBytes(32),
          localHost: undefined,
          mayDial: anybody,
          addresses: () => [],
          isKnown: anybody,
          finders: [],
          onWire: async () => {},
        });
        await channels.channelTo(peerId!, { hints: { addresses: [{ host: HOST, port }] } });
      });
    },
  };
}

/** Runs `work` so many times, eight at a time. */
export async function manyAtOnce(count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const run = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: 8 }, run));
}

/** What is used of js-libp2p, which is no dependency. */
interface Libp2pStream {
  send(bytes: Uint8Array): boolean;
  onDrain(): Promise<void>;
  addEventListener(
    type: 'message',
    take: (event: { data: { byteLength: number; subarray(): Uint8Array } }) => void,
  ): void;
  abort(error: Error): void;
}

interface Libp2pNode {
  getMultiaddrs(): { toString(): string }[];
  dial(address: unknown): Promise<{ close(): Promise<void>; remotePeer: unknown }>;
  dialProtocol(address: unknown, protocol: string): Promise<Libp2pStream>;
  handle(protocol: string, handler: (stream: Libp2pStream) => void): Promise<void>;
}

interface Libp2pModules {
  makeNode(encrypter: 'noise' | 'tls', listen: readonly string[]): Promise<Libp2pNode>;
  multiaddr(text: string): unknown;
}

const PROTOCOL = '/bench/1.0.0';

function libp2p(modules: string, encrypter: 'noise' | 'tls'): Rival {
  const entry = pathToFileURL(path.join(modules, 'entry.mjs')).href;
  const library = import(entry) as Promise<Libp2pModules>;
  const newNode = async (listen: readonly string[] = []): Promise<Libp2pNode> =>
    await (await library).makeNode(encrypter, listen);
  let own: Promise<Libp2pNode> | undefined;
  const place = async ({ port, peerId }: Address): Promise<unknown> =>
    (await library).multiaddr(`/ip4/${HOST}/tcp/${port}/p2p/${peerId}`);
  const node = async (): Promise<Libp2pNode> => {
    own ??= newNode();
    return await own;
  };
  const write = (stream: Libp2pStream, bytes: Uint8Array, done: () => void): void => {
    if (stream.send(bytes)) queueMicrotask(done);
    else void stream.onDrain().then(done, () => {});
  };
  return {
    serve: async (service) => {
      const server = await newNode([`/ip4/${HOST}/tcp/0`]);
      await server.handle(PROTOCOL, (stream) => {
        const serve = serveBytes(service, (bytes) => write(stream, bytes, () => {}));
        stream.addEventListener('message', ({ data }) => {
          // Nothing is joined that is only counted.
          if (service === 'echo') serve(Buffer.from(data.subarray()));
          else serve({ length: data.byteLength } as Buffer);
        });
      });
      const [, port, peerId] = /\/tcp\/(\d+)\/p2p\/(\w+)/.exec(
        server.getMultiaddrs()[0]!.toString(),
      )!;
      return { port: Number(port), peerId: peerId! };
    },
    dial: async (address) => {
      const connection = await (await node()).dial(await place(address));
      return () => connection.close();
    },
    open: async (address) => {
      const stream = await (await node()).dialProtocol(await place(address), PROTOCOL);
      return {
        write: (bytes, done) => write(stream, bytes, done),
        onBytes: (take) => stream.addEventListener('message', ({ data }) => take(data.byteLength)),
        close: () => stream.abort(new Error('done')),
      };
    },
    crowd: async (address, count) => {
      const target = await place(address);
      await manyAtOnce(count, async () => await (await newNode()).dial(target));
    },
  };
}
