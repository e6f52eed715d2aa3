/**
 * The core of a torrent, message by message: accounts of requests, what faults leave behind, who is told what.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { makeTorrent } from '../../../test/support/torrents.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { fromHex } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { type Info, type PlanOptions, parseMetainfo } from '../metainfo/index.ts';
import {
  BLOCK_BYTES,
  decodeExtendedHandshake,
  decodeMessage,
  encodeExtendedHandshake,
  encodeMetadataData,
  METADATA_EXTENSION,
  METADATA_PIECE_BYTES,
  type Message,
  MessageWriter,
  makeReserved,
} from '../peer-wire/index.ts';
import { Swarm, type SwarmEvent, type SwarmOutput } from './index.ts';

function torrentOf(
  lengthBytes: number,
  options: Partial<PlanOptions> = {},
): { readonly info: Info; readonly layers: ReadonlyMap<string, Uint8Array> } {
  const { bytes } = makeTorrent([{ path: ['a'], bytes: new Rng(1).bytes(lengthBytes) }], {
    name: 'a',
    isSingleFile: true,
    version: 'v1',
    pieceLengthBytes: 2 * BLOCK_BYTES,
    ...options,
  });
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert(parsed.ok);
  return { info: parsed.value.info, layers: parsed.value.pieceLayers };
}

/** A core and everything it says. */
class Rig {
  readonly swarm: Swarm;
  readonly info: Info;
  readonly outputs: SwarmOutput[] = [];
  readonly #said = new Map<number, Message[]>();
  nowMs = 0;

  constructor(
    info: Info,
    options: {
      readonly have?: Bitfield;
      readonly isMagnet?: boolean;
      readonly layers?: ReadonlyMap<string, Uint8Array>;
      readonly hashes?: 'v1' | 'v2';
    } = {},
  ) {
    this.info = info;
    const { infoHashV1, infoHashV2 } = info;
    this.swarm = new Swarm(0, {
      peerId: new Uint8Array(20).fill(1),
      crypto: nodeCrypto,
      rng: new Rng(7),
      clientName: 'rig',
      ...(infoHashV1 === undefined || options.hashes === 'v2' ? {} : { infoHashV1 }),
      ...(infoHashV2 === undefined || options.hashes === 'v1' ? {} : { infoHashV2 }),
    });
    if (options.isMagnet === true) return;
    this.swarm.setTorrent(0, info, options.layers ?? new Map(), options.have);
    this.drain();
  }

  /** Connects a peer. @param id also its address and peer id. */
  connect(id: number, options: { fast?: boolean; v2?: boolean; infoHash?: Uint8Array } = {}): void {
    const { infoHashV1, infoHashV2 } = this.info;
    this.swarm.handleConnected(this.nowMs, {
      id,
      address: { host: `10.0.${id}.1`, port: 6881 },
      isIncoming: true,
      reserved: makeReserved({
        fast: options.fast ?? true,
        extension: true,
        v2: options.v2 ?? false,
      }),
      peerId: new Uint8Array(20).fill(100 + id),
      infoHash: options.infoHash ?? (infoHashV1 ?? infoHashV2!).subarray(0, 20),
    });
    this.drain();
  }

  /** A seed that unchokes us. */
  connectSeed(id: number): void {
    this.connect(id);
    this.receive(id, (writer) => {
      writer.haveAll();
      writer.unchoke();
    });
  }

  receive(id: number, write: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter();
    write(writer);
    for (const bytes of split(writer.take())) this.swarm.handleMessage(this.nowMs, id, bytes);
    this.drain();
  }

  /** A whole block comes; stored when the core expects it. */
  block(id: number, piece: number, block: number): boolean {
    const begin = block * BLOCK_BYTES;
    const length = BLOCK_BYTES;
    const isStored = this.swarm.isExpected(id, piece, begin, length);
    this.swarm.handleBlock(this.nowMs, id, { piece, begin, length }, isStored);
    this.drain();
    return isStored;
  }

  passed(piece: number): void {
    const v1 = this.info.piecesV1!.slice(piece * 20, piece * 20 + 20);
    this.swarm.handlePiece(this.nowMs, piece, { v1 });
    this.drain();
  }

  /** Lets time pass in ticks. */
  wait(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 500;
      this.swarm.handleTimeout(this.nowMs);
      this.drain();
    }
  }

  drain(): void {
    for (;;) {
      const output = this.swarm.poll(this.nowMs);
      if (output === undefined) return;
      this.outputs.push(output);
      if (output.type !== 'transmit') continue;
      const said = this.#said.get(output.id) ?? [];
      this.#said.set(output.id, said);
      for (const bytes of split(output.bytes)) {
        const decoded = decodeMessage(bytes.slice());
        assert(decoded.ok);
        said.push(decoded.value);
      }
    }
  }

  /** What was said to a peer since this was asked last. */
  said(id: number): Message[] {
    const said = this.#said.get(id) ?? [];
    this.#said.set(id, []);
    return said;
  }

  /** Blocks asked of a peer since `said` was asked last: `piece:block`. */
  asked(id: number): string[] {
    return this.said(id).flatMap((message) =>
      message.type === 'request' ? [`${message.piece}:${message.begin / BLOCK_BYTES}`] : [],
    );
  }

  events<T extends SwarmEvent['type']>(type: T): Extract<SwarmEvent, { type: T }>[] {
    return this.outputs.flatMap((output) =>
      output.type === 'event' && output.event.type === type
        ? [output.event as Extract<SwarmEvent, { type: T }>]
        : [],
    );
  }
}

function split(bytes: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

/** Two seeds owe the only block there is, since the first one is late: the endgame. */
function endgame(): Rig {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.connectSeed(1);
  rig.connectSeed(2);
  assert.deepEqual(rig.asked(1), ['0:0']);
  assert.deepEqual(rig.asked(2), [], 'the first one may bring it soon');
  rig.wait(5_000);
  assert.deepEqual(rig.asked(2), ['0:0']);
  return rig;
}

test('a cancelled block that comes after its piece was had is not expected and counts as waste', () => {
  const rig = endgame();
  assert.equal(rig.block(1, 0, 0), true);
  assert.equal(rig.said(2).filter((message) => message.type === 'cancel').length, 1);
  rig.passed(0);
  assert.equal(rig.block(2, 0, 0), false);
  assert.equal(rig.swarm.totals.wastedBytes, BLOCK_BYTES);
  assert.equal(rig.swarm.isComplete, true);
});

test('a cancelled block that comes after its piece failed is taken', () => {
  const rig = endgame();
  rig.block(1, 0, 0);
  rig.swarm.handlePiece(rig.nowMs, 0, { v1: new Uint8Array(20) });
  rig.drain();
  assert.equal(rig.events('piece-failed').length, 1);
  assert.equal(rig.block(2, 0, 0), true);
  rig.passed(0);
  assert.equal(rig.swarm.isComplete, true);
});

test('a reject of a cancelled request is no refusal', () => {
  const rig = endgame();
  rig.block(1, 0, 0);
  for (let i = 0; i < 2000; i += 1) rig.receive(2, (writer) => writer.reject(0, 0, BLOCK_BYTES));
  assert.equal(rig.swarm.peerCount, 2);
});

test('blocks under way when the disk fails are thrown away, and the piece is asked for again', () => {
  const rig = new Rig(torrentOf(2 * BLOCK_BYTES).info);
  rig.connectSeed(1);
  assert.deepEqual(rig.asked(1), ['0:0', '0:1']);
  rig.block(1, 0, 0);
  // The first part of the piece could not be written while the other was on its way.
  rig.swarm.handlePiece(rig.nowMs, 0, { isFault: true });
  rig.swarm.pause();
  rig.drain();
  assert.equal(rig.swarm.isExpected(1, 0, BLOCK_BYTES, BLOCK_BYTES), false);
  assert.equal(rig.block(1, 0, 1), false);
  rig.swarm.resume();
  rig.drain();
  assert.deepEqual(rig.asked(1).sort(), ['0:0', '0:1']);
  rig.block(1, 0, 0);
  rig.block(1, 0, 1);
  rig.passed(0);
  assert.equal(rig.swarm.isComplete, true);
});

test('after a disk fault without a pause the piece is asked for again at once', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.connectSeed(1);
  rig.block(1, 0, 0);
  rig.said(1);
  rig.swarm.handlePiece(rig.nowMs, 0, { isFault: true });
  rig.drain();
  assert.deepEqual(rig.asked(1), ['0:0']);
});

test('a snubbed peer is not asked twice for a block that it owes', () => {
  const rig = new Rig(torrentOf(2 * BLOCK_BYTES).info);
  rig.connectSeed(1);
  assert.equal(rig.asked(1).length, 2);
  rig.wait(120_000);
  assert.deepEqual(rig.asked(1), []);
  assert.equal(rig.swarm.peers(rig.nowMs)[0]!.pendingRequests, 2);
  assert.equal(rig.block(1, 0, 0), true);
  assert.equal(rig.block(1, 0, 1), true);
  rig.passed(0);
  assert.equal(rig.swarm.isComplete, true);
});

test('a request before the metadata is rejected: with BEP 6 every request has an answer', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info, { isMagnet: true });
  rig.connect(1);
  rig.said(1);
  rig.receive(1, (writer) => writer.request(0, 0, BLOCK_BYTES));
  assert.deepEqual(rig.said(1), [{ type: 'reject', piece: 0, begin: 0, length: BLOCK_BYTES }]);
});

test('hashes that come after their request was given up are taken, and the peer stays', () => {
  const { info, layers } = torrentOf(8 * BLOCK_BYTES, { version: 'v2' });
  const rig = new Rig(info);
  rig.connect(1, { v2: true });
  const [asked] = rig
    .said(1)
    .flatMap((message) => (message.type === 'hash-request' ? [message] : []));
  assert(asked !== undefined);
  rig.wait(30_000);
  // What makes the core ask again those that had no hashes: this one owes them already.
  rig.receive(1, (writer) => writer.have(0));
  assert.deepEqual(
    rig.said(1).filter(({ type }) => type === 'hash-request'),
    [],
  );
  const [layer] = layers.values();
  rig.receive(1, (writer) => writer.hashes({ ...asked, hashes: layer! }));
  assert.equal(rig.swarm.peerCount, 1);
  assert.equal(rig.events('layers').length, 1);
  rig.receive(1, (writer) => writer.hashes({ ...asked, hashes: layer! }));
  assert.equal(rig.swarm.peerCount, 0, 'once');
});

test('bitfields before the metadata add up, as late ones do afterwards', () => {
  const { info } = torrentOf(16 * 2 * BLOCK_BYTES);
  const rig = new Rig(info, { isMagnet: true });
  rig.connect(1);
  rig.receive(1, (writer) => writer.bitfield(Uint8Array.of(0x80, 0)));
  rig.receive(1, (writer) => writer.bitfield(Uint8Array.of(0, 1)));
  rig.swarm.setTorrent(rig.nowMs, info, new Map());
  rig.receive(1, (writer) => writer.unchoke());
  const pieces = rig.asked(1).map((name) => Number(name.split(':')[0]));
  assert.deepEqual([...new Set(pieces)].sort(), [0, 15]);
  rig.connect(2);
  const other = new Rig(info, { isMagnet: true });
  other.connect(1);
  other.receive(1, (writer) => writer.bitfield(Uint8Array.of(0x80, 0)));
  other.receive(1, (writer) => writer.bitfield(Uint8Array.of(0x80)));
  assert.equal(other.swarm.peerCount, 0, 'both cannot be right');
});

test('what lapsed at a peer counts for its reqq, and one more is tried when nothing else is left', () => {
  const rig = new Rig(torrentOf(20 * BLOCK_BYTES).info);
  rig.connect(1);
  rig.receive(1, (writer) => {
    writer.extended(0, encodeExtendedHandshake({ extensions: new Map(), reqq: 3 }));
    writer.haveAll();
    writer.unchoke();
  });
  const [first, second, third] = rig.asked(1);
  assert.equal(third !== undefined, true);
  rig.wait(25_000);
  const [tried, ...more] = rig.asked(1);
  assert.notEqual(tried, undefined, 'all three lapsed');
  assert.deepEqual(more, []);
  const [piece, block] = tried!.split(':').map(Number) as [number, number];
  rig.block(1, piece, block);
  assert.equal(rig.asked(1).length, 1, 'three are still waiting there');
  for (const name of [first!, second!]) {
    const [at, index] = name.split(':').map(Number) as [number, number];
    rig.receive(1, (writer) => writer.reject(at, index * BLOCK_BYTES, BLOCK_BYTES));
  }
  assert.equal(
    rig.asked(1).length,
    1,
    'two are: the one that was tried and the oldest that is left',
  );
});

test('a hybrid that contradicts itself ends all interest', () => {
  const { info, layers } = torrentOf(2 * BLOCK_BYTES, { version: 'hybrid' });
  const rig = new Rig(info, { layers });
  rig.connectSeed(1);
  assert.equal(
    rig.said(1).some(({ type }) => type === 'interested'),
    true,
  );
  rig.block(1, 0, 0);
  rig.block(1, 0, 1);
  rig.swarm.handlePiece(rig.nowMs, 0, { v1: info.piecesV1!.slice(0, 20), v2: new Uint8Array(32) });
  rig.drain();
  assert.equal(rig.events('inconsistent').length, 1);
  assert.equal(
    rig.said(1).some(({ type }) => type === 'not-interested'),
    true,
  );
});

test('a slot that becomes empty is given away at once', () => {
  const { info } = torrentOf(2 * BLOCK_BYTES);
  const have = new Bitfield(info.pieceCount);
  have.fill();
  const rig = new Rig(info, { have });
  for (let id = 1; id <= 7; id += 1) {
    rig.connect(id);
    rig.receive(id, (writer) => {
      writer.haveNone();
      writer.interested();
    });
  }
  const unchoked = (): number[] =>
    rig.swarm.peers(rig.nowMs).flatMap((peer) => (peer.amChoking ? [] : [peer.id]));
  const [first, second] = unchoked();
  assert.equal(unchoked().length, 5);
  rig.swarm.handleClosed(rig.nowMs, first!, 'gone');
  rig.drain();
  assert.equal(unchoked().length, 5);
  rig.receive(second!, (writer) => writer.notInterested());
  assert.equal(
    rig.swarm.peers(rig.nowMs).filter((peer) => !peer.amChoking && peer.isInterested).length,
    5,
  );
});

test('upload_only is told to peers when the torrent becomes complete', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.connectSeed(1);
  const told = (): boolean[] =>
    rig.said(1).flatMap((message) => {
      if (message.type !== 'extended' || message.id !== 0) return [];
      const decoded = decodeExtendedHandshake(message.payload);
      return decoded.ok ? [decoded.value.uploadOnly === true] : [];
    });
  assert.deepEqual(told(), [false]);
  rig.block(1, 0, 0);
  rig.passed(0);
  assert.deepEqual(told(), [true]);
});

test('after a mixture of metadata failed, one peer at a time gives it all, and a liar is found', () => {
  // 6,000 pieces: a metadata of eight parts.
  const { info } = torrentOf(6000 * BLOCK_BYTES, { pieceLengthBytes: BLOCK_BYTES });
  const rig = new Rig(info, { isMagnet: true });
  const metadataBytes = info.infoBytes.length;
  const partCount = Math.ceil(metadataBytes / METADATA_PIECE_BYTES);
  assert(partCount > 4);
  const wrong = info.infoBytes.slice();
  for (let at = 0; at < metadataBytes; at += 1000) wrong[at]! ^= 1;
  const handshake = encodeExtendedHandshake({
    extensions: new Map([[METADATA_EXTENSION, 3]]),
    metadataBytes,
  });
  for (const id of [1, 2, 3]) {
    rig.connect(id);
    rig.receive(id, (writer) => writer.extended(0, handshake));
  }
  for (let round = 0; round < 100 && rig.events('metadata').length === 0; round += 1) {
    for (const id of [1, 2, 3]) {
      for (const message of rig.said(id)) {
        if (message.type !== 'extended' || message.id !== 3) continue;
        const text = String.fromCharCode(...message.payload);
        const piece = Number(/5:piecei(\d+)e/.exec(text)![1]);
        const bytes = id === 1 ? wrong : info.infoBytes;
        rig.receive(id, (writer) => writer.extended(1, encodeMetadataData(piece, bytes)));
      }
    }
    rig.wait(500);
  }
  assert.equal(rig.events('metadata').length, 1);
  assert.deepEqual(
    rig.events('peer-banned').map((event) => event.address.host),
    ['10.0.1.1'],
  );
  assert(rig.nowMs < 60_000, 'nobody had to wait for the honest ones');
});

test('a hybrid known by one hash speaks v2 once the metadata told the other', () => {
  const { info, layers } = torrentOf(8 * BLOCK_BYTES, { version: 'hybrid' });
  const have = new Bitfield(info.pieceCount);
  have.fill();
  for (const hashes of ['v1', 'v2'] as const) {
    const rig = new Rig(info, { have, layers, hashes });
    rig.connect(1, { v2: true, infoHash: info.infoHashV1! });
    const [root] = layers.keys();
    rig.receive(1, (writer) =>
      writer.hashRequest({
        root: fromHex(root!)!,
        baseLayer: 1,
        index: 0,
        length: 4,
        proofLayers: 0,
      }),
    );
    assert.equal(rig.said(1).filter((message) => message.type === 'hashes').length, 1);
  }
});

test('a peer that had no hashes is asked again when it got a piece', () => {
  const { info } = torrentOf(8 * BLOCK_BYTES, { version: 'v2' });
  const rig = new Rig(info);
  const infoHash = info.infoHashV2!.subarray(0, 20);
  rig.connect(1, { infoHash });
  const requests = (): Extract<Message, { type: 'hash-request' }>[] =>
    rig.said(1).filter((message) => message.type === 'hash-request');
  const [request] = requests();
  assert(request !== undefined);
  rig.receive(1, (writer) => {
    writer.haveNone();
    writer.hashReject(request);
  });
  rig.wait(30_000);
  assert.equal(requests().length, 0);
  rig.receive(1, (writer) => writer.have(2));
  assert.equal(requests().length, 1);
});

test('a banned peer does not come back from another port, nor with its peer id from another host', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.connectSeed(1);
  rig.block(1, 0, 0);
  rig.swarm.handlePiece(rig.nowMs, 0, { v1: new Uint8Array(20) });
  rig.drain();
  assert.equal(rig.events('peer-banned').length, 1);
  const again = (id: number, host: string, peerId: number): number => {
    rig.swarm.handleConnected(rig.nowMs, {
      id,
      address: { host, port: 50_000 },
      isIncoming: true,
      reserved: makeReserved({}),
      peerId: new Uint8Array(20).fill(peerId),
      infoHash: rig.info.infoHashV1!,
    });
    rig.drain();
    return rig.swarm.peerCount;
  };
  assert.equal(again(2, '10.0.1.1', 200), 0);
  assert.equal(again(3, '10.0.99.1', 101), 0);
  assert.equal(again(4, '10.0.99.1', 201), 1);
});

test('a late block cancels the request that was made of another peer meanwhile', () => {
  const rig = new Rig(torrentOf(2 * BLOCK_BYTES).info);
  rig.connectSeed(1);
  assert.equal(rig.asked(1).length, 2);
  // Snubbed: one of the two counts again, the other is free for others.
  rig.wait(30_000);
  rig.connectSeed(2);
  const [free] = rig.asked(2);
  const block = Number(free!.split(':')[1]);
  assert.equal(rig.block(1, 0, block), true);
  const cancels = rig.said(2).filter((message) => message.type === 'cancel');
  assert.deepEqual(
    cancels.map(({ begin }) => begin / BLOCK_BYTES),
    [block],
  );
});

test('peers of a private torrent are forgotten with the tracker they came from (BEP 27)', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.connect(1);
  rig.swarm.addPeers(0, [{ host: '10.0.9.1', port: 6881 }], 'tracker');
  rig.drain();
  const dial = rig.outputs.find((output) => output.type === 'dial');
  assert(dial?.type === 'dial');
  rig.swarm.forgetPeers(0);
  rig.drain();
  assert.equal(rig.swarm.peerCount, 0);
  assert.equal(rig.swarm.knownAddressCount, 0);
  rig.swarm.handleConnected(0, {
    id: 2,
    dial: dial.dial,
    address: dial.address,
    isIncoming: false,
    reserved: makeReserved({}),
    peerId: new Uint8Array(20).fill(9),
    infoHash: rig.info.infoHashV1!,
  });
  rig.drain();
  assert.equal(rig.swarm.peerCount, 0);
});

test('in order means in order: an allowed-fast piece is not asked for before the unchoke (BEP 6)', () => {
  for (const isSequential of [false, true]) {
    const rig = new Rig(torrentOf(8 * BLOCK_BYTES).info);
    rig.swarm.setSequential(isSequential);
    rig.connect(1);
    rig.receive(1, (writer) => {
      writer.haveAll();
      writer.allowedFast(3);
    });
    assert.deepEqual(rig.asked(1), isSequential ? [] : ['3:0', '3:1']);
    rig.receive(1, (writer) => writer.unchoke());
    if (isSequential) assert.equal(rig.asked(1)[0], '0:0');
  }
});

test('an address that a person gave is dialled again a moment after it failed, and the core says when', () => {
  const rig = new Rig(torrentOf(BLOCK_BYTES).info);
  rig.wait(500);
  const dials = (): number[] =>
    rig.outputs.flatMap((output) => (output.type === 'dial' ? [output.dial] : []));
  rig.swarm.addPeers(rig.nowMs, [{ host: '10.0.0.1', port: 1 }], 'given');
  rig.drain();
  assert.equal(dials().length, 1);
  rig.swarm.handleDialFailed(rig.nowMs, dials()[0]!);
  rig.drain();
  assert.equal(dials().length, 1);
  const waitMs = rig.swarm.nextTimeoutMs - rig.nowMs;
  assert.ok(waitMs > 0 && waitMs <= 125, `waits ${waitMs} ms`);
  rig.nowMs = rig.swarm.nextTimeoutMs;
  rig.swarm.handleTimeout(rig.nowMs);
  rig.drain();
  assert.equal(dials().length, 2);
});

test('HAVEs of pieces that come at once go to a peer together, the first at once, and none is lost', () => {
  const rig = new Rig(torrentOf(80 * BLOCK_BYTES).info);
  rig.connectSeed(1);
  rig.connect(2);
  rig.receive(2, (writer) => writer.haveNone());
  const pieces: number[] = [];
  const note = (): void => {
    for (const name of rig.asked(1)) {
      const piece = Number(name.split(':')[0]);
      if (!pieces.includes(piece)) pieces.push(piece);
    }
  };
  note();
  rig.wait(1_000);
  rig.said(2);
  const haves = (): number[] =>
    rig.said(2).flatMap((message) => (message.type === 'have' ? [message.piece] : []));
  const told: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    rig.block(1, pieces[i]!, 0);
    rig.block(1, pieces[i]!, 1);
    rig.passed(pieces[i]!);
    note();
    told.push(...haves());
    assert.equal(told.length, 1, 'only the first one goes at once');
  }
  const dueMs = rig.swarm.nextTimeoutMs;
  assert.ok(dueMs - rig.nowMs <= 50, `waits ${dueMs - rig.nowMs} ms`);
  rig.nowMs = dueMs;
  rig.swarm.handleTimeout(dueMs);
  rig.drain();
  assert.deepEqual([...told, ...haves()], pieces.slice(0, 4));
});

test('leaf hashes of a piece are served once its blocks were read, and rejected when they could not be', () => {
  const { info, layers } = torrentOf(8 * BLOCK_BYTES, { version: 'v2' });
  const have = new Bitfield(info.pieceCount);
  have.fill();
  const rig = new Rig(info, { have, layers });
  rig.connect(1, { infoHash: info.infoHashV2!.subarray(0, 20) });
  const root = fromHex([...layers.keys()][0]!)!;
  const range = { root, baseLayer: 0, index: 2, length: 2, proofLayers: 0 };
  const ask = (): void => rig.receive(1, (writer) => writer.hashRequest(range));
  ask();
  const digests = rig.outputs.filter((output) => output.type === 'digest');
  assert.deepEqual(digests, [{ type: 'digest', piece: 1 }]);
  const leaves = new Rng(3).bytes(64);
  rig.swarm.handleDigests(rig.nowMs, 1, leaves);
  rig.drain();
  const [answer] = rig.said(1).filter((message) => message.type === 'hashes');
  assert.deepEqual(answer?.hashes, leaves);
  ask();
  rig.swarm.handleDigests(rig.nowMs, 1, undefined);
  rig.drain();
  assert.equal(rig.said(1).filter((message) => message.type === 'hash-reject').length, 1);
  // Pieces that are not there, and more at a time than one may ask for, are rejected at once.
  for (let i = 0; i < 6; i += 1) ask();
  assert.equal(rig.said(1).filter((message) => message.type === 'hash-reject').length, 2);
});
