/**
 * Any bytes as a resume record: no throw, numbers that are numbers, and what was read is read again from what it is written as.
 * The digest in front, which no mutation would pass, is left out where the dictionary is the subject.
 * @module
 */
import assert from 'node:assert/strict';
import { Bitfield } from '../../src/lib/bitfield.ts';
import {
  judgeRecord,
  type LoadedRecord,
  openRecord,
  parseRecord,
  sealRecord,
} from '../../src/node/resume.ts';
import type { FuzzTarget } from './driver.ts';

const DIGEST_BYTES = 32;
const PIECES = 12;

function record(changes: Partial<LoadedRecord>): LoadedRecord {
  return {
    have: Uint8Array.of(0xff, 0xf0),
    synced: Uint8Array.of(0x80, 0x00),
    boot: 'a-start-of-the-machine',
    stored: Uint8Array.of(0xc0),
    files: [
      { sizeBytes: 100, mtimeMs: 1_700_000_000_000 },
      { sizeBytes: -1, mtimeMs: 0 },
    ],
    parts: { sizeBytes: 50, mtimeMs: 1_700_000_000_001 },
    isClean: true,
    infoBytes: Uint8Array.of(0x64, 0x65),
    layers: new Map([['00'.repeat(32), new Uint8Array(64)]]),
    uploadedBytes: 1,
    downloadedBytes: 2,
    journalKey: new Uint8Array(16),
    ...changes,
  };
}

/** Read by the fuzz runner. */
export const target: FuzzTarget = {
  name: 'resume',
  seeds: [
    sealRecord(record({})).subarray(DIGEST_BYTES),
    sealRecord(record({ files: [], layers: new Map(), isClean: false })).subarray(DIGEST_BYTES),
    sealRecord(record({})),
  ],
  run(bytes) {
    openRecord(bytes);
    const parsed = parseRecord(bytes);
    if (parsed === undefined) return;
    for (const { sizeBytes, mtimeMs } of [...parsed.files, parsed.parts]) {
      assert.ok(Number.isSafeInteger(sizeBytes) && Number.isSafeInteger(mtimeMs));
    }
    assert.ok(parsed.uploadedBytes >= 0 && parsed.downloadedBytes >= 0);
    const again = openRecord(sealRecord(parsed));
    assert.deepEqual(again, parsed);
    const { have, doubtful } = judgeRecord({
      record: parsed,
      journal: { pieces: [1, 11], mtimeMs: 5 },
      pieceCount: PIECES,
      now: parsed.files,
      partsNow: parsed.parts,
      lengths: parsed.files.map((file) => file.sizeBytes),
      isStored: (index) =>
        Bitfield.fromWire(parsed.stored, parsed.files.length)?.has(index) ?? false,
      filesOf: (piece) => [piece % 3],
    });
    for (const piece of doubtful) assert.equal(have.has(piece), false);
    assert.ok(have.count + doubtful.size <= PIECES);
  },
};
