/**
 * The part of the API that is the long-running node itself.
 * @module
 */
export { Daemon } from '../daemon/daemon.ts';
export { jsonLine, textLine } from '../daemon/log.ts';
