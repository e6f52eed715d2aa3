/**
 * The part of the API that is about the identity of this installation: apart, so that nothing else is loaded for it.
 * @module
 */
export { defaultHome } from '../config.ts';
export { Contacts, cardLink, fingerprintOfText, relayHintOf } from '../contacts.ts';
export {
  expectNoIdentity,
  identityFile,
  openIdentity,
  saveIdentity,
  showIdentity,
} from '../identity-store.ts';
