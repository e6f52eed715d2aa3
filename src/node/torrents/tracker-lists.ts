/**
 * Lists of trackers that a person edits: tiers of URLs (BEP 12), each of them once.
 * @module
 */
import type { Tiers } from '../../contract/index.ts';
import { parseTrackerUrl, TRACKERS_MAX } from '../../protocol/tracker/index.ts';
import { apiError } from '../http/errors.ts';

/** The tiers without empty ones. @throws {AppError} ERR_API_INVALID: a URL that cannot be announced to, one that comes twice, too many. */
export function judgedTiers(tiers: Tiers): Tiers {
  const urls = tiers.flat();
  const invalid = (mistakes: string): Error =>
    apiError('ERR_API_INVALID', { what: 'trackers', mistakes });
  if (urls.length > TRACKERS_MAX) {
    throw invalid(`expected at most ${TRACKERS_MAX}, got ${urls.length}`);
  }
  for (const url of urls) {
    const parsed = parseTrackerUrl(url);
    if (!parsed.ok) throw invalid(parsed.message);
  }
  const twice = urls.find((url, at) => urls.indexOf(url) !== at);
  if (twice !== undefined) throw invalid(`expected each of them once, got ${twice} twice`);
  return tiers.filter((tier) => tier.length > 0);
}

/** Each URL that can be announced to and is not there yet as a tier of its own; others are passed over. */
export function withAdded(tiers: Tiers, urls: readonly string[]): Tiers {
  const next = [...tiers];
  for (const url of urls) {
    if (parseTrackerUrl(url).ok && !next.some((tier) => tier.includes(url))) next.push([url]);
  }
  return next;
}

/** Changes single ones by their place in `tiers.flat()`: undefined takes one away; a place that is not there is passed over. */
export function withChanged(tiers: Tiers, changes: ReadonlyMap<number, string | undefined>): Tiers {
  let place = 0;
  return tiers
    .map((tier) =>
      tier.flatMap((url) => {
        const at = place;
        place += 1;
        if (!changes.has(at)) return [url];
        const next = changes.get(at);
        return next === undefined ? [] : [next];
      }),
    )
    .filter((tier) => tier.length > 0);
}
