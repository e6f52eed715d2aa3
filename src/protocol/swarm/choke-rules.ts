/**
 * What a peer is worth to the choker: rules that rank peers, one for downloading, several for seeding.
 *
 * Specs: BEP 3, the choking paragraphs (reciprocation; "fastest" while seeding); Chow, Golubchik and Misra, "BitTorrent: an extensible
 * heterogeneous model", INFOCOM 2009 (seeds that serve peers near their begin or end starve free riders).
 * A rule is a pure function of one peer; who is unchoked in the end is for `choker.ts`.
 * @module
 */

/** What a rule knows about a peer. */
export interface ChokeCandidate {
  readonly peer: number;
  readonly isInterested: boolean;
  /** It has everything, or downloads nothing (BEP 21): unchoking it is pointless. */
  readonly isUploadOnly: boolean;
  /** It owes us data and sends none: its place in the ranking is the last, but it may be the optimistic one. */
  readonly isSnubbed: boolean;
  /** Its host was given far more than it shows: no slot at all, not even the optimistic one. */
  readonly isOverfed: boolean;
  /** Bytes a second that we get from it. */
  readonly downloadBytesPerSec: number;
  /** Bytes a second that it gets from us. */
  readonly uploadBytesPerSec: number;
  readonly connectedAtMs: number;
  /** Since when it waits for a slot: its connection, or the end of its last slot. */
  readonly waitingSinceMs: number;
  /** When its slot began; undefined while it is choked. */
  readonly unchokedAtMs: number | undefined;
  /** Share of the torrent that it shows or was given by us, the larger of both, 0 … 1. */
  readonly progress: number;
  /** What former meetings say: -1 (bad) … 1 (good); 0 for a stranger. */
  readonly standing: number;
}

/** Whether the torrent is complete here: it changes what a peer is worth. */
export type ChokeRole = 'leech' | 'seed';

/** A rule ranks peers: the value of keeping a peer unchoked, higher first. */
export interface ChokeRule {
  readonly name: string;
  rank(candidate: ChokeCandidate, nowMs: number): number;
}

// Implementation limits

/** Round-robin: a slot lasts at least this long. By bytes, fast peers would use their turn up first and leave the line empty. */
const TURN_MS = 60_000;

/** BEP 3 while downloading: give to those who give most. */
export const reciprocateRule: ChokeRule = {
  name: 'reciprocate',
  rank: (candidate) => (candidate.isSnubbed ? 0 : candidate.downloadBytesPerSec),
};

/** BEP 3 while seeding: serve those who take fastest. */
export const fastestRule: ChokeRule = {
  name: 'fastest',
  rank: (candidate) => candidate.uploadBytesPerSec,
};

/** Everybody has a turn: whoever has a slot keeps it for its turn, then those who wait longest come first. */
export const roundRobinRule: ChokeRule = {
  name: 'round-robin',
  rank: ({ unchokedAtMs, waitingSinceMs }, nowMs) => {
    if (unchokedAtMs === undefined) return nowMs - waitingSinceMs;
    return nowMs - unchokedAtMs < TURN_MS ? Number.MAX_VALUE : 0;
  },
};

/**
 * Serves peers that begin (they need something to trade) and those about to end (they will seed), the ones in between must trade. Bytes that
 * we sent count as progress, so that nobody stays at the beginning by hiding what it has. Rates decide between equals.
 */
export const antiLeechRule: ChokeRule = {
  name: 'anti-leech',
  rank: ({ progress, uploadBytesPerSec }) =>
    Math.round(Math.abs(2 * progress - 1) * 20) + Math.min(0.99, uploadBytesPerSec / 1e10),
};

/** Rules for seeding by name. */
export type SeedRuleName = 'fastest' | 'round-robin' | 'anti-leech';

export const SEED_RULES: Readonly<Record<SeedRuleName, ChokeRule>> = {
  fastest: fastestRule,
  'round-robin': roundRobinRule,
  'anti-leech': antiLeechRule,
};
