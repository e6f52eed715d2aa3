/**
 * Canonical bencoding: dictionary keys sorted by raw bytes, integers in their shortest form.
 * Spec: BEP 3, section "bencoding". Bounds: nesting of 1,000 levels (a cycle ends there).
 * @module
 */
import { toLatin1 } from '../../lib/bytes.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { BencodeDict } from './decode.ts';
import { bencodeError } from './errors.ts';

// Implementation limits
const MAX_DEPTH = 1000;

/** Bytes that are bencoded already and go out unchanged. */
export class RawBencode {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Marks `bytes` as one complete bencoded value, to be copied as it is (a signed or hashed part). */
export function raw(bytes: Uint8Array): RawBencode {
  return new RawBencode(bytes);
}

/**
 * What `encode` takes: texts become UTF-8, a Map has latin-1 keys (one code point a byte), a plain object has UTF-8 keys;
 * a key of a plain object whose value is undefined is left out.
 */
export type Encodable =
  | number
  | bigint
  | string
  | Uint8Array
  | RawBencode
  | BencodeDict
  | readonly Encodable[]
  | ReadonlyMap<string, Encodable>
  | { readonly [key: string]: Encodable | undefined };

/**
 * Encodes a value canonically.
 * @throws AppError ERR_BENCODE_UNENCODABLE for anything else than an Encodable: a fraction, an unsafe number, a boolean, null, a cycle.
 */
export function encode(value: Encodable): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.finish();
}

class Writer {
  #bytes = new Uint8Array(256);
  #at = 0;
  /** Where in the value we are; made a text only for an error. */
  readonly #path: (string | number)[] = [];

  value(value: Encodable): void {
    if (this.#path.length > MAX_DEPTH) {
      throw this.#unencodable(`more than ${MAX_DEPTH} levels (a cycle?)`);
    }
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#ascii(`i${value}e`);
    else if (value instanceof Uint8Array) this.#string(value);
    else if (value instanceof RawBencode) this.#append(value.bytes);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof BencodeDict) this.#dict([...value.entries()]);
    else if (value instanceof Map) this.#dict([...value.entries()]);
    else this.#object(value);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) throw this.#unencodable(`the number ${value}`);
    // Adding zero turns -0 into 0.
    this.#ascii(`i${value + 0}e`);
  }

  #list(values: readonly Encodable[]): void {
    this.#ascii('l');
    const depth = this.#path.length;
    for (let i = 0; i < values.length; i += 1) {
      this.#path[depth] = i;
      this.value(values[i] as Encodable);
    }
    this.#path.length = depth;
    this.#ascii('e');
  }

  #object(value: Encodable): void {
    const prototype = isObject(value) ? Object.getPrototypeOf(value) : undefined;
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#unencodable(describe(value));
    }
    const entries: [string, Encodable][] = [];
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      entries.push([isAscii(key) ? key : toLatin1(encodeUtf8(key)), inner]);
    }
    this.#dict(entries);
  }

  #dict(entries: [string, Encodable][]): void {
    // Order of latin-1 code units is order of raw bytes.
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#ascii('d');
    const depth = this.#path.length;
    for (const [key, inner] of entries) {
      this.#path[depth] = key;
      if (!isLatin1(key)) throw this.#unencodable('a key beyond latin-1');
      this.#ascii(`${key.length}:`);
      this.#ascii(key);
      this.value(inner);
    }
    this.#path.length = depth;
    this.#ascii('e');
  }

  #text(text: string): void {
    if (isAscii(text)) {
      this.#ascii(`${text.length}:`);
      this.#ascii(text);
    } else {
      this.#string(encodeUtf8(text));
    }
  }

  #string(bytes: Uint8Array): void {
    this.#ascii(`${bytes.length}:`);
    this.#append(bytes);
  }

  /** Appends a text of code points below 256, one byte each. */
  #ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i += 1) this.#bytes[this.#at++] = text.charCodeAt(i);
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  #unencodable(found: string): Error {
    return bencodeError('ERR_BENCODE_UNENCODABLE', { path: ['$', ...this.#path].join('.'), found });
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  if (!isObject(value)) return value === undefined ? 'undefined' : `${typeof value} ${value}`;
  return `an object of class ${value.constructor?.name ?? 'unknown'}`;
}
