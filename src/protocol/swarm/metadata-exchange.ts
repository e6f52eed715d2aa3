/**
 * Getting the info dictionary of a magnet from peers.
 *
 * Spec: BEP 9. All pieces come from peers that claim the same size; a size is given up when nobody connected supports it any more.
 * Metadata that fails its hash is asked for again, from one peer at a time: the one that gave all of it is banned when it fails.
 * Bounds: one buffer of at most MAX_METADATA_BYTES, METADATA_REQUESTS_PER_PEER requests a peer.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import {
  encodeMetadataRequest,
  METADATA_EXTENSION,
  METADATA_PIECE_BYTES,
  metadataPieceCount,
} from '../peer-wire/index.ts';
import { closePeer } from './connecting.ts';
import {
  METADATA_REJECT_WAIT_MS,
  METADATA_REQUESTS_PER_PEER,
  METADATA_TIMEOUT_MS,
} from './constants.ts';
import type { Peer } from './peer.ts';
import type { SwarmState } from './state.ts';

interface Slot {
  asked: Peer | undefined;
  askedMs: number;
  giver: Peer | undefined;
}

/** Collects the metadata of one torrent. */
export class MetadataExchange {
  readonly #state: SwarmState;
  #bytes: Uint8Array | undefined;
  #slots: Slot[] = [];
  #missing = 0;
  /** A mixture failed: from now on one peer gives it all. */
  #isSolo = false;
  #soloist: Peer | undefined;

  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** Asks peers for what is missing. */
  run(nowMs: number): void {
    this.#expire(nowMs);
    const able = this.#chooseAble(nowMs);
    const isSizeAlive = able.some((peer) => peer.metadataBytes === this.#bytes?.length);
    if (!isSizeAlive) {
      const first = able[0];
      if (first === undefined) return;
      this.#restart(first.metadataBytes);
    }
    for (const peer of able) {
      if (peer.metadataBytes === this.#bytes?.length) this.#ask(nowMs, peer);
    }
  }

  /** A piece came. @param totalBytes the size that the message claims. */
  take(nowMs: number, peer: Peer, piece: number, totalBytes: number, data: Uint8Array): void {
    const slot = this.#slots[piece];
    if (this.#bytes?.length !== totalBytes || slot === undefined || slot.asked !== peer) return;
    peer.metadataRequests -= 1;
    slot.asked = undefined;
    slot.giver = peer;
    this.#bytes.set(data, piece * METADATA_PIECE_BYTES);
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish(nowMs, this.#bytes);
    else this.run(nowMs);
  }

  /** The peer has no such piece to give. */
  reject(nowMs: number, peer: Peer, piece: number): void {
    const slot = this.#slots[piece];
    if (slot?.asked !== peer) return;
    this.#refuse(nowMs, peer);
    this.run(nowMs);
  }

  /** A peer left. */
  forget(peer: Peer): void {
    for (const slot of this.#slots) {
      if (slot.asked === peer) slot.asked = undefined;
    }
  }

  /** Peers to ask: all that are able, or the one whose turn it is. */
  #chooseAble(nowMs: number): readonly Peer[] {
    const able = [...this.#state.peers.values()].filter((peer) => this.#isAble(nowMs, peer));
    if (!this.#isSolo) return able;
    if (this.#soloist === undefined || !able.includes(this.#soloist)) {
      this.#soloist = able[0];
      this.#bytes = undefined;
    }
    return this.#soloist === undefined ? [] : [this.#soloist];
  }

  #isAble(nowMs: number, peer: Peer): boolean {
    return (
      peer.metadataBytes > 0 &&
      peer.extensions.idOf(METADATA_EXTENSION) !== undefined &&
      nowMs - peer.metadataRejectedMs > METADATA_REJECT_WAIT_MS
    );
  }

  #restart(totalBytes: number): void {
    for (const slot of this.#slots) {
      if (slot.asked !== undefined) slot.asked.metadataRequests -= 1;
    }
    const count = metadataPieceCount(totalBytes);
    this.#bytes = new Uint8Array(totalBytes);
    this.#missing = count;
    this.#slots = Array.from({ length: count }, () => ({
      asked: undefined,
      askedMs: 0,
      giver: undefined,
    }));
  }

  #ask(nowMs: number, peer: Peer): void {
    const id = peer.extensions.idOf(METADATA_EXTENSION)!;
    for (const [piece, slot] of this.#slots.entries()) {
      if (peer.metadataRequests >= METADATA_REQUESTS_PER_PEER) return;
      if (slot.asked !== undefined || slot.giver !== undefined) continue;
      slot.asked = peer;
      slot.askedMs = nowMs;
      peer.metadataRequests += 1;
      peer.out.extended(id, encodeMetadataRequest(piece));
      this.#state.dirty.add(peer);
    }
  }

  #expire(nowMs: number): void {
    for (const slot of this.#slots) {
      if (slot.asked !== undefined && nowMs - slot.askedMs > METADATA_TIMEOUT_MS) {
        this.#refuse(nowMs, slot.asked);
      }
    }
  }

  #refuse(nowMs: number, peer: Peer): void {
    peer.metadataRejectedMs = nowMs;
    peer.metadataRequests = 0;
    this.forget(peer);
  }

  #finish(nowMs: number, bytes: Uint8Array): void {
    const { infoHashV1, infoHashV2 } = this.#state.options;
    const { crypto } = this.#state;
    // Either hash proves it: a magnet may know only one of a hybrid's two.
    const isRight =
      infoHashV2 !== undefined
        ? equalBytes(crypto.sha256(bytes), infoHashV2)
        : infoHashV1 !== undefined && equalBytes(crypto.sha1(bytes), infoHashV1);
    if (isRight) {
      this.#state.emit({ type: 'metadata', infoBytes: bytes });
      this.#state.metadata = undefined;
      return;
    }
    const givers = new Set(this.#slots.map((slot) => slot.giver!));
    this.#bytes = undefined;
    this.#slots = [];
    this.#isSolo ||= givers.size > 1;
    this.#soloist = undefined;
    if (givers.size > 1) return;
    for (const peer of givers) {
      const reason = 'sent metadata that failed its hash';
      this.#state.list.ban(peer.address, peer.peerId);
      this.#state.emit({ type: 'peer-banned', address: peer.address, reason });
      closePeer(this.#state, nowMs, peer, reason);
    }
  }
}
