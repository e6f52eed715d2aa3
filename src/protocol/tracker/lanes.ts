/**
 * Which trackers share a stream of announces: the tiers of a torrent cut into lanes.
 * Spec: BEP 12. Bounds: TRACKERS_MAX trackers.
 * @module
 */
import { TRACKERS_MAX } from './constants.ts';
import { createTrackerState, type Lane, type TrackerState } from './tracker-state.ts';
import { parseTrackerUrl } from './tracker-url.ts';

/** To whom a torrent announces: the first tracker that answers (BEP 12), the first of each tier, or everybody. */
export type AnnouncePolicy = 'first-tracker' | 'all-tiers' | 'all-trackers';

/** A fresh state for every different URL, in tier order. */
export function readTrackers(tiers: readonly (readonly string[])[]): TrackerState[] {
  const trackers: TrackerState[] = [];
  const seen = new Set<string>();
  for (const [tier, urls] of tiers.entries()) {
    for (const url of urls) {
      const target = parseTrackerUrl(url);
      const name = target.ok ? target.value.href : url;
      if (seen.has(name) || trackers.length >= TRACKERS_MAX) continue;
      seen.add(name);
      trackers.push(
        target.ok
          ? createTrackerState(name, target.value, tier)
          : createTrackerState(url, undefined, tier, target.message),
      );
    }
  }
  return trackers;
}

/** The lanes of one info-hash; at least one, even without trackers. */
export function createLanes(
  infoHash: Uint8Array,
  trackers: readonly TrackerState[],
  policy: AnnouncePolicy,
): Lane[] {
  const groups = new Map<number, TrackerState[]>();
  for (const [index, tracker] of trackers.entries()) {
    const name = policy === 'first-tracker' ? 0 : policy === 'all-tiers' ? tracker.tier : index;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [tracker]);
    else group.push(tracker);
  }
  if (groups.size === 0) groups.set(0, []);
  return Array.from(groups.values(), (group) => ({
    infoHash,
    trackers: group,
    queue: [],
    isSoleCandidate: false,
    current: undefined,
    nextMs: Number.POSITIVE_INFINITY,
    failures: 0,
    requestId: undefined,
  }));
}
