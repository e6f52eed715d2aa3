import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { nodeCrypto } from '../../test/support/node-crypto.ts';
import { makeTorrent } from '../../test/support/torrents.ts';
import { Bitfield } from '../lib/bitfield.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import { FileTable } from '../plane/file-table.ts';
import { SendCache } from '../plane/send-cache.ts';
import { SlabPool } from '../plane/slab-pool.ts';
import { parseMetainfo } from '../protocol/metainfo/index.ts';
import { MessageWriter, makeReserved } from '../protocol/peer-wire/index.ts';
import { DialGate } from './dial-gate.ts';
import type { PeerLink } from './peer-link.ts';
import { RateGate } from './rate-gate.ts';
import { storageSpec, TorrentGeometry } from './storage.ts';
import { SwarmService } from './swarm-service.ts';

/** A gate in debt for ever, and who waits at it. */
function shutGate(): { gate: RateGate; waiting: Set<() => void> } {
  const waiting = new Set<() => void>();
  const gate = {
    isUnlimited: false,
    available: () => 0,
    spend: () => {},
    wait: (wake: () => void) => waiting.add(wake),
    forget: (wake: () => void) => waiting.delete(wake),
  } as unknown as RateGate;
  return { gate, waiting };
}

test('torrents share the limit of dials, and one that stops lets the others go on', async () => {
  const open = new Set<net.Socket>();
  let arrivals = 0;
  // Takes connections and never says a word: a dial to it lasts.
  const { promise: second, resolve: onSecond } = Promise.withResolvers<void>();
  const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    open.add(socket.on('error', () => {}));
    arrivals += 1;
    if (arrivals === 1) onFirst();
    else onSecond();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const dialGate = new DialGate(1);
  const services = [1, 2].map((number) => {
    const service = new SwarmService({
      plane: {
        pool: new SlabPool(1),
        disk: {} as DiskPool,
        sendCache: new SendCache(2),
        uploadGate: new RateGate(0),
        downloadGate: new RateGate(0),
        countsOverhead: true,
        dialGate,
        mayDial: () => true,
        isExempt: () => true,
        standingOf: () => 0,
      },
      infoHashV1: new Uint8Array(20).fill(number),
      peerId: new Uint8Array(20).fill(1),
      clientName: 'test',
      onEvent: () => {},
      onDiskFault: () => assert.fail('no disk is touched'),
    });
    service.addPeers([{ host: '127.0.0.1', port }], 'given');
    return service;
  });
  await first;
  assert.deepEqual([dialGate.active, dialGate.waiting, arrivals], [1, 1, 1]);
  services[0]!.disconnect();
  await second;
  assert.deepEqual([dialGate.active, dialGate.waiting], [1, 0]);
  services[1]!.disconnect();
  assert.equal(dialGate.active, 0);
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** A seed of three pieces behind two gates, and a link of a peer to it. */
function rig(
  uploadGate: RateGate,
  downloadGate: RateGate,
): { service: SwarmService; link: PeerLink; pauses: () => number; written: Uint8Array[] } {
  const { bytes } = makeTorrent([{ path: ['f'], bytes: new Uint8Array(40_000) }], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: 16_384,
  });
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert.ok(parsed.ok);
  const { info } = parsed.value;
  const service = new SwarmService({
    plane: {
      pool: new SlabPool(1),
      disk: {} as DiskPool,
      sendCache: new SendCache(2),
      uploadGate,
      downloadGate,
      countsOverhead: true,
      dialGate: new DialGate(),
      mayDial: () => false,
      isExempt: () => true,
      standingOf: () => 0,
    },
    infoHashV1: info.infoHashV1!,
    peerId: new Uint8Array(20).fill(1),
    clientName: 'test',
    onEvent: () => {},
    onDiskFault: () => assert.fail('no disk is touched'),
  });
  after(() => service.disconnect());
  const have = new Bitfield(info.pieceCount);
  have.fill();
  service.activate({
    info,
    layers: new Map(),
    have,
    geometry: new TorrentGeometry(info),
    storage: 1,
    files: new FileTable({ ...storageSpec(info, '/nowhere', () => true), id: 1 }),
    priorityOf: () => 1,
    isSequential: false,
  });
  let pauses = 0;
  const written: Uint8Array[] = [];
  const link = {
    id: -1,
    isIncoming: true,
    isClosed: false,
    dial: undefined,
    queue: undefined,
    queuedBytes: 0,
    readAtMs: 0,
    readBytes: 100,
    connection: {
      remote: { host: '127.0.0.1', port: 1 },
      pause: () => {
        pauses += 1;
      },
    },
    write: (message: Uint8Array) => written.push(message),
    close: () => {},
  } as unknown as PeerLink;
  const owner = service.accept(link, {
    reserved: makeReserved({ fast: true, extension: true, v2: false }),
    infoHash: info.infoHashV1!,
    peerId: new Uint8Array(20).fill(2),
  });
  assert.equal(owner, service);
  return { service, link, pauses: () => pauses, written };
}

test('a link waits once at each rate gate, however often it comes, and not at all when it is closed', () => {
  const upload = shutGate();
  const download = shutGate();
  const { service, link, pauses } = rig(upload.gate, download.gate);
  link.queue!.push([0, 0, 16_384]);
  for (let round = 0; round < 3; round += 1) {
    link.queue!.pump();
    service.onReadDone(link);
  }
  assert.equal(pauses(), 3);
  assert.equal(upload.waiting.size, 1);
  assert.equal(download.waiting.size, 1);
  service.onClosed(link, 'over');
  assert.equal(upload.waiting.size, 0);
  assert.equal(download.waiting.size, 0);
});

test('a shut upload gate holds blocks back, not the taking of requests: none is refused, nobody stops reading', () => {
  const upload = shutGate();
  const { service, link, pauses, written } = rig(upload.gate, new RateGate(0));
  const say = (write: (writer: MessageWriter) => void): void => {
    const writer = new MessageWriter();
    write(writer);
    service.onMessage(link, writer.take().subarray(4));
    service.onReadDone(link);
  };
  say((writer) => writer.haveNone());
  say((writer) => writer.interested());
  written.length = 0;
  for (let piece = 0; piece < 2; piece += 1) say((writer) => writer.request(piece, 0, 16_384));
  assert.equal(link.queue!.length, 2);
  assert.equal(pauses(), 0);
  assert.deepEqual(written, [], 'no reject');
});

test('messages are paid for at the gate, with the headers of the segments that carry them', () => {
  const gate = new RateGate(1_000_000);
  const spent: number[] = [];
  const spend = gate.spend.bind(gate);
  gate.spend = (wake, bytes) => {
    spent.push(bytes);
    spend(wake, bytes);
  };
  const { service, link, written } = rig(gate, new RateGate(0));
  service.drain();
  const bytes = written.slice(1).reduce((sum, message) => sum + message.length, 0);
  assert.ok(bytes > 0);
  assert.equal(
    spent.reduce((sum, cost) => sum + cost, 0),
    bytes + 52 * (written.length - 1),
  );
  spent.length = 0;
  service.onReadDone(link);
  assert.deepEqual(spent, [52], 'the acknowledgement of what was read');
});
