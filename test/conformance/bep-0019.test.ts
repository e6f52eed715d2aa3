/** BEP 19, web seeds: each title quotes the sentence it checks. What needs an HTTP server is in `src/node/web-seeds.test.ts`, which quotes it too. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield } from '../../src/lib/bitfield.ts';
import { Rng } from '../../src/lib/rng.ts';
import { type Info, parseMetainfo } from '../../src/protocol/metainfo/index.ts';
import { BLOCK_BYTES } from '../../src/protocol/peer-wire/index.ts';
import { PiecePicker } from '../../src/protocol/swarm/picker.ts';
import { BackOff, judgeAnswer, webSeedUrl } from '../../src/protocol/web-seed/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import { rigTorrent, SwarmRig } from '../support/swarm-rig.ts';
import { makeTorrent } from '../support/torrents.ts';

function parsed(
  urlList: readonly string[],
  isSingleFile: boolean,
): { info: Info; webSeeds: readonly string[] } {
  const path = isSingleFile ? ['file.exe'] : ['Readme.txt'];
  const name = isSingleFile ? 'file.exe' : 'michael';
  const plan = { name, isSingleFile, version: 'v1', pieceLengthBytes: BLOCK_BYTES } as const;
  const files = [{ path, bytes: new Uint8Array(949) }];
  const torrent = parseMetainfo(makeTorrent(files, plan, { webSeeds: urlList }).bytes, nodeCrypto);
  assert(torrent.ok);
  return torrent.value;
}

/** A picker that has the pieces marked Y. */
function pickerOf(bitfield: string): PiecePicker {
  const picker = new PiecePicker({
    pieceCount: bitfield.length,
    blockCount: () => 1,
    rng: new Rng(3),
  });
  for (const [piece, sign] of [...bitfield].entries()) if (sign === 'Y') picker.markHave(piece);
  return picker;
}

function pick(picker: PiecePicker, count: number): number[] {
  const out: number[] = [];
  const picked = picker.pick(1, 'seed', count, 'run', out);
  return Array.from({ length: picked }, (_, i) => out[2 * i]!);
}

describe('BEP 19, metadata', () => {
  it('"This key will refer to a one or more URLs"', () => {
    assert.deepEqual(parsed(['http://a/f'], true).webSeeds, ['http://a/f']);
    assert.deepEqual(parsed(['http://a/f', 'http://b/f'], true).webSeeds, [
      'http://a/f',
      'http://b/f',
    ]);
  });

  it('"In the main area of the metadata file and not part of the info section": the info-hash stays', () => {
    const [one, none] = [parsed(['http://a/f'], true), parsed([], true)];
    assert.deepEqual(one.info.infoHashV1, none.info.infoHashV1);
  });

  it('"If the url-list URL ends in a slash, / the client must add the name from the torrent to make the full URL"', () => {
    const { info } = parsed([], true);
    assert.equal(webSeedUrl('http://mirror.com/', info, 0), 'http://mirror.com/file.exe');
    assert.equal(webSeedUrl('http://mirror.com/x', info, 0), 'http://mirror.com/x');
  });

  it('"a root folder where a client could add the same name and path/file to create the URL for the request"', () => {
    const { info } = parsed([], false);
    assert.equal(
      webSeedUrl('http://mirror.com/pub/', info, 0),
      'http://mirror.com/pub/michael/Readme.txt',
    );
  });

  it('"A client should ignore any protocols it does not know from the url-list."', () => {
    const urls = ['ftp://a/f', 'gopher://a/f', 'https://a/f'];
    assert.deepEqual(parsed(urls, true).webSeeds, ['https://a/f']);
  });
});

describe('BEP 19, choice of pieces', () => {
  it('"should start at the beginning of the biggest gap": YY#nnnYnnY', () => {
    assert.deepEqual(pick(pickerOf('YYnnnnYnnY'), 1), [2]);
  });

  it('"They can start at the beginning of a gap and download until they get to the end."', () => {
    assert.deepEqual(pick(pickerOf('YYnnnnYnnY'), 6), [2, 3, 4, 5, 7, 8]);
  });

  it('"when the very first connection is made it is better to start … somewhere randomly in the file"', () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const picker = new PiecePicker({
        pieceCount: 10_000,
        blockCount: () => 1,
        rng: new Rng(seed),
      });
      starts.add(pick(picker, 1)[0]!);
    }
    assert(starts.size > 10, `${starts.size} starts of 20`);
  });
});

describe('BEP 19, connections', () => {
  function rigWithWebSeed(): { rig: SwarmRig; id: number } {
    const rig = new SwarmRig({ info: rigTorrent(8), have: new Bitfield(8) });
    const id = rig.connect({
      address: { host: 'http://mirror.com/a', port: 0 },
      isWebSeed: true,
      handshake: { extensions: new Map() },
    });
    rig.receive(id, (writer) => {
      writer.haveAll();
      writer.unchoke();
    });
    return { rig, id };
  }

  it('"The HTTP or FTP server acts as a permanently unchoked seed."', () => {
    const { rig, id } = rigWithWebSeed();
    const said = rig.said(id).map(({ type }) => type);
    assert(said.includes('interested') && said.includes('request'), said.join());
    const [status] = rig.swarm.peers(rig.nowMs);
    assert(status!.isWebSeed && status!.isSeed && !status!.isChokingUs && !status!.isInterested);
  });

  it('"If it successfully downloads a piece …, but the SHA checksum does not match, the connection must be closed and that URL should be discarded."', () => {
    const { rig, id } = rigWithWebSeed();
    const request = rig.said(id).find((message) => message.type === 'request')!;
    assert(request.type === 'request');
    const { piece } = request;
    for (let begin = 0; begin < 2 * BLOCK_BYTES; begin += BLOCK_BYTES) {
      const block = { piece, begin, length: BLOCK_BYTES };
      assert(rig.swarm.isExpected(id, piece, begin, BLOCK_BYTES));
      rig.swarm.handleBlock(rig.nowMs, id, block, true);
    }
    rig.swarm.handlePiece(rig.nowMs, piece, { v1: new Uint8Array(20) });
    rig.drain();
    const banned = rig.outputs.find(
      (output) => output.type === 'event' && output.event.type === 'peer-banned',
    );
    assert(banned?.type === 'event' && banned.event.type === 'peer-banned');
    assert.equal(banned.event.address.host, 'http://mirror.com/a');
    assert(rig.outputs.some((output) => output.type === 'close' && output.id === id));
    const backOff = new BackOff();
    backOff.discard();
    assert(!backOff.isDue(Number.MAX_SAFE_INTEGER));
  });

  it('"A client does not need to discard a HTTP or FTP server URL if it gets a busy reply."', () => {
    const asked = { offsetBytes: 0, lengthBytes: 1, fileBytes: 1 };
    assert.equal(judgeAnswer(503, {}, asked).kind, 'busy');
    const backOff = new BackOff();
    backOff.failed(0, { kind: 'busy' });
    assert(!backOff.isDiscarded);
  });
});
