/**
 * Password-authenticated key exchange (CPace), without I/O.
 * @module
 */
export {
  CpaceParty,
  type PakeOptions,
  type PakeOutcome,
  type PakeRole,
  type PakeStep,
} from './cpace.ts';
export type { PakeErrorCode } from './errors.ts';
export {
  decodePakeMessage,
  encodePakeMessage,
  lengthValues,
  type PakeMessage,
  type ShareMessage,
} from './message.ts';
