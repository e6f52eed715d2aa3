/**
 * Bencode, the encoding of every BitTorrent file and of most of its messages (BEP 3): strict decoder, canonical encoder.
 * @module
 */
export {
  BencodeDict,
  type BencodeValue,
  type DecodeOptions,
  decode,
  decodeDict,
  decodePrefix,
  typeName,
} from './decode.ts';
export { type Encodable, encode, RawBencode, raw } from './encode.ts';
export type { BencodeErrorCode } from './errors.ts';
