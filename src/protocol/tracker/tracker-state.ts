/**
 * What we know about one tracker for one info-hash, and which event it is owed.
 * Spec: BEP 3 (event), BEP 12 (tiers), BEP 21 (paused).
 * @module
 */
import type { AnnounceEvent } from './http-codec.ts';
import type { TrackerUrl } from './tracker-url.ts';

/** For users: what a tracker is doing. */
export type TrackerActivity =
  /** Not asked yet. */
  | 'idle'
  /** A request is under way. */
  | 'announcing'
  /** The last announce was accepted. */
  | 'working'
  /** The last announce failed; it will be tried again. */
  | 'failing'
  /** It will not be asked again: unusable URL, or it said never to return (BEP 31). */
  | 'disabled';

/** One tracker and one info-hash. Owned by the Announcer. */
export interface TrackerState {
  readonly url: string;
  /** undefined: a URL that can't be announced to. */
  readonly target: TrackerUrl | undefined;
  readonly tier: number;
  activity: TrackerActivity;
  /** It accepted `started` and has not been told `stopped`. */
  isStarted: boolean;
  /** It may have heard of us while bytes were left: only then `completed` means something to it. */
  knowsUsAsLeech: boolean;
  isCompletedTold: boolean;
  trackerId: Uint8Array | undefined;
  minIntervalMs: number;
  /** When it last accepted an announce. */
  lastAnnounceMs: number | undefined;
  /** It asked not to be asked before. */
  notBeforeMs: number;
  lastError: string | undefined;
  warning: string | undefined;
  seeds: number | undefined;
  leeches: number | undefined;
  /** Peers received in all announces. */
  peersReceived: number;
}

/** One logical stream of announces: one info-hash, and trackers of which one is used at a time. */
export interface Lane {
  readonly infoHash: Uint8Array;
  /** In the order to try: by tier, winners in front. */
  readonly trackers: TrackerState[];
  /** Trackers still to be tried in this round. */
  queue: TrackerState[];
  /** This round has just one tracker to ask, so it may take its time. */
  isSoleCandidate: boolean;
  /** Who accepted the last announce. */
  current: TrackerState | undefined;
  /** When the next round starts; Infinity: not by itself. */
  nextMs: number;
  /** Rounds in a row in which every tracker failed. */
  failures: number;
  requestId: number | undefined;
}

/** A tracker that has not been asked yet. */
export function createTrackerState(
  url: string,
  target: TrackerUrl | undefined,
  tier: number,
  problem?: string,
): TrackerState {
  return {
    url,
    target,
    tier,
    activity: target === undefined ? 'disabled' : 'idle',
    isStarted: false,
    knowsUsAsLeech: false,
    isCompletedTold: false,
    trackerId: undefined,
    minIntervalMs: 0,
    lastAnnounceMs: undefined,
    notBeforeMs: 0,
    lastError: problem,
    warning: undefined,
    seeds: undefined,
    leeches: undefined,
    peersReceived: 0,
  };
}

/** Forgets a finished session, so that the next start announces everything again; `completed` alone is told once for good. */
export function resetSession(tracker: TrackerState): void {
  if (tracker.activity !== 'disabled') tracker.activity = 'idle';
  tracker.isStarted = false;
  tracker.knowsUsAsLeech = false;
  tracker.notBeforeMs = 0;
}

/** `started` or `completed` when the tracker has not been told yet, else undefined. */
export function owedEvent(
  tracker: TrackerState,
  isCompleted: boolean,
): 'started' | 'completed' | undefined {
  if (!tracker.isStarted) return 'started';
  return isCompleted && tracker.knowsUsAsLeech && !tracker.isCompletedTold
    ? 'completed'
    : undefined;
}

/** The tracker accepted an announce with this event. */
export function acknowledge(tracker: TrackerState, event: AnnounceEvent): void {
  if (event === 'started') tracker.isStarted = true;
  if (event === 'completed') tracker.isCompletedTold = true;
}

/** BEP 12: a tracker that answered moves to the front of its tier. */
export function promote(trackers: TrackerState[], winner: TrackerState): void {
  const from = trackers.indexOf(winner);
  const to = trackers.findIndex((tracker) => tracker.tier === winner.tier);
  if (from <= to) return;
  trackers.splice(from, 1);
  trackers.splice(to, 0, winner);
}

/** HTTP request ids start behind all UDP transaction ids, so that one map holds both. */
export const HTTP_REQUEST_ID_FIRST = 0x1_0000_0000;

/** A request of an announcer that awaits its answer. */
export interface PendingRequest {
  readonly lane: Lane;
  readonly tracker: TrackerState;
  readonly event: AnnounceEvent;
  readonly phase: 'http' | 'connect' | 'announce';
  deadlineMs: number;
  /** Times the datagram was sent again without an answer since the last one (n of BEP 15). */
  retries: number;
  /** The datagram, to be sent again. */
  readonly bytes?: Uint8Array;
  /** The connection id is from an earlier exchange: the tracker may have forgotten it. */
  readonly isOldConnection: boolean;
}
