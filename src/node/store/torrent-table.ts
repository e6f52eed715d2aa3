/**
 * The torrents of a node: what has to be known to run them again.
 *
 * Not here: which pieces are on disk (resume.ts), and the torrents themselves.
 * Bounds: none of its own; a node adds torrents for its user alone.
 * @module
 */
import type { Database, SqlValue, Statement } from '../../io/sqlite.ts';
import type { Rename } from '../renames.ts';

/** What a torrent is made of. */
export type TorrentSourceRecord =
  | { readonly kind: 'metainfo'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'magnet';
      readonly link: string;
      /** The info dictionary, once it was received. */
      readonly info?: Uint8Array;
    };

/** When a torrent has given enough; an absent limit is the category's or the node's, null is none. */
export interface ShareLimitsRecord {
  readonly ratio?: number | null;
  readonly seedingSeconds?: number | null;
  readonly idleSeconds?: number | null;
  readonly action?: 'pause' | 'remove' | 'super-seed' | 'stop';
}

/** What a torrent was given by its user; absent: as the node has it. */
export interface TorrentRecordOptions {
  /** Patterns of the wanted files. */
  readonly select?: readonly string[];
  /** 0 … 7 for each file; 0: not wanted, 4: normal. */
  readonly priorities?: readonly number[];
  readonly isSequential?: boolean;
  /** 0: none. */
  readonly downloadLimitBytesPerSec?: number;
  readonly uploadLimitBytesPerSec?: number;
  readonly shareLimits?: ShareLimitsRecord;
  readonly usesDiscovery?: boolean;
  readonly trackers?: readonly string[];
  /** All trackers by tier, once they were edited. */
  readonly tiers?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly peers?: readonly string[];
  /** Peer ids; given: only over channels with them. */
  readonly secureContacts?: readonly string[];
  /** Hex, to compare the complete download with. */
  readonly sha256?: string;
  /** Where its files are being moved: a move that a crash cut off goes on with the next start. */
  readonly movingTo?: string;
  /** What its user calls otherwise than the torrent does, one after the other. */
  readonly renames?: readonly Rename[];
  /** What is getting another name: goes on with the next start, too. */
  readonly renaming?: Rename;
  /** Which way it came into the node. */
  readonly origin?: 'add' | 'share' | 'seed' | 'watch' | 'rss' | 'follow';
}

/** A torrent. */
export interface TorrentRecord {
  /** 40 hex digits: the v1 info-hash, or the first 20 bytes of the v2 one. */
  readonly id: string;
  readonly source: TorrentSourceRecord;
  /** The folder that holds the top name. */
  readonly dir: string;
  readonly name: string;
  readonly mode: 'download' | 'seed';
  readonly isPaused: boolean;
  /** Place in the queue; lower goes first. */
  readonly queueIndex: number;
  readonly category: string | undefined;
  readonly tags: readonly string[];
  readonly options: TorrentRecordOptions;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  readonly completedAt: number | undefined;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly activeSeconds: number;
  readonly seedingSeconds: number;
  /** Why it does not run. */
  readonly error: string | undefined;
}

/** What of a torrent can change. */
export type TorrentChanges = Partial<Omit<TorrentRecord, 'id'>>;

/** The counters of a torrent. */
export type TorrentTotals = Pick<
  TorrentRecord,
  'id' | 'uploadedBytes' | 'downloadedBytes' | 'activeSeconds' | 'seedingSeconds'
>;

/** Fields that are columns, in the order of COLUMNS. */
type Field = Exclude<keyof TorrentRecord, 'id' | 'source'>;

const COLUMNS: Readonly<Record<Field, string>> = {
  dir: 'dir',
  name: 'name',
  mode: 'mode',
  isPaused: 'is_paused',
  queueIndex: 'queue_index',
  category: 'category',
  tags: 'tags',
  options: 'options',
  addedAt: 'added_at',
  completedAt: 'completed_at',
  uploadedBytes: 'uploaded_bytes',
  downloadedBytes: 'downloaded_bytes',
  activeSeconds: 'active_seconds',
  seedingSeconds: 'seeding_seconds',
  error: 'error',
};
const FIELDS = Object.keys(COLUMNS) as readonly Field[];

const ADD = `INSERT INTO torrent (id, ${Object.values(COLUMNS).join(', ')}) VALUES (?${', ?'.repeat(FIELDS.length)})`;
const ADD_SOURCE =
  'INSERT INTO torrent_source (torrent_id, kind, content, info) VALUES (?, ?, ?, ?)';
const SET_SOURCE = 'UPDATE torrent_source SET kind = ?, content = ?, info = ? WHERE torrent_id = ?';
const SET_TOTALS =
  'UPDATE torrent SET uploaded_bytes = ?, downloaded_bytes = ?, active_seconds = ?, seeding_seconds = ? WHERE id = ?';

/** The torrents of a node. */
export class TorrentTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All, in the order of the queue. */
  async all(): Promise<TorrentRecord[]> {
    const [rows, sources] = await Promise.all([
      this.#database.all<Record<string, SqlValue>>(
        'SELECT * FROM torrent ORDER BY queue_index, added_at, id',
      ),
      this.#database.all<Record<string, SqlValue>>(
        'SELECT torrent_id, kind, content, info FROM torrent_source',
      ),
    ]);
    const sourceById = new Map(sources.map((row) => [row['torrent_id'], row]));
    return rows.flatMap((row) => {
      const source = sourceById.get(row['id']!);
      return source === undefined ? [] : [recordOf(row, source)];
    });
  }

  /** Adds one. @throws {AppError} ERR_DATABASE_STATEMENT when its id is there. */
  add(record: TorrentRecord): Promise<void> {
    const values = FIELDS.map((field) => columnValue(field, record[field]));
    return this.#database.transaction([
      { sql: ADD, params: [record.id, ...values] },
      { sql: ADD_SOURCE, params: [record.id, ...sourceValues(record.source)] },
    ]);
  }

  /** Changes fields of one; an id that is not there (any more) is passed over. */
  update(id: string, changes: TorrentChanges): Promise<void> {
    const statements: Statement[] = [];
    // In the order of FIELDS, so that the same changes are the same statement.
    const fields = FIELDS.filter((field) => Object.hasOwn(changes, field));
    if (fields.length > 0) {
      const set = fields.map((field) => `${COLUMNS[field]} = ?`).join(', ');
      statements.push({
        sql: `UPDATE torrent SET ${set} WHERE id = ?`,
        params: [...fields.map((field) => columnValue(field, changes[field])), id],
      });
    }
    if (changes.source !== undefined) {
      statements.push({ sql: SET_SOURCE, params: [...sourceValues(changes.source), id] });
    }
    return this.#database.transaction(statements);
  }

  /** Sets the counters of many at once. */
  updateTotals(rows: readonly TorrentTotals[]): Promise<void> {
    return this.#database.transaction(
      rows.map((row) => ({
        sql: SET_TOTALS,
        params: [
          row.uploadedBytes,
          row.downloadedBytes,
          row.activeSeconds,
          row.seedingSeconds,
          row.id,
        ],
      })),
    );
  }

  /** Sets the order of the queue: the place of each id is its index. */
  setQueue(ids: readonly string[]): Promise<void> {
    return this.#database.transaction(
      ids.map((id, index) => ({
        sql: 'UPDATE torrent SET queue_index = ? WHERE id = ?',
        params: [index, id],
      })),
    );
  }

  /** Removes one; an id that is not there is passed over. */
  async remove(id: string): Promise<void> {
    await this.#database.run('DELETE FROM torrent WHERE id = ?', [id]);
  }
}

function columnValue(field: Field, value: TorrentChanges[Field]): SqlValue {
  if (field === 'tags' || field === 'options') return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return (value ?? null) as SqlValue;
}

function sourceValues(source: TorrentSourceRecord): SqlValue[] {
  return source.kind === 'metainfo'
    ? [source.kind, source.bytes, null]
    : [source.kind, source.link, source.info ?? null];
}

function sourceOf({
  kind,
  content,
  info,
}: Readonly<Record<string, SqlValue>>): TorrentSourceRecord {
  if (kind === 'metainfo') return { kind, bytes: content as Uint8Array };
  const link = content as string;
  return info === null
    ? { kind: 'magnet', link }
    : { kind: 'magnet', link, info: info as Uint8Array };
}

function recordOf(
  row: Readonly<Record<string, SqlValue>>,
  source: Readonly<Record<string, SqlValue>>,
): TorrentRecord {
  const text = (column: string): string => row[column] as string;
  const number = (column: string): number => row[column] as number;
  return {
    id: text('id'),
    source: sourceOf(source),
    dir: text('dir'),
    name: text('name'),
    mode: text('mode') as TorrentRecord['mode'],
    isPaused: number('is_paused') !== 0,
    queueIndex: number('queue_index'),
    category: (row['category'] as string | null) ?? undefined,
    tags: JSON.parse(text('tags')) as string[],
    options: JSON.parse(text('options')) as TorrentRecordOptions,
    addedAt: number('added_at'),
    completedAt: (row['completed_at'] as number | null) ?? undefined,
    uploadedBytes: number('uploaded_bytes'),
    downloadedBytes: number('downloaded_bytes'),
    activeSeconds: number('active_seconds'),
    seedingSeconds: number('seeding_seconds'),
    error: (row['error'] as string | null) ?? undefined,
  };
}
