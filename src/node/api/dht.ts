/**
 * The part of the API that is about the DHT without torrents: apart, so that nothing else is loaded for it.
 * @module
 */
export { nodeCrypto } from '../../io/crypto.ts';
export { fromHex, toHex } from '../../lib/bytes.ts';
export { type BencodeValue, decode, encode } from '../../protocol/bencode/index.ts';
export {
  type DhtItem,
  type DhtStatus,
  isMutable,
  MAX_SALT_BYTES,
  MAX_VALUE_BYTES,
  targetOf,
} from '../../protocol/dht/index.ts';
export {
  formatPublicationLink,
  type PublicationLink,
  parsePublicationLink,
} from '../../protocol/metainfo/index.ts';
export { formatEndpoint } from '../address.ts';
export { DhtClient, publicKeyOf, publisherSeed, signDhtItem } from '../dht-client.ts';
export type { DhtService } from '../dht-service.ts';
export {
  type FoundVersion,
  findNewest,
  keepPublished,
  newestSource,
  PUBLISH_KEY_FILE,
  PublicationMemory,
  pointToLatest,
  publishVersion,
} from '../publication.ts';
