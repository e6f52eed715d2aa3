/**
 * The messages of a key exchange, and the length-value strings of the specification.
 *
 * Spec: draft-irtf-cfrg-cpace-21, appendix "CPace function definitions" (prepend_len, lv_cat). Ours, since the draft leaves it open: a share travels as a byte 1 and
 * lv_cat(Y, AD), a confirmation as a byte 2 and the tag. One message has one form: lengths in the fewest bytes, nothing after the end.
 * Bounds: MAX_ASSOCIATED_BYTES.
 * @module
 */
import { concatBytes } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import {
  CONFIRMATION_TYPE,
  HASH_BYTES,
  MAX_ASSOCIATED_BYTES,
  SHARE_BYTES,
  SHARE_TYPE,
} from './constants.ts';
import type { PakeErrorCode } from './errors.ts';

/** A party's public share and the data it vouches for. */
export interface ShareMessage {
  readonly type: 'share';
  /** 32 bytes; not yet known to encode an element. */
  readonly share: Uint8Array;
  /** 0 … 1,024 bytes. */
  readonly associated: Uint8Array;
}

/** Proof that a party has the key. */
export interface ConfirmationMessage {
  readonly type: 'confirmation';
  /** 64 bytes. */
  readonly tag: Uint8Array;
}

/** Any message. */
export type PakeMessage = ShareMessage | ConfirmationMessage;

/** lv_cat: each part after its length in LEB128. */
export function lengthValues(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.flatMap((part) => [leb128(part.length), part]));
}

function leb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** The bytes of a message. */
export function encodePakeMessage(message: PakeMessage): Uint8Array {
  if (message.type === 'confirmation') {
    return concatBytes(Uint8Array.of(CONFIRMATION_TYPE), message.tag);
  }
  return concatBytes(Uint8Array.of(SHARE_TYPE), lengthValues(message.share, message.associated));
}

/** Reads a message; any bytes may come. */
export function decodePakeMessage(bytes: Uint8Array): Result<PakeMessage, PakeErrorCode> {
  if (bytes[0] === CONFIRMATION_TYPE) {
    return bytes.length === 1 + HASH_BYTES
      ? ok({ type: 'confirmation', tag: bytes.slice(1) })
      : malformed(`expected a tag of ${HASH_BYTES} bytes, got ${bytes.length - 1}`);
  }
  if (bytes[0] !== SHARE_TYPE) {
    return malformed(`expected type 1 or 2, got ${bytes[0] ?? 'no bytes'}`);
  }
  if (bytes[1] !== SHARE_BYTES || bytes.length < 3 + SHARE_BYTES) {
    return malformed(`expected a share of ${SHARE_BYTES} bytes and associated data`);
  }
  const share = bytes.slice(2, 2 + SHARE_BYTES);
  const rest = bytes.subarray(2 + SHARE_BYTES);
  // Two bytes of length reach far enough for the bound; the second must not be zero, as the first would have done.
  const isLong = rest[0]! >= 0x80;
  if (isLong && (rest.length < 2 || rest[1] === 0 || rest[1]! >= 0x80)) {
    return malformed('expected the length of the associated data in the fewest bytes');
  }
  const length = isLong ? (rest[0]! & 0x7f) | (rest[1]! << 7) : rest[0]!;
  const associated = rest.slice(isLong ? 2 : 1);
  if (length > MAX_ASSOCIATED_BYTES || associated.length !== length) {
    return malformed(
      `expected at most ${MAX_ASSOCIATED_BYTES} bytes of associated data and nothing after them, got a length of ${length} and ${associated.length} bytes`,
    );
  }
  return ok({ type: 'share', share, associated });
}

function malformed(message: string): Result<never, PakeErrorCode> {
  return fail('ERR_PAKE_MALFORMED', `key exchange: ${message}`);
}
