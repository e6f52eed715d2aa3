/**
 * Asks trackers for the counts of a torrent that need not be running: what `starling info --scrape` shows.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { toHex } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import { Scraper, type SwarmCounts } from '../protocol/tracker/index.ts';
import { CLIENT_NAME, isOffline } from './config.ts';
import { swarmHashes } from './hex-hashes.ts';
import type { TorrentSource } from './torrent-types.ts';
import { TrackerRequests } from './tracker-requests.ts';
import { UdpDoor } from './udp-door.ts';

/** What one tracker counts. */
export interface TrackerScrape {
  readonly url: string;
  /** One for each info-hash that the tracker knows. */
  readonly swarms: readonly (SwarmCounts & { readonly infoHash: string })[];
  /** Why it did not answer. */
  readonly error?: string;
}

/** Runs a scraper to its end, or to the signal's. */
export async function runScraper(
  scraper: Scraper,
  requests: TrackerRequests,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const drain = (): void => {
    clearTimeout(timer);
    for (let out = scraper.poll(); out !== undefined; out = scraper.poll()) {
      if (out.type === 'http' || out.type === 'udp') requests.perform(out, scraper, drain);
    }
    if (scraper.isDone || signal.aborted) {
      resolve();
      return;
    }
    timer = setTimeout(
      () => {
        scraper.handleTimeout(monotonicMs());
        drain();
      },
      Math.max(1, scraper.nextTimeoutMs() - monotonicMs()),
    );
  };
  signal.addEventListener('abort', drain, { once: true });
  scraper.start(monotonicMs());
  drain();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', drain);
}

/** Options of `scrapeTrackers`. */
export interface ScrapeOptions {
  /** Ends it early. */
  readonly signal?: AbortSignal;
  /** Trackers that the user named, which may be anywhere. */
  readonly given?: readonly string[];
}

/** Scrapes all trackers of a source. */
export async function scrapeTrackers(
  source: TorrentSource,
  { signal = new AbortController().signal, given = [] }: ScrapeOptions = {},
): Promise<readonly TrackerScrape[]> {
  const policy = new ReachPolicy({ offline: isOffline() });
  for (const url of given) policy.give(url);
  const hashes = source.kind === 'magnet' ? source.magnet : source.metainfo.info;
  const trackers = (
    source.kind === 'magnet' ? source.magnet.trackers : source.metainfo.trackers.flat()
  ) as readonly string[];
  const asked = swarmHashes(hashes);
  const udp = new UdpDoor('0.0.0.0');
  const ended = new AbortController();
  try {
    const scraper = new Scraper({ trackers, hashes: asked, rng: new Rng(randomSeed()) });
    const requests = new TrackerRequests({
      policy,
      udp,
      userAgent: CLIENT_NAME,
      trust: { given, isFromPublic: false },
      signal: AbortSignal.any([signal, ended.signal]),
    });
    await runScraper(scraper, requests, signal);
    return scraper.results.map(({ url, counts, error }) => ({
      url,
      swarms: counts.flatMap((each, index) =>
        each === undefined ? [] : [{ infoHash: toHex(asked[index]!), ...each }],
      ),
      ...(error === undefined ? {} : { error }),
    }));
  } finally {
    ended.abort();
    await udp.close();
  }
}
