/**
 * The part of the API that is about the identity of this installation: apart, so that nothing else is loaded for it.
 * @module
 */
export { defaultHome } from '../config.ts';
export { identityFile, openIdentity, saveIdentity, showIdentity } from '../identity-store.ts';
