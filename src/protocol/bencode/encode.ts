/**
 * Canonical bencoding: dictionary keys sorted by raw bytes, integers in their shortest form.
 * Spec: BEP 3, section "bencoding". Bounds: nesting of 1,000 levels (a cycle ends there).
 * @module
 */
import { fromLatin1, toLatin1 } from '../../lib/bytes.ts';
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
  writer.value(value, '$', 0);
  return writer.finish();
}

class Writer {
  #bytes = new Uint8Array(256);
  #at = 0;

  value(value: Encodable, path: string, depth: number): void {
    if (depth > MAX_DEPTH) throw unencodable(path, `more than ${MAX_DEPTH} levels (a cycle?)`);
    if (typeof value === 'string') this.#string(encodeUtf8(value));
    else if (typeof value === 'number') this.#number(value, path);
    else if (typeof value === 'bigint') this.#ascii(`i${value}e`);
    else if (value instanceof Uint8Array) this.#string(value);
    else if (value instanceof RawBencode) this.#append(value.bytes);
    else if (Array.isArray(value)) this.#list(value, path, depth);
    else if (value instanceof BencodeDict) this.#dict([...value.entries()], path, depth);
    else if (value instanceof Map) this.#dict([...value.entries()], path, depth);
    else this.#object(value, path, depth);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #number(value: number, path: string): void {
    if (!Number.isSafeInteger(value)) throw unencodable(path, `the number ${value}`);
    // Adding zero turns -0 into 0.
    this.#ascii(`i${value + 0}e`);
  }

  #list(values: readonly Encodable[], path: string, depth: number): void {
    this.#ascii('l');
    for (let i = 0; i < values.length; i += 1) {
      this.value(values[i] as Encodable, `${path}[${i}]`, depth + 1);
    }
    this.#ascii('e');
  }

  #object(value: Encodable, path: string, depth: number): void {
    const prototype = isObject(value) ? Object.getPrototypeOf(value) : undefined;
    if (prototype !== Object.prototype && prototype !== null) {
      throw unencodable(path, describe(value));
    }
    const entries: [string, Encodable][] = [];
    for (const [key, inner] of Object.entries(value)) {
      if (inner !== undefined) entries.push([toLatin1(encodeUtf8(key)), inner]);
    }
    this.#dict(entries, path, depth);
  }

  #dict(entries: [string, Encodable][], path: string, depth: number): void {
    // Order of latin-1 code units is order of raw bytes.
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#ascii('d');
    for (const [key, inner] of entries) {
      if (/[^\0-\xff]/.test(key)) throw unencodable(path, `the key ${key}, which is not latin-1`);
      this.#string(fromLatin1(key));
      this.value(inner, `${path}.${key}`, depth + 1);
    }
    this.#ascii('e');
  }

  #string(bytes: Uint8Array): void {
    this.#ascii(`${bytes.length}:`);
    this.#append(bytes);
  }

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
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  if (!isObject(value)) return value === undefined ? 'undefined' : `${typeof value} ${value}`;
  return `an object of class ${value.constructor?.name ?? 'unknown'}`;
}

function unencodable(path: string, found: string): Error {
  return bencodeError('ERR_BENCODE_UNENCODABLE', { path, found });
}
