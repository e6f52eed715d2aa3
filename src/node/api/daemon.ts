/**
 * The part of the API that runs a long-running node, or finds one: apart, so that nothing else is loaded for it.
 * @module
 */
export { whereaboutsOf } from '../daemon/whereabouts.ts';
