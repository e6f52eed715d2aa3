/**
 * What can go wrong on a channel.
 * @module
 */

/** Codes of failed Results of this room. */
export type ChannelErrorCode =
  /** Bytes that are no frame. */
  | 'ERR_FRAME'
  /** A greeting that is none, or of another version. */
  | 'ERR_HELLO'
  /** The header of a bulk connection that is none. */
  | 'ERR_BULK_HEADER';

/** Why a request was refused, on the wire: the number. */
export const REFUSALS = {
  /** Nothing here answers to that service. */
  unknownService: 1,
  /** It answers, but not to this peer. */
  forbidden: 2,
  /** Too many requests wait already. */
  busy: 3,
  /** The service understood nothing of it. */
  badRequest: 4,
  /** The service failed. */
  failed: 5,
} as const;

/** A number of REFUSALS. */
export type RefusalCode = (typeof REFUSALS)[keyof typeof REFUSALS];
