/**
 * What a tracker shows of itself: a page for people, and the text format of Prometheus (version 0.0.4).
 *
 * Numbers only: no torrent, no address and no key is named, so both pages may be public. Twenty numbers need no client library.
 * @module
 */

import type { TrackerCounters } from '../protocol/tracker/server/index.ts';
import { type Metric, metricsPage } from './daemon/metric.ts';

/** A tracker at one moment. */
export interface TrackerPicture {
  readonly uptimeSec: number;
  readonly torrents: number;
  readonly peersV4: number;
  readonly peersV6: number;
  readonly seeds: number;
  readonly counters: TrackerCounters;
  /** Peers that did not come back. */
  readonly expired: number;
  /** Peers that gave way at a bound. */
  readonly displaced: number;
  /** HTTP connections that are open. */
  readonly connections: number;
  readonly connectionsRefused: number;
  /** Answers of UDP that the system did not take. */
  readonly unsent: number;
  readonly memoryBytes: number;
  readonly intervalSec: number;
  readonly needsKey: boolean;
}

type Sample = readonly [Readonly<Record<string, string>>, number];

/** The text for Prometheus. */
export function trackerMetricsPage(picture: TrackerPicture): string {
  const { counters, peersV4, peersV6, seeds, torrents } = picture;
  const refused = Object.entries(counters.refused).map(
    ([code, count]): Sample => [{ reason: reasonOf(code) }, count],
  );
  return metricsPage([
    metric('starling_tracker_peers', 'gauge', 'Peers by address family.', [
      [{ family: 'ipv4' }, peersV4],
      [{ family: 'ipv6' }, peersV6],
    ]),
    metric('starling_tracker_seeds', 'gauge', 'Peers that have the whole torrent.', seeds),
    metric('starling_tracker_torrents', 'gauge', 'Torrents known.', torrents),
    metric('starling_tracker_requests_total', 'counter', 'Requests that were answered.', [
      [{ protocol: 'http', action: 'announce' }, counters.httpAnnounces],
      [{ protocol: 'http', action: 'scrape' }, counters.httpScrapes],
      [{ protocol: 'udp', action: 'connect' }, counters.udpConnects],
      [{ protocol: 'udp', action: 'announce' }, counters.udpAnnounces],
      [{ protocol: 'udp', action: 'scrape' }, counters.udpScrapes],
    ]),
    metric('starling_tracker_refused_total', 'counter', 'Requests that were refused.', refused),
    metric(
      'starling_tracker_peers_expired_total',
      'counter',
      'Peers that did not come back.',
      picture.expired,
    ),
    metric(
      'starling_tracker_peers_displaced_total',
      'counter',
      'Peers that gave way at a bound.',
      picture.displaced,
    ),
    metric(
      'starling_tracker_http_connections',
      'gauge',
      'Open HTTP connections.',
      picture.connections,
    ),
    metric(
      'starling_tracker_http_connections_refused_total',
      'counter',
      'Too many were open.',
      picture.connectionsRefused,
    ),
    metric(
      'starling_tracker_udp_unsent_total',
      'counter',
      'Answers that were lost unsent.',
      picture.unsent,
    ),
    metric('starling_tracker_uptime_seconds', 'gauge', 'Since the start.', picture.uptimeSec),
    metric(
      'process_resident_memory_bytes',
      'gauge',
      'Memory of the whole process.',
      picture.memoryBytes,
    ),
  ]);
}

function metric(
  name: string,
  type: Metric['type'],
  help: string,
  value: number | readonly Sample[],
): Metric {
  return { name, type, help, value };
}

/** ERR_TRACKER_TOO_OFTEN → too_often */
function reasonOf(code: string): string {
  return code.replace(/^ERR_TRACKER_/, '').toLowerCase();
}

/** The page for people: static, without scripts. */
export function statsPage(picture: TrackerPicture): string {
  const { counters } = picture;
  const refused = Object.values(counters.refused).reduce((sum, count) => sum + count, 0);
  const peers = picture.peersV4 + picture.peersV6;
  const rows: readonly (readonly [string, string])[] = [
    ['Torrents', count(picture.torrents)],
    ['Peers', count(peers)],
    ['Seeds', count(picture.seeds)],
    ['Peers over IPv4, IPv6', `${count(picture.peersV4)}, ${count(picture.peersV6)}`],
    ['Announces by UDP, HTTP', `${count(counters.udpAnnounces)}, ${count(counters.httpAnnounces)}`],
    ['Scrapes by UDP, HTTP', `${count(counters.udpScrapes)}, ${count(counters.httpScrapes)}`],
    ['Requests refused', count(refused)],
    ['Announce interval', `${count(picture.intervalSec)} s`],
    ['Open to', picture.needsKey ? 'holders of a key' : 'everybody'],
    ['Running for', duration(picture.uptimeSec)],
    ['Memory', `${(picture.memoryBytes / 2 ** 20).toFixed(0)} MiB`],
  ];
  const cells = rows.map(([name, value]) => `<tr><th scope="row">${name}<td>${value}\n`).join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Starling tracker</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 30rem; margin: 3rem auto; padding: 0 1rem }
table { width: 100%; border-collapse: collapse }
th { text-align: left; font-weight: normal }
td { text-align: right; font-variant-numeric: tabular-nums }
th, td { padding: .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
</style>
<h1>Starling tracker</h1>
<table>
${cells}</table>
<p><a href="/metrics">For Prometheus</a>
`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return days > 0
    ? `${days} d ${hours} h`
    : hours > 0
      ? `${hours} h ${minutes} min`
      : `${minutes} min`;
}
