/**
 * Messages of the extension `ut_metadata`, which carries the info dictionary in pieces of 16 KiB.
 * Spec: BEP 9 "extension message"; a piece's bytes follow the dictionary inside the same message.
 * Bounds: 32 MiB of metadata; a data message has exactly the bytes that its piece must have.
 * @module
 */
import { concatBytes } from '../../lib/bytes.ts';
import { ok, type Result } from '../../lib/errors.ts';
import { BencodeDict, decodePrefix, encode } from '../bencode/index.ts';
import { MAX_METADATA_BYTES, METADATA_PIECE_BYTES } from './constants.ts';
import { fault, type PeerWireErrorCode, peerWireError } from './errors.ts';

/** Name of the extension in the extension handshake. */
export const METADATA_EXTENSION = 'ut_metadata';

// Specification constants
const REQUEST = 0;
const DATA = 1;
const REJECT = 2;

/** A decoded message; `piece` counts pieces of 16 KiB from 0. */
export type MetadataMessage =
  | { readonly type: 'request'; readonly piece: number }
  | {
      readonly type: 'data';
      readonly piece: number;
      /** Bytes of the whole info dictionary. */
      readonly totalBytes: number;
      /** The piece, a view. */
      readonly data: Uint8Array;
    }
  | { readonly type: 'reject'; readonly piece: number }
  /** A type of the future; it must be ignored. */
  | { readonly type: 'unknown'; readonly messageType: number };

/** Pieces of metadata of `totalBytes`. */
export function metadataPieceCount(totalBytes: number): number {
  return Math.ceil(totalBytes / METADATA_PIECE_BYTES);
}

/** Bytes of one piece of metadata of `totalBytes`. */
export function metadataPieceBytes(totalBytes: number, piece: number): number {
  return Math.min(METADATA_PIECE_BYTES, totalBytes - piece * METADATA_PIECE_BYTES);
}

export function encodeMetadataRequest(piece: number): Uint8Array {
  return encode({ msg_type: REQUEST, piece });
}

export function encodeMetadataReject(piece: number): Uint8Array {
  return encode({ msg_type: REJECT, piece });
}

/**
 * A data message with piece `piece` of the whole `metadata`.
 * @throws {AppError} ERR_PEER_WIRE_ARGUMENT when there is no such piece.
 */
export function encodeMetadataData(piece: number, metadata: Uint8Array): Uint8Array {
  const start = piece * METADATA_PIECE_BYTES;
  if (!Number.isInteger(piece) || piece < 0 || start >= metadata.length) {
    throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
      what: 'metadata piece',
      expected: `0 to ${metadataPieceCount(metadata.length) - 1}`,
      actual: `${piece}`,
    });
  }
  const header = encode({ msg_type: DATA, piece, total_size: metadata.length });
  return concatBytes(header, metadata.subarray(start, start + METADATA_PIECE_BYTES));
}

/**
 * Decodes a message.
 * @param payload what follows the extended message id.
 * @returns ERR_METADATA_MESSAGE when a field is missing or out of range, or the data has not its length.
 */
export function decodeMetadataMessage(
  payload: Uint8Array,
): Result<MetadataMessage, PeerWireErrorCode> {
  const decoded = decodePrefix(payload, { maxDepth: 8, maxTokens: 256 });
  if (!decoded.ok) return metadataFault('a bencoded dictionary', decoded.message);
  const { value: dict, lengthBytes } = decoded.value;
  if (!(dict instanceof BencodeDict)) return metadataFault('a dictionary', 'another value');
  const messageType = dict.int('msg_type');
  if (messageType === undefined) return metadataFault('an integer msg_type', 'none');
  if (messageType !== REQUEST && messageType !== DATA && messageType !== REJECT) {
    return ok({ type: 'unknown', messageType });
  }
  const piece = dict.int('piece');
  const lastPiece = metadataPieceCount(MAX_METADATA_BYTES) - 1;
  if (piece === undefined || piece < 0 || piece > lastPiece) {
    return metadataFault(`a piece of 0 to ${lastPiece}`, String(piece));
  }
  if (messageType !== DATA) {
    return ok({ type: messageType === REQUEST ? 'request' : 'reject', piece });
  }
  const totalBytes = dict.int('total_size');
  if (totalBytes === undefined || totalBytes < 1 || totalBytes > MAX_METADATA_BYTES) {
    return metadataFault(`a total_size of 1 to ${MAX_METADATA_BYTES}`, String(totalBytes));
  }
  const data = payload.subarray(lengthBytes);
  const expectedBytes = metadataPieceBytes(totalBytes, piece);
  if (data.length !== expectedBytes) {
    return metadataFault(
      `${expectedBytes} bytes for piece ${piece} of ${totalBytes} bytes`,
      `${data.length}`,
    );
  }
  return ok({ type: 'data', piece, totalBytes, data });
}

function metadataFault(expected: string, got: string): Result<never, PeerWireErrorCode> {
  return fault('ERR_METADATA_MESSAGE', { expected, got });
}
