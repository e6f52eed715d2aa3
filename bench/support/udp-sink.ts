/**
 * The bare limit of node:dgram for bench/tracker.ts: every datagram is answered with as many bytes as an announce of 50 peers gets, and nothing is decided.
 * Arguments: port, `answer` or `drop`.
 * @module
 */
import { createSocket } from 'node:dgram';

const [port, mode] = process.argv.slice(2) as [string, string];
const reply = Buffer.alloc(20 + 50 * 6);
reply[3] = 1;
const socket = createSocket('udp4');
socket.on('message', (_, from) => {
  if (mode === 'answer') socket.send(reply, 0, reply.length, from.port, from.address);
});
socket.bind(Number(port), '127.0.0.1', () => process.stdout.write('{"type":"tracking"}\n'));
