/**
 * Runs local service discovery for all torrents of a node: joins the groups when the first torrent wants it, sends, listens, arms one timer.
 *
 * Announced are the families that the node listens on, on the interfaces that it listens on: the one of the address it was given, else all. Offline:
 * loopback and the interface of the given address only, and only senders that the reach policy lets us dial.
 * Interfaces are looked at with every announce; when they changed, the groups are joined anew. A group that cannot be joined is tried again then.
 * Bounds: those of the core. Not here: which torrents (`torrent-lan.ts`).
 * @module
 */
import os from 'node:os';
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import { joinMulticast, type MulticastGroup } from '../io/multicast.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import { LocalDiscovery, LSD_GROUPS, LSD_PORT, type LsdUrgency } from '../protocol/lsd/index.ts';
import { type LsdInterface, lsdInterfaces } from './lsd-interfaces.ts';

/** Options of a LsdService. */
export interface LsdServiceOptions {
  readonly policy: ReachPolicy;
  /** Address that the node listens on; a wildcard means all. */
  readonly listenHost: string;
  /** Families that the node listens on. */
  readonly families: readonly (4 | 6)[];
  /** The system's interfaces; default those of this machine. */
  readonly interfaces?: () => NodeJS.Dict<os.NetworkInterfaceInfo[]>;
}

interface Plan {
  readonly family: 4 | 6;
  readonly interfaces: readonly LsdInterface[];
}

interface JoinedGroup {
  readonly family: 4 | 6;
  readonly group: MulticastGroup;
}

/** What is joined at the moment. */
interface Joined {
  /** Stands for the interfaces that were there. */
  readonly key: string;
  readonly groups: Promise<readonly JoinedGroup[]>;
}

/** Finds peers in the local network. */
export class LsdService {
  readonly #options: LsdServiceOptions;
  readonly #core = new LocalDiscovery(monotonicMs(), new Rng(randomSeed()));
  /** Info-hash in hex → who wants its peers. */
  readonly #onPeer = new Map<string, (peer: Endpoint) => void>();
  #joined: Joined | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LsdServiceOptions) {
    this.#options = options;
  }

  /**
   * Announces an info-hash of 20 bytes and gives its peers to `onPeer` until the returned function is called.
   * @param port where its torrent listens. @param options as of the core's `add`.
   */
  announce(
    infoHash: Uint8Array,
    port: number,
    onPeer: (peer: Endpoint) => void,
    options: { readonly urgency?: LsdUrgency } = {},
  ): () => void {
    const key = toHex(infoHash);
    if (this.#isClosed || this.#onPeer.has(key)) return () => {};
    if (!this.#core.add(monotonicMs(), infoHash, port, options)) return () => {};
    this.#onPeer.set(key, onPeer);
    this.#join();
    this.#arm();
    return () => {
      if (this.#onPeer.get(key) !== onPeer) return;
      this.#onPeer.delete(key);
      this.#core.remove(infoHash);
      this.#arm();
    };
  }

  /** Leaves the groups. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#onPeer.clear();
    await leaveAll((await this.#joined?.groups) ?? []);
  }

  /** Joins the groups, or joins anew when the interfaces changed. */
  #join(): void {
    const { families, policy, listenHost, interfaces = os.networkInterfaces } = this.#options;
    const all = interfaces();
    const place = { listenHost, isOffline: policy.isOffline };
    const plans = families.map((family) => ({
      family,
      interfaces: lsdInterfaces(all, family, place),
    }));
    const key = JSON.stringify(plans);
    if (key === this.#joined?.key) return;
    this.#core.setNetworks(plans.flatMap((plan) => plan.interfaces.map(({ cidr }) => cidr)));
    const before = this.#joined?.groups ?? Promise.resolve([]);
    const groups = before.then(leaveAll).then(() => this.#joinAll(plans));
    this.#joined = { key, groups };
  }

  async #joinAll(plans: readonly Plan[]): Promise<readonly JoinedGroup[]> {
    const joined: JoinedGroup[] = [];
    for (const { family, interfaces } of plans) {
      if (interfaces.length === 0 || this.#isClosed) continue;
      try {
        const group = await joinMulticast({
          family,
          group: LSD_GROUPS[family],
          port: LSD_PORT,
          interfaces,
          onMessage: (bytes, host) => this.#receive(bytes, host),
        });
        joined.push({ family, group });
      } catch {
        // Another program has the port for itself: without neighbours a node goes on, and the next announce tries again.
        if (this.#joined !== undefined) this.#joined = { ...this.#joined, key: '' };
      }
    }
    return joined;
  }

  #receive(bytes: Uint8Array, host: string): void {
    // What this node may not dial, offline above all, needs no ear either.
    if (!this.#options.policy.allowsAddress(host)) return;
    this.#core.handleDatagram(monotonicMs(), bytes, host);
    this.#drain();
  }

  #drain(): void {
    for (let output = this.#core.poll(); output !== undefined; output = this.#core.poll()) {
      if (output.type === 'peer') this.#onPeer.get(toHex(output.infoHash))?.(output.address);
      else this.#send(output.family, output.bytes);
    }
  }

  /** Sends to the group of a family, once it is joined. */
  #send(family: 4 | 6, bytes: Uint8Array): void {
    const send = (joined: readonly JoinedGroup[]): void => {
      for (const one of joined) if (one.family === family) one.group.send(bytes);
    };
    void this.#joined?.groups.then(send);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#core.nextTimeoutMs;
    if (dueMs === Number.POSITIVE_INFINITY || this.#isClosed) return;
    const waitMs = Math.max(1, Math.ceil(dueMs - monotonicMs()));
    this.#timer = setTimeout(() => this.#tick(), waitMs).unref();
  }

  #tick(): void {
    this.#join();
    this.#core.handleTimeout(monotonicMs());
    this.#drain();
    this.#arm();
  }
}

async function leaveAll(joined: readonly JoinedGroup[]): Promise<void> {
  await Promise.all(joined.map(({ group }) => group.close()));
}
