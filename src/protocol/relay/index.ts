/**
 * Relays: peers that pass sealed bytes on between two others who cannot reach each other.
 * @module
 */
export {
  decodeRelayWord,
  encodePreface,
  encodeRelayWord,
  PREFACE_BYTES,
  type RelayWord,
  readPreface,
  renewalMs,
} from './codec.ts';
export { PENDING_MS, RELAY_READY, RELAY_SERVICE, RELAYED_SERVICE } from './constants.ts';
export type { RelayErrorCode } from './errors.ts';
export { type Pipe, type PipeEnds, RelayTable, type RelayTableOptions } from './relay-table.ts';
