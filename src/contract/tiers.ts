/**
 * Lists of trackers as people write them: an address a line, a blank line between tiers (BEP 12).
 * @module
 */

/** Trackers by tier. */
export type Tiers = readonly (readonly string[])[];

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
