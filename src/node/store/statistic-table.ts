/**
 * Statistics over time: samples in three resolutions, fine ones for a day and coarse ones for years, and the totals of all time.
 *
 * A sample counts in every resolution at once, so that nothing has to be summed up later: rates and counts are means, bytes are sums. What is older than its resolution is kept is
 * deleted with each new sample, and so is what lies in the future, left by a clock that was ahead; with that the table is bounded (about 105,000 rows, 6 MB).
 * @module
 */
import type { Database, SqlValue, Statement } from '../../io/sqlite.ts';

/** A moment of a node, or the mean of a while. */
export interface StatisticSample {
  /** Milliseconds since 1970; of a while: its beginning. */
  readonly atMs: number;
  readonly downloadBytesPerSec: number;
  readonly uploadBytesPerSec: number;
  /** Bytes since the sample before; of a while: in it. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly peers: number;
  readonly dhtNodes: number;
}

const DAY_SECONDS = 86_400;

const ADD = `INSERT INTO sample VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  download_rate = (download_rate * samples + excluded.download_rate) / (samples + 1),
  upload_rate = (upload_rate * samples + excluded.upload_rate) / (samples + 1),
  downloaded_bytes = downloaded_bytes + excluded.downloaded_bytes,
  uploaded_bytes = uploaded_bytes + excluded.uploaded_bytes,
  peers = (peers * samples + excluded.peers) / (samples + 1),
  dht_nodes = (dht_nodes * samples + excluded.dht_nodes) / (samples + 1),
  samples = samples + 1`;
const FORGET = 'DELETE FROM sample WHERE resolution_seconds = ? AND (at < ? OR at > ?)';
const COUNT = 'UPDATE total SET value = value + ? WHERE name = ?';
const RANGE = `SELECT min(at) AS atMs,
  sum(download_rate * samples) / sum(samples) AS downloadBytesPerSec,
  sum(upload_rate * samples) / sum(samples) AS uploadBytesPerSec,
  sum(downloaded_bytes) AS downloadedBytes, sum(uploaded_bytes) AS uploadedBytes,
  sum(peers * samples) / sum(samples) AS peers, sum(dht_nodes * samples) / sum(samples) AS dhtNodes
  FROM sample WHERE resolution_seconds = ?4 AND at >= ?1 AND at <= ?2 GROUP BY at - at % ?3 ORDER BY 1`;

// Implementation limits
/** Resolutions of statistics in seconds, with how long samples of each are kept. */
const RESOLUTIONS: readonly { readonly seconds: number; readonly keptSeconds: number }[] = [
  { seconds: 10, keptSeconds: DAY_SECONDS },
  { seconds: 300, keptSeconds: 31 * DAY_SECONDS },
  { seconds: 3_600, keptSeconds: 3_653 * DAY_SECONDS },
];

/** The statistics of a node. */
export class StatisticTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a sample, counts its bytes into the totals, and forgets what is too old. */
  add(sample: StatisticSample): Promise<void> {
    return this.#database.transaction([
      ...RESOLUTIONS.flatMap(({ seconds, keptSeconds }) =>
        statementsFor(sample, seconds, keptSeconds),
      ),
      { sql: COUNT, params: [Math.round(sample.downloadedBytes), 'downloaded_bytes'] },
      { sql: COUNT, params: [Math.round(sample.uploadedBytes), 'uploaded_bytes'] },
    ]);
  }

  /**
   * What happened between two times, oldest first: in the finest resolution that is still kept for all of it, joined where there were more.
   * @param most points at most, at least 1.
   */
  async range(fromMs: number, toMs: number, most: number): Promise<StatisticSample[]> {
    const newest = await this.#database.get<{ at: number | null }>(
      'SELECT max(at) AS at FROM sample WHERE resolution_seconds = ?',
      [RESOLUTIONS[0]!.seconds],
    );
    if (newest === undefined || newest.at === null || toMs < fromMs) return [];
    const ageSeconds = (newest.at - fromMs) / 1000;
    const { seconds } =
      RESOLUTIONS.find(({ keptSeconds }) => keptSeconds >= ageSeconds) ?? RESOLUTIONS.at(-1)!;
    const resolutionMs = seconds * 1000;
    // The first sample may have begun before, the last one end behind: one step more than fits between them.
    const firstMs = floorTo(fromMs, resolutionMs);
    const spanMs = Math.max(0, toMs - firstMs);
    const steps = Math.max(1, Math.floor(most) - 1);
    const stepMs = Math.max(1, Math.ceil(spanMs / steps / resolutionMs)) * resolutionMs;
    return this.#database.all<StatisticSample>(RANGE, [
      firstMs,
      toMs,
      most < 2 ? Number.MAX_SAFE_INTEGER : stepMs,
      seconds,
    ]);
  }

  /** Bytes of all time. */
  async totals(): Promise<{ readonly downloadedBytes: number; readonly uploadedBytes: number }> {
    const rows = await this.#database.all<{ name: string; value: number }>(
      'SELECT name, value FROM total',
    );
    const value = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
    return { downloadedBytes: value('downloaded_bytes'), uploadedBytes: value('uploaded_bytes') };
  }
}

function statementsFor(sample: StatisticSample, seconds: number, keptSeconds: number): Statement[] {
  const beginsAtMs = floorTo(sample.atMs, seconds * 1000);
  const values: SqlValue[] = [
    sample.downloadBytesPerSec,
    sample.uploadBytesPerSec,
    Math.round(sample.downloadedBytes),
    Math.round(sample.uploadedBytes),
    sample.peers,
    sample.dhtNodes,
  ];
  return [
    { sql: ADD, params: [seconds, beginsAtMs, ...values] },
    { sql: FORGET, params: [seconds, sample.atMs - keptSeconds * 1000, sample.atMs] },
  ];
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
