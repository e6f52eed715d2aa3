/**
 * Decides which block to ask from which peer.
 *
 * Specs: BEP 3 (rarest and random first, endgame), BEP 6 (allowed fast), BEP 47 (pads are not requested).
 * A piece is `free` until its first request, then `open`, `full` once every block is there, and `had` after its hash was right.
 * Cost: O(1) amortised for a HAVE, a picked, received or released block; opening a piece walks over those that the peer lacks or,
 * for a peer with few pieces, over its bitfield. A peer that nothing was found for is not searched again until something changed.
 * Bounds: 2^21 pieces; 65536 peers; block states exist for open pieces only, and `openLimit` bounds those.
 * Not here: timing, choking, how many blocks to ask for (pipeline), deadlines.
 * @module
 */
import { assert, broken } from '../../lib/assert.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import type { Rng } from '../../lib/rng.ts';
import { countCommon, hasCommon, type PeerPieces, peerHas } from './peer-pieces.ts';
import {
  BULK_SHARE,
  DEFAULT_PRIORITY,
  MAX_PEER_NUMBER,
  MAX_PIECES,
  RANDOM_FIRST_PIECES,
  RANDOM_TRIES,
  SPARSE_SHARE,
} from './picker-limits.ts';
import { type IsLate, NOBODY, OpenPiece } from './picker-open-piece.ts';
import { OpenPieces, type Ownership, type PickList } from './picker-open-pieces.ts';
import { PickOrder } from './picker-order.ts';
import { findRun } from './picker-run.ts';
import type { PeerMemory, PickShare, PiecePickerOptions, ReceiveOutcome } from './picker-types.ts';

export type { PeerPieces, PickList, PickShare, PiecePickerOptions, ReceiveOutcome };

const FREE = 0;
const OPEN = 1;
const FULL = 2;
const HAD = 3;

/** The piece picker of one torrent. */
export class PiecePicker {
  readonly pieceCount: number;
  readonly #blockCount: (piece: number) => number;
  readonly #isPadBlock: ((piece: number, block: number) => boolean) | undefined;
  readonly #rng: Rng;
  /** Made by the first search: complete torrents never have one. */
  #order: PickOrder | undefined;
  readonly #availability: Uint16Array;
  readonly #priority: Uint8Array;
  readonly #state: Uint8Array;
  /** Pieces with a priority above 0 that are not had. */
  readonly #wanted: Bitfield;
  readonly #open = new OpenPieces();
  readonly #peers: (PeerMemory | undefined)[] = [];
  readonly #filledByPads: number[] = [];
  #seeds = 0;
  #haveCount = 0;
  #openLimit: number = Number.POSITIVE_INFINITY;
  #isSequential = false;
  /** The order must be built anew before it is used. */
  #isStale = true;
  /** Grows when a piece becomes free: searches that failed may succeed now. */
  #version = 1;
  /** Grows when priorities change: what peers continue must be chosen again. */
  #epoch = 1;

  constructor(options: PiecePickerOptions) {
    const { pieceCount } = options;
    assert(
      Number.isSafeInteger(pieceCount) && pieceCount >= 1 && pieceCount <= MAX_PIECES,
      `pieceCount: expected 1 to ${MAX_PIECES}, got ${pieceCount}`,
    );
    this.pieceCount = pieceCount;
    this.#blockCount = options.blockCount;
    this.#isPadBlock = options.isPadBlock;
    this.#rng = options.rng;
    this.#availability = new Uint16Array(pieceCount);
    this.#priority = new Uint8Array(pieceCount).fill(DEFAULT_PRIORITY);
    this.#state = new Uint8Array(pieceCount);
    this.#wanted = new Bitfield(pieceCount);
    this.#wanted.fill();
  }

  // Availability

  /**
   * A peer got `piece`.
   * @param peer when given, its earlier fruitless search stays valid unless this very piece can be picked.
   */
  addHave(piece: number, peer?: number): void {
    this.#availability[piece]! += 1;
    this.#moved(piece);
    const memory = peer === undefined ? undefined : this.#peers[peer];
    if (memory === undefined) return;
    if (this.#state[piece] === FREE && this.#priority[piece]! > 0) memory.exhaustedVersion = 0;
    else memory.exhaustedCount += 1;
  }

  /** A peer lost `piece` (BEP 54). */
  removeHave(piece: number): void {
    if (this.#availability[piece] === 0) broken(`piece ${piece}: availability would fall below 0`);
    this.#availability[piece]! -= 1;
    this.#moved(piece);
    // Counts of pieces tell fruitless searches apart only while they grow.
    this.#version += 1;
  }

  /** A peer that is not a seed came with these pieces. A peer that completes later stays counted piece by piece. */
  addBitfield(pieces: Bitfield): void {
    this.#shift(pieces, 1);
  }

  /** A peer counted by `addBitfield` and `addHave` went away with these pieces. */
  removeBitfield(pieces: Bitfield): void {
    this.#shift(pieces, -1);
  }

  addSeed(): void {
    this.#seeds += 1;
  }

  removeSeed(): void {
    assert(this.#seeds > 0, 'seeds would fall below 0');
    this.#seeds -= 1;
  }

  /** Connected peers that have `piece`, seeds included. */
  availability(piece: number): number {
    return this.#availability[piece]! + this.#seeds;
  }

  // Wanting

  /** @param priority 0 (unwanted) … 7 (first); the default is 4. Requests already made stay. */
  setPriority(piece: number, priority: number): void {
    const isValid = Number.isInteger(priority) && priority >= 0 && priority <= 7;
    assert(isValid, `priority: expected 0 to 7, got ${priority}`);
    const before = this.#priority[piece]!;
    if (before === priority) return;
    this.#leaveOrder(piece);
    this.#priority[piece] = priority;
    this.#epoch += 1;
    const state = this.#state[piece];
    if (state !== HAD) {
      if (priority === 0) this.#wanted.delete(piece);
      else this.#wanted.add(piece);
    }
    if (state === FREE) this.#enterOrder(piece);
    else if (state === OPEN) this.#open.refile(this.#open.get(piece)!, priority > 0);
  }

  priority(piece: number): number {
    return this.#priority[piece]!;
  }

  /** The piece is verified and on disk. */
  markHave(piece: number): void {
    if (this.#state[piece] === HAD) return;
    this.#leaveOrder(piece);
    this.#closePiece(piece);
    this.#state[piece] = HAD;
    this.#haveCount += 1;
    if (this.#priority[piece]! > 0) this.#wanted.delete(piece);
    if (this.#wanted.count === 0) this.#dropOrder();
  }

  /** The piece turned out to be missing or damaged on disk. */
  markUnhave(piece: number): void {
    if (this.#state[piece] !== HAD) return;
    this.#state[piece] = FREE;
    this.#haveCount -= 1;
    if (this.#priority[piece]! > 0) this.#wanted.add(piece);
    this.#enterOrder(piece);
  }

  hasPiece(piece: number): boolean {
    return this.#state[piece] === HAD;
  }

  /** Pieces had. */
  get haveCount(): number {
    return this.#haveCount;
  }

  /** True when the piece has a priority above 0, had or not. */
  isWanted(piece: number): boolean {
    return this.#priority[piece]! > 0;
  }

  /** Wanted pieces not had yet; 0 means complete. */
  get wantedLeft(): number {
    return this.#wanted.count;
  }

  /** True when a peer with this piece is interesting for it. */
  wantsPiece(piece: number): boolean {
    return this.#wanted.has(piece);
  }

  /**
   * How many wanted pieces a peer has; it is interesting when above 0.
   * Count once when its bitfield comes, then keep the number: +1 on a HAVE of a piece for which `wantsPiece` holds, and for
   * every peer that has the piece -1 after `markHave` and ±1 after a priority crossed 0. For seeds `wantedLeft` is the number.
   */
  countWanted(has: PeerPieces): number {
    return countCommon(has, this.#wanted);
  }

  /** True when the peer has a piece that is wanted; stops at the first. */
  isInteresting(has: PeerPieces): boolean {
    return hasCommon(has, this.#wanted);
  }

  /** In sequential order a lower index comes before a rarer piece; priorities still come first. */
  setSequential(on: boolean): void {
    this.#isSequential = on;
    this.#epoch += 1;
  }

  get isSequential(): boolean {
    return this.#isSequential;
  }

  /** Most pieces open at a time, >= 1; default unlimited. Open pieces are completed when no more may be opened. */
  get openLimit(): number {
    return this.#openLimit;
  }

  set openLimit(limit: number) {
    assert(limit >= 1, `openLimit: expected >= 1, got ${limit}`);
    this.#openLimit = limit;
  }

  // Picking

  /**
   * Chooses up to `count` free blocks for a peer and marks them as asked from it: first of the piece it is at, then of open
   * pieces (high priority, few blocks missing, rare), then of a new piece, at last of a piece that a fast peer fills.
   * @param share 'whole': the peer is fast, and a piece it opens is left to it as long as there is other work; 'run': and these follow each other;
   * 'alone': it is suspected, so besides that it helps with other pieces only when it can open none.
   * @param out pairs of piece and block are written from index 0 on.
   * @param allowedOnly only these pieces may be asked for (allowed fast, while choked).
   * @returns the number of pairs.
   */
  pick(
    peer: number,
    has: PeerPieces,
    count: number,
    share: PickShare,
    out: PickList,
    allowedOnly?: ReadonlySet<number>,
  ): number {
    if (!(peer >= 0 && peer < MAX_PEER_NUMBER)) broken(`peer: expected below 65536, got ${peer}`);
    const memory = this.#memoryOf(peer);
    let picked = 0;
    while (picked < count) {
      const open =
        allowedOnly === undefined
          ? this.#choose(peer, memory, has, share)
          : this.#chooseAllowed(has, allowedOnly);
      if (open === undefined) break;
      while (picked < count) {
        const block = open.takeFree(peer);
        if (block < 0) break;
        out[2 * picked] = open.piece;
        out[2 * picked + 1] = block;
        picked += 1;
      }
      if (open.freeCount === 0) this.#open.refile(open, true);
    }
    return picked;
  }

  /**
   * True when there is nothing left to ask for but what others owe: in the endgame, or because every piece that may be open is asked for.
   * A few silent peers would hold the download up for good if their blocks were not asked of others then.
   */
  get isAllOwed(): boolean {
    if (this.#open.hasFillable || this.#wanted.count === 0) return false;
    return this.#open.size >= this.#openLimit || this.#builtOrder().size === 0;
  }

  /**
   * When all is owed, chooses up to `count` blocks that others owe: never one that this peer owes too, the least often asked first,
   * each from at most 3 peers at a time. Give an idle peer a count of 1, and cancel at the others (`requesters`) when a block comes.
   * @param isLate only blocks are taken whose every requester is late; default: all are.
   * @returns the number of pairs written to `out`, 0 while there are other blocks to ask for.
   */
  pickEndgame(
    peer: number,
    has: PeerPieces,
    count: number,
    out: PickList,
    isLate: (requester: number) => boolean = () => true,
  ): number {
    if (!this.isAllOwed || this.#open.size === 0) return 0;
    const accepts = (piece: number): boolean => this.#priority[piece]! > 0 && peerHas(has, piece);
    const start = this.#rng.below(this.#open.size);
    return this.#open.takeDuplicates({ peer, start, count, accepts, isLate }, out);
  }

  /** As `pickEndgame`, at any time, for one block of a piece that exactly one other peer owes. @returns the block, or -1. */
  pickLate(peer: number, has: PeerPieces, piece: number, isLate: IsLate): number {
    if (!this.#wanted.has(piece) || !peerHas(has, piece)) return -1;
    return this.#open.get(piece)?.takeDuplicate(peer, 1, isLate) ?? -1;
  }

  /** True when a block of a wanted piece can be asked for that nobody owes. */
  hasFree(piece: number): boolean {
    if (!this.#wanted.has(piece)) return false;
    return this.#state[piece] === FREE || (this.#open.get(piece)?.fillableAt ?? -1) >= 0;
  }

  /** True when a block of a piece is owed. */
  isOwed(piece: number): boolean {
    return (this.#open.get(piece)?.outstandingCount ?? 0) > 0;
  }

  /** What callers keep from peers changed: searches that failed may succeed now. */
  forgetSearches(): void {
    this.#version += 1;
  }

  // The life of a block

  /**
   * A block came from `peer`.
   * @param isLate accept a block that this peer was asked for once although the request was released meanwhile.
   * @returns 'first': recorded; 'duplicate': it was there already, or the piece was; 'unrequested': not owed by this peer, not recorded.
   * Read `requesters` before, to cancel at the others.
   */
  markReceived(peer: number, piece: number, block: number, isLate = false): ReceiveOutcome {
    const state = this.#state[piece];
    if (state === HAD || state === FULL) return 'duplicate';
    let open = this.#open.get(piece);
    if (open === undefined) {
      if (!isLate || state === undefined || block >= this.#blockCount(piece)) return 'unrequested';
      open = this.#openPiece(piece, NOBODY);
      if (this.#state[piece] !== OPEN) return 'duplicate';
    }
    if (!(block >= 0 && block < open.blockCount)) return 'unrequested';
    if (open.isReceived(block)) return 'duplicate';
    if (!isLate && !open.isRequestedFrom(peer, block)) return 'unrequested';
    open.receive(peer, block);
    if (open.isComplete) this.#state[piece] = FULL;
    if (open.freeCount === 0) this.#open.refile(open, false);
    return 'first';
  }

  /** True when a block is there, or its whole piece is. */
  isReceived(piece: number, block: number): boolean {
    const state = this.#state[piece];
    if (state === HAD || state === FULL) return true;
    return this.#open.get(piece)?.isReceived(block) === true;
  }

  /** True when this peer and no other owes a block now. */
  isAskedOnlyFrom(peer: number, piece: number, block: number): boolean {
    return this.#open.get(piece)?.isAskedOnlyFrom(peer, block) === true;
  }

  /** The peers that owe a block now. */
  requesters(piece: number, block: number): readonly number[] {
    return this.#open.get(piece)?.requesters(block) ?? [];
  }

  /** A request is void: choke, timeout, reject or disconnect. Nothing happens when the peer does not owe the block. */
  release(peer: number, piece: number, block: number): void {
    const open = this.#open.get(piece);
    if (open === undefined || !open.isRequestedFrom(peer, block)) return;
    open.release(peer, block);
    // An owner that fails once no longer fills the piece alone.
    if (open.owner === peer) open.owner = NOBODY;
    if (open.receivedCount === 0 && open.outstandingCount === 0) {
      this.#closePiece(piece);
      this.#enterOrder(piece);
    } else {
      this.#open.refile(open, this.#priority[piece]! > 0);
    }
  }

  /** Drops what is remembered about a peer; release its requests first. */
  forgetPeer(peer: number): void {
    this.#peers[peer] = undefined;
    this.#open.disown(peer);
  }

  /** True when every block is there and the hash is awaited. */
  isPieceComplete(piece: number): boolean {
    return this.#state[piece] === FULL;
  }

  /** The hash was wrong: every block is free again. */
  resetPiece(piece: number): void {
    if (this.#open.get(piece) === undefined) return;
    this.#closePiece(piece);
    this.#enterOrder(piece);
  }

  /** Who gave each block of an open piece; -1 for nobody. */
  givers(piece: number): Int32Array {
    return this.#open.get(piece)?.givers() ?? new Int32Array(0);
  }

  /** Pieces between their first request and markHave or resetPiece. */
  openPieces(): readonly number[] {
    return this.#open.indices();
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Blocks of an open piece that came from peers; 0 for other pieces. */
  blocksReceived(piece: number): number {
    return this.#open.get(piece)?.receivedCount ?? 0;
  }

  /** Pieces that became complete without a request, since they are padding alone; each is told once. */
  takeFilledByPads(): readonly number[] {
    return this.#filledByPads.splice(0);
  }

  // Choosing

  #choose(
    peer: number,
    memory: PeerMemory,
    has: PeerPieces,
    share: PickShare,
  ): OpenPiece | undefined {
    const { last } = memory;
    const isAlone = share === 'alone';
    if (
      last !== undefined &&
      memory.lastEpoch === this.#epoch &&
      last.fillableAt >= 0 &&
      (last.owner === peer || (last.owner === NOBODY && !isAlone)) &&
      peerHas(has, last.piece)
    ) {
      return last;
    }
    const accepts = (piece: number): boolean => peerHas(has, piece);
    const best = (whose: Ownership): OpenPiece | undefined =>
      this.#open.best(peer, whose, accepts, this.#precedence);
    const chosen =
      best(isAlone ? 'own' : 'own or shared') ??
      this.#openNew(peer, memory, has, share) ??
      (isAlone ? best('own or shared') : undefined) ??
      best('foreign');
    memory.last = chosen;
    memory.lastEpoch = this.#epoch;
    return chosen;
  }

  readonly #precedence = (a: OpenPiece, b: OpenPiece): boolean => {
    const byPriority = this.#priority[b.piece]! - this.#priority[a.piece]!;
    if (byPriority !== 0) return byPriority < 0;
    if (this.#isSequential) return a.piece < b.piece;
    const byMissing = a.freeCount + a.outstandingCount - (b.freeCount + b.outstandingCount);
    if (byMissing !== 0) return byMissing < 0;
    return this.#availability[a.piece]! < this.#availability[b.piece]!;
  };

  #openNew(
    peer: number,
    memory: PeerMemory,
    has: PeerPieces,
    share: PickShare,
  ): OpenPiece | undefined {
    const count = has === 'seed' ? this.pieceCount : has.count;
    if (memory.exhaustedVersion === this.#version && memory.exhaustedCount === count) return;
    while (this.#open.size < this.#openLimit) {
      const piece = share === 'run' ? this.#findRun(has, memory.runNext) : this.#findNew(has);
      if (piece < 0) {
        memory.exhaustedVersion = this.#version;
        memory.exhaustedCount = count;
        return;
      }
      memory.runNext = piece + 1;
      const open = this.#openPiece(piece, share === 'shared' ? NOBODY : peer);
      if (this.#state[piece] === OPEN) return open;
    }
    return;
  }

  #findRun(has: PeerPieces, next: number): number {
    const first = this.#findNew(has);
    if (first < 0 || this.#isSequential) return first;
    const priority = this.#priority[first];
    const isFree = (piece: number): boolean =>
      this.#state[piece] === FREE && this.#priority[piece] === priority && peerHas(has, piece);
    return findRun({ first, next, isFree, order: this.#builtOrder() });
  }

  #findNew(has: PeerPieces): number {
    const order = this.#builtOrder();
    if (order.size === 0) return -1;
    if (this.#isSequential) return order.findLowest((piece) => peerHas(has, piece));
    if (this.#haveCount < RANDOM_FIRST_PIECES) {
      for (let i = 0; i < RANDOM_TRIES; i += 1) {
        const piece = order.sample();
        if (peerHas(has, piece)) return piece;
      }
    }
    if (has === 'seed') return order.find(() => true);
    if (has.count * SPARSE_SHARE < this.pieceCount) return order.findAmong(has);
    return order.find((piece) => has.has(piece));
  }

  #chooseAllowed(has: PeerPieces, allowed: ReadonlySet<number>): OpenPiece | undefined {
    let fresh = -1;
    for (const piece of allowed) {
      if (piece >= this.pieceCount || !peerHas(has, piece)) continue;
      const open = this.#open.get(piece);
      if (open !== undefined && open.fillableAt >= 0) return open;
      if (this.#state[piece] === FREE && this.#priority[piece]! > 0) fresh = piece;
    }
    if (fresh < 0 || this.#open.size >= this.#openLimit) return undefined;
    const open = this.#openPiece(fresh, NOBODY);
    return this.#state[fresh] === OPEN ? open : undefined;
  }

  // States and lists

  #memoryOf(peer: number): PeerMemory {
    let memory = this.#peers[peer];
    if (memory === undefined) {
      memory = {
        last: undefined,
        runNext: -1,
        lastEpoch: 0,
        exhaustedVersion: 0,
        exhaustedCount: 0,
      };
      this.#peers[peer] = memory;
    }
    return memory;
  }

  #openPiece(piece: number, owner: number): OpenPiece {
    this.#leaveOrder(piece);
    const open = new OpenPiece(piece, this.#blockCount(piece), owner, this.#isPadBlock);
    this.#state[piece] = open.isComplete ? FULL : OPEN;
    if (open.isComplete) this.#filledByPads.push(piece);
    this.#open.add(open, this.#priority[piece]! > 0);
    return open;
  }

  /** Forgets the blocks of a piece; it is free afterwards and in no list. */
  #closePiece(piece: number): void {
    this.#state[piece] = FREE;
    this.#open.remove(piece);
  }

  #shift(pieces: Bitfield, by: 1 | -1): void {
    if (pieces.count * BULK_SHARE > this.pieceCount) this.#isStale = true;
    for (let at = 0; at < pieces.bytes.length; at += 1) {
      for (let bits = pieces.bytes[at]!; bits !== 0; bits &= bits - 1) {
        const piece = at * 8 + Math.clz32(bits & -bits) - 24;
        this.#availability[piece]! += by;
        this.#moved(piece);
      }
    }
  }

  #moved(piece: number): void {
    if (this.#isStale || this.#order?.has(piece) !== true) return;
    this.#order.move(piece, this.#priority[piece]!, this.#availability[piece]!);
  }

  #enterOrder(piece: number): void {
    if (this.#priority[piece] === 0) return;
    this.#version += 1;
    if (this.#isStale) return;
    this.#order?.insert(piece, this.#priority[piece]!, this.#availability[piece]!);
  }

  #leaveOrder(piece: number): void {
    if (!this.#isStale && this.#order?.has(piece) === true) this.#order.remove(piece);
  }

  /** Nothing is wanted any more: a seed needs no order, and it is by far the largest thing here. */
  #dropOrder(): void {
    this.#order = undefined;
    this.#isStale = true;
  }

  #builtOrder(): PickOrder {
    if (this.#order !== undefined && !this.#isStale) return this.#order;
    this.#isStale = false;
    const order = this.#order ?? new PickOrder(this.pieceCount, this.#rng);
    this.#order = order;
    order.clear();
    for (let piece = 0; piece < this.pieceCount; piece += 1) {
      if (this.#state[piece] !== FREE || this.#priority[piece] === 0) continue;
      order.insert(piece, this.#priority[piece]!, this.#availability[piece]!);
    }
    return order;
  }
}
