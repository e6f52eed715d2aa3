/**
 * A real player, mpv, on the URL of a file that downloads: opens it, jumps to where nothing is yet, and plays from there.
 * @module
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, startSeed } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { type NodeProcess, startNode } from '../support/node-process.ts';
import { waveFile } from '../support/wave.ts';

const MPV = 'mpv';
const RATE_HZ = 44_100;
const SECONDS = 60;
/** Stereo, 16 bits. */
const BYTES_PER_SEC = RATE_HZ * 4;
const PIECE_BYTES = 65_536;
/** Faster than what is played, and far from the whole file in the seconds that the player takes. */
const LIMIT = 500_000;

/** A minute of a tone, as a WAV file. */
function wave(): Buffer {
  const data = Buffer.alloc(SECONDS * BYTES_PER_SEC);
  for (let at = 0; at < data.length; at += 4) {
    const level = Math.round(8_000 * Math.sin((at / 4 / RATE_HZ) * 2 * Math.PI * 440 + at / 1e7));
    data.writeInt16LE(level, at);
    data.writeInt16LE(level, at + 2);
  }
  return waveFile({ rateHz: RATE_HZ, channels: 2, bits: 16 }, data);
}

async function startDownload(bed: TestBed, node: NodeProcess): Promise<string> {
  const path = join(bed.dir('from'), 'tone.wav');
  writeFileSync(path, wave());
  const torrent = await createTorrentFile(bed, path, 'hybrid', { pieceLength: PIECE_BYTES });
  const seed = await startSeed(bed, torrent.file, bed.dir('from'));
  const { id } = await node.ask('POST', '/torrents', {
    link: torrent.magnet,
    peers: [seed.address],
    downloadLimitBytesPerSec: LIMIT,
  });
  await node.untilState(id, 'downloading');
  return id;
}

/** @returns what it says. */
async function play(bed: TestBed, url: string): Promise<string> {
  const quiet = ['--no-config', '--ao=null', '--no-video', '--cache=no', '--msg-level=all=v'];
  const words = [...quiet, '--start=80%', '--length=2', url];
  const { code, stdout, stderr } = await bed.start(MPV, words).exit();
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

it(
  'mpv opens the URL of a ticket, jumps and plays while the file downloads',
  needing(MPV),
  async () => {
    await using bed = new TestBed();
    const node = await startNode(bed);
    const id = await startDownload(bed, node);
    const { url } = await node.ask('POST', `/torrents/${id}/files/0/ticket`);
    const said = await play(bed, url);
    assert.match(said, /EOF code: 1|reason: eof/i);
    assert.match(said, /Audio.*pcm_s16le/);
    const { progress } = await node.ask('GET', `/torrents/${id}`);
    assert(progress < 0.8, `it played at 80 % when ${progress} was there`);
  },
);

it('mpv opens the playlist of a file', needing(MPV), async () => {
  await using bed = new TestBed();
  const node = await startNode(bed);
  const id = await startDownload(bed, node);
  const { playlist } = await node.ask('POST', `/torrents/${id}/files/0/ticket`);
  const said = await play(bed, playlist);
  assert.match(said, /Audio.*pcm_s16le/);
});
