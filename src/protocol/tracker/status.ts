/**
 * The state of each tracker for people to look at.
 * @module
 */
import type { Lane, TrackerActivity, TrackerState } from './tracker-state.ts';

/** One tracker, all info-hashes of the torrent taken together. */
export interface TrackerStatus {
  readonly url: string;
  /** From 0. */
  readonly tier: number;
  readonly activity: TrackerActivity;
  /** Why the last announce failed; absent when it was accepted. */
  readonly lastError?: string;
  readonly warning?: string;
  readonly lastAnnounceMs?: number;
  /** When its next announce is due; absent when another tracker is used or an answer is awaited. */
  readonly nextAnnounceMs?: number;
  /** As the tracker counts them. */
  readonly seeds?: number;
  readonly leeches?: number;
  /** Peers that ever completed, as a scrape told. */
  readonly downloads?: number;
  /** Peers received so far. */
  readonly peersReceived: number;
}

/** The better half of a hybrid says how a tracker does. */
const ACTIVITY_ORDER: readonly TrackerActivity[] = [
  'announcing',
  'working',
  'failing',
  'idle',
  'disabled',
];

/** One status for each URL, in tier order. */
export function summarize(lanes: readonly Lane[]): TrackerStatus[] {
  const byUrl = new Map<string, { tracker: TrackerState; lane: Lane }[]>();
  for (const lane of lanes) {
    for (const tracker of lane.trackers) {
      const same = byUrl.get(tracker.url);
      if (same === undefined) byUrl.set(tracker.url, [{ tracker, lane }]);
      else same.push({ tracker, lane });
    }
  }
  const all = Array.from(byUrl.values(), mergeStatus);
  return all.sort((a, b) => a.tier - b.tier);
}

function mergeStatus(entries: readonly { tracker: TrackerState; lane: Lane }[]): TrackerStatus {
  const trackers = entries.map((entry) => entry.tracker);
  const nextMs = Math.min(...entries.map(dueMs));
  const lastError = trackers.find((tracker) => tracker.lastError !== undefined)?.lastError;
  const warning = trackers.find((tracker) => tracker.warning !== undefined)?.warning;
  const lastAnnounceMs = maximum(trackers.map((tracker) => tracker.lastAnnounceMs));
  const seeds = maximum(trackers.map((tracker) => tracker.seeds));
  const leeches = maximum(trackers.map((tracker) => tracker.leeches));
  return {
    url: trackers[0]!.url,
    tier: trackers[0]!.tier,
    activity: ACTIVITY_ORDER.find((activity) => trackers.some((t) => t.activity === activity))!,
    ...(lastError !== undefined && { lastError }),
    ...(warning !== undefined && { warning }),
    ...(lastAnnounceMs !== undefined && { lastAnnounceMs }),
    ...(nextMs !== Number.POSITIVE_INFINITY && { nextAnnounceMs: nextMs }),
    ...(seeds !== undefined && { seeds }),
    ...(leeches !== undefined && { leeches }),
    peersReceived: trackers.reduce((sum, tracker) => sum + tracker.peersReceived, 0),
  };
}

function dueMs({ tracker, lane }: { tracker: TrackerState; lane: Lane }): number {
  const isNext =
    lane.current === undefined ? tracker.activity === 'failing' : lane.current === tracker;
  return isNext && lane.requestId === undefined ? lane.nextMs : Number.POSITIVE_INFINITY;
}

function maximum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
