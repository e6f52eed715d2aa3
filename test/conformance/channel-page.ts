/**
 * A second reader of control frames and bulk headers, written from docs/protocol/channel.md alone: it shares no code with the first, so that page and code must agree.
 * It throws on what the page calls a fault, and gives bytes as hex, as the vectors do.
 * @module
 */

type Json = { [key: string]: unknown };

/** Bytes with a place in them. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new Error(`expected ${length} bytes, ${this.left} are left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(length: number): number {
    return this.take(length).readUIntBE(0, length);
  }

  rest(): string {
    return this.take(this.left).toString('hex');
  }

  text(): string {
    return this.take(this.left).subarray(0, 512).toString('utf8');
  }
}

/** "A frame is its length in four bytes, which counts what follows; its kind in one byte; and what belongs to the kind." */
export function readFrame(bytes: Buffer): Json {
  const cursor = new Cursor(bytes);
  const length = cursor.number(4);
  if (length < 1 || length > 65_536) throw new Error(`a length of ${length}`);
  const body = new Cursor(cursor.take(length));
  if (cursor.left > 0) throw new Error('more than a frame');
  const kind = body.number(1);
  switch (kind) {
    case 1:
      return { kind: 'hello', hello: readGreeting(new Bencode(body)) };
    case 2:
      return { kind: 'message', envelope: readEnvelope(body), payload: body.rest() };
    case 3: {
      const [id, timeoutMs] = [body.number(4), body.number(4)];
      const envelope = readEnvelope(body);
      return { kind: 'request', id, timeoutMs, envelope, payload: body.rest() };
    }
    case 4:
      return { kind: 'response', id: body.number(4), payload: body.rest() };
    case 5:
      return { kind: 'refusal', id: body.number(4), code: body.number(2), message: body.text() };
    case 6:
    case 7: {
      if (body.left !== 8) throw new Error(`a sign of life of ${body.left} bytes`);
      return { kind: kind === 6 ? 'ping' : 'pong', nonce: body.rest() };
    }
    case 8:
      return { kind: 'bye', message: body.text() };
    default:
      throw new Error(`kind ${kind}`);
  }
}

/** "Envelope" of the page. */
function readEnvelope(cursor: Cursor): Json {
  const length = cursor.number(1);
  if (length < 1 || length > 32) throw new Error(`a name of ${length}`);
  const service = cursor.take(length).toString('latin1');
  if (!/^[a-z0-9-]+$/.test(service)) throw new Error(`the name ${service}`);
  const version = cursor.number(1);
  const community = cursor.number(1);
  if (community === 0) return { service, version };
  if (community !== 32) throw new Error(`a community of ${community}`);
  return { service, version, community: cursor.take(32).toString('hex') };
}

/** "Bulk connections": "its length in two bytes, at most 4,096, counted behind the length; an envelope; a payload". */
export function readHeader(bytes: Buffer): Json {
  const cursor = new Cursor(bytes);
  const length = cursor.number(2);
  if (length > 4_096) throw new Error(`a header of ${length}`);
  const body = new Cursor(cursor.take(length));
  return { envelope: readEnvelope(body), payload: body.rest() };
}

/** "Greeting" of the page. */
function readGreeting(bencode: Bencode): Json {
  const dict = bencode.value();
  bencode.end();
  if (!(dict instanceof Map)) throw new Error('a greeting that is no dictionary');
  if (dict.get('v') !== 1) throw new Error('another version');
  const instance = dict.get('i');
  if (!Buffer.isBuffer(instance) || instance.length !== 8) throw new Error('no instance');
  const listed: unknown = dict.get('a') ?? [];
  const addresses = (listed as unknown[]).slice(0, 16).map(readAddress);
  const observed = readAddress(dict.get('o'));
  return {
    instance: instance.toString('hex'),
    addresses: addresses.filter((one) => one !== undefined),
    ...(observed === undefined ? {} : { observed }),
  };
}

/** "4 or 16 bytes of IP address, then 2 of port", the address as its bytes. */
function readAddress(value: unknown): Json | undefined {
  if (!Buffer.isBuffer(value) || (value.length !== 6 && value.length !== 18)) return undefined;
  const port = value.readUInt16BE(value.length - 2);
  return port === 0 ? undefined : { ip: value.subarray(0, -2).toString('hex'), port };
}

/** As much of BEP 3 as greetings and words need. */
export class Bencode {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor | Buffer) {
    this.#cursor = cursor instanceof Cursor ? cursor : new Cursor(cursor);
  }

  end(): void {
    if (this.#cursor.left > 0) throw new Error('more than a value');
  }

  value(first: string = this.#char()): unknown {
    if (first === 'i') return Number(this.#until('e'));
    if (first === 'l') return this.#list();
    if (first === 'd') return this.#dictionary();
    if (!/[0-9]/.test(first)) throw new Error(`the type ${first}`);
    return this.#cursor.take(Number(first + this.#until(':')));
  }

  #char(): string {
    return this.#cursor.take(1).toString('latin1');
  }

  #until(end: string): string {
    let digits = '';
    for (let char = this.#char(); char !== end; char = this.#char()) digits += char;
    if (!/^(?:-?[0-9]*)$/.test(digits)) throw new Error(`the number ${digits}`);
    return digits;
  }

  #list(): unknown[] {
    const items: unknown[] = [];
    for (let char = this.#char(); char !== 'e'; char = this.#char()) items.push(this.value(char));
    return items;
  }

  #dictionary(): Map<string, unknown> {
    const map = new Map<string, unknown>();
    for (let char = this.#char(); char !== 'e'; char = this.#char()) {
      map.set(String(this.value(char)), this.value());
    }
    return map;
  }
}
