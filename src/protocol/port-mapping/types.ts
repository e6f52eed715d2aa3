/**
 * What is asked of a gateway.
 * @module
 */

/** Which transport protocol. */
export type Transport = 'tcp' | 'udp';

/** A port that shall be reached from outside. */
export interface MappingRequest {
  readonly transport: Transport;
  /** 1 … 65535. */
  readonly internalPort: number;
  /** The one that is wished for; the gateway may give another one. */
  readonly externalPort: number;
  /** Seconds; 0 ends the mapping. */
  readonly lifetimeSeconds: number;
}

/** A port that is reached from outside. */
export interface GrantedMapping {
  readonly externalPort: number;
  /** Undefined: the protocol tells it by another question. */
  readonly externalHost?: string;
  /** Seconds. */
  readonly lifetimeSeconds: number;
}
