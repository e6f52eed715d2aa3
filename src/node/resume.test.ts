import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { bootId } from '../io/atomic-file.ts';
import { Bitfield } from '../lib/bitfield.ts';
import type { FileLook } from '../plane/file-table.ts';
import { encode } from '../protocol/bencode/index.ts';
import {
  judgeRecord,
  moveResume,
  openRecord,
  parseRecord,
  type ResumeRecord,
  ResumeStore,
  sealRecord,
  statFiles,
} from './resume.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'resume-'));
after(() => fs.rmSync(home, { recursive: true, force: true }));
const DIGEST_BYTES = 32;
const journalKey = new Uint8Array(16).fill(7);
let sequence = 0;

function bits(size: number, ...indices: number[]): Uint8Array {
  const field = new Bitfield(size);
  for (const index of indices) field.add(index);
  return field.bytes;
}

/** Four pieces: 0 and 1 in file 0 (stored), 2 in file 1 (stored), 3 in file 2 (in the parts file). */
function makeRecord(changes: Partial<ResumeRecord> = {}): ResumeRecord {
  return {
    have: bits(4, 0, 2, 3),
    synced: bits(4, 0, 2, 3),
    boot: bootId(),
    stored: bits(3, 0, 1),
    files: [
      { sizeBytes: 200, mtimeMs: 1000 },
      { sizeBytes: 100, mtimeMs: 1000 },
      { sizeBytes: -1, mtimeMs: 0 },
    ],
    parts: { sizeBytes: 400, mtimeMs: 1000 },
    isClean: true,
    infoBytes: Uint8Array.of(0x64, 0x65),
    layers: new Map([['00ff', new Uint8Array(64).fill(3)]]),
    uploadedBytes: 5,
    downloadedBytes: 2 ** 40,
    ...changes,
  };
}

function freshStore(): { open: () => ResumeStore; journalPath: () => string } {
  sequence += 1;
  const own = path.join(home, String(sequence));
  return {
    open: () => new ResumeStore(own, new Uint8Array(20), own),
    journalPath: () => {
      const folder = path.join(own, 'resume');
      return path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith('.journal'))!);
    },
  };
}

test('a record is read back as it was written', () => {
  const record = makeRecord();
  const { open } = freshStore();
  open().save(record);
  const { journalKey: key, ...loaded } = open().load()!;
  assert.equal(key.length, 16);
  const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
  assert.deepEqual(
    {
      ...loaded,
      have: plain(loaded.have),
      synced: plain(loaded.synced),
      stored: plain(loaded.stored),
      infoBytes: plain(loaded.infoBytes),
      layers: new Map([...loaded.layers].map(([root, layer]) => [root, plain(layer)])),
    },
    record,
  );
  open().remove();
  assert.equal(open().load(), undefined);
});

test('what is remembered goes along to another folder, journal and all', () => {
  const own = path.join(home, 'moving');
  const hash = new Uint8Array(20).fill(9);
  const open = (dir: string): ResumeStore => new ResumeStore(own, hash, dir);
  const stale = open('/b');
  stale.save(makeRecord({ uploadedBytes: 1 }));
  stale.append([3]);
  stale.close();
  const store = open('/a');
  store.save(makeRecord({ uploadedBytes: 77 }));
  store.append([1]);
  store.close();
  moveResume(own, hash, '/a', '/b');
  assert.equal(open('/a').load(), undefined);
  const moved = open('/b');
  assert.equal(moved.load()!.uploadedBytes, 77);
  assert.deepEqual(moved.loadJournal(4).pieces, [1]);
  moveResume(own, hash, '/a', '/b');
  assert.equal(open('/b').load(), undefined, 'of another time in that folder nothing is left');
});

test('a record damaged at any byte, or cut anywhere, is no record', () => {
  const sealed = sealRecord({ ...makeRecord(), journalKey });
  assert.notEqual(openRecord(sealed), undefined);
  for (let at = 0; at < sealed.length; at += 1) {
    const damaged = Uint8Array.from(sealed);
    damaged[at]! ^= 1 << (at % 8);
    assert.equal(openRecord(damaged), undefined, `byte ${at}`);
    assert.equal(openRecord(sealed.subarray(0, at)), undefined, `cut at ${at}`);
  }
});

test('a dictionary changed at any byte is read as a record of whole numbers or not at all', () => {
  const body = sealRecord({ ...makeRecord(), journalKey }).subarray(DIGEST_BYTES);
  const changes = fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1 });
  fc.assert(
    fc.property(changes, (list) => {
      const damaged = Uint8Array.from(body);
      for (const [at, value] of list) damaged[at] = value;
      const parsed = parseRecord(damaged);
      for (const look of [...(parsed?.files ?? []), ...(parsed ? [parsed.parts] : [])]) {
        assert.ok(Number.isSafeInteger(look.sizeBytes) && Number.isSafeInteger(look.mtimeMs));
      }
    }),
  );
});

test('sizes and times that are no whole numbers make no record', () => {
  const valid = {
    format: 2,
    have: new Uint8Array(1),
    synced: new Uint8Array(1),
    stored: new Uint8Array(1),
    info: new Uint8Array(1),
    sizes: [1],
    times: [2],
    parts: [3, 4],
    journal: journalKey,
  };
  assert.deepEqual(parseRecord(encode(valid))?.files, [{ sizeBytes: 1, mtimeMs: 2 }]);
  for (const damage of [
    { sizes: ['x'] },
    { times: [[]] },
    { times: [{}] },
    { sizes: [2n ** 60n] },
    { sizes: [1, 2] },
    { parts: [3] },
    { parts: [3, 4, 5] },
    { parts: ['3', 4] },
    { journal: new Uint8Array(15) },
    { format: 1 },
  ]) {
    assert.equal(
      parseRecord(encode({ ...valid, ...damage })),
      undefined,
      JSON.stringify(Object.keys(damage)),
    );
  }
});

test('a journal that was torn in the middle of an entry goes on at the entry before', () => {
  const { open, journalPath } = freshStore();
  const first = open();
  first.save(makeRecord());
  first.append([1, 258]);
  first.close();
  fs.appendFileSync(journalPath(), Buffer.of(0, 0));
  const second = open();
  second.load();
  second.append([3]);
  second.append([4]);
  second.close();
  assert.deepEqual(second.loadJournal(1000).pieces, [1, 258, 3, 4]);
  assert.deepEqual(second.loadJournal(4).pieces, [1, 3], 'entries beyond the count are ignored');
});

test('a journal that outlived its record claims nothing, and the next append replaces it', () => {
  const { open, journalPath } = freshStore();
  const store = open();
  store.save(makeRecord());
  store.append([1, 2]);
  const old = fs.readFileSync(journalPath());
  const where = journalPath();
  store.save(makeRecord());
  // As if the process had died between the replacing and the removing.
  fs.writeFileSync(where, old);
  const next = open();
  next.load();
  assert.deepEqual(next.loadJournal(10), { pieces: [], mtimeMs: 0 });
  next.append([3]);
  next.close();
  assert.deepEqual(next.loadJournal(10).pieces, [3]);
});

test('a journal whose key was cut short is begun anew', () => {
  const { open, journalPath } = freshStore();
  const store = open();
  store.save(makeRecord());
  store.append([1]);
  store.close();
  fs.truncateSync(journalPath(), 9);
  assert.deepEqual(store.loadJournal(10).pieces, []);
  store.append([2]);
  store.close();
  assert.deepEqual(store.loadJournal(10).pieces, [2]);
});

interface Case {
  readonly title: string;
  readonly record?: Partial<ResumeRecord>;
  readonly journal?: { pieces: number[]; mtimeMs: number };
  readonly now?: readonly (FileLook | undefined)[];
  readonly partsNow?: FileLook;
  readonly have: number[];
  readonly doubtful: number[];
}

const gone: FileLook = { sizeBytes: -1, mtimeMs: 0 };
const cases: readonly Case[] = [
  { title: 'nothing changed', have: [0, 2, 3], doubtful: [] },
  {
    title: 'a touched file',
    now: [{ sizeBytes: 200, mtimeMs: 1001 }],
    have: [2, 3],
    doubtful: [0],
  },
  { title: 'a longer file', now: [{ sizeBytes: 201, mtimeMs: 1000 }], have: [2, 3], doubtful: [0] },
  { title: 'a file that is gone', now: [gone], have: [2, 3], doubtful: [] },
  { title: 'parts that are gone', partsNow: gone, have: [0, 2], doubtful: [] },
  {
    title: 'parts that were touched',
    partsNow: { sizeBytes: 400, mtimeMs: 1001 },
    have: [0, 2],
    doubtful: [3],
  },
  {
    title: 'parts that were cut, journal or not',
    record: { isClean: false },
    journal: { pieces: [], mtimeMs: 9000 },
    partsNow: { sizeBytes: 300, mtimeMs: 1000 },
    have: [0, 2],
    doubtful: [3],
  },
  {
    title: 'another start of the machine: what was not synced is in doubt',
    record: { boot: 'another', synced: bits(4, 2) },
    have: [2],
    doubtful: [0, 3],
  },
  {
    title: 'a journal adds pieces, and files as old as it are ours',
    record: { isClean: false },
    journal: { pieces: [1], mtimeMs: 9000 },
    now: [{ sizeBytes: 200, mtimeMs: 9000 }],
    partsNow: { sizeBytes: 500, mtimeMs: 9001 },
    have: [0, 1, 2, 3],
    doubtful: [],
  },
  {
    title: 'a file younger than the journal is in doubt',
    record: { isClean: false },
    journal: { pieces: [1], mtimeMs: 9000 },
    now: [{ sizeBytes: 200, mtimeMs: 11_001 }],
    have: [2, 3],
    doubtful: [0, 1],
  },
  {
    title: 'a bitfield of another size claims nothing',
    record: { have: bits(9) },
    have: [],
    doubtful: [],
  },
];

/** Without an id of the machine's start, nothing unsynced is believed. */
const skip = bootId() === '' && 'this system has no id of its start';

for (const each of cases) {
  test(`trust in a record: ${each.title}`, { skip }, () => {
    const record = makeRecord(each.record);
    const { have, doubtful } = judgeRecord({
      record,
      journal: each.journal ?? { pieces: [], mtimeMs: 0 },
      pieceCount: 4,
      now: record.files.map((then, index) => each.now?.[index] ?? then),
      partsNow: each.partsNow ?? record.parts,
      lengths: [200, 100, 100],
      isStored: (index) => index < 2,
      filesOf: (piece) => [[0], [0], [1], [2]][piece]!,
    });
    assert.deepEqual([...have], each.have);
    assert.deepEqual([...doubtful], each.doubtful);
  });
}

test('a file that is not there has size -1', () => {
  assert.deepEqual(statFiles([path.join(home, 'nowhere')]), [gone]);
});
