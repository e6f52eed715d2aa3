/**
 * Peers that mean no good, on real sockets, made with the production codec: what each does is a line of `MOODS` or `FLOODS`.
 *
 * A mood is that of somebody who is dialled and seems to have everything; a flood is that of somebody who comes and takes.
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import { Framer } from '../../src/plane/framer.ts';
import {
  BLOCK_BYTES,
  decodeMessage,
  encodeExtendedHandshake,
  encodeHandshake,
  encodeMetadataData,
  HANDSHAKE_BYTES,
  MAX_MESSAGE_BYTES,
  METADATA_EXTENSION,
  type Message,
  MessageWriter,
  makeReserved,
} from '../../src/protocol/peer-wire/index.ts';
import type { TestBed } from './cli-child.ts';

/** One connection of a hostile peer. */
interface Stage {
  readonly pieceCount: number;
  /** Sends messages; nothing when the socket is gone. */
  say(write: (writer: MessageWriter) => void): void;
  /** Sends bytes that need not be messages. */
  raw(bytes: Uint8Array): void;
  /** Does something again and again while the connection lives. */
  every(ms: number, act: () => void): void;
  hangUp(): void;
}

/** What a peer does after the handshakes, and what it answers. */
interface Mood {
  readonly begin: (stage: Stage) => void;
  readonly answer?: (stage: Stage, message: Message) => void;
}

function seem(stage: Stage): void {
  stage.say((writer) => {
    writer.haveAll();
    writer.unchoke();
  });
}

const WRONG = new Uint8Array(BLOCK_BYTES).fill(0xbd);

/** Those who seem to have everything. */
export const MOODS = {
  'sends wrong blocks': {
    begin: seem,
    answer: (stage, message) => {
      if (message.type !== 'request') return;
      const { piece, begin, length } = message;
      stage.say((writer) => writer.piece(piece, begin, WRONG.subarray(0, length)));
    },
  },
  'takes requests and says nothing': { begin: seem },
  'lets a block trickle': {
    begin: seem,
    answer: (stage, message) => {
      if (message.type !== 'request') return;
      stage.say((writer) => writer.pieceHeader(message.piece, message.begin, message.length));
      stage.every(100, () => stage.raw(new Uint8Array(1)));
    },
  },
  'tells of the same pieces for ever': {
    begin: (stage) => {
      stage.say((writer) => writer.haveNone());
      stage.every(20, () =>
        stage.say((writer) => {
          for (let i = 0; i < 500; i += 1) writer.have(i % stage.pieceCount);
        }),
      );
    },
  },
  'asks for what nobody has': {
    begin: (stage) => {
      stage.say((writer) => {
        writer.haveNone();
        writer.interested();
      });
      stage.every(20, () =>
        stage.say((writer) => {
          for (let i = 0; i < 500; i += 1) writer.request(i % stage.pieceCount, 0, BLOCK_BYTES);
        }),
      );
    },
  },
  'has a bitfield of another torrent': {
    begin: (stage) => stage.say((writer) => writer.bitfield(new Uint8Array(1_000).fill(0xff))),
  },
  'lies about the metadata': {
    begin: (stage) => {
      const extensions = new Map([[METADATA_EXTENSION, 3]]);
      const payload = encodeExtendedHandshake({ extensions, metadataBytes: 20_000 });
      stage.say((writer) => writer.extended(0, payload));
      seem(stage);
    },
    answer: (stage, message) => {
      if (message.type !== 'extended' || message.id !== 3) return;
      const lie = new Uint8Array(20_000).fill(0x64);
      for (const piece of [0, 1]) {
        stage.say((writer) => writer.extended(1, encodeMetadataData(piece, lie)));
      }
    },
  },
  'announces a message of two megabytes': {
    begin: (stage) => {
      stage.raw(Uint8Array.of(0, 0x20, 0, 0, 20));
      stage.every(50, () => stage.raw(new Uint8Array(10_000)));
    },
  },
  'hangs up in the middle of a message': {
    begin: (stage) => {
      stage.raw(Uint8Array.of(0, 0, 0, 13, 6, 0, 0));
      stage.hangUp();
    },
  },
} as const satisfies Readonly<Record<string, Mood>>;

/** Those who come to take. */
export const FLOODS = {
  'asks for everything and does not read': {
    begin: (stage) => {
      stage.say((writer) => writer.interested());
      stage.every(10, () =>
        stage.say((writer) => {
          for (let i = 0; i < 1_000; i += 1) writer.request(i % stage.pieceCount, 0, BLOCK_BYTES);
        }),
      );
    },
  },
  'changes its mind all the time': {
    begin: (stage) => {
      stage.every(5, () =>
        stage.say((writer) => {
          for (let i = 0; i < 200; i += 1) {
            writer.interested();
            writer.notInterested();
          }
        }),
      );
    },
  },
  'asks for pieces that do not exist': {
    begin: (stage) => stage.say((writer) => writer.request(stage.pieceCount + 7, 0, BLOCK_BYTES)),
  },
  'cancels what it never asked for': {
    begin: (stage) =>
      stage.every(5, () =>
        stage.say((writer) => {
          for (let i = 0; i < 1_000; i += 1) writer.cancel(i % stage.pieceCount, 0, BLOCK_BYTES);
        }),
      ),
  },
} as const satisfies Readonly<Record<string, Mood>>;

/** What hostile peers need to know. */
export interface HostileTarget {
  readonly infoHash: Uint8Array;
  readonly pieceCount: number;
}

let peerNumber = 0;

function attach(bed: TestBed, socket: net.Socket, target: HostileTarget, mood: Mood): void {
  peerNumber += 1;
  const peerId = Buffer.from(`-XX0001-hostile ${String(peerNumber).padStart(4, '0')}`);
  const reserved = makeReserved({ fast: true, extension: true });
  socket.on('error', () => {});
  bed.onEnd(() => socket.destroy());
  const timers = new Set<NodeJS.Timeout>();
  socket.on('close', () => {
    for (const timer of timers) clearInterval(timer);
  });
  const stage: Stage = {
    pieceCount: target.pieceCount,
    say: (write) => {
      const writer = new MessageWriter();
      write(writer);
      stage.raw(writer.take());
    },
    raw: (bytes) => {
      // A hostile peer too has only so much memory.
      if (!socket.destroyed && socket.writableLength < 8_000_000) socket.write(bytes);
    },
    every: (ms, act) => {
      timers.add(setInterval(act, ms));
    },
    hangUp: () => socket.end(),
  };
  const framer = new Framer({
    preludeBytes: HANDSHAKE_BYTES,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBlockBytes: BLOCK_BYTES,
    sink: {
      onPrelude: () => mood.begin(stage),
      onMessage: (bytes) => {
        const decoded = decodeMessage(bytes);
        if (decoded.ok) mood.answer?.(stage, decoded.value);
      },
      onRequests: (bytes) => {
        for (let at = 0; at < bytes.length; at += 17) {
          const decoded = decodeMessage(bytes.subarray(at + 4, at + 17));
          if (decoded.ok) mood.answer?.(stage, decoded.value);
        }
      },
      onBlockStart: () => undefined,
      onBlockEnd: () => {},
      onFault: () => socket.destroy(),
    },
  });
  socket.write(encodeHandshake({ reserved, infoHash: target.infoHash, peerId }));
  socket.on('data', (bytes: Buffer) => framer.push(bytes));
}

/** Starts somebody who waits to be dialled. @returns its address. */
export async function startHostileSeed(
  bed: TestBed,
  target: HostileTarget,
  mood: keyof typeof MOODS,
): Promise<string> {
  const server = net.createServer((socket) => attach(bed, socket, target, MOODS[mood]));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onEnd(() => server.close());
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** Starts somebody who comes to take, and comes again a few times when it is thrown out. */
export function startHostileLeech(
  bed: TestBed,
  target: HostileTarget,
  port: number,
  flood: keyof typeof FLOODS,
): void {
  let visits = 0;
  const visit = (): void => {
    visits += 1;
    const socket = net.connect(port, '127.0.0.1');
    attach(bed, socket, target, FLOODS[flood]);
    if (flood === 'asks for everything and does not read')
      socket.once('data', () => socket.pause());
    socket.once('close', () => {
      if (visits < 20) visit();
    });
  };
  visit();
}
