/**
 * Local discovery of one torrent: announced while it runs, with both info-hashes of a hybrid, and never once it is known to be private (BEP 27).
 * @module
 */
import type { Endpoint } from '../io/tcp.ts';
import { swarmHashes } from './hex-hashes.ts';
import type { LsdService } from './lsd-service.ts';
import type { InfoHashes } from './torrent-types.ts';

/** Finds peers of one torrent in the local network. */
export class TorrentLan {
  readonly #lsd: LsdService | undefined;
  readonly #port: number;
  readonly #onPeer: (peer: Endpoint) => void;
  #ends: (() => void)[] = [];

  /**
   * @param lsd undefined: this node does without.
   * @param port where the torrent listens.
   */
  constructor(lsd: LsdService | undefined, port: number, onPeer: (peer: Endpoint) => void) {
    this.#lsd = lsd;
    this.#port = port;
    this.#onPeer = onPeer;
  }

  start(hashes: InfoHashes, isPrivate: boolean): void {
    this.stop();
    if (isPrivate || this.#lsd === undefined) return;
    for (const hash of swarmHashes(hashes)) {
      this.#ends.push(this.#lsd.announce(hash, this.#port, this.#onPeer, { urgency: 'soon' }));
    }
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
