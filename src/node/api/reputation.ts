/**
 * The part of the API that shows what this node knows of others: apart, so that nothing else is loaded for it.
 * @module
 */
export { defaultHome } from '../config.ts';
export { type Acquaintance, Reputation } from '../reputation.ts';
