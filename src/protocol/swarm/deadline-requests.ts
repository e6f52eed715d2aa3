/**
 * Which blocks of pieces with a deadline a peer is asked for: those that it would bring in time, the first due first.
 *
 * Whoever would be too late takes one only where nobody faster has the piece, so that nothing stalls when all are slow. A block that is owed
 * by somebody who will be late is asked of one further peer that is well faster. Who brings it first causes a cancel to the other.
 * Cost: while there are deadlines, a look at each of them and at each peer for each peer that is filled.
 * Bounds: deadlines.ts; two requesters a block by this; duplicates are looked for in the first MAX_LATE_PIECES pieces that are owed.
 * Not here: the endgame, which may ask a third one.
 * @module
 */
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import { ENDGAME_MIN_MS, UNKNOWN_RESPONSE_MS } from './constants.ts';
import type { Deadline } from './deadlines.ts';
import type { Peer } from './peer.ts';
import { type PeerPieces, peerHas } from './peer-pieces.ts';
import type { SwarmState, Torrent } from './state.ts';

// Implementation limits

/** Rates change: a peer must be expected to need no more than the time that is left divided by this. */
const TIME_LEAD = 1.5;
/** Who would be too late too is asked besides somebody late when it needs less than the other's time divided by this. */
const SPEED_LEAD = 2;
/** A peer that gave nothing yet may show what it can with a block that is due no sooner: there is time for others if it is silent. */
const TRIAL_MS = 5_000;
/** Pieces, the first due first, in which blocks of late peers are looked for. */
const MAX_LATE_PIECES = 8;

/** A peer that has room for requests. */
export interface UrgentSearch {
  readonly state: SwarmState;
  readonly torrent: Torrent;
  readonly nowMs: number;
  readonly peer: Peer;
  readonly has: PeerPieces;
  readonly room: number;
  readonly allowedOnly: ReadonlySet<number> | undefined;
  readonly ask: (piece: number, block: number) => void;
}

/** When blocks of a peer may be expected. */
interface Pace {
  /** Until a block that it is asked for now. */
  readonly nextMs: number;
  readonly blockMs: number;
  readonly isKnown: boolean;
}

const picked: number[] = [];
const only = new Set<number>();

/** Asks a peer for blocks with a deadline. @returns how many. */
export function askUrgent(search: UrgentSearch): number {
  const { torrent, nowMs, peer, has, room, allowedOnly } = search;
  const { deadlines } = torrent;
  const pace = paceOf(nowMs, peer);
  const rivals = fasterThan(search, pace);
  const isFit = pace.isKnown && Number.isFinite(pace.nextMs);
  let count = 0;
  let owed = 0;
  deadlines.openReserve();
  for (const deadline of deadlines.list) {
    if (count >= room) break;
    const { piece } = deadline;
    if (!peerHas(has, piece) || allowedOnly?.has(piece) === false) continue;
    // What others failed to bring waited longest.
    if (isFit && owed < MAX_LATE_PIECES && torrent.picker.isOwed(piece)) {
      owed += 1;
      count += askLate(search, pace, deadline, count);
    }
    if (torrent.picker.hasFree(piece)) count += askFree(search, pace, rivals, deadline, count);
  }
  deadlines.closeReserve();
  return count;
}

/** Blocks of a piece that nobody owes. @param asked blocks that the peer was asked for since `pace`. */
function askFree(
  { torrent, nowMs, peer, has, room, ask }: UrgentSearch,
  pace: Pace,
  rivals: readonly Peer[],
  { piece, dueMs }: Deadline,
  asked: number,
): number {
  let most = room - asked;
  if (rivals.some((rival) => rival.hasPiece(piece))) {
    most = Math.min(most, blocksInTime(pace, nowMs, dueMs) - asked);
  }
  // With this block it shows what it can.
  if (!pace.isKnown) most = peer.requests.liveCount === 0 ? Math.min(most, 1) : 0;
  if (most <= 0) return 0;
  only.clear();
  only.add(piece);
  const count = torrent.picker.pick(peer.id, has, most, 'shared', picked, only);
  for (let i = 0; i < count; i += 1) ask(piece, picked[2 * i + 1]!);
  return count;
}

/** Blocks of a piece that one other peer owes, and will bring late. */
function askLate(
  { state, torrent, nowMs, peer, has, room, ask }: UrgentSearch,
  pace: Pace,
  { piece, dueMs }: Deadline,
  asked: number,
): number {
  const { deadlines, picker } = torrent;
  let count = 0;
  while (asked + count < room && deadlines.mayDouble) {
    const ownMs = pace.nextMs + (asked + count) * pace.blockMs;
    const lead = nowMs + ownMs <= dueMs ? 1 : SPEED_LEAD;
    const isLate = (owner: number, block: number): boolean => {
      const ms = expectedMs(state, nowMs, owner, piece, block);
      return nowMs + ms > dueMs && ms > lead * ownMs + ENDGAME_MIN_MS;
    };
    const block = picker.pickLate(peer.id, has, piece, isLate);
    if (block < 0) break;
    deadlines.double(piece, block);
    ask(piece, block);
    count += 1;
  }
  return count;
}

function paceOf(nowMs: number, peer: Peer): Pace {
  const { pipeline, requests } = peer;
  const { responseMs } = pipeline;
  const rate = pipeline.bytesPerSec(nowMs);
  const isKnown = Number.isFinite(responseMs);
  const latencyMs = isKnown ? responseMs : UNKNOWN_RESPONSE_MS;
  const blockMs = rate > 0 ? (BLOCK_BYTES * 1000) / rate : latencyMs;
  // A bad block makes a piece late for certain, and who was silent for a while is expected to stay so for as long.
  if (pipeline.isSnubbed || peer.isOnParole) {
    return { nextMs: Number.POSITIVE_INFINITY, blockMs, isKnown };
  }
  const silentMs = requests.liveCount === 0 ? 0 : nowMs - peer.lastBlockMs;
  const drainMs = requests.liveCount * blockMs;
  return { nextMs: Math.max(drainMs, silentMs) + latencyMs, blockMs, isKnown };
}

/** How many blocks a peer would bring before `dueMs`. */
function blocksInTime(pace: Pace, nowMs: number, dueMs: number): number {
  if (!pace.isKnown) return dueMs - nowMs >= TRIAL_MS ? 1 : 0;
  const spareMs = (dueMs - nowMs) / TIME_LEAD - pace.nextMs;
  return spareMs < 0 ? 0 : 1 + Math.floor(spareMs / pace.blockMs);
}

/** The peers that can be asked and would bring a block sooner. */
function fasterThan({ state, nowMs, peer }: UrgentSearch, { nextMs }: Pace): Peer[] {
  return [...state.peers.values()].filter(
    (other) =>
      other !== peer &&
      other.amInterested &&
      !other.peerChoking &&
      paceOf(nowMs, other).nextMs < nextMs,
  );
}

/** How long a peer will take for a block that it owes. */
function expectedMs(
  state: SwarmState,
  nowMs: number,
  owner: number,
  piece: number,
  block: number,
): number {
  const peer = state.peers.get(owner);
  if (peer === undefined || peer.pipeline.isSnubbed) return Number.POSITIVE_INFINITY;
  const silentMs = nowMs - peer.lastBlockMs;
  const { blockMs } = paceOf(nowMs, peer);
  return Math.max((1 + peer.requests.ahead(piece, block)) * blockMs, silentMs);
}
