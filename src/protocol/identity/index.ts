/**
 * Identities: peer ids, which signatures of theirs count, and what is told of where a peer can be reached.
 * @module
 */

export {
  ADDRESS_SALT,
  type AddressRecord,
  decodeAddressRecord,
  encodeAddressRecord,
  MAX_RECORD_BYTES,
  type PublishRule,
  publishableAddresses,
} from './address-record.ts';
export {
  KEY_BYTES,
  MAX_NAME_CHARACTERS,
  MAX_PEER_ADDRESSES,
  MAX_RELAYS,
  PEER_ID_BYTES,
  SIGNATURE_BYTES,
} from './constants.ts';
export type { IdentityErrorCode } from './errors.ts';
export {
  formatPeerAddress,
  type PeerAddress,
  parsePeerAddress,
  peerAddressOf,
  type RelayHint,
  scopeOf,
} from './peer-address.ts';
export { formatPeerCard, isCard, type PeerCard, parsePeerCard } from './peer-card.ts';
export { fingerprintOf, lanHashOf } from './peer-hashes.ts';
export { formatPeerId, parsePeerId, peerIdOf, publicKeyIn } from './peer-id.ts';
export { parsePeerName, peerNameKey } from './peer-name.ts';
export {
  isStrictPoint,
  signedMessage,
  signFor,
  verifySigned,
  verifyStrict,
} from './signature-rule.ts';
