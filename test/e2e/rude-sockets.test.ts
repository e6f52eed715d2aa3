/**
 * Real sockets that break the framing or do not read: each is cut off or held, with bounded memory, and the seed goes on serving others.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeHandshake, makeReserved } from '../../src/protocol/peer-wire/index.ts';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };

/** A length prefix and an id, nothing more. */
function prefix(length: number, id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length);
  bytes[4] = id;
  return bytes;
}

const CUT_OFF: Readonly<Record<string, (handshake: Uint8Array) => readonly Uint8Array[]>> = {
  'garbage instead of a handshake': () => [Buffer.alloc(68, 'GET / HTTP/1.1\r\n')],
  'another torrent': (handshake) => [handshake.map((byte, at) => (at === 30 ? byte ^ 1 : byte))],
  'a message of 4 GiB': (handshake) => [handshake, prefix(0xffff_ffff, 20)],
  'a message one byte too long': (handshake) => [handshake, prefix(1024 * 1024 + 1_000_000, 20)],
  'a block that is longer than any request': (handshake) => [handshake, prefix(9 + 16_385, 7)],
  'a block of negative length': (handshake) => [handshake, prefix(5, 7)],
  'a HAVE of five bytes': (handshake) => [handshake, prefix(6, 4), Buffer.alloc(5)],
};

describe('rude sockets', { concurrency: 2 }, () => {
  it(
    'what cannot be a valid stream is cut off; a half message or silence disturbs nobody',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 2_000_000, 1);
      const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65_536 });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const port = Number(seed.address.split(':')[1]);
      const handshake = encodeHandshake({
        reserved: makeReserved({ fast: true, extension: true }),
        infoHash: Buffer.from(torrent.infoHashV1!, 'hex'),
        peerId: Buffer.from('-XX0001-abcdefghijkl'),
      });
      const open = (chunks: readonly Uint8Array[]): net.Socket => {
        const socket = net.connect(port, '127.0.0.1').on('error', () => {});
        bed.onEnd(() => socket.destroy());
        for (const chunk of chunks) socket.write(chunk);
        return socket;
      };
      for (const [name, chunksOf] of Object.entries(CUT_OFF)) {
        const socket = open(chunksOf(handshake));
        socket.resume();
        const [hadError] = await once(socket, 'close', { signal: AbortSignal.timeout(20_000) });
        assert.equal(typeof hadError, 'boolean', name);
      }
      const silent = open([]);
      const half = open([handshake, prefix(17, 6)]);
      await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
      const into = bed.dir('copy');
      const get = startGet(bed, torrent.file, into, '--peer', seed.address);
      await get.done();
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
      assert.equal(half.destroyed, false);
    },
  );

  it('a block that never ends holds nothing up: another copy takes its place', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 3_000_000, 1);
    const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65_536 });
    const limit = ['--upload-limit', '1000000'];
    const seed = await startSeed(bed, torrent.file, bed.dir('original'), ...limit);
    let trickles = 0;
    const trickler = net.createServer((socket) => {
      socket.on('error', () => {});
      bed.onEnd(() => socket.destroy());
      let heard = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        const isFirst = heard.length === 0;
        heard = Buffer.concat([heard, bytes]);
        if (isFirst) {
          const reserved = makeReserved({ fast: true });
          const infoHash = Buffer.from(torrent.infoHashV1!, 'hex');
          const peerId = Buffer.from('-XX0001-abcdefghijkl');
          socket.write(encodeHandshake({ reserved, infoHash, peerId }));
          // have-all, unchoke
          socket.write(Buffer.from([0, 0, 0, 1, 14, 0, 0, 0, 1, 1]));
        }
        const request = heard.indexOf(Buffer.from([0, 0, 0, 13, 6]), 68);
        if (request < 0 || trickles > 0 || heard.length < request + 13) return;
        trickles += 1;
        socket.write(prefix(9 + 16_384, 7));
        socket.write(heard.subarray(request + 5, request + 13));
        const timer = setInterval(() => socket.write(Buffer.alloc(1)), 100);
        bed.onEnd(() => clearInterval(timer));
      });
    });
    trickler.listen(0, '127.0.0.1');
    await once(trickler, 'listening');
    bed.onEnd(() => trickler.close());
    const { port } = trickler.address() as net.AddressInfo;
    const into = bed.dir('copy');
    const peers = ['--peer', `127.0.0.1:${port}`, '--peer', seed.address];
    const get = startGet(bed, torrent.file, into, ...peers);
    await get.done();
    assert.equal(trickles, 1, 'it was asked, and began a block');
    assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
  });
});
