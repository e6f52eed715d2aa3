/**
 * Decodes and encodes the messages that follow the handshake.
 *
 * Specs: BEP 3 "peer messages", BEP 5 (`port`), BEP 6 (fast extension), BEP 10 (`extended`), BEP 52 (hash messages, `reject`).
 * Decides lengths only: whether a piece index exists, a message is allowed now or an extension is on is the connection's business.
 * Bounds: every type but `bitfield`, `piece`, `extended` and `hashes` has one exact length; the others have a largest one
 * (`constants.ts`). Decoded views share memory with the input: copy what outlives it.
 * @module
 */
import { readU16, readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { ok, type Result } from '../../lib/errors.ts';
import {
  BLOCK_BYTES,
  MAX_EXTENDED_MESSAGE_BYTES,
  MAX_HASHES_SERVED,
  MAX_MESSAGE_BYTES,
  MAX_PIECE_MESSAGE_BYTES,
  MAX_PROOF_HASHES,
  MESSAGE_ID,
  PIECE_HEADER_BYTES,
} from './constants.ts';
import { fault, type PeerWireErrorCode, peerWireError } from './errors.ts';

/** What `request`, `cancel` and `reject` name: `length` bytes at offset `begin` of `piece`. */
export interface BlockRange {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** What the three hash messages name (BEP 52). */
export interface HashRange {
  /** Root of the file's tree, 32 bytes. */
  readonly root: Uint8Array;
  /** Layers above the leaves at which the hashes lie. */
  readonly baseLayer: number;
  /** First hash, counted in the base layer. */
  readonly index: number;
  /** Hashes asked for. */
  readonly length: number;
  /** Ancestor layers whose uncle hashes are wanted. */
  readonly proofLayers: number;
}

/** A decoded message; numbers are unsigned 32-bit unless the type says otherwise. */
export type Message =
  | { readonly type: 'keep-alive' }
  | { readonly type: 'choke' }
  | { readonly type: 'unchoke' }
  | { readonly type: 'interested' }
  | { readonly type: 'not-interested' }
  | { readonly type: 'have'; readonly piece: number }
  | { readonly type: 'bitfield'; readonly bytes: Uint8Array }
  | ({ readonly type: 'request' } & BlockRange)
  | ({ readonly type: 'cancel' } & BlockRange)
  | ({ readonly type: 'reject' } & BlockRange)
  | {
      readonly type: 'piece';
      readonly piece: number;
      readonly begin: number;
      /** Bytes behind the header, 1 … 16384. */
      readonly dataBytes: number;
      /** The block itself, a view. The data plane takes it from the socket before a core sees the message. */
      readonly data: Uint8Array;
    }
  | { readonly type: 'port'; readonly port: number }
  | { readonly type: 'suggest'; readonly piece: number }
  | { readonly type: 'have-all' }
  | { readonly type: 'have-none' }
  | { readonly type: 'allowed-fast'; readonly piece: number }
  | { readonly type: 'extended'; readonly id: number; readonly payload: Uint8Array }
  | ({ readonly type: 'hash-request' } & HashRange)
  | ({ readonly type: 'hash-reject' } & HashRange)
  /** `hashes`: whole 32-byte hashes, base layer first, then the uncles. */
  | ({ readonly type: 'hashes'; readonly hashes: Uint8Array } & HashRange)
  | { readonly type: 'unknown'; readonly id: number };

const HASH_BYTES = 32;
const HASH_RANGE_MESSAGE_BYTES = 1 + HASH_BYTES + 16;

type Bare = 'choke' | 'unchoke' | 'interested' | 'not-interested' | 'have-all' | 'have-none';

const KEEP_ALIVE: Result<Message, PeerWireErrorCode> = ok({ type: 'keep-alive' });

/**
 * Decodes one message.
 * @param bytes the message without its length prefix, type byte first; empty is a keep-alive.
 * @returns the message, or ERR_MESSAGE_LENGTH / ERR_REQUEST_LENGTH. An unknown type is not an error: it must be ignored.
 */
export function decodeMessage(bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  if (bytes.length === 0) return KEEP_ALIVE;
  const id = bytes[0]!;
  switch (id) {
    case MESSAGE_ID.choke:
      return decodeBare('choke', bytes);
    case MESSAGE_ID.unchoke:
      return decodeBare('unchoke', bytes);
    case MESSAGE_ID.interested:
      return decodeBare('interested', bytes);
    case MESSAGE_ID.notInterested:
      return decodeBare('not-interested', bytes);
    case MESSAGE_ID.haveAll:
      return decodeBare('have-all', bytes);
    case MESSAGE_ID.haveNone:
      return decodeBare('have-none', bytes);
    case MESSAGE_ID.have:
      return decodePieceIndex('have', bytes);
    case MESSAGE_ID.suggest:
      return decodePieceIndex('suggest', bytes);
    case MESSAGE_ID.allowedFast:
      return decodePieceIndex('allowed-fast', bytes);
    case MESSAGE_ID.request:
      return decodeRange('request', bytes);
    case MESSAGE_ID.cancel:
      return decodeRange('cancel', bytes);
    case MESSAGE_ID.reject:
      return decodeRange('reject', bytes);
    case MESSAGE_ID.piece:
      return decodePiece(bytes);
    case MESSAGE_ID.bitfield:
      return decodeBitfield(bytes);
    case MESSAGE_ID.port:
      return bytes.length === 3
        ? ok({ type: 'port', port: readU16(bytes, 1) })
        : lengthFault('port', '3', bytes);
    case MESSAGE_ID.extended:
      return decodeExtended(bytes);
    case MESSAGE_ID.hashRequest:
      return decodeHashRange('hash-request', bytes);
    case MESSAGE_ID.hashReject:
      return decodeHashRange('hash-reject', bytes);
    case MESSAGE_ID.hashes:
      return decodeHashes(bytes);
    default:
      return ok({ type: 'unknown', id });
  }
}

function lengthFault(
  what: string,
  expected: string,
  bytes: Uint8Array,
): Result<never, PeerWireErrorCode> {
  return fault('ERR_MESSAGE_LENGTH', { what, expected, actual: bytes.length });
}

function decodeBare(type: Bare, bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  return bytes.length === 1 ? ok({ type }) : lengthFault(type, '1', bytes);
}

function decodePieceIndex(
  type: 'have' | 'suggest' | 'allowed-fast',
  bytes: Uint8Array,
): Result<Message, PeerWireErrorCode> {
  if (bytes.length !== 5) return lengthFault(type, '5', bytes);
  return ok({ type, piece: readU32(bytes, 1) });
}

function decodeRange(
  type: 'request' | 'cancel' | 'reject',
  bytes: Uint8Array,
): Result<Message, PeerWireErrorCode> {
  if (bytes.length !== 13) return lengthFault(type, '13', bytes);
  const length = readU32(bytes, 9);
  // Only what we would have to serve is judged; a cancel or reject of an odd length simply matches no request.
  if (type === 'request' && !isRequestLength(length)) return requestFault(length);
  return ok({ type, piece: readU32(bytes, 1), begin: readU32(bytes, 5), length });
}

function isRequestLength(length: number): boolean {
  return length > 0 && length <= BLOCK_BYTES;
}

function requestFault(length: number): Result<never, PeerWireErrorCode> & { readonly ok: false } {
  return fault('ERR_REQUEST_LENGTH', {
    what: 'request',
    expected: `1 to ${BLOCK_BYTES}`,
    actual: length,
  });
}

/** What is wrong with the length that a request names; undefined: nothing. */
export function requestLengthFault(length: number): string | undefined {
  return isRequestLength(length) ? undefined : requestFault(length).message;
}

function decodePiece(bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  if (bytes.length <= PIECE_HEADER_BYTES || bytes.length > MAX_PIECE_MESSAGE_BYTES) {
    return lengthFault('piece', `${PIECE_HEADER_BYTES + 1} to ${MAX_PIECE_MESSAGE_BYTES}`, bytes);
  }
  return ok({
    type: 'piece',
    piece: readU32(bytes, 1),
    begin: readU32(bytes, 5),
    dataBytes: bytes.length - PIECE_HEADER_BYTES,
    data: bytes.subarray(PIECE_HEADER_BYTES),
  });
}

function decodeBitfield(bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    return lengthFault('bitfield', `at most ${MAX_MESSAGE_BYTES}`, bytes);
  }
  return ok({ type: 'bitfield', bytes: bytes.subarray(1) });
}

function decodeExtended(bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  if (bytes.length < 2 || bytes.length > MAX_EXTENDED_MESSAGE_BYTES) {
    return lengthFault('extended', `2 to ${MAX_EXTENDED_MESSAGE_BYTES}`, bytes);
  }
  return ok({ type: 'extended', id: bytes[1]!, payload: bytes.subarray(2) });
}

function readHashRange(bytes: Uint8Array): HashRange {
  return {
    root: bytes.subarray(1, 1 + HASH_BYTES),
    baseLayer: readU32(bytes, 33),
    index: readU32(bytes, 37),
    length: readU32(bytes, 41),
    proofLayers: readU32(bytes, 45),
  };
}

function decodeHashRange(
  type: 'hash-request' | 'hash-reject',
  bytes: Uint8Array,
): Result<Message, PeerWireErrorCode> {
  if (bytes.length !== HASH_RANGE_MESSAGE_BYTES) {
    return lengthFault(type, `${HASH_RANGE_MESSAGE_BYTES}`, bytes);
  }
  return ok({ type, ...readHashRange(bytes) });
}

function decodeHashes(bytes: Uint8Array): Result<Message, PeerWireErrorCode> {
  const hashesBytes = bytes.length - HASH_RANGE_MESSAGE_BYTES;
  const most = (MAX_HASHES_SERVED + MAX_PROOF_HASHES) * HASH_BYTES;
  if (hashesBytes < HASH_BYTES || hashesBytes % HASH_BYTES !== 0 || hashesBytes > most) {
    return lengthFault(
      'hashes',
      `${HASH_RANGE_MESSAGE_BYTES} + 32 × (1 to ${MAX_HASHES_SERVED + MAX_PROOF_HASHES})`,
      bytes,
    );
  }
  return ok({
    type: 'hashes',
    ...readHashRange(bytes),
    hashes: bytes.subarray(HASH_RANGE_MESSAGE_BYTES),
  });
}

/**
 * True when a hash request may be served: BEP 52 wants a length that is a power of two, at least 2, and an index that is a
 * multiple of it; at most 8192 hashes and 64 proof layers are our bounds. Answer `hash-reject` otherwise.
 */
export function isServableHashRange(range: HashRange): boolean {
  const { length, index } = range;
  const isPowerOfTwo = length >= 2 && (length & (length - 1)) === 0;
  return (
    isPowerOfTwo &&
    length <= MAX_HASHES_SERVED &&
    index % length === 0 &&
    range.proofLayers <= MAX_PROOF_HASHES
  );
}

/**
 * Writes messages, length prefixes included, into one growing buffer that is used again after each `take`.
 * No method but `take` allocates once the buffer has its size.
 */
export class MessageWriter {
  #buffer: Uint8Array;
  #length = 0;

  /** @param initialBytes first size of the buffer; it doubles as needed. */
  constructor(initialBytes = 1024) {
    this.#buffer = new Uint8Array(Math.max(64, initialBytes));
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  keepAlive(): void {
    const at = this.#grow(4);
    writeU32(this.#buffer, at, 0);
  }

  choke(): void {
    this.#open(MESSAGE_ID.choke, 1);
  }

  unchoke(): void {
    this.#open(MESSAGE_ID.unchoke, 1);
  }

  interested(): void {
    this.#open(MESSAGE_ID.interested, 1);
  }

  notInterested(): void {
    this.#open(MESSAGE_ID.notInterested, 1);
  }

  have(piece: number): void {
    this.#pieceIndex(MESSAGE_ID.have, piece);
  }

  /** @param bytes the packed bits, high bit first. */
  bitfield(bytes: Uint8Array): void {
    const at = this.#open(MESSAGE_ID.bitfield, 1 + bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** @param length bytes, 1 … 16384. */
  request(piece: number, begin: number, length: number): void {
    this.#range(MESSAGE_ID.request, piece, begin, length);
  }

  cancel(piece: number, begin: number, length: number): void {
    this.#range(MESSAGE_ID.cancel, piece, begin, length);
  }

  reject(piece: number, begin: number, length: number): void {
    this.#range(MESSAGE_ID.reject, piece, begin, length);
  }

  /** The 13 bytes (length prefix, type, piece, begin) that precede a block of `dataBytes`, which the data plane appends. */
  pieceHeader(piece: number, begin: number, dataBytes: number): void {
    const at = this.#open(MESSAGE_ID.piece, PIECE_HEADER_BYTES, dataBytes);
    writeU32(this.#buffer, at, piece);
    writeU32(this.#buffer, at + 4, begin);
  }

  /** A whole `piece` message, for tests and simulations: the data plane never copies blocks here. */
  piece(piece: number, begin: number, data: Uint8Array): void {
    this.pieceHeader(piece, begin, data.length);
    const at = this.#grow(data.length);
    this.#buffer.set(data, at);
  }

  /** @param port UDP port of the DHT node. */
  port(port: number): void {
    const at = this.#open(MESSAGE_ID.port, 3);
    writeU16(this.#buffer, at, port);
  }

  suggest(piece: number): void {
    this.#pieceIndex(MESSAGE_ID.suggest, piece);
  }

  haveAll(): void {
    this.#open(MESSAGE_ID.haveAll, 1);
  }

  haveNone(): void {
    this.#open(MESSAGE_ID.haveNone, 1);
  }

  allowedFast(piece: number): void {
    this.#pieceIndex(MESSAGE_ID.allowedFast, piece);
  }

  /** @param id 0 for the extension handshake, else the id that the receiver chose for the extension. */
  extended(id: number, payload: Uint8Array): void {
    const at = this.#open(MESSAGE_ID.extended, 2 + payload.length);
    this.#buffer[at] = id;
    this.#buffer.set(payload, at + 1);
  }

  hashRequest(range: HashRange): void {
    this.#hashRange(MESSAGE_ID.hashRequest, range, 0);
  }

  hashReject(range: HashRange): void {
    this.#hashRange(MESSAGE_ID.hashReject, range, 0);
  }

  /** @param answer the range of the request, and its hashes: base layer first, then uncles towards the root. */
  hashes(answer: HashRange & { readonly hashes: Uint8Array }): void {
    const at = this.#hashRange(MESSAGE_ID.hashes, answer, answer.hashes.length);
    this.#buffer.set(answer.hashes, at);
  }

  #pieceIndex(id: number, piece: number): void {
    const at = this.#open(id, 5);
    writeU32(this.#buffer, at, piece);
  }

  #range(id: number, piece: number, begin: number, length: number): void {
    const at = this.#open(id, 13);
    writeU32(this.#buffer, at, piece);
    writeU32(this.#buffer, at + 4, begin);
    writeU32(this.#buffer, at + 8, length);
  }

  #hashRange(id: number, range: HashRange, hashesBytes: number): number {
    if (range.root.length !== HASH_BYTES) {
      throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
        what: 'pieces root',
        expected: `${HASH_BYTES} bytes`,
        actual: `${range.root.length}`,
      });
    }
    const at = this.#open(id, HASH_RANGE_MESSAGE_BYTES + hashesBytes);
    this.#buffer.set(range.root, at);
    writeU32(this.#buffer, at + 32, range.baseLayer);
    writeU32(this.#buffer, at + 36, range.index);
    writeU32(this.#buffer, at + 40, range.length);
    writeU32(this.#buffer, at + 44, range.proofLayers);
    return at + 48;
  }

  /** Writes prefix and type of a message of `bytes` (+ `laterBytes` written by others); returns where its payload starts. */
  #open(id: number, bytes: number, laterBytes = 0): number {
    const at = this.#grow(4 + bytes);
    writeU32(this.#buffer, at, bytes + laterBytes);
    this.#buffer[at + 4] = id;
    return at + 5;
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}
