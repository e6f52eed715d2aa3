/**
 * The part of the API that is about contacts: apart, so that nothing else is loaded for it.
 * @module
 */
export { formatEndpoint } from '../address.ts';
export { defaultHome } from '../config.ts';
export { type Contact, Contacts, fingerprintOfText } from '../contacts.ts';
