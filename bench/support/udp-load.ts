/**
 * The load of bench/tracker.ts: announces over UDP in a process of its own, a fixed number of them under way at any time.
 * Arguments: port, job. Jobs: `rate SECONDS` announces peers by lot, `fill FROM COUNT` announces different peers once each, `send SECONDS` sends and expects no answer.
 * Prints one JSON line. Lost datagrams are made up for, a tenth of a second later.
 * @module
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeInfoHash } from './udp-swarms.ts';

/** Announces under way: fewer leave the server idle between wake-ups, many more overflow the receive buffer of opentracker (212,992 bytes, 768 for each). */
const UNDER_WAY = 128;
/** Peers of the rate job: so many ports in so many swarms, 50 asked for. */
const SWARMS = 1_000;
const PORTS = 60;
/** Swarms of the fill job come behind those. */
const PORTS_OF_A_SWARM = 1_000;

const [port, job, first, second] = process.argv.slice(2) as [string, string, string, string];
const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
socket.connect(Number(port), '127.0.0.1');
await once(socket, 'connect');

/** A datagram may still be waiting for the system when the next ones are written. */
const datagrams = Array.from({ length: 1_024 }, () => Buffer.alloc(98));
let turn = 0;

async function connect(): Promise<Buffer> {
  const request = Buffer.from('00000417271019800000000000000007', 'hex');
  socket.send(request);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  return reply.subarray(8, 16);
}

function prepare(connectionId: Buffer, wanted: number): void {
  for (const bytes of datagrams) {
    connectionId.copy(bytes, 0);
    bytes.writeUInt32BE(1, 8);
    bytes.write('-XX0001-benchbench01', 36, 'latin1');
    bytes.writeUInt32BE(1, 68);
    bytes.writeInt32BE(wanted, 92);
  }
}

function announce(swarm: number, peerPort: number): void {
  const bytes = datagrams[turn]!;
  turn = (turn + 1) % datagrams.length;
  writeInfoHash(swarm, bytes, 16);
  bytes.writeUInt16BE(peerPort, 96);
  socket.send(bytes);
}

/** Keeps `UNDER_WAY` announces under way until `isOver`. @returns how many were answered. */
async function pump(next: () => void, isOver: (answered: number) => boolean): Promise<number> {
  let answered = 0;
  let before = -1;
  await new Promise<void>((resolve) => {
    const refill = setInterval(() => {
      if (answered === before) for (let i = 0; i < UNDER_WAY; i += 1) next();
      before = answered;
    }, 100);
    socket.on('message', (bytes) => {
      if (bytes[3] !== 1) return;
      answered += 1;
      if (isOver(answered)) {
        clearInterval(refill);
        socket.removeAllListeners('message');
        resolve();
      } else {
        next();
      }
    });
    for (let i = 0; i < UNDER_WAY; i += 1) next();
  });
  return answered;
}

if (job === 'send') {
  prepare(Buffer.alloc(8), 50);
  const startedMs = performance.now();
  let sent = 0;
  while (performance.now() - startedMs < Number(first) * 1000) {
    for (let i = 0; i < 64; i += 1) announce(sent % SWARMS, 1 + (sent % PORTS));
    sent += 64;
    await new Promise(setImmediate);
  }
  say(sent, startedMs);
} else if (job === 'rate') {
  prepare(await connect(), 50);
  const next = (): void => {
    const random = Math.floor(Math.random() * SWARMS * PORTS);
    announce(random % SWARMS, 1 + Math.floor(random / SWARMS));
  };
  // Warm: the swarms are full and both programs compiled.
  await pump(next, (answered) => answered > 60_000);
  const startedMs = performance.now();
  const endMs = startedMs + Number(first) * 1000;
  say(await pump(next, (answered) => answered % 64 === 0 && performance.now() > endMs), startedMs);
} else {
  prepare(await connect(), 0);
  const [from, count] = [Number(first), Number(second)];
  const startedMs = performance.now();
  let at = from;
  const next = (): void => {
    announce(SWARMS + Math.floor(at / PORTS_OF_A_SWARM), 1 + (at % PORTS_OF_A_SWARM));
    at = at + 1 === from + count ? from : at + 1;
  };
  say(await pump(next, (answered) => answered >= count), startedMs);
}

function say(count: number, startedMs: number): void {
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(`${JSON.stringify({ count, seconds })}\n`);
  process.exit(0);
}
