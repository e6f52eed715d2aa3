/**
 * What can be wrong with the answer of a gateway.
 * @module
 */

/** Codes of failed Results of this room. */
export type PortMappingErrorCode =
  /** Bytes that are no answer of this protocol, or none to what was asked. */
  | 'ERR_MAPPING_ANSWER'
  /** The gateway does not answer. */
  | 'ERR_MAPPING_SILENCE'
  /** The gateway does not speak this version: an older protocol may work. */
  | 'ERR_MAPPING_VERSION'
  /** The gateway refuses, and says why. */
  | 'ERR_MAPPING_REFUSED'
  /** The external port is taken: another one may be free. */
  | 'ERR_MAPPING_CONFLICT'
  /** The router makes mappings without an end only. */
  | 'ERR_MAPPING_PERMANENT_ONLY';
