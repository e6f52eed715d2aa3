/**
 * Peer ids as bytes, for those who have them as text.
 * @module
 */
import { parsePeerId } from '../../protocol/identity/index.ts';
import { nodeError } from '../errors.ts';

/** 38 bytes. @throws {AppError} ERR_CONFIG for a text that is none. */
export function idBytes(peerId: string): Uint8Array {
  const parsed = parsePeerId(peerId);
  if (parsed.ok) return parsed.value;
  throw nodeError('ERR_CONFIG', { what: 'peer id', expected: '"12D3KooW…"', got: peerId });
}
