/**
 * What can be wrong with bytes of a peer, and with arguments of a caller, as codes with sentences.
 * Faults of a peer are Result values; misuse throws an AppError.
 * @module
 */
import { defineErrors, fail, type Result } from '../../lib/errors.ts';

type Lengths = { what: string; expected: string; actual: number };

/** Faults of a peer: code → sentence. */
export const peerWireFaults = {
  ERR_MESSAGE_LENGTH: (d: Lengths): string =>
    `${d.what}: expected ${d.expected} bytes, got ${d.actual}`,
  ERR_REQUEST_LENGTH: (d: Lengths): string =>
    `${d.what}: expected a length of ${d.expected} bytes, got ${d.actual}`,
  ERR_HANDSHAKE_LENGTH: (d: Lengths): string =>
    `${d.what}: expected ${d.expected} bytes, got ${d.actual}`,
  ERR_HANDSHAKE_PROTOCOL: (d: { got: string }): string =>
    `handshake: expected the protocol name "BitTorrent protocol", got bytes ${d.got}`,
  ERR_EXTENDED_HANDSHAKE: (d: { reason: string }): string =>
    `extension handshake: expected a bencoded dictionary, got ${d.reason}`,
  ERR_METADATA_MESSAGE: (d: { expected: string; got: string }): string =>
    `ut_metadata: expected ${d.expected}, got ${d.got}`,
  ERR_PEX_MESSAGE: (d: { expected: string; got: string }): string =>
    `ut_pex: expected ${d.expected}, got ${d.got}`,
} as const;

/** Code of a fault of a peer. */
export type PeerWireErrorCode = keyof typeof peerWireFaults;

/** A failed Result with the sentence of the table. */
export function fault<C extends PeerWireErrorCode>(
  code: C,
  details: Parameters<(typeof peerWireFaults)[C]>[0],
): Extract<Result<never, C>, { ok: false }> {
  const sentence = peerWireFaults[code] as (value: unknown) => string;
  return fail(code, sentence(details));
}

/** Misuse by a caller: code → sentence. */
export const peerWireErrors = {
  ERR_PEER_WIRE_ARGUMENT: (d: { what: string; expected: string; actual: string }): string =>
    `${d.what}: expected ${d.expected}, got ${d.actual}`,
} as const;

/** Makes the error that misuse throws. */
export const peerWireError: ReturnType<typeof defineErrors<typeof peerWireErrors>> =
  defineErrors(peerWireErrors);
