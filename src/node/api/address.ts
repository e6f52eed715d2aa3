/**
 * The part of the API that reads addresses: apart, so that nothing else is loaded for it.
 * @module
 */
export { resolveEndpoints } from '../resolve-endpoints.ts';
