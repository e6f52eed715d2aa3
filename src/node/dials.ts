/**
 * The dials of one torrent: from the core's wish for an address to a link that its peer answered on, or a reason why not.
 *
 * Bounds: the node's dial gate; whoever asks says how many are under way.
 * @module
 */
import { type ByteConnection, dialTcp, type Endpoint } from '../io/tcp.ts';
import type { Handshake } from '../protocol/peer-wire/index.ts';
import type { DialGate } from './dial-gate.ts';
import { dialProblem, type LinkOwner, PeerLink } from './peer-link.ts';

/** What dials need, and whom they tell. */
export interface DialsOptions {
  readonly dialGate: DialGate;
  /** False: the reach policy forbids this address. */
  readonly mayDial: (host: string) => boolean;
  /** Another way to connect than by TCP. */
  readonly connect?:
    | ((address: Endpoint, signal: AbortSignal) => Promise<ByteConnection>)
    | undefined;
  /** Source address to dial from. */
  readonly localHost: string | undefined;
  /** Our handshake. */
  readonly greeting: () => Uint8Array;
  /** False: no connection is wanted any more. */
  readonly isWanted: () => boolean;
  /** The owner of a link whose peer answered; undefined when it answered for another torrent. */
  readonly adopt: (link: PeerLink, handshake: Handshake) => LinkOwner | undefined;
  readonly onFailed: (dial: number, reason: string) => void;
}

/** Dials for one torrent. */
export class Dials {
  readonly #options: DialsOptions;
  /** What ends each dial under way. */
  readonly #ends = new Map<AbortController, () => void>();

  constructor(options: DialsOptions) {
    this.#options = options;
  }

  /** @param dial the core's number for it. */
  begin(dial: number, address: Endpoint): void {
    const { connect, mayDial } = this.#options;
    if (connect === undefined && !mayDial(address.host)) {
      this.#options.onFailed(dial, 'STARLING_OFFLINE allows no contact with it');
      return;
    }
    const abort = new AbortController();
    let leave = (): void => {};
    // A dial counts until its handshake came: until then it costs a socket and says nothing of the other end.
    const end = (): void => {
      this.#ends.delete(abort);
      leave();
    };
    this.#ends.set(abort, end);
    leave = this.#options.dialGate.enter(() => this.#connect(dial, address, abort.signal, end));
  }

  /** Gives up what is under way. */
  abort(): void {
    for (const abort of this.#ends.keys()) abort.abort();
  }

  /** As `abort`, and none of them counts any more. */
  close(): void {
    // First all of them: the end of one dial begins another that waited.
    this.abort();
    for (const end of [...this.#ends.values()]) end();
  }

  #connect(dial: number, address: Endpoint, signal: AbortSignal, end: () => void): void {
    const { greeting, isWanted, adopt, onFailed } = this.#options;
    const fail = (reason: string): void => {
      end();
      onFailed(dial, reason);
    };
    this.#open(address, signal)
      .then((connection) => {
        const link = new PeerLink({
          connection,
          isIncoming: false,
          dial,
          onHandshake: (itself, handshake) => {
            const owner = adopt(itself, handshake);
            if (owner !== undefined) end();
            return owner;
          },
          onAbandoned: fail,
        });
        signal.addEventListener('abort', () => link.close('stopped'), { once: true });
        if (isWanted() && !signal.aborted) link.write(greeting());
        else link.close('stopped');
      })
      .catch((error: NodeJS.ErrnoException) => fail(dialProblem(error)));
  }
  #open(address: Endpoint, signal: AbortSignal): Promise<ByteConnection> {
    const { connect, localHost } = this.#options;
    if (connect !== undefined) return connect(address, signal);
    return dialTcp({ ...address, signal, ...(localHost === undefined ? {} : { localHost }) });
  }
}
