/**
 * Looking for the peers of a torrent by every way there is, without fetching anything: who was found, how, and why those that failed did.
 * Bounds: MAX_FOUND peers.
 * @module
 */
import type { PeerOrigin } from '../protocol/swarm/index.ts';
import { formatEndpoint } from './address.ts';
import type { Torrent } from './torrent.ts';

// Implementation limits
/** Peers that are listed. */
const MAX_FOUND = 2_000;

/** A peer that was found. */
export interface FoundPeer {
  readonly address: string;
  readonly source: PeerOrigin;
  readonly state: 'connected' | 'closed' | 'failed';
  /** Empty when it did not say. */
  readonly client: string;
  /** Why it is not connected; empty when it is. */
  readonly reason: string;
}

const ORDER = { connected: 0, closed: 1, failed: 2 } as const;

/** What comes of a torrent that only looks (mode 'look'). */
export class PeerSearch {
  readonly #torrent: Torrent;
  readonly #found = new Map<string, FoundPeer>();

  /** Begins to listen: before the torrent is started. */
  constructor(torrent: Torrent) {
    this.#torrent = torrent;
    torrent.on('peer-connected', ({ address, source }) =>
      this.#set(address, source, { state: 'connected', reason: '' }),
    );
    torrent.on('peer-failed', ({ address, source, reason }) =>
      this.#set(address, source, { state: 'failed', reason }),
    );
    torrent.on('peer-closed', ({ address, reason }) => {
      const known = this.#found.get(address);
      if (known !== undefined) this.#found.set(address, { ...known, state: 'closed', reason });
    });
  }

  /** How many did not fail, and did. */
  get counts(): { readonly connected: number; readonly failed: number } {
    const failed = [...this.#found.values()].filter(({ state }) => state === 'failed').length;
    return { connected: this.#found.size - failed, failed };
  }

  /** Those that are connected first. */
  list(): FoundPeer[] {
    for (const { address, client } of this.#torrent.status().peers) {
      const known = this.#found.get(formatEndpoint(address));
      if (known !== undefined) this.#found.set(known.address, { ...known, client });
    }
    return [...this.#found.values()].toSorted((a, b) => ORDER[a.state] - ORDER[b.state]);
  }

  #set(
    address: string,
    source: PeerOrigin,
    rest: Pick<FoundPeer, 'state'> & Partial<FoundPeer>,
  ): void {
    const known = this.#found.get(address);
    if (known === undefined && this.#found.size >= MAX_FOUND) return;
    const fresh = { address, source, client: '', reason: '' };
    this.#found.set(address, { ...fresh, ...known, ...rest });
  }
}
