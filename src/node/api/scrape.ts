/**
 * The part of the API that asks trackers for counts: apart, so that `info` loads it only when told to.
 * @module
 */
export { scrapeTrackers, type TrackerScrape } from '../scrape.ts';
