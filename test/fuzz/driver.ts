/**
 * Runs a fuzz target on mutated seeds: deterministic, so that one integer replays any input.
 *
 * Input n of a run depends on (seed, n) only: `--seed S --from N --count 1` replays it alone.
 * Every fourth input grows from an earlier one that the run kept, so that mutations add up; those are re-made on replay.
 * @module
 */
import { concatBytes, fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';

/** One parser under fuzz. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to mutate; at least one. */
  readonly seeds: readonly Uint8Array[];
  /** Throws on a bug only: malformed input has to be refused by value. */
  run(bytes: Uint8Array): void;
  /** Makes inputs of its own: half of all are those, or grow from them; default: all grow from the seeds. */
  readonly generate?: (rng: Rng) => Uint8Array;
  /** How many inputs of a plain parser one of its own stands for; default 1. A run has so many fewer. */
  readonly cost?: number;
  /** What happens in an input, in words. */
  readonly explain?: (bytes: Uint8Array) => readonly string[];
  /** What to tell besides, at the end. */
  readonly summary?: () => string;
}

/** What to run. */
export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** First input, default 0. */
  readonly from?: number;
}

/** What a run found. */
export interface FuzzReport {
  readonly name: string;
  readonly count: number;
  readonly slowestMs: number;
  readonly slowestInput: number;
  /** Heap after the second half less heap after the first, bytes; 0 without `--expose-gc`. */
  readonly heapGrowthBytes: number;
}

/** The inputs that a target gets of a run of so many. */
export function inputsOf(target: FuzzTarget, count: number): number {
  return Math.max(1, Math.ceil(count / (target.cost ?? 1)));
}

/** A bug: the input's number replays it. */
export class FuzzFailure extends Error {
  override readonly name: string = 'FuzzFailure';
  readonly input: Uint8Array;

  constructor(message: string, options: { cause: unknown }, input: Uint8Array) {
    super(message, options);
    this.input = input;
  }
}

function describeFailure(target: FuzzTarget, seed: number, index: number, cause: unknown): string {
  const replay = `node --expose-gc test/fuzz/run.ts ${target.name} --seed ${seed} --from ${index} --count 1`;
  return `${target.name}: input ${index} fails: ${detailOf(cause)}\nreplay: ${replay}`;
}

function detailOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Most runs spent on making a failing input shorter. */
const MAX_SHRINK_RUNS = 3_000;

/** Takes parts out of a failing input as long as it fails in the same way: numbers apart, with the same words. */
export function shrink(target: FuzzTarget, input: Uint8Array): Uint8Array {
  const failureOf = (bytes: Uint8Array): string | undefined => {
    try {
      target.run(bytes);
    } catch (cause) {
      return detailOf(cause).replace(/\d+/g, '#');
    }
    return undefined;
  };
  const failure = failureOf(input);
  let best = input;
  let runs = 0;
  for (let size = best.length >> 1; size > 0 && runs < MAX_SHRINK_RUNS; ) {
    const before = best.length;
    // From the end: what comes after the failure goes first.
    for (let at = best.length - size; at >= 0 && runs < MAX_SHRINK_RUNS; at -= size) {
      const shorter = concatBytes(best.subarray(0, at), best.subarray(at + size));
      runs += 1;
      if (failureOf(shorter) === failure) best = shorter;
    }
    if (best.length === before || size > 1) size >>= 1;
  }
  return best;
}

/** Longest input made: duplication must not turn parsing time into the subject. */
const MAX_INPUT_BYTES = 65_536;
/** An input that takes longer is a bug of complexity. */
const MAX_INPUT_MS = 2000;

const INTERESTING_BYTES = [0, 1, 0x30, 0x39, 0x3a, 0x64, 0x65, 0x69, 0x6c, 0x7f, 0x80, 0xff];
const TOKENS = [
  'i0e',
  'i-1e',
  'i-0e',
  'i03e',
  'i2147483647e',
  'i2147483648e',
  'i4294967296e',
  'i9007199254740992e',
  'i9223372036854775808e',
  'i17592186044416e',
  'le',
  'de',
  'd0:',
  '0:',
  '1:',
  '4294967295:',
  '9999999999:',
  'lllllllllllllllllllll',
  'd1:ad1:ad1:ad1:a',
  'eeeeeeee',
  '..',
  '/',
  '\\',
  '\0',
  '%00',
  '%',
  '&',
  '=',
  '-',
  ',',
  '6:lengthi1e',
  '4:path',
  '4:attr1:p',
  '4:attr1:l',
  '12:symlink path',
  '11:pieces root',
  '6:pieces',
  '12:meta versioni2e',
  '9:file tree',
  '4:name',
  '4:info',
  'http://',
  'udp://',
  '\xff\xfe',
  '\xe2\x80\xae',
].map(fromLatin1);

/** Runs `count` inputs. @throws FuzzFailure on the first bug. */
export function runTarget(target: FuzzTarget, options: FuzzOptions): FuzzReport {
  const from = options.from ?? 0;
  let slowestMs = 0;
  let slowestInput = from;
  let heapHalfBytes = 0;
  for (let index = from; index < from + options.count; index += 1) {
    if (index === from + (options.count >> 1)) heapHalfBytes = heapBytes();
    const input = makeInput(target, options.seed, index);
    const started = performance.now();
    try {
      target.run(input);
    } catch (cause) {
      throw new FuzzFailure(describeFailure(target, options.seed, index, cause), { cause }, input);
    }
    const tookMs = performance.now() - started;
    if (tookMs > slowestMs) {
      slowestMs = tookMs;
      slowestInput = index;
    }
    if (tookMs > MAX_INPUT_MS) {
      const cause = new Error(`took ${Math.round(tookMs)} ms, expected at most ${MAX_INPUT_MS}`);
      throw new FuzzFailure(describeFailure(target, options.seed, index, cause), { cause }, input);
    }
  }
  const heapGrowthBytes = heapHalfBytes === 0 ? 0 : heapBytes() - heapHalfBytes;
  return { name: target.name, count: options.count, slowestMs, slowestInput, heapGrowthBytes };
}

function heapBytes(): number {
  if (globalThis.gc === undefined) return 0;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** Input `index` of a run. The first ones are the seeds themselves. */
export function makeInput(target: FuzzTarget, seed: number, index: number): Uint8Array {
  if (index < target.seeds.length) return target.seeds[index]!.slice();
  const rng = new Rng((seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0);
  if (rng.below(50) === 0) return rng.bytes(rng.below(200));
  // A chain of mutations: each fourth input builds upon an earlier one, at most a few deep.
  const parent = rng.below(4) === 0 ? index - 1 - rng.below(Math.min(index, 64)) : -1;
  const isOwn = target.generate !== undefined && rng.below(8) > 0;
  if (isOwn && rng.below(2) === 0) return target.generate(rng);
  let bytes =
    parent >= target.seeds.length && rng.below(3) > 0
      ? makeInput(target, seed, parent)
      : isOwn
        ? target.generate(rng)
        : target.seeds[rng.below(target.seeds.length)]!.slice();
  for (let left = 1 + rng.below(4); left > 0; left -= 1) bytes = mutate(bytes, target, rng);
  return bytes.length > MAX_INPUT_BYTES ? bytes.slice(0, MAX_INPUT_BYTES) : bytes;
}

type Mutator = (bytes: Uint8Array, target: FuzzTarget, rng: Rng) => Uint8Array;

function mutate(bytes: Uint8Array, target: FuzzTarget, rng: Rng): Uint8Array {
  if (bytes.length === 0) return rng.bytes(1 + rng.below(8));
  return MUTATORS[rng.below(MUTATORS.length)]!(bytes, target, rng);
}

const MUTATORS: readonly Mutator[] = [
  flipBit,
  setByte,
  truncate,
  removeRange,
  duplicateRange,
  splice,
  insertToken,
  overwriteToken,
  changeNumber,
];

function flipBit(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  bytes[rng.below(bytes.length)]! ^= 1 << rng.below(8);
  return bytes;
}

function setByte(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  bytes[rng.below(bytes.length)] = INTERESTING_BYTES[rng.below(INTERESTING_BYTES.length)]!;
  return bytes;
}

function truncate(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  return bytes.slice(0, rng.below(bytes.length + 1));
}

function removeRange(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  const [start, end] = range(bytes, rng);
  return concatBytes(bytes.subarray(0, start), bytes.subarray(end));
}

function duplicateRange(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  const [start, end] = range(bytes, rng);
  const copy = bytes.subarray(start, end);
  const times = 1 + (rng.below(8) === 0 ? rng.below(100) : 0);
  return concatBytes(
    bytes.subarray(0, end),
    ...Array<Uint8Array>(times).fill(copy),
    bytes.subarray(end),
  );
}

function splice(bytes: Uint8Array, target: FuzzTarget, rng: Rng): Uint8Array {
  const other = target.seeds[rng.below(target.seeds.length)]!;
  if (other.length === 0) return bytes;
  const [start, end] = range(other, rng);
  const at = rng.below(bytes.length + 1);
  return concatBytes(bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at));
}

function insertToken(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  const at = rng.below(bytes.length + 1);
  const token = TOKENS[rng.below(TOKENS.length)]!;
  return concatBytes(bytes.subarray(0, at), token, bytes.subarray(at));
}

function overwriteToken(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  const token = TOKENS[rng.below(TOKENS.length)]!;
  const at = rng.below(bytes.length);
  bytes.set(token.subarray(0, bytes.length - at), at);
  return bytes;
}

/** Replaces a run of digits, so that lengths and integers change while the syntax around them holds. */
function changeNumber(bytes: Uint8Array, _target: FuzzTarget, rng: Rng): Uint8Array {
  const isDigit = (byte: number | undefined): boolean =>
    byte !== undefined && byte >= 0x30 && byte <= 0x39;
  let start = rng.below(bytes.length);
  while (start < bytes.length && !isDigit(bytes[start])) start += 1;
  if (start === bytes.length) return bytes;
  let end = start;
  while (isDigit(bytes[end])) end += 1;
  const value = Number(String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 9))));
  const values = [
    0,
    1,
    value - 1,
    value + 1,
    value * 2,
    255,
    16_384,
    65_536,
    2 ** 31,
    2 ** 44,
    2 ** 53,
  ];
  const digits = fromLatin1(String(Math.max(0, values[rng.below(values.length)]!)));
  return concatBytes(bytes.subarray(0, start), digits, bytes.subarray(end));
}

function range(bytes: Uint8Array, rng: Rng): [start: number, end: number] {
  const start = rng.below(bytes.length);
  const most = rng.below(2) === 0 ? 16 : bytes.length;
  return [start, Math.min(bytes.length, start + 1 + rng.below(most))];
}
