/**
 * Files for tests: trees of seeded random content, and what a tree holds, for comparing two of them byte by byte.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

// Implementation limits
const CHUNK_BYTES = 1024 * 1024;

/** A path with slashes → its bytes. */
export type TreeSpec = Readonly<Record<string, number>>;

/** Odd sizes, an empty file, sub-folders, names beyond ASCII; 64 KiB pieces end in the middle of files. */
export const MIXED_TREE: TreeSpec = {
  'a first file.bin': 700_001,
  'deep/er/and deeper/leaf.dat': 131_073,
  'deep/er/empty.txt': 0,
  'grün/日本語 ファイル.bin': 300_000,
  'grün/ж.txt': 17,
  'last.bin': 65_536,
  'tiny.txt': 1,
};

/** Bytes that look random and depend on the seed alone (xorshift32). */
export function fillRandom(bytes: Buffer, seed: number): void {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let at = 0; at < words.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  for (let at = words.length * 4; at < bytes.length; at += 1) bytes[at] = (state >>> 8) + at;
}

/** Writes one file. */
export function writeFile(path: string, lengthBytes: number, seed: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  for (let at = 0; at < lengthBytes; at += CHUNK_BYTES) {
    const chunk = Buffer.from(new ArrayBuffer(Math.min(CHUNK_BYTES, lengthBytes - at)));
    fillRandom(chunk, seed + at / CHUNK_BYTES);
    writeSync(file, chunk);
  }
  closeSync(file);
}

/** Writes a tree. @returns its path. */
export function writeTree(path: string, tree: TreeSpec = MIXED_TREE, seed = 1): string {
  for (const [index, [name, lengthBytes]] of Object.entries(tree).entries()) {
    writeFile(join(path, ...name.split('/')), lengthBytes, seed * 1_000_003 + index * 1_009);
  }
  return path;
}

/** What is at a path: relative path → "bytes sha256". A file counts as a tree of itself. */
export function readTree(path: string): Record<string, string> {
  if (statSync(path).isFile()) return { '.': digest(path) };
  const found: Record<string, string> = {};
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    found[relative(path, file).split(sep).join('/')] = digest(file);
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function digest(path: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const file = openSync(path, 'r');
  let total = 0;
  for (;;) {
    const got = readSync(file, chunk);
    if (got === 0) break;
    total += got;
    hash.update(chunk.subarray(0, got));
  }
  closeSync(file);
  return `${total} ${hash.digest('hex')}`;
}
