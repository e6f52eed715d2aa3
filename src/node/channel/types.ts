/**
 * What other features know of channels.
 * @module
 */
import type { DuplexConnection, Endpoint } from '../../io/tcp.ts';
import type { Envelope } from '../../protocol/channel/index.ts';

/** The way that a connection takes. */
export interface PeerPath {
  /** In the same network or machine, over the Internet, or through somebody who passes sealed bytes on. */
  readonly kind: 'lan' | 'direct' | 'relay';
  /** The other end; of a relay: the relay. */
  readonly remote: Endpoint;
  /** Peer id of the relay. */
  readonly relay?: string;
}

/** A connection whose other end proved who it is. */
export interface ProvenConnection {
  readonly connection: DuplexConnection;
  /** "12D3KooW…" */
  readonly peerId: string;
  readonly path: PeerPath;
  /** 32 bytes that only the two ends know. */
  readonly binding: Uint8Array;
}

/** What a service gets of a request or message. */
export interface Received {
  readonly envelope: Envelope;
  readonly payload: Uint8Array;
}

/** One end of the control connection of a pair, as services see it. */
export interface Channel {
  readonly peerId: string;
  readonly binding: Uint8Array;
  readonly path: PeerPath;
  readonly isClosed: boolean;
  /** This end dialled it. */
  readonly isDialled: boolean;
  /** Where the other end says that it listens. */
  readonly addresses: readonly Endpoint[];
  /** Round trip of the last sign of life, milliseconds. */
  readonly roundTripMs: number | undefined;
  /** Asks. @throws {AppError} ERR_PEER_REFUSED, ERR_CHANNEL. */
  request(
    service: string,
    payload: Uint8Array,
    options?: { readonly timeoutMs?: number; readonly version?: number },
  ): Promise<Uint8Array>;
  /** Tells. @returns false when too much waits already. */
  send(service: string, payload: Uint8Array): boolean;
  /** Says goodbye and closes it. */
  close(reason: string): void;
}

/** What answers to a service's name. */
export interface ServiceHandler {
  /** May this peer use it? Asked for each request. */
  admits(peerId: string): boolean;
  /** The answer; a throw refuses the request, with the error's message. */
  onRequest?(channel: Channel, received: Received): Promise<Uint8Array> | Uint8Array;
  onMessage?(channel: Channel, received: Received): void;
  /** A bulk connection for it; bytes that came behind the header are delivered after it attached. */
  onBulk?(proven: ProvenConnection, received: Received): void;
}
