/**
 * The bare limit of this machine under Node: a sender that streams framed blocks without being asked, a receiver that frames, copies once,
 * hashes SHA-1 in one worker and writes. No protocol, no decisions: what an engine adds to this is its own cost.
 *
 * sketch.ts send FILE PIECES PORT | sketch.ts receive FILE PIECES PORT (prints {"seconds"})
 * @module
 */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const PIECE = 1024 * 1024;
const BLOCK = 16_384;
const HEADER = 13;
const FRAME = HEADER + BLOCK;
const SLABS = 32;

function send(file: string, pieces: number, port: number): void {
  const fd = fs.openSync(file, 'r');
  const server = net.createServer({ noDelay: true }, (socket) => {
    const buffers = Array.from({ length: 4 }, () => Buffer.alloc((PIECE / BLOCK) * FRAME));
    let next = 0;
    const pump = (buffer: Buffer): void => {
      if (next === pieces) return;
      const piece = next;
      next += 1;
      const views: Buffer[] = [];
      for (let i = 0; i < PIECE / BLOCK; i += 1) {
        buffer.writeUInt32BE(FRAME - 4, i * FRAME);
        buffer[i * FRAME + 4] = 7;
        buffer.writeUInt32BE(piece, i * FRAME + 5);
        buffer.writeUInt32BE(i * BLOCK, i * FRAME + 9);
        views.push(buffer.subarray(i * FRAME + HEADER, (i + 1) * FRAME));
      }
      fs.readvSync(fd, views, piece * PIECE);
      socket.write(buffer, () => pump(buffer));
    };
    for (const buffer of buffers) pump(buffer);
    socket.on('error', () => {});
  });
  server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
}

function receive(file: string, pieces: number, port: number): void {
  const startedMs = performance.now();
  const shared = new SharedArrayBuffer(SLABS * PIECE);
  const memory = Buffer.from(shared);
  const worker = new Worker(new URL(import.meta.url), { workerData: { shared, file, pieces } });
  const free = Array.from({ length: SLABS }, (_, index) => index);
  let slab = free.pop()!;
  let inSlab = 0;
  let header = Buffer.alloc(HEADER);
  let headerBytes = 0;
  let left = 0;
  let at = 0;
  let done = 0;
  const readBuffer = Buffer.alloc(512 * 1024);
  const parse = (bytes: Buffer): void => {
    for (let from = 0; from < bytes.length; ) {
      if (left === 0) {
        const taken = Math.min(HEADER - headerBytes, bytes.length - from);
        bytes.copy(header, headerBytes, from, from + taken);
        headerBytes += taken;
        from += taken;
        if (headerBytes < HEADER) return;
        headerBytes = 0;
        left = header.readUInt32BE(0) - 9;
        at = slab * PIECE + header.readUInt32BE(9);
      }
      const taken = Math.min(left, bytes.length - from);
      bytes.copy(memory, at, from, from + taken);
      at += taken;
      left -= taken;
      from += taken;
      if (left > 0) continue;
      inSlab += 1;
      if (inSlab < PIECE / BLOCK) continue;
      inSlab = 0;
      worker.postMessage({ slab, piece: header.readUInt32BE(5) });
      const next = free.pop();
      if (next === undefined) throw new Error('the worker fell behind by all slabs');
      slab = next;
      if (free.length < 2) socket.pause();
    }
  };
  const socket = net.connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: readBuffer,
      callback: (n) => {
        parse(readBuffer.subarray(0, n));
        return true;
      },
    },
  });
  header = Buffer.alloc(HEADER);
  worker.on('message', (freed: number) => {
    free.push(freed);
    if (free.length > 8) socket.resume();
    done += 1;
    if (done < pieces) return;
    process.stdout.write(
      `${JSON.stringify({ seconds: (performance.now() - startedMs) / 1000 })}\n`,
    );
    process.exit(0);
  });
}

function work(): void {
  const { shared, file } = workerData as { shared: SharedArrayBuffer; file: string };
  const memory = Buffer.from(shared);
  const fd = fs.openSync(file, 'w');
  parentPort?.on('message', ({ slab, piece }: { slab: number; piece: number }) => {
    const bytes = memory.subarray(slab * PIECE, (slab + 1) * PIECE);
    hash('sha1', bytes, 'buffer');
    fs.writeSync(fd, bytes, 0, PIECE, piece * PIECE);
    parentPort?.postMessage(slab);
  });
}

if (isMainThread) {
  const [role, file, pieces, port] = process.argv.slice(2);
  if (role === 'send') send(file!, Number(pieces), Number(port));
  else receive(file!, Number(pieces), Number(port));
} else work();
