/**
 * Identities: peer ids, and which signatures of theirs count.
 * @module
 */
export {
  type CertificateOptions,
  type CertificatePorts,
  makeCertificate,
  readCertificate,
} from './certificate.ts';
export { KEY_BYTES, PEER_ID_BYTES, SIGNATURE_BYTES } from './constants.ts';
export type { IdentityErrorCode } from './errors.ts';
export { formatPeerId, parsePeerId, peerIdOf, publicKeyIn } from './peer-id.ts';
export {
  isStrictPoint,
  signedMessage,
  signFor,
  verifySigned,
  verifyStrict,
} from './signature-rule.ts';
