/**
 * Publications: those that this node puts, and those that it follows.
 *
 * The newest signed item of each is in `publications.json` (publication.ts), which commands without a node read, too.
 * @module
 */
import type { Database } from '../../io/sqlite.ts';

/** A publication. */
export interface PublicationRecord {
  /** Its target in the DHT, 40 hex digits. */
  readonly id: string;
  readonly kind: 'own' | 'followed';
  readonly link: string;
  readonly name: string;
  /** What was published, or the folder for versions; undefined for a torrent that was there. */
  readonly path: string | undefined;
  /** The version that is known here. */
  readonly version: number | undefined;
  /** The torrent of that version. */
  readonly torrent: string | undefined;
  /** The torrent of the last version that is complete. */
  readonly complete: string | undefined;
  readonly intervalSeconds: number;
  readonly addedAt: number;
}

interface Row {
  readonly id: string;
  readonly kind: PublicationRecord['kind'];
  readonly link: string;
  readonly name: string;
  readonly path: string | null;
  readonly version: number | null;
  readonly torrent_id: string | null;
  readonly complete_id: string | null;
  readonly interval_seconds: number;
  readonly added_at: number;
}

/** The publications of a node. */
export class PublicationTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All, in the order in which they came. */
  async all(): Promise<PublicationRecord[]> {
    const rows = await this.#database.all<Row>('SELECT * FROM publication ORDER BY added_at, id');
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      link: row.link,
      name: row.name,
      path: row.path ?? undefined,
      version: row.version ?? undefined,
      torrent: row.torrent_id ?? undefined,
      complete: row.complete_id ?? undefined,
      intervalSeconds: row.interval_seconds,
      addedAt: row.added_at,
    }));
  }

  /** Adds one, or replaces the one of its id. */
  async set(record: PublicationRecord): Promise<void> {
    const { id, kind, link, name, path, version, torrent, complete } = record;
    await this.#database.run(
      'INSERT OR REPLACE INTO publication VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      [
        id,
        kind,
        link,
        name,
        path ?? null,
        version ?? null,
        torrent ?? null,
        complete ?? null,
        record.intervalSeconds,
        record.addedAt,
      ],
    );
  }

  /** Removes one; an id that is not there is passed over. */
  async remove(id: string): Promise<void> {
    await this.#database.run('DELETE FROM publication WHERE id = ?', [id]);
  }
}
