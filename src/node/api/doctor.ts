/**
 * The part of the API that tests this machine: apart, so that nothing else is loaded for it.
 * @module
 */
export { type Check, examine } from '../doctor.ts';
