/**
 * Trackers: the client side of HTTP(S) and UDP announces and scrapes (BEP 3, 7, 12, 15, 21, 23, 27, 31, 41, 48), without I/O.
 * @module
 */
export { Announcer } from './announcer.ts';
export type { AnnouncerOptions, AnnouncerOutput, TransferStats } from './announcer-types.ts';
export { TRACKERS_MAX } from './constants.ts';
export type { TrackerFaultCode } from './errors.ts';
export {
  type AnnounceEvent,
  buildAnnounceUrl,
  type HttpAnnounce,
  parseHttpReply,
  percentEncode,
} from './http-codec.ts';
export type { AnnouncePolicy } from './lanes.ts';
export type { AnnounceReply, PeerAddress, RefusalReply } from './reply.ts';
export {
  buildScrapeUrl,
  encodeUdpScrape,
  parseHttpScrape,
  parseUdpScrape,
  type ScrapeReply,
  type SwarmCounts,
  scrapeUrl,
} from './scrape-codec.ts';
export { type ScrapeResult, Scraper, type ScraperOptions } from './scraper.ts';
export type { TrackerStatus } from './status.ts';
export type { TrackerActivity } from './tracker-state.ts';
export { parseTrackerUrl, type TrackerUrl } from './tracker-url.ts';
export {
  encodeUdpAnnounce,
  encodeUdpConnect,
  parseUdpReply,
  type UdpAnnounce,
  type UdpReply,
  udpTransactionId,
} from './udp-codec.ts';
