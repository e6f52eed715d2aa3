/**
 * Shapes that channels work with.
 * @module
 */

/** An address, as everywhere. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Which service a message is for. */
export interface Envelope {
  /** 1 … 32 of a-z, 0-9 and "-". */
  readonly service: string;
  /** 0 … 255: of the service's messages. */
  readonly version: number;
  /** 32 bytes: the community it is about; absent: none. */
  readonly community?: Uint8Array;
}

/** The first frame of either end. */
export interface Hello {
  /** 8 bytes, drawn when the program started: another number means that the other end was started again. */
  readonly instance: Uint8Array;
  /** Where the sender listens, best first. */
  readonly addresses: readonly Address[];
  /** The address that the sender sees the other end at, unless a relay stands between. */
  readonly observed?: Address;
}

/** What a frame holds. */
export type Frame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'message'; readonly envelope: Envelope; readonly payload: Uint8Array }
  | {
      readonly kind: 'request';
      readonly id: number;
      /** How long the sender waits. */
      readonly timeoutMs: number;
      readonly envelope: Envelope;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'response'; readonly id: number; readonly payload: Uint8Array }
  | {
      readonly kind: 'refusal';
      readonly id: number;
      /** A number of REFUSALS, or a later one. */
      readonly code: number;
      readonly message: string;
    }
  | { readonly kind: 'ping' | 'pong'; readonly nonce: Uint8Array }
  | { readonly kind: 'bye'; readonly message: string };

/** What a control session asks its shell for. */
export type ControlOutput =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'message'; readonly envelope: Envelope; readonly payload: Uint8Array }
  | {
      readonly type: 'request';
      readonly id: number;
      readonly envelope: Envelope;
      readonly payload: Uint8Array;
      /** When its sender stops waiting, on the session's clock. */
      readonly deadlineMs: number;
    }
  | { readonly type: 'response'; readonly id: number; readonly payload: Uint8Array }
  | {
      readonly type: 'refused';
      readonly id: number;
      readonly code: number;
      readonly message: string;
    }
  | { readonly type: 'timeout'; readonly id: number }
  /** The connection is to be closed, after what was transmitted before. */
  | { readonly type: 'close'; readonly reason: string; readonly isFault: boolean };
