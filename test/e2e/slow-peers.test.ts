/**
 * 32 slow peers that have one piece of 16 MiB each: all pieces are open at once, eight times what the slabs hold, and memory stays within its bound.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  BLOCK_BYTES,
  encodeHandshake,
  HANDSHAKE_BYTES,
  makeReserved,
} from '../../src/protocol/peer-wire/index.ts';
import { createTorrentFile, startGet } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { fillRandom } from '../support/content.ts';

const PEERS = 32;
const PIECE_BYTES = 16 * 1024 * 1024;
/** A block every so many milliseconds from each peer. */
const PACE_MS = 4;

/** A seed of one piece that answers requests in turn, at its pace. */
async function startSlowSeed(
  bed: TestBed,
  infoHash: Uint8Array,
  piece: number,
  content: Buffer,
): Promise<string> {
  const bitfield = Buffer.alloc(5 + PEERS / 8);
  bitfield.writeUInt32BE(1 + PEERS / 8);
  bitfield[4] = 5;
  bitfield[5 + (piece >> 3)] = 0x80 >> (piece & 7);
  const unchoke = Buffer.from([0, 0, 0, 1, 1]);
  const server = net.createServer((socket) => {
    let heard = Buffer.alloc(0);
    const waiting: number[] = [];
    const peerId = Buffer.from(`-XX0001-slow seed ${String(piece).padStart(2)}`);
    socket.write(encodeHandshake({ reserved: makeReserved({}), infoHash, peerId }));
    socket.write(Buffer.concat([bitfield, unchoke]));
    const timer = setInterval(() => {
      const begin = waiting.shift();
      if (begin === undefined || socket.destroyed) return;
      const header = Buffer.alloc(13);
      header.writeUInt32BE(9 + BLOCK_BYTES);
      header[4] = 7;
      header.writeUInt32BE(piece, 5);
      header.writeUInt32BE(begin, 9);
      socket.write(Buffer.concat([header, content.subarray(begin, begin + BLOCK_BYTES)]));
    }, PACE_MS);
    bed.onEnd(() => clearInterval(timer));
    bed.onEnd(() => socket.destroy());
    socket.on('error', () => {});
    let isGreeted = false;
    socket.on('data', (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      if (!isGreeted && heard.length >= HANDSHAKE_BYTES) {
        isGreeted = true;
        heard = heard.subarray(HANDSHAKE_BYTES);
      }
      while (isGreeted && heard.length >= 4 && heard.length >= 4 + heard.readUInt32BE(0)) {
        const length = heard.readUInt32BE(0);
        if (length === 13 && heard[4] === 6) waiting.push(heard.readUInt32BE(9));
        heard = heard.subarray(4 + length);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onEnd(() => server.close());
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

it('32 slow peers and pieces of 16 MiB: at most 256 MiB of memory', {
  timeout: 120_000,
}, async () => {
  await using bed = new TestBed();
  const content = Buffer.alloc(PIECE_BYTES);
  fillRandom(content, 7);
  const path = join(bed.dir('original'), 'file.bin');
  for (let piece = 0; piece < PEERS; piece += 1) writeFileSync(path, content, { flag: 'a' });
  const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: PIECE_BYTES });
  const infoHash = Buffer.from(torrent.infoHashV1!, 'hex');
  const peers: string[] = [];
  for (let piece = 0; piece < PEERS; piece += 1) {
    peers.push('--peer', await startSlowSeed(bed, infoHash, piece, content));
  }
  const into = bed.dir('copy');
  const get = startGet(bed, torrent.file, into, ...peers, '--seed-time', '600');
  const summary = await get.summary(100_000);
  const status = readFileSync(`/proc/${get.child.pid}/status`, 'utf8');
  const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
  assert(peakMiB < 256, `${peakMiB} MiB`);
  assert(readFileSync(join(into, 'file.bin')).equals(readFileSync(path)));
  assert(summary.wastedBytes < 0.01 * PEERS * PIECE_BYTES, `${summary.wastedBytes} bytes in vain`);
});
