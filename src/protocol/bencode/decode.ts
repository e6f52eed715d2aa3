/**
 * Strict bencode decoding: one pass writes a flat table of tokens, values are made when asked for.
 *
 * Spec: BEP 3 and BEP 52, section "bencoding". Stricter than many readers: `i-0e`, leading zeros (also in string lengths),
 * duplicate keys and trailing bytes are errors. Unsorted keys are an option, because v1 torrents in the wild have them.
 * Bounds: nesting, tokens and bytes, each an option with a default; integers have at most 128 digits.
 * Why a table: a torrent of 200,000 files needs no object per value until somebody reads that value.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { decodeUtf8 } from '../../lib/utf8.ts';
import type { BencodeErrorCode } from './errors.ts';

/** A decoded value; byte strings are views of the source, never copies. */
export type BencodeValue = number | bigint | Uint8Array | BencodeValue[] | BencodeDict;

/** Bounds and strictness of a decode. */
export interface DecodeOptions {
  /** Deepest nesting of lists and dictionaries, default 100. */
  readonly maxDepth?: number;
  /** Most values and keys together, default 2,500,000. */
  readonly maxTokens?: number;
  /** Most source bytes, default unlimited (the token table still is). */
  readonly maxBytes?: number;
  /** Reject dictionaries whose keys are not in raw-byte order, default false. */
  readonly requireSortedKeys?: boolean;
}

// Implementation limits
const DEFAULT_MAX_DEPTH = 100;
const DEFAULT_MAX_TOKENS = 2_500_000;
const MAX_INTEGER_DIGITS = 128;
/** Ten digits reach 2^33, more than any buffer we take. */
const MAX_LENGTH_DIGITS = 10;
/** From this many keys on, a dictionary answers look-ups from an index instead of a scan. */
const INDEXED_KEYS_MIN = 16;

/** Token table columns: start and end in the source, then content start (string) or next token (container). */
const COLUMNS = 3;

const CHAR_0 = 0x30;
const CHAR_9 = 0x39;
const CHAR_COLON = 0x3a;
const CHAR_MINUS = 0x2d;
const CHAR_D = 0x64;
const CHAR_E = 0x65;
const CHAR_I = 0x69;
const CHAR_L = 0x6c;

/** The source with its token table; shared by all values made from it. */
interface Document {
  readonly bytes: Uint8Array;
  readonly tokens: Int32Array;
  /** Tokens of the dictionaries whose own keys are out of order, ascending by closing time. */
  readonly unsorted: readonly number[];
}

/**
 * Decodes exactly one value that fills `bytes`.
 * @returns the value, or the first fault with its byte offset in the message.
 */
export function decode(
  bytes: Uint8Array,
  options?: DecodeOptions,
): Result<BencodeValue, BencodeErrorCode> {
  const prefix = decodePrefix(bytes, options);
  if (!prefix.ok) return prefix;
  if (prefix.value.lengthBytes !== bytes.length) {
    return fail(
      'ERR_BENCODE_TRAILING',
      `expected the end at byte ${prefix.value.lengthBytes}, got ${bytes.length - prefix.value.lengthBytes} more bytes`,
    );
  }
  return ok(prefix.value.value);
}

/** As `decode`, and the value has to be a dictionary, as in every message and file of the protocol. */
export function decodeDict(
  bytes: Uint8Array,
  options?: DecodeOptions,
): Result<BencodeDict, BencodeErrorCode> {
  const decoded = decode(bytes, options);
  if (!decoded.ok) return decoded;
  if (decoded.value instanceof BencodeDict) return ok(decoded.value);
  return fail('ERR_BENCODE_TYPE', `expected a dictionary, got ${typeName(decoded.value)}`);
}

/**
 * Decodes the value that `bytes` begin with; more bytes may follow (BEP 9 appends metadata to a dictionary).
 * @returns the value and how many bytes it took.
 */
export function decodePrefix(
  bytes: Uint8Array,
  options?: DecodeOptions,
): Result<{ readonly value: BencodeValue; readonly lengthBytes: number }, BencodeErrorCode> {
  const maxBytes = options?.maxBytes ?? Number.POSITIVE_INFINITY;
  if (bytes.length > maxBytes) {
    return fail('ERR_BENCODE_TOO_LARGE', `expected at most ${maxBytes} bytes, got ${bytes.length}`);
  }
  const scanner = new Scanner(bytes, options);
  if (!scanner.run()) return fail(scanner.faultCode, scanner.faultMessage);
  const document = { bytes, tokens: scanner.tokens, unsorted: scanner.unsorted };
  return ok({ value: valueAt(document, 0), lengthBytes: scanner.at });
}

/** What kind of value it is, for error messages. */
export function typeName(value: BencodeValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return 'an integer';
  if (Array.isArray(value)) return 'a list';
  return value instanceof BencodeDict ? 'a dictionary' : 'a string';
}

/**
 * A decoded dictionary. Keys are latin-1 texts (one code point a byte, lossless), in source order.
 * Values are made anew at each call: keep what you use twice.
 */
export class BencodeDict {
  readonly #document: Document;
  readonly #token: number;
  #index: Map<string, number> | undefined;

  /** Use `decode`; a token table is not made by hand. */
  constructor(document: Document, token: number) {
    this.#document = document;
    this.#token = token;
  }

  /** The exact source bytes, a view. */
  get raw(): Uint8Array {
    return rawAt(this.#document, this.#token);
  }

  /** Number of keys; counted at each call. */
  get size(): number {
    let count = 0;
    for (let token = this.#token + 1; token < this.#end; token = this.#next(token + 1)) count += 1;
    return count;
  }

  /** True when this dictionary and all inside it have their keys in raw-byte order. */
  get hasSortedKeys(): boolean {
    for (const token of this.#document.unsorted) {
      if (token >= this.#token && token < this.#end) return false;
    }
    return true;
  }

  /** The first key in source order; undefined when empty. */
  get firstKey(): string | undefined {
    const first = this.#token + 1;
    return first < this.#end ? latin1At(this.#document, first) : undefined;
  }

  has(key: string): boolean {
    return this.#find(key) !== -1;
  }

  get(key: string): BencodeValue | undefined {
    const token = this.#find(key);
    return token === -1 ? undefined : valueAt(this.#document, token);
  }

  /** The exact source bytes of a key's value, a view: info-hashes are taken over these. */
  rawSlice(key: string): Uint8Array | undefined {
    const token = this.#find(key);
    return token === -1 ? undefined : rawAt(this.#document, token);
  }

  /** The integer of a key; undefined when absent, of another type, or beyond ±(2^53 - 1). */
  int(key: string): number | undefined {
    const token = this.#find(key);
    if (token === -1 || this.#kind(token) !== CHAR_I) return undefined;
    const value = integerAt(this.#document, token);
    return typeof value === 'number' ? value : undefined;
  }

  /** The byte string of a key, a view; undefined when absent or of another type. */
  bytes(key: string): Uint8Array | undefined {
    const token = this.#find(key);
    return token === -1 || !isDigit(this.#kind(token)) ? undefined : bytesAt(this.#document, token);
  }

  /** The byte string of a key as UTF-8, faults replaced by U+FFFD; undefined when absent or of another type. */
  text(key: string): string | undefined {
    const bytes = this.bytes(key);
    return bytes === undefined ? undefined : decodeUtf8(bytes);
  }

  /** The list of a key; undefined when absent or of another type. */
  list(key: string): BencodeValue[] | undefined {
    const token = this.#find(key);
    if (token === -1 || this.#kind(token) !== CHAR_L) return undefined;
    return listAt(this.#document, token);
  }

  /** The list of byte strings of a key, as latin-1 texts; undefined when absent or when an element is no string. */
  latin1List(key: string): string[] | undefined {
    const token = this.#find(key);
    if (token === -1 || this.#kind(token) !== CHAR_L) return undefined;
    const texts: string[] = [];
    const end = this.#next(token);
    for (let at = token + 1; at < end; at += 1) {
      if (!isDigit(this.#kind(at))) return undefined;
      texts.push(latin1At(this.#document, at));
    }
    return texts;
  }

  /** The dictionary of a key; undefined when absent or of another type. */
  dict(key: string): BencodeDict | undefined {
    const token = this.#find(key);
    if (token === -1 || this.#kind(token) !== CHAR_D) return undefined;
    return new BencodeDict(this.#document, token);
  }

  *keys(): Generator<string> {
    for (let token = this.#token + 1; token < this.#end; token = this.#next(token + 1)) {
      yield latin1At(this.#document, token);
    }
  }

  *entries(): Generator<[key: string, value: BencodeValue]> {
    for (let token = this.#token + 1; token < this.#end; token = this.#next(token + 1)) {
      yield [latin1At(this.#document, token), valueAt(this.#document, token + 1)];
    }
  }

  [Symbol.iterator](): Generator<[key: string, value: BencodeValue]> {
    return this.entries();
  }

  get #end(): number {
    return this.#next(this.#token);
  }

  #kind(token: number): number {
    return this.#document.bytes[this.#document.tokens[token * COLUMNS]!]!;
  }

  #next(token: number): number {
    return nextToken(this.#document, token);
  }

  /** The token of a key's value, or -1. */
  #find(key: string): number {
    if (this.#index !== undefined) return this.#index.get(key) ?? -1;
    let visited = 0;
    for (let token = this.#token + 1; token < this.#end; token = this.#next(token + 1)) {
      if (isKeyAt(this.#document, token, key)) return token + 1;
      visited += 1;
      if (visited === INDEXED_KEYS_MIN) return this.#buildIndex().get(key) ?? -1;
    }
    return -1;
  }

  #buildIndex(): Map<string, number> {
    const index = new Map<string, number>();
    for (let token = this.#token + 1; token < this.#end; token = this.#next(token + 1)) {
      index.set(latin1At(this.#document, token), token + 1);
    }
    this.#index = index;
    return index;
  }
}

function nextToken(document: Document, token: number): number {
  const kind = document.bytes[document.tokens[token * COLUMNS]!]!;
  return kind === CHAR_D || kind === CHAR_L ? document.tokens[token * COLUMNS + 2]! : token + 1;
}

function isKeyAt(document: Document, token: number, key: string): boolean {
  const start = document.tokens[token * COLUMNS + 2]!;
  if (document.tokens[token * COLUMNS + 1]! - start !== key.length) return false;
  for (let i = 0; i < key.length; i += 1) {
    if (document.bytes[start + i] !== key.charCodeAt(i)) return false;
  }
  return true;
}

function rawAt(document: Document, token: number): Uint8Array {
  return document.bytes.subarray(
    document.tokens[token * COLUMNS],
    document.tokens[token * COLUMNS + 1],
  );
}

function bytesAt(document: Document, token: number): Uint8Array {
  return document.bytes.subarray(
    document.tokens[token * COLUMNS + 2],
    document.tokens[token * COLUMNS + 1],
  );
}

function latin1At(document: Document, token: number): string {
  const end = document.tokens[token * COLUMNS + 1]!;
  return latin1Of(document.bytes, document.tokens[token * COLUMNS + 2]!, end);
}

/** Four at a time: a third of the time and garbage of one at a time, and less than a call with a view costs. */
function latin1Of(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let at = start;
  for (; at + 4 <= end; at += 4) {
    text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  }
  for (; at < end; at += 1) text += String.fromCharCode(bytes[at]!);
  return text;
}

function valueAt(document: Document, token: number): BencodeValue {
  const kind = document.bytes[document.tokens[token * COLUMNS]!]!;
  if (kind === CHAR_D) return new BencodeDict(document, token);
  if (kind === CHAR_L) return listAt(document, token);
  return kind === CHAR_I ? integerAt(document, token) : bytesAt(document, token);
}

function listAt(document: Document, token: number): BencodeValue[] {
  const values: BencodeValue[] = [];
  const end = nextToken(document, token);
  for (let at = token + 1; at < end; at = nextToken(document, at)) {
    values.push(valueAt(document, at));
  }
  return values;
}

function integerAt(document: Document, token: number): number | bigint {
  const start = document.tokens[token * COLUMNS]! + 1;
  const end = document.tokens[token * COLUMNS + 1]! - 1;
  const { bytes } = document;
  if (end - start > 15) {
    const big = BigInt(latin1Of(bytes, start, end));
    const small = Number(big);
    return Number.isSafeInteger(small) ? small : big;
  }
  const isNegative = bytes[start] === CHAR_MINUS;
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at += 1) {
    value = value * 10 + (bytes[at]! - CHAR_0);
  }
  return isNegative ? -value : value;
}

function isDigit(byte: number): boolean {
  return byte >= CHAR_0 && byte <= CHAR_9;
}

/** One open list or dictionary of the scan. */
interface Level {
  token: number;
  isDict: boolean;
  /** The next value is a key. */
  wantsKey: boolean;
  /** The last key's token, -1 before the first. */
  lastKey: number;
  isUnsorted: boolean;
}

/** Checks the source and fills the token table; no recursion, so depth costs no stack. */
class Scanner {
  readonly bytes: Uint8Array;
  readonly unsorted: number[] = [];
  tokens: Int32Array;
  at = 0;
  faultCode: BencodeErrorCode = 'ERR_BENCODE_SYNTAX';
  faultMessage = '';
  readonly #maxDepth: number;
  readonly #maxTokens: number;
  readonly #requireSortedKeys: boolean;
  readonly #levels: Level[] = [];
  #count = 0;
  #depth = 0;

  constructor(bytes: Uint8Array, options?: DecodeOptions) {
    this.bytes = bytes;
    this.#maxDepth = options?.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#maxTokens = options?.maxTokens ?? DEFAULT_MAX_TOKENS;
    this.#requireSortedKeys = options?.requireSortedKeys ?? false;
    // Small messages must not pay for a large table: a datagram of 300 bytes takes 490 ns instead of 710 with room for as many values as fit; torrents grow it.
    this.tokens = new Int32Array(COLUMNS * Math.min(32, (bytes.length >> 1) + 1));
  }

  /** False on a fault; `at` is then where it is. */
  run(): boolean {
    const { bytes } = this;
    do {
      const byte = bytes[this.at];
      if (byte === undefined) return this.#truncated('a value');
      if (byte === CHAR_E) {
        if (!this.#close()) return false;
      } else if (!this.#value(byte)) {
        return false;
      }
    } while (this.#depth > 0);
    return true;
  }

  #value(byte: number): boolean {
    const level = this.#depth === 0 ? undefined : this.#levels[this.#depth - 1]!;
    const isKey = level?.wantsKey === true;
    if (this.#count === this.#maxTokens) {
      return this.#fault('ERR_BENCODE_TOO_LARGE', `expected at most ${this.#maxTokens} values`);
    }
    const token = this.#count;
    if (isDigit(byte)) {
      if (!this.#string(byte)) return false;
      if (isKey) {
        if (!this.#key(level, token)) return false;
        level.wantsKey = false;
        return true;
      }
    } else if (isKey) {
      return this.#fault('ERR_BENCODE_SYNTAX', `expected a string as key, got byte ${byte}`);
    } else if (byte === CHAR_I) {
      if (!this.#integer()) return false;
    } else if (byte === CHAR_D || byte === CHAR_L) {
      if (level?.isDict === true) level.wantsKey = true;
      return this.#open(byte === CHAR_D);
    } else {
      return this.#fault('ERR_BENCODE_SYNTAX', `expected i, l, d or a digit, got byte ${byte}`);
    }
    if (level?.isDict === true) level.wantsKey = true;
    return true;
  }

  #open(isDict: boolean): boolean {
    if (this.#depth === this.#maxDepth) {
      return this.#fault('ERR_BENCODE_DEPTH', `expected at most ${this.#maxDepth} levels`);
    }
    const level = this.#levels[this.#depth];
    const token = this.#count;
    if (level === undefined) {
      this.#levels.push({ token, isDict, wantsKey: isDict, lastKey: -1, isUnsorted: false });
    } else {
      level.token = token;
      level.isDict = isDict;
      level.wantsKey = isDict;
      level.lastKey = -1;
      level.isUnsorted = false;
    }
    this.#depth += 1;
    this.#push(this.at, 0, 0);
    this.at += 1;
    return true;
  }

  #close(): boolean {
    const level = this.#depth === 0 ? undefined : this.#levels[this.#depth - 1]!;
    if (level === undefined || (level.isDict && !level.wantsKey)) {
      return this.#fault('ERR_BENCODE_SYNTAX', 'expected a value, got the end mark');
    }
    this.at += 1;
    this.#depth -= 1;
    this.tokens[level.token * COLUMNS + 1] = this.at;
    this.tokens[level.token * COLUMNS + 2] = this.#count;
    return !level.isUnsorted || this.#checkDuplicates(level.token);
  }

  /** Compares a key with the one before it; order proves that there are no duplicates. */
  #key(level: Level, token: number): boolean {
    const last = level.lastKey;
    level.lastKey = token;
    if (last === -1) return true;
    const order = this.#compareStrings(last, token);
    if (order < 0) return true;
    if (order === 0) return this.#duplicate(token);
    if (this.#requireSortedKeys) {
      return this.#fault(
        'ERR_BENCODE_UNSORTED_KEYS',
        `expected a key after ${this.#quote(last)}, got ${this.#quote(token)}`,
      );
    }
    level.isUnsorted = true;
    return true;
  }

  #checkDuplicates(dict: number): boolean {
    this.unsorted.push(dict);
    const seen = new Set<string>();
    const { tokens, bytes } = this;
    const document = { bytes, tokens, unsorted: this.unsorted };
    for (let token = dict + 1; token < this.#count; token = nextToken(document, token + 1)) {
      const key = latin1At(document, token);
      if (seen.has(key)) return this.#duplicate(token);
      seen.add(key);
    }
    return true;
  }

  #compareStrings(a: number, b: number): number {
    const { tokens, bytes } = this;
    let atA = tokens[a * COLUMNS + 2]!;
    let atB = tokens[b * COLUMNS + 2]!;
    const endA = tokens[a * COLUMNS + 1]!;
    const endB = tokens[b * COLUMNS + 1]!;
    while (atA < endA && atB < endB) {
      const difference = bytes[atA]! - bytes[atB]!;
      if (difference !== 0) return difference;
      atA += 1;
      atB += 1;
    }
    return endA - atA - (endB - atB);
  }

  #string(first: number): boolean {
    const { bytes } = this;
    const start = this.at;
    let at = start + 1;
    let length = first - CHAR_0;
    let byte = bytes[at];
    while (byte !== undefined && isDigit(byte)) {
      length = length * 10 + (byte - CHAR_0);
      at += 1;
      if (at - start > MAX_LENGTH_DIGITS || first === CHAR_0) {
        return this.#fault(
          'ERR_BENCODE_LENGTH',
          `expected a string length without leading zeros, at most ${MAX_LENGTH_DIGITS} digits`,
        );
      }
      byte = bytes[at];
    }
    if (byte === undefined) return this.#truncated('the colon of a string');
    if (byte !== CHAR_COLON) {
      return this.#fault('ERR_BENCODE_SYNTAX', `expected a colon after a length, got byte ${byte}`);
    }
    const end = at + 1 + length;
    if (end > bytes.length) {
      return this.#truncated(`a string of ${length} bytes, ${bytes.length - at - 1} are left`);
    }
    this.#push(start, end, at + 1);
    this.at = end;
    return true;
  }

  #integer(): boolean {
    const { bytes } = this;
    const start = this.at;
    const isNegative = bytes[start + 1] === CHAR_MINUS;
    const firstDigit = isNegative ? start + 2 : start + 1;
    let at = firstDigit;
    let byte = bytes[at];
    while (byte !== undefined && isDigit(byte)) {
      at += 1;
      byte = bytes[at];
    }
    if (byte === undefined) return this.#truncated('the end of an integer');
    const digits = at - firstDigit;
    const hasLeadingZero = bytes[firstDigit] === CHAR_0 && (digits > 1 || isNegative);
    if (byte !== CHAR_E || digits === 0 || digits > MAX_INTEGER_DIGITS || hasLeadingZero) {
      return this.#fault(
        'ERR_BENCODE_INTEGER',
        `expected 1 to ${MAX_INTEGER_DIGITS} digits without leading zeros or minus zero between i and e`,
      );
    }
    this.#push(start, at + 1, 0);
    this.at = at + 1;
    return true;
  }

  #push(start: number, end: number, third: number): void {
    let column = this.#count * COLUMNS;
    if (column === this.tokens.length) {
      // Never more than the bytes that are left can need: a value takes two bytes at least.
      const most = this.#count + ((this.bytes.length - start) >> 1) + 2;
      const grown = new Int32Array(Math.min(column * 4, most * COLUMNS));
      grown.set(this.tokens);
      this.tokens = grown;
    }
    this.tokens[column++] = start;
    this.tokens[column++] = end;
    this.tokens[column] = third;
    this.#count += 1;
  }

  #duplicate(token: number): false {
    return this.#fault(
      'ERR_BENCODE_DUPLICATE_KEY',
      `expected each key once, got ${this.#quote(token)} again`,
    );
  }

  #quote(token: number): string {
    const start = this.tokens[token * COLUMNS + 2]!;
    const end = this.tokens[token * COLUMNS + 1]!;
    return JSON.stringify(latin1Of(this.bytes, start, Math.min(end, start + 32)));
  }

  #truncated(what: string): false {
    return this.#fault('ERR_BENCODE_TRUNCATED', `expected ${what}, got the end of the data`);
  }

  #fault(code: BencodeErrorCode, message: string): false {
    this.faultCode = code;
    this.faultMessage = `byte ${this.at}: ${message}`;
    return false;
  }
}
