/**
 * The node itself as a service: its state at a glance, its rates over time, its log, its settings, and its end.
 * @module
 */
import fs from 'node:fs/promises';
import Type from 'typebox';
import {
  ChangeSettings,
  Done,
  LogLine,
  NodeStatus,
  Sample,
  Setting,
} from '../../contract/index.ts';
import { monotonicMs } from '../../io/clock.ts';
import { formatEndpoint } from '../address.ts';
import { VERSION } from '../config.ts';
import type { Api } from '../http/api.ts';
import type { PeerNode } from '../peer-node.ts';
import { describeMapping } from '../port-mapping.ts';
import type { Settings } from '../settings/settings.ts';
import type { StatisticTable } from '../store/statistic-table.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';
import type { Row, TopicSource } from './feed.ts';
import type { Log } from './log.ts';
import type { Metric } from './metric.ts';
import type { NodeService } from './service.ts';

// Implementation limits
/** How often rates are noted. */
const SAMPLE_MS = 10_000;
/** How often the disk is asked how much is free. */
const SPACE_MS = 10_000;
/** Log lines that followers of the topic see. */
const SHOWN_LINES = 200;

/** What is needed of the rest of the node. */
export interface StatusServiceOptions {
  readonly node: PeerNode;
  readonly peerId: string;
  readonly isOffline: boolean;
  readonly torrents: TorrentService;
  readonly statistics: StatisticTable;
  readonly settings: Settings;
  readonly log: Log;
  /** Limits of the moment, and whether they are the alternative ones. */
  readonly limits: () => {
    readonly downloadBytesPerSec: number;
    readonly uploadBytesPerSec: number;
    readonly isAlternative: boolean;
  };
  readonly downloadDir: () => string;
  readonly warnings: () => readonly string[];
  /** Asked to end the node. */
  readonly onStop: () => void;
}

/** The service. */
export class StatusService implements NodeService {
  readonly name = 'node';
  readonly #options: StatusServiceOptions;
  readonly #startedAtMs = Date.now();
  #allTime = { downloadedBytes: 0, uploadedBytes: 0 };
  #noted = { downloadedBytes: 0, uploadedBytes: 0, atMs: monotonicMs() };
  #freeBytes: number | null = null;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: StatusServiceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#allTime = await this.#options.statistics.totals();
    this.#timers = [
      setInterval(() => void this.#sample(), SAMPLE_MS).unref(),
      setInterval(() => void this.#lookForSpace(), SPACE_MS).unref(),
    ];
    await this.#lookForSpace();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#sample();
  }

  readonly topics: TopicSource = (name) => {
    if (name === 'node') return { name, rows: () => [['node', this.status() as Row]] };
    if (name === 'settings') {
      return {
        name,
        rows: () => this.#options.settings.describe().map((each) => [each.name, each as Row]),
      };
    }
    if (name !== 'log') return undefined;
    const newest = (): readonly LogLine[] => this.#options.log.after(0).slice(-SHOWN_LINES);
    return { name, rows: () => newest().map((line) => [String(line.seq), line as Row]) };
  };

  metrics(): Metric[] {
    const status = this.status();
    const gauge = (name: string, help: string, value: number): Metric => ({
      name: `starling_${name}`,
      type: 'gauge',
      help,
      value,
    });
    const counter = (name: string, help: string, value: number): Metric => ({
      ...gauge(name, help, value),
      type: 'counter',
    });
    return [
      gauge('download_bytes_per_second', 'Rate of all torrents.', status.downloadBytesPerSec),
      gauge('upload_bytes_per_second', 'Rate of all torrents.', status.uploadBytesPerSec),
      counter('downloaded_bytes_total', 'Since the start.', status.downloadedBytes),
      counter('uploaded_bytes_total', 'Since the start.', status.uploadedBytes),
      gauge('connected_peers', 'Peers of all torrents.', status.connectedPeers),
      gauge('dht_nodes', 'Nodes that answered.', status.dhtNodes),
      gauge('uptime_seconds', 'Since the start.', (Date.now() - this.#startedAtMs) / 1000),
      {
        name: 'process_resident_memory_bytes',
        type: 'gauge',
        help: 'Memory of the whole process.',
        value: process.memoryUsage.rss(),
      },
      {
        name: 'process_cpu_seconds_total',
        type: 'counter',
        help: 'Of all threads.',
        value: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
      },
    ];
  }

  status(): NodeStatus {
    const { node, peerId, isOffline, torrents, limits, warnings } = this.#options;
    const sums = sumOf(torrents);
    const { downloadedBytes, uploadedBytes } = torrents.moved.total;
    const mapping = node.portMapper?.status;
    const { downloadBytesPerSec, uploadBytesPerSec, isAlternative } = limits();
    return {
      version: VERSION,
      peerId,
      home: node.home,
      listen: node.dialableEndpoints.map(formatEndpoint),
      startedAtMs: this.#startedAtMs,
      externalAddress: node.externalAddress ?? null,
      portMapping: mapping === undefined ? null : describeMapping(mapping),
      isOffline,
      downloadBytesPerSec: sums.downloadBytesPerSec,
      uploadBytesPerSec: sums.uploadBytesPerSec,
      downloadedBytes,
      uploadedBytes,
      allTimeDownloadedBytes: this.#allTime.downloadedBytes + downloadedBytes,
      allTimeUploadedBytes: this.#allTime.uploadedBytes + uploadedBytes,
      downloadLimitBytesPerSec: downloadBytesPerSec,
      uploadLimitBytesPerSec: uploadBytesPerSec,
      usesAlternativeLimits: isAlternative,
      torrents: sums.counts,
      connectedPeers: sums.connectedPeers,
      dhtNodes: this.#dhtNodes(),
      freeBytes: this.#freeBytes,
      warnings: [...warnings()],
    };
  }

  /** Where downloads go. */
  downloadDir(): string {
    return this.#options.downloadDir();
  }

  /** How much is free where a path leads. */
  async spaceAt(
    where: string,
  ): Promise<{ path: string; 'size-bytes': number; total_size: number }> {
    const found = await fs.statfs(where).catch(() => undefined);
    return {
      path: where,
      'size-bytes': found === undefined ? -1 : found.bavail * found.bsize,
      total_size: found === undefined ? -1 : found.blocks * found.bsize,
    };
  }

  routes(api: Api): void {
    const tags = ['node'];
    api.get(
      '/status',
      { schema: { tags, summary: 'The node at a glance', response: { 200: NodeStatus } } },
      () => this.status(),
    );
    this.#settingRoutes(api);
    api.get(
      '/statistics',
      {
        schema: {
          tags,
          summary: 'Rates over time',
          querystring: Type.Object({
            fromMs: Type.Number({ minimum: 0 }),
            toMs: Type.Optional(Type.Number({ minimum: 0 })),
            points: Type.Optional(Type.Integer({ minimum: 2, maximum: 2_000, default: 300 })),
          }),
          response: { 200: Type.Object({ samples: Type.Array(Sample) }) },
        },
      },
      async ({ query }) => {
        const { fromMs, toMs = Date.now(), points = 300 } = query;
        return { samples: await this.#options.statistics.range(fromMs, toMs, points) };
      },
    );
    api.get(
      '/log',
      {
        schema: {
          tags,
          summary: 'The newest lines of the log',
          querystring: Type.Object({
            after: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
          }),
          response: { 200: Type.Object({ lines: Type.Array(LogLine) }) },
        },
      },
      ({ query }) => ({ lines: [...this.#options.log.after(query.after ?? 0)] }),
    );
    api.post(
      '/stop',
      { schema: { tags, summary: 'End the node', response: { 202: Done } } },
      async (_, reply) => {
        // The answer goes out before the server ends.
        reply.raw.once('finish', () => this.#options.onStop());
        return reply.status(202).send({ ok: true });
      },
    );
  }

  #settingRoutes(api: Api): void {
    const tags = ['node'];
    const { settings } = this.#options;
    const response = { 200: Type.Object({ settings: Type.Array(Setting) }) };
    const all = (): { settings: Setting[] } => ({ settings: [...settings.describe()] });
    api.get('/settings', { schema: { tags, summary: 'All settings', response } }, all);
    api.patch(
      '/settings',
      { schema: { tags, summary: 'Change settings', body: ChangeSettings, response } },
      async ({ body }) => {
        await settings.change(body);
        return all();
      },
    );
  }

  #dhtNodes(): number {
    const { dht } = this.#options.node;
    return dht === undefined ? 0 : dht.status().reduce((sum, { table }) => sum + table.good, 0);
  }

  async #sample(): Promise<void> {
    const { connectedPeers } = this.status();
    const { downloadedBytes, uploadedBytes } = this.#options.torrents.moved.total;
    const atMs = monotonicMs();
    const moved = {
      downloadedBytes: downloadedBytes - this.#noted.downloadedBytes,
      uploadedBytes: uploadedBytes - this.#noted.uploadedBytes,
    };
    // What was moved since the sample before, not the rate of this moment: that knows nothing of what came and went between two samples.
    const seconds = Math.max(atMs - this.#noted.atMs, 1) / 1000;
    this.#noted = { downloadedBytes, uploadedBytes, atMs };
    const sample = {
      atMs: Date.now(),
      downloadBytesPerSec: Math.round(moved.downloadedBytes / seconds),
      uploadBytesPerSec: Math.round(moved.uploadedBytes / seconds),
      ...moved,
    };
    await this.#options.statistics
      .add({ ...sample, peers: connectedPeers, dhtNodes: this.#dhtNodes() })
      .catch((error: Error) => this.#options.log.area('node').warn(error.message));
  }

  async #lookForSpace(): Promise<void> {
    const found = await fs
      .statfs(this.downloadDir())
      .catch(() => fs.statfs(this.#options.node.home))
      .catch(() => undefined);
    this.#freeBytes = found === undefined ? null : found.bavail * found.bsize;
  }
}

interface Sums {
  downloadBytesPerSec: number;
  uploadBytesPerSec: number;
  connectedPeers: number;
  counts: NodeStatus['torrents'];
}

function sumOf(torrents: TorrentService): Sums {
  const counts = {
    total: 0,
    downloading: 0,
    seeding: 0,
    queued: 0,
    paused: 0,
    checking: 0,
    error: 0,
  };
  const sums: Sums = {
    downloadBytesPerSec: 0,
    uploadBytesPerSec: 0,
    connectedPeers: 0,
    counts,
  };
  const nowMs = monotonicMs();
  for (const entry of torrents.entries) {
    const { state } = entry;
    counts.total += 1;
    if (state === 'metadata') counts.downloading += 1;
    else if (state === 'moving') counts.checking += 1;
    else if (state !== 'stopped') counts[state] += 1;
    const swarm = entry.torrent?.service.swarm;
    if (swarm === undefined) continue;
    torrents.moved.look(swarm, swarm.totals);
    sums.connectedPeers += swarm.peerCount;
    // Also of one whose last peer just left: its bytes were moved in the seconds that a rate is of.
    sums.downloadBytesPerSec += swarm.downloadBytesPerSec(nowMs);
    sums.uploadBytesPerSec += swarm.uploadBytesPerSec(nowMs);
  }
  sums.downloadBytesPerSec = Math.round(sums.downloadBytesPerSec);
  sums.uploadBytesPerSec = Math.round(sums.uploadBytesPerSec);
  return sums;
}
