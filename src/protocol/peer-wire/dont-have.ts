/**
 * The message of the extension `lt_donthave`: its sender no longer has a piece.
 * Spec: BEP 54; the payload is one big-endian piece index of four bytes.
 * @module
 */
import { readU32, writeU32 } from '../../lib/bytes.ts';
import { ok, type Result } from '../../lib/errors.ts';
import { fault, type PeerWireErrorCode } from './errors.ts';

/** Name of the extension in the extension handshake. */
export const DONT_HAVE_EXTENSION = 'lt_donthave';

export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeU32(payload, 0, piece);
  return payload;
}

/** Reads the piece index; ERR_MESSAGE_LENGTH unless the payload has four bytes. */
export function decodeDontHave(payload: Uint8Array): Result<number, PeerWireErrorCode> {
  if (payload.length === 4) return ok(readU32(payload, 0));
  return fault('ERR_MESSAGE_LENGTH', {
    what: 'lt_donthave',
    expected: '4',
    actual: payload.length,
  });
}
