/**
 * The rate limits that a torrent's data passes, its own and its node's, and what is charged for bytes that moved.
 * @module
 */
import { GateChain, RateGate, type Wake } from './rate-gate.ts';
import { returnBytes, wireBytes } from './wire-cost.ts';

/** What the rate gates call for a link; the same functions for its whole life, so that a gate holds each once. */
export interface LinkWakes {
  readonly pump: Wake;
  readonly resume: Wake;
}

/** Limits in bytes a second; 0 lifts one, undefined leaves it. */
export interface RateLimits {
  readonly downloadBytesPerSec?: number;
  readonly uploadBytesPerSec?: number;
}

/** The node's gates. */
export interface NodeGates {
  readonly uploadGate: RateGate;
  readonly downloadGate: RateGate;
  /** Limits hold for messages and an estimate of TCP's and IP's headers too, not for block data alone. */
  readonly countsOverhead: boolean;
}

/** The gates of one torrent. */
export class TorrentGates {
  readonly upload: GateChain;
  readonly download: GateChain;
  readonly #countsOverhead: boolean;
  /** The torrent's own gates, made by the first limit. */
  #uploadGate: RateGate | undefined;
  #downloadGate: RateGate | undefined;

  constructor(node: NodeGates) {
    this.upload = new GateChain([node.uploadGate]);
    this.download = new GateChain([node.downloadGate]);
    this.#countsOverhead = node.countsOverhead;
  }

  /** Limits of this torrent, besides those of the node. */
  setLimits({ downloadBytesPerSec: download, uploadBytesPerSec: upload }: RateLimits): void {
    if (download !== undefined && download > 0 && this.#downloadGate === undefined) {
      this.#downloadGate = new RateGate(download);
      this.download.add(this.#downloadGate);
    } else if (download !== undefined) this.#downloadGate?.setRate(download);
    if (upload !== undefined && upload > 0 && this.#uploadGate === undefined) {
      this.#uploadGate = new RateGate(upload);
      this.upload.add(this.#uploadGate);
    } else if (upload !== undefined) this.#uploadGate?.setRate(upload);
  }

  /** A limit holds that counts more than block data. */
  get isCharging(): boolean {
    return this.#countsOverhead && !(this.upload.isUnlimited && this.download.isUnlimited);
  }

  /** Charges bytes of a stream, and what they cost against their direction. */
  charge(way: GateChain, wake: Wake, streamBytes: number): void {
    if (!way.isUnlimited) way.spend(wake, wireBytes(streamBytes));
    const back = way === this.upload ? this.download : this.upload;
    if (!back.isUnlimited) back.spend(undefined, returnBytes(streamBytes));
  }

  close(): void {
    this.#uploadGate?.close();
    this.#downloadGate?.close();
  }
}
