import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodeCrypto } from '../../test/support/node-crypto.ts';
import { makeTorrent } from '../../test/support/torrents.ts';
import { Bitfield } from '../lib/bitfield.ts';
import type { Job, JobResult } from '../plane/disk-jobs.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import { FileTable } from '../plane/file-table.ts';
import { SendCache } from '../plane/send-cache.ts';
import { SlabPool } from '../plane/slab-pool.ts';
import { parseMetainfo } from '../protocol/metainfo/index.ts';
import { makeReserved } from '../protocol/peer-wire/index.ts';
import type { PeerLink } from './peer-link.ts';
import type { RateGate } from './rate-gate.ts';
import { storageSpec, TorrentGeometry } from './storage.ts';
import { type NodePlane, SwarmService } from './swarm-service.ts';

/** A link as the service sees it, with what was written to it. */
function fakeLink(): { link: PeerLink; written: Uint8Array[] } {
  const written: Uint8Array[] = [];
  const link = {
    id: -1,
    isIncoming: true,
    isClosed: false,
    isStoring: false,
    dial: undefined,
    queue: undefined,
    queuedBytes: 0,
    readAtMs: 0,
    piece: -1,
    begin: 0,
    length: 0,
    opening: 0,
    blockStartedMs: 0,
    connection: { remote: { host: '127.0.0.1', port: 1 }, pause: () => {} },
    write: (bytes: Uint8Array) => written.push(bytes),
    close: () => {},
  } as unknown as PeerLink;
  return { link, written };
}

const HANDSHAKE = {
  reserved: makeReserved({ fast: true, extension: true, v2: false }),
  peerId: new Uint8Array(20).fill(2),
};

test('a block that began before a disk fault is fetched again, even when it was asked for anew meanwhile', () => {
  const pieceLengthBytes = 2 * 1024 * 1024;
  const { bytes } = makeTorrent([{ path: ['f'], bytes: new Uint8Array(pieceLengthBytes) }], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes,
  });
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert.ok(parsed.ok);
  const { info } = parsed.value;
  const submitted: ((result: JobResult) => void)[] = [];
  const gate = {
    isUnlimited: true,
    available: () => 1,
    spend: () => {},
    wait: () => {},
    forget: () => {},
  } as unknown as RateGate;
  const disk = {
    isBehind: false,
    nextOwner: () => 0,
    submit: (_worker: number, job: Job, done: (result: JobResult) => void) => {
      assert.equal(job.kind, 'part');
      submitted.push(done);
    },
  } as unknown as DiskPool;
  let faults = 0;
  const service = new SwarmService({
    // What a download from one peer that came by itself touches.
    plane: {
      pool: new SlabPool(8),
      disk,
      sendCache: new SendCache(2),
      uploadGate: gate,
      downloadGate: gate,
      isExempt: () => true,
      standingOf: () => 0,
    } as unknown as NodePlane,
    infoHashV1: info.infoHashV1!,
    peerId: new Uint8Array(20).fill(1),
    clientName: 'test',
    onEvent: () => {},
    onDiskFault: () => {
      faults += 1;
      service.swarm.pause();
    },
  });
  after(() => service.disconnect());
  service.activate({
    info,
    layers: new Map(),
    have: new Bitfield(info.pieceCount),
    geometry: new TorrentGeometry(info),
    storage: 1,
    files: new FileTable({ ...storageSpec(info, '/nowhere', () => true), id: 1 }),
    priorityOf: () => 1,
    isSequential: false,
  });
  const { link, written } = fakeLink();
  service.accept(link, { ...HANDSHAKE, infoHash: info.infoHashV1! });
  service.onMessage(link, Uint8Array.of(14));
  service.onMessage(link, Uint8Array.of(1));
  service.drain();
  /** Offsets of blocks asked for since the last look. */
  const asked = (): number[] => {
    const begins: number[] = [];
    const all = Buffer.concat(written.splice(0));
    for (let at = 0; at < all.length; at += 4 + all.readUInt32BE(at)) {
      if (all[at + 4] === 6) begins.push(all.readUInt32BE(at + 9));
    }
    return begins;
  };
  const begin = (from: number): void => {
    Object.assign(link, { piece: 0, begin: from, length: 16_384 });
    link.isStoring = service.onBlockStart(link, 0, from, 16_384) !== undefined;
  };
  const end = (): void => {
    service.onBlockEnd(link);
    service.onReadDone(link);
  };
  // The handshakes come first, and are no messages of a length.
  written.shift();
  const waiting = asked();
  while (submitted.length === 0) {
    const next = waiting.shift()!;
    begin(next);
    end();
    waiting.push(...asked());
  }
  const slow = waiting.shift()!;
  begin(slow);
  assert.equal(link.isStoring, true);
  const fault = { code: 'ENOSPC', path: 'f', operation: 'write' } as const;
  submitted[0]!({ id: 1, isPieceDone: true, fault });
  assert.equal(faults, 1);
  service.swarm.resume();
  service.drain();
  const again = asked();
  assert.ok(
    again.length > 0 && !again.includes(slow),
    'the slow one is owed: it is not asked for again',
  );
  end();
  const answers = [...waiting, ...again, ...asked()];
  for (let at = 0; at < answers.length; at += 1) {
    begin(answers[at]!);
    end();
    answers.push(...asked());
  }
  assert.ok(answers.includes(slow), 'its bytes went with the piece');
  assert.equal(submitted.length, 3, 'both parts of the piece are whole');
});
