/**
 * Channels between two peers who know each other's identity: frames of the control connection, headers of bulk connections.
 * @module
 */
export {
  type BulkHeader,
  decodeFrame,
  encodeBulkHeader,
  encodeFrame,
  readBulkHeader,
} from './codec.ts';
export {
  BULK_PROTOCOL,
  CONTROL_PROTOCOL,
  INSTANCE_BYTES,
  MAX_FRAME_BYTES,
  REQUEST_TIMEOUT_MS,
  WIRE_PROTOCOL,
} from './constants.ts';
export { ControlSession } from './control.ts';
export { type Rival, takesPlace } from './duplicates.ts';
export { type ChannelErrorCode, REFUSALS, type RefusalCode } from './errors.ts';
export type { ControlOutput, Envelope, Frame, Hello } from './types.ts';
