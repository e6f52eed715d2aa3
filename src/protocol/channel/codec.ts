/**
 * Frames of a control connection, and the header of a bulk connection, as bytes.
 *
 * A frame is its length (four bytes, big-endian, of what follows), its kind (one byte) and what belongs to the kind. All numbers are big-endian. Greetings are
 * bencoded dictionaries, whose unknown keys are ignored, so that later versions may say more. docs/protocol/channel.md has every byte.
 * Bounds: MAX_FRAME_BYTES before anything is kept; texts are cut for showing. Not here: order, time, connections (control.ts).
 * @module
 */
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { printableLine } from '../../lib/printable.ts';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import { decodeDict, type Encodable, encode } from '../bencode/index.ts';
import {
  CHANNEL_VERSION,
  COMMUNITY_BYTES,
  INSTANCE_BYTES,
  MAX_BULK_HEADER_BYTES,
  MAX_FRAME_BYTES,
  MAX_HELLO_ADDRESSES,
  MAX_SERVICE_CHARACTERS,
} from './constants.ts';
import type { ChannelErrorCode } from './errors.ts';
import type { Address, Envelope, Frame, Hello } from './types.ts';

// Specification constants
const KINDS = [
  'hello',
  'message',
  'request',
  'response',
  'refusal',
  'ping',
  'pong',
  'bye',
] as const;
const NONCE_BYTES = 8;
/** Bytes of a text in a refusal or a farewell. */
const MAX_TEXT_BYTES = 512;
const SERVICE = /^[a-z0-9-]+$/;

/** A frame with its length. @throws RangeError when it is larger than MAX_FRAME_BYTES, or its envelope is none. */
export function encodeFrame(frame: Frame): Uint8Array {
  const body = bodyOf(frame);
  const lengthBytes = 1 + body.length;
  if (lengthBytes > MAX_FRAME_BYTES) {
    throw new RangeError(
      `frame: expected at most ${MAX_FRAME_BYTES} bytes, got ${lengthBytes}: send it as bulk`,
    );
  }
  const bytes = new Uint8Array(4 + lengthBytes);
  writeU32(bytes, 0, lengthBytes);
  bytes[4] = KINDS.indexOf(frame.kind) + 1;
  bytes.set(body, 5);
  return bytes;
}

function bodyOf(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case 'hello':
      return encodeHello(frame.hello);
    case 'message':
      return concatBytes(encodeEnvelope(frame.envelope), frame.payload);
    case 'request': {
      const head = concatBytes(u32(frame.id), u32(frame.timeoutMs));
      return concatBytes(head, encodeEnvelope(frame.envelope), frame.payload);
    }
    case 'response':
      return concatBytes(u32(frame.id), frame.payload);
    case 'refusal': {
      const code = new Uint8Array(2);
      writeU16(code, 0, frame.code);
      return concatBytes(u32(frame.id), code, textBytes(frame.message));
    }
    case 'ping':
    case 'pong':
      return frame.nonce;
    case 'bye':
      return textBytes(frame.message);
  }
}

/** Reads what stands behind a frame's length: 1 … MAX_FRAME_BYTES bytes. What is in it is a copy. */
export function decodeFrame(bytes: Uint8Array): Result<Frame, ChannelErrorCode> {
  const kind = KINDS[bytes[0]! - 1];
  return kind === undefined ? wrong(`kind ${bytes[0]}`) : decodeBody(kind, bytes.subarray(1));
}

function decodeBody(
  kind: (typeof KINDS)[number],
  body: Uint8Array,
): Result<Frame, ChannelErrorCode> {
  switch (kind) {
    case 'hello': {
      const hello = decodeHello(body);
      return hello.ok ? ok({ kind, hello: hello.value }) : hello;
    }
    case 'message': {
      const read = readEnvelope(body);
      return read === undefined ? wrong('a message without an envelope') : ok({ kind, ...read });
    }
    case 'request': {
      const read = body.length < 8 ? undefined : readEnvelope(body.subarray(8));
      if (read === undefined) return wrong('a request without an envelope');
      return ok({ kind, id: readU32(body, 0), timeoutMs: readU32(body, 4), ...read });
    }
    case 'response':
      if (body.length < 4) return wrong('a response without its number');
      return ok({ kind, id: readU32(body, 0), payload: body.slice(4) });
    case 'refusal':
      if (body.length < 6) return wrong('a refusal without its number and code');
      return ok({
        kind,
        id: readU32(body, 0),
        code: readU16(body, 4),
        message: textOf(body.subarray(6)),
      });
    case 'ping':
    case 'pong':
      if (body.length !== NONCE_BYTES) return wrong(`a ${kind} of ${body.length} bytes`);
      return ok({ kind, nonce: body.slice() });
    case 'bye':
      return ok({ kind, message: textOf(body) });
  }
}

function wrong(got: string): Result<never, ChannelErrorCode> {
  return fail('ERR_FRAME', `expected a frame of a control connection, got ${got}`);
}

function encodeEnvelope({ service, version, community }: Envelope): Uint8Array {
  const isName = SERVICE.test(service) && service.length <= MAX_SERVICE_CHARACTERS;
  if (!isName || !(version >= 0 && version <= 255)) {
    throw new RangeError(
      `envelope: expected a service of 1 to ${MAX_SERVICE_CHARACTERS} of a-z, 0-9 and "-" and a version up to 255, got ${JSON.stringify(service)}, ${version}`,
    );
  }
  if (community !== undefined && community.length !== COMMUNITY_BYTES) {
    throw new RangeError(`community: expected ${COMMUNITY_BYTES} bytes, got ${community.length}`);
  }
  const name = encodeUtf8(service);
  const head = Uint8Array.of(name.length, ...name, version, community?.length ?? 0);
  return community === undefined ? head : concatBytes(head, community);
}

function readEnvelope(bytes: Uint8Array): { envelope: Envelope; payload: Uint8Array } | undefined {
  const nameBytes = bytes[0] ?? 0;
  const at = 1 + nameBytes;
  if (nameBytes === 0 || nameBytes > MAX_SERVICE_CHARACTERS || bytes.length < at + 2) {
    return undefined;
  }
  const service = decodeUtf8(bytes.subarray(1, at)) ?? '';
  const communityBytes = bytes[at + 1]!;
  if (!SERVICE.test(service) || (communityBytes !== 0 && communityBytes !== COMMUNITY_BYTES)) {
    return undefined;
  }
  const end = at + 2 + communityBytes;
  if (bytes.length < end) return undefined;
  const envelope: Envelope = {
    service,
    version: bytes[at]!,
    ...(communityBytes === 0 ? {} : { community: bytes.slice(at + 2, end) }),
  };
  return { envelope, payload: bytes.slice(end) };
}

function encodeHello({ instance, addresses, observed }: Hello): Uint8Array {
  const dict: { [key: string]: Encodable } = {
    a: addresses.slice(0, MAX_HELLO_ADDRESSES).map(addressBytes),
    i: instance,
    v: CHANNEL_VERSION,
  };
  if (observed !== undefined) dict['o'] = addressBytes(observed);
  return encode(dict);
}

/** 4 or 16 bytes of an address, 2 of a port. @throws RangeError when the host is no address. */
function addressBytes({ host, port }: Address): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new RangeError(`address: expected an IP address, got "${host}"`);
  const bytes = new Uint8Array(ip.length + 2);
  bytes.set(ip);
  writeU16(bytes, ip.length, port);
  return bytes;
}

function addressOf(bytes: unknown): Address | undefined {
  if (!(bytes instanceof Uint8Array) || (bytes.length !== 6 && bytes.length !== 18))
    return undefined;
  const port = readU16(bytes, bytes.length - 2);
  return port === 0 ? undefined : { host: formatIp(bytes.subarray(0, -2)), port };
}

function decodeHello(bytes: Uint8Array): Result<Hello, ChannelErrorCode> {
  const dict = decodeDict(bytes);
  const version = dict.ok ? dict.value.int('v') : undefined;
  const instance = dict.ok ? dict.value.bytes('i') : undefined;
  if (!dict.ok || version === undefined || instance?.length !== INSTANCE_BYTES) {
    return fail('ERR_HELLO', 'expected a greeting with a version and an instance, got another');
  }
  if (version !== CHANNEL_VERSION) {
    return fail(
      'ERR_HELLO',
      `expected version ${CHANNEL_VERSION} of the channel, got ${version}: one of the two programs is older`,
    );
  }
  const listed = (dict.value.list('a') ?? []).slice(0, MAX_HELLO_ADDRESSES);
  const addresses = listed.map(addressOf).filter((address) => address !== undefined);
  const observed = addressOf(dict.value.bytes('o'));
  return ok({
    instance: instance.slice(),
    addresses,
    ...(observed === undefined ? {} : { observed }),
  });
}

/** What the dialler of a bulk connection sends first: whom it is for, and what the service wants to know. */
export interface BulkHeader {
  readonly envelope: Envelope;
  readonly payload: Uint8Array;
}

/** A header with its length (two bytes). @throws RangeError when it is larger than MAX_BULK_HEADER_BYTES. */
export function encodeBulkHeader({ envelope, payload }: BulkHeader): Uint8Array {
  const body = concatBytes(encodeEnvelope(envelope), payload);
  if (body.length > MAX_BULK_HEADER_BYTES) {
    throw new RangeError(
      `bulk header: expected at most ${MAX_BULK_HEADER_BYTES} bytes, got ${body.length}`,
    );
  }
  const bytes = new Uint8Array(2 + body.length);
  writeU16(bytes, 0, body.length);
  bytes.set(body, 2);
  return bytes;
}

/** Reads a header off the front. @returns undefined when it is not there whole yet; else it and how many bytes it took. */
export function readBulkHeader(
  bytes: Uint8Array,
): Result<{ header: BulkHeader; takenBytes: number }, ChannelErrorCode> | undefined {
  if (bytes.length < 2) return undefined;
  const lengthBytes = readU16(bytes, 0);
  if (lengthBytes > MAX_BULK_HEADER_BYTES) {
    return fail(
      'ERR_BULK_HEADER',
      `expected a header of at most ${MAX_BULK_HEADER_BYTES} bytes, got ${lengthBytes}`,
    );
  }
  const takenBytes = 2 + lengthBytes;
  if (bytes.length < takenBytes) return undefined;
  const header = readEnvelope(bytes.subarray(2, takenBytes));
  if (header === undefined) {
    return fail('ERR_BULK_HEADER', 'expected a header with an envelope, got another');
  }
  return ok({ header, takenBytes });
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return bytes;
}

function textBytes(text: string): Uint8Array {
  return encodeUtf8(text).slice(0, MAX_TEXT_BYTES);
}

/** Text of a stranger, for showing. */
function textOf(bytes: Uint8Array): string {
  return printableLine(decodeUtf8(bytes.subarray(0, MAX_TEXT_BYTES)));
}
