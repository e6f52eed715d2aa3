/**
 * Whether this browser may speak to the node, for everybody who has to know.
 * @module
 */
import { Value } from './value.ts';

export type SessionState = 'unknown' | 'signed-in' | 'signed-out' | 'unreached';

export const session = new Value<SessionState>('unknown');
