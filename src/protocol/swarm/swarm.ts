/**
 * The core of one torrent: decides what to say to whom, which blocks to ask for, whom to serve, whom to dial. It does no I/O.
 *
 * Specs: BEP 3, 6, 9, 10, 11, 21, 27, 40, 52, 54. Inputs are `handleX(nowMs, …)`; after any of them, drain `poll(nowMs)` until undefined, in order: outputs
 * of one peer keep theirs. Call `handleTimeout` at `nextTimeoutMs`. Time is monotonic milliseconds.
 * Bytes of blocks never pass: the data plane asks `isExpected`, copies, and says `handleBlock`; pieces come back with their digests.
 * Bounds: constants.ts. The states of a torrent and of a piece are drawn in README.md beside this file.
 * @module
 */
import { Bitfield } from '../../lib/bitfield.ts';
import type { Info } from '../metainfo/index.ts';
import { clientName } from '../peer-wire/index.ts';
import { admits } from './admission.ts';
import { expel } from './blame.ts';
import { SEED_RULES, type SeedRuleName } from './choke-rules.ts';
import {
  adoptPeer,
  closePeer,
  dialMore,
  dropPeer,
  endDial,
  failDial,
  forgetRumours,
  provenPeers,
  sendExtendedHandshake,
  weedPeers,
} from './connecting.ts';
import { KEEP_ALIVE_MS } from './constants.ts';
import type { Deadline, DeadlineTotals } from './deadlines.ts';
import {
  checkTimeouts,
  countRequestRoom,
  fillRequests,
  isExpected,
  settleProgress,
  takeBlock,
} from './downloading.ts';
import { applyEarly, handleMessage, handleRequests } from './handle/message.ts';
import { nextTick, wake, wakeConnected } from './housekeeping.ts';
import { recountInterest } from './interest.ts';
import { expireLeaves } from './leaf-hashes.ts';
import { losePiece } from './lost-pieces.ts';
import { MetadataExchange } from './metadata-exchange.ts';
import { PeerExchange } from './peer-exchange.ts';
import { SwarmState, Torrent } from './state.ts';
import { setSuperSeeding } from './super-seeding.ts';
import type {
  ConnectedPeer,
  PeerAddress,
  PeerSource,
  PeerStatus,
  PieceOutcome,
  ProvenPeer,
  SwarmOptions,
  SwarmOutput,
  SwarmTotals,
} from './types.ts';
import { countOtherUpload, failUpload, markServed, runChoker } from './uploading.ts';
import { judgePiece, sendHeld, takeDigests } from './verdict.ts';

/** The core of one torrent. */
export class Swarm {
  readonly #state: SwarmState;

  constructor(nowMs: number, options: SwarmOptions) {
    this.#state = new SwarmState(nowMs, options);
    if (options.usesMetadataExchange !== false) {
      this.#state.metadata = new MetadataExchange(this.#state);
    }
    this.#state.exchange = new PeerExchange(this.#state);
  }

  // Commands

  /**
   * The metadata is known and the files were checked: data may flow.
   * @param have pieces that are on disk; the core owns it from now on.
   * @param layers v2: verified piece layers by hex of the file's root; missing ones are asked of peers.
   */
  setTorrent(
    nowMs: number,
    info: Info,
    layers: ReadonlyMap<string, Uint8Array>,
    have: Bitfield = new Bitfield(info.pieceCount),
  ): void {
    const state = this.#state;
    state.metadata = undefined;
    const torrent = new Torrent(info, have, layers, state.crypto, state.rng.fork());
    state.torrent = torrent;
    state.areLayersTold = torrent.missingTrees.length === 0;
    state.wasComplete = false;
    wakeConnected(state);
    if (info.isPrivate) forgetRumours(state, nowMs);
    for (const peer of [...state.peers.values()]) {
      const fault = applyEarly(state, nowMs, torrent, peer);
      if (fault !== undefined) {
        expel(state, nowMs, peer, fault);
        continue;
      }
      // A bitfield is no longer allowed here: what we have is told piece by piece.
      for (const piece of torrent.have) peer.out.have(piece);
      if (peer.capabilities.extension) sendExtendedHandshake(state, peer);
      state.dirty.add(peer);
    }
  }

  /**
   * Sets what to download, at any time; `priorityOf` gives 0 (not) … 7 (first) for a piece. Requests already made stay. With less wanted
   * the torrent may be complete, and says so; with more it is not any more, and seeds are dialled again.
   * @param nowMs when given, peers are dialled at once.
   */
  setPriorities(priorityOf: (piece: number) => number, nowMs?: number): void {
    const state = this.#state;
    if (state.torrent === undefined) return;
    for (let piece = 0; piece < state.torrent.info.pieceCount; piece += 1) {
      state.torrent.setPriority(piece, priorityOf(piece));
    }
    for (const peer of state.peers.values()) recountInterest(state, peer);
    state.feedHungry();
    wakeConnected(state);
    if (nowMs !== undefined) dialMore(state, nowMs);
  }

  /** Pieces in order instead of rarest first. */
  setSequential(isSequential: boolean): void {
    this.#state.torrent?.deadlines.setSequential(isSequential);
  }

  /**
   * Says when pieces are needed, in place of what was said before: they come before all others, from peers that bring them in time. Pieces that
   * are had or not wanted are left out, and of more than 256 those due last; an empty list ends it.
   * @param deadlines their times are on the clock of `nowMs`.
   */
  setDeadlines(nowMs: number, deadlines: readonly Deadline[]): void {
    const { torrent, peers, dirty } = this.#state;
    if (torrent === undefined) return;
    torrent.deadlines.set(
      deadlines,
      (piece) => torrent.isWanted(piece) && !torrent.have.has(piece),
    );
    for (const peer of peers.values()) dirty.add(peer);
    if (peers.size > 0) wake(this.#state, nowMs);
  }

  /** Most pieces that may be open: what the data plane has memory for. */
  setOpenLimit(limit: number): void {
    this.#state.torrent?.deadlines.setOpenLimit(limit);
  }

  /** Stops asking for blocks; what is under way still counts. */
  pause(): void {
    this.#state.isPaused = true;
    for (const peer of this.#state.peers.values()) recountInterest(this.#state, peer);
  }

  resume(): void {
    this.#state.isPaused = false;
    for (const peer of this.#state.peers.values()) recountInterest(this.#state, peer);
    this.#state.feedHungry();
    wakeConnected(this.#state);
  }

  /**
   * BEP 16: shows itself as a peer without data and tells pieces one at a time, so that a first seed gives each away about once.
   * Connections that know everything keep that. Ends by itself never.
   * @returns false when this is no seed.
   */
  setSuperSeeding(isOn: boolean): boolean {
    return setSuperSeeding(this.#state, isOn);
  }

  /** The rule for choosing whom to serve from the next round on, while complete. */
  setSeedRule(name: SeedRuleName): void {
    this.#state.choker.setRule('seed', SEED_RULES[name]);
  }

  /** What the torrent may upload, for the number of slots; the data plane holds to it. @param bytesPerSec 0: unlimited. */
  setUploadLimit(bytesPerSec: number): void {
    this.#state.uploadLimitBytesPerSec = bytesPerSec;
  }

  /** A piece that is had is gone or changed on disk: it is not offered any more, and fetched again if it is wanted. */
  losePiece(nowMs: number, piece: number): void {
    const { torrent } = this.#state;
    if (torrent === undefined) return;
    losePiece(this.#state, torrent, piece);
    // Seeds are of use again.
    dialMore(this.#state, nowMs);
  }

  /** Adds addresses to dial. */
  addPeers(nowMs: number, addresses: readonly PeerAddress[], source: PeerSource): void {
    for (const address of addresses) this.#state.list.add(nowMs, address, source);
    dialMore(this.#state, nowMs);
  }

  /** BEP 27: the metadata says that the torrent is private, before the files were checked. Peer exchange ends, and who was found by open ways is left. */
  setPrivate(nowMs: number): void {
    forgetRumours(this.#state, nowMs);
    for (const peer of this.#state.peers.values()) {
      if (peer.capabilities.extension) sendExtendedHandshake(this.#state, peer);
    }
  }

  get isPrivate(): boolean {
    return this.#state.isPrivate;
  }

  /** Listening addresses of peers that were met, the most useful first. */
  provenPeers(): ProvenPeer[] {
    return provenPeers(this.#state);
  }

  /** BEP 27: a private torrent changed its tracker, and no peer known from the former one may be used. */
  forgetPeers(nowMs: number): void {
    for (const peer of [...this.#state.peers.values()]) {
      closePeer(this.#state, nowMs, peer, 'known from a tracker that is no longer used');
    }
    this.#state.list.clear();
  }

  /** After `stop`: dials again, beginning with the addresses that are known. */
  restart(nowMs: number): void {
    this.#state.isDialling = true;
    dialMore(this.#state, nowMs);
  }

  /** Closes every connection and dials no more, until `restart`. */
  stop(nowMs: number): void {
    this.#state.isDialling = false;
    for (const peer of [...this.#state.peers.values()]) {
      closePeer(this.#state, nowMs, peer, 'stopped');
    }
  }

  // Inputs

  handleConnected(nowMs: number, connected: ConnectedPeer): void {
    adoptPeer(this.#state, nowMs, connected);
    wake(this.#state, nowMs);
  }

  /** @param reason for people to read. */
  handleDialFailed(nowMs: number, dial: number, reason: string = 'no connection'): void {
    endDial(this.#state, dial);
    failDial(this.#state, nowMs, dial, reason);
    dialMore(this.#state, nowMs);
  }

  /** The connection ended by itself. */
  handleClosed(nowMs: number, id: number, reason: string): void {
    const peer = this.#state.peers.get(id);
    if (peer === undefined) return;
    dropPeer(this.#state, nowMs, peer, reason);
    dialMore(this.#state, nowMs);
    // The others are told that it left.
    wake(this.#state, nowMs);
  }

  /** A message other than `piece`, without its length prefix; read during the call only. */
  handleMessage(nowMs: number, id: number, bytes: Uint8Array): void {
    const peer = this.#state.peers.get(id);
    if (peer === undefined) return;
    wake(this.#state, nowMs);
    const fault = handleMessage(this.#state, nowMs, peer, bytes);
    if (fault !== undefined) expel(this.#state, nowMs, peer, fault);
  }

  /** `request` messages that came together. @param bytes whole ones, length prefixes included; read during the call only. */
  handleRequests(nowMs: number, id: number, bytes: Uint8Array): void {
    const peer = this.#state.peers.get(id);
    if (peer === undefined) return;
    wake(this.#state, nowMs);
    const fault = handleRequests(this.#state, nowMs, peer, bytes);
    if (fault !== undefined) expel(this.#state, nowMs, peer, fault);
  }

  /** True when this block is owed by the peer and has the right length: its data should be kept. */
  isExpected(id: number, piece: number, begin: number, length: number): boolean {
    const peer = this.#state.peers.get(id);
    return peer !== undefined && isExpected(this.#state, peer, piece, begin, length);
  }

  /** A block came whole. @param isStored its bytes were kept: only allowed when `isExpected` said so. */
  handleBlock(
    nowMs: number,
    id: number,
    block: { piece: number; begin: number; length: number },
    isStored: boolean,
  ): void {
    const peer = this.#state.peers.get(id);
    if (peer === undefined) return;
    peer.lastReceivedMs = nowMs;
    takeBlock(this.#state, nowMs, peer, block, isStored);
  }

  /** Whether the peer is read from: as long as it is not, it is not late with what it owes, and its blocks are not asked of others. */
  handleReading(nowMs: number, id: number, isReading: boolean): void {
    const peer = this.#state.peers.get(id);
    if (peer === undefined) return;
    peer.isHeldBack = !isReading;
    if (isReading) peer.lastBlockMs = nowMs;
  }

  /** The oldest `blockCount` `serve`s of a peer were handed to its socket. */
  handleServed(nowMs: number, id: number, blockCount: number, dataBytes: number): void {
    const peer = this.#state.peers.get(id);
    if (peer !== undefined) markServed(this.#state, nowMs, peer, blockCount, dataBytes);
  }

  /** Data of the torrent was uploaded by another way than to a peer. */
  countUpload(nowMs: number, dataBytes: number): void {
    countOtherUpload(this.#state, nowMs, dataBytes);
  }

  /** A `serve` failed on disk. */
  handleServeFailed(id: number, range: { piece: number; begin: number; length: number }): void {
    const peer = this.#state.peers.get(id);
    if (peer !== undefined) failUpload(this.#state, peer, range);
  }

  /** All blocks of a piece are on disk, or could not be written. */
  handlePiece(nowMs: number, piece: number, outcome: PieceOutcome): void {
    judgePiece(this.#state, nowMs, piece, outcome);
    wake(this.#state, nowMs);
  }

  /**
   * The answer to a `digest` output.
   * @param digests SHA-256 of each of the piece's blocks as they are on disk, 32 bytes each; undefined when they could not be read.
   */
  handleDigests(nowMs: number, piece: number, digests: Uint8Array | undefined): void {
    takeDigests(this.#state, nowMs, piece, digests);
    wake(this.#state, nowMs);
  }

  handleTimeout(nowMs: number): void {
    const state = this.#state;
    if (nowMs >= state.nextDialMs) dialMore(state, nowMs);
    if (nowMs >= state.nextHaveMs) sendHeld(state);
    if (nowMs < state.nextTickMs) return;
    state.lastTickMs = nowMs;
    for (const peer of [...state.peers.values()]) {
      checkTimeouts(state, nowMs, peer);
      if (nowMs - peer.lastSentMs > KEEP_ALIVE_MS) {
        peer.out.keepAlive();
        state.dirty.add(peer);
      }
    }
    // Idle peers wait for others to be late.
    const { torrent } = state;
    if (torrent?.deadlines.isOn || torrent?.picker.isAllOwed) state.feedHungry();
    expireLeaves(state, nowMs);
    state.metadata?.run(nowMs);
    state.exchange.run(nowMs);
    runChoker(state, nowMs);
    weedPeers(state, nowMs);
    dialMore(state, nowMs);
    state.nextTickMs = nextTick(state, nowMs);
  }

  // Outputs

  /** When `handleTimeout` wants to be called; Infinity while nothing can become due by itself. */
  get nextTimeoutMs(): number {
    const { nextTickMs, nextDialMs, nextHaveMs } = this.#state;
    return Math.min(nextTickMs, nextDialMs, nextHaveMs);
  }

  /** The next thing to do, or undefined when there is none. */
  poll(nowMs: number): SwarmOutput | undefined {
    const state = this.#state;
    if (state.outputsHead === state.outputs.length) {
      state.outputs = [];
      state.outputsHead = 0;
      this.#flush(nowMs);
    }
    const output = state.outputs[state.outputsHead];
    if (output !== undefined) state.outputsHead += 1;
    return output;
  }

  #flush(nowMs: number): void {
    const state = this.#state;
    settleProgress(state, nowMs);
    if (state.dirty.size > 0) countRequestRoom(state, nowMs);
    for (const peer of state.dirty) {
      state.dirty.delete(peer);
      state.held.delete(peer);
      fillRequests(state, nowMs, peer);
      if (peer.out.length === 0) continue;
      peer.lastSentMs = nowMs;
      state.outputs.push({ type: 'transmit', id: peer.id, bytes: peer.out.take() });
    }
  }

  // Getters

  get totals(): Readonly<SwarmTotals> {
    return this.#state.totals;
  }

  /** What deadlines cost so far. */
  get deadlineTotals(): DeadlineTotals | undefined {
    return this.#state.torrent?.deadlines.totals;
  }

  get peerCount(): number {
    return this.#state.peers.size;
  }

  /** True when an incoming connection from here may be answered; `handleConnected` may still refuse it. */
  admits(nowMs: number, address: PeerAddress): boolean {
    return admits(this.#state, nowMs, address);
  }

  /** The most pieces that any connected peer has; 0 without metadata or peers. */
  get farthestPeerPieces(): number {
    const { torrent, peers } = this.#state;
    let most = 0;
    for (const peer of peers.values()) {
      most = Math.max(most, peer.shownPieces(torrent?.info.pieceCount ?? 0));
    }
    return most;
  }

  get knownAddressCount(): number {
    return this.#state.list.size;
  }

  /** Pieces on disk; undefined before the metadata. Read only. */
  get have(): Bitfield | undefined {
    return this.#state.torrent?.have;
  }

  get isComplete(): boolean {
    return this.#state.isComplete;
  }

  /** Wanted pieces that are not on disk. */
  get wantedLeft(): number | undefined {
    return this.#state.torrent?.wantedLeft;
  }

  isWanted(piece: number): boolean {
    return this.#state.torrent?.isWanted(piece) === true;
  }

  downloadBytesPerSec(nowMs: number): number {
    return this.#state.downloadMeter.bytesPerSec(nowMs);
  }

  uploadBytesPerSec(nowMs: number): number {
    return this.#state.uploadMeter.bytesPerSec(nowMs);
  }

  /** A picture of every connection. */
  peers(nowMs: number): PeerStatus[] {
    return [...this.#state.peers.values()].map((peer) => ({
      id: peer.id,
      address: peer.address,
      client: peer.client === '' ? clientName(peer.peerId) : peer.client,
      source: peer.source,
      isIncoming: peer.isIncoming,
      isWebSeed: peer.isWebSeed,
      isSeed: peer.isSeed,
      downloadBytesPerSec: peer.pipeline.bytesPerSec(nowMs),
      uploadBytesPerSec: peer.uploadMeter.bytesPerSec(nowMs),
      amChoking: peer.amChoking,
      amInterested: peer.amInterested,
      isChokingUs: peer.peerChoking,
      isInterested: peer.peerInterested,
      isSnubbed: peer.pipeline.isSnubbed,
      pendingRequests: peer.requests.length,
      downloadedBytes: peer.pipeline.totalBytes,
      uploadedBytes: peer.uploadMeter.totalBytes,
    }));
  }
}
