/**
 * Lists of trackers that a person edits: tiers of URLs (BEP 12), each of them once.
 * @module
 */
import { parseTrackerUrl, TRACKERS_MAX } from '../../protocol/tracker/index.ts';
import { apiError } from '../http/errors.ts';

/** Trackers by tier. */
export type Tiers = readonly (readonly string[])[];

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

/** A list as people write it: a URL a line, tiers parted by blank lines. */
export function parseTiers(text: string): string[][] {
  const tiers: string[][] = [];
  let isNew = true;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line !== '') {
      if (isNew) tiers.push([]);
      tiers.at(-1)!.push(line);
    }
    isNew = line === '';
  }
  return tiers;
}

/** The reverse of `parseTiers`. */
export function formatTiers(tiers: Tiers): string {
  return tiers.map((tier) => tier.join('\n')).join('\n\n');
}
