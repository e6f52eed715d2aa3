/**
 * The part of the API that reads addresses: apart, so that nothing else is loaded for it.
 * @module
 */
export { parseEndpoint } from '../address.ts';
