/**
 * The peer wire protocol as a codec: bytes in, values out, no state and no I/O.
 * Specs: BEP 3, 5 (`port`), 6, 9 (`ut_metadata`), 10, 11 (`ut_pex`), 20, 21 (`upload_only`), 52 (hash messages), 54 (`lt_donthave`).
 * Not here: framing of the byte stream (data plane), what is allowed when (swarm).
 * @module
 */
export { allowedFastSet } from './allowed-fast.ts';
export { clientName, makePeerId } from './client-id.ts';
export {
  ALLOWED_FAST_COUNT,
  BLOCK_BYTES,
  EXTENDED_HANDSHAKE_ID,
  HANDSHAKE_BYTES,
  HASH_REQUEST_MAX_LENGTH,
  MAX_EXTENDED_MESSAGE_BYTES,
  MAX_HASHES_SERVED,
  MAX_MESSAGE_BYTES,
  MAX_METADATA_BYTES,
  MAX_PIECE_MESSAGE_BYTES,
  MESSAGE_ID,
  METADATA_PIECE_BYTES,
  PIECE_HEADER_BYTES,
  REQUEST_FRAME_BYTES,
} from './constants.ts';
export { DONT_HAVE_EXTENSION, decodeDontHave, encodeDontHave } from './dont-have.ts';
export type { PeerWireErrorCode } from './errors.ts';
export {
  decodeExtendedHandshake,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  PeerExtensions,
} from './extended.ts';
export {
  type Capabilities,
  decodeHandshake,
  encodeHandshake,
  type Handshake,
  makeReserved,
  opensHandshake,
  parseReserved,
} from './handshake.ts';
export {
  type BlockRange,
  decodeMessage,
  type HashRange,
  isServableHashRange,
  type Message,
  MessageWriter,
  requestLengthFault,
} from './messages.ts';
export {
  decodeMetadataMessage,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  METADATA_EXTENSION,
  type MetadataMessage,
  metadataPieceBytes,
  metadataPieceCount,
} from './metadata-messages.ts';
export {
  decodePex,
  encodePex,
  PEX_EXTENSION,
  PEX_FLAG,
  type PexContact,
  type PexEndpoint,
  type PexMessage,
} from './pex.ts';
