/**
 * The tables of `starling.db`, form by form. A form that was released is never changed: what is new comes as the next one.
 *
 * Times are milliseconds since 1970. Lists and options are JSON: nobody asks for their parts by SQL. The sources of torrents (20 KiB each, some of megabytes) lie
 * in a table of their own, so that the small rows, which change all the time, stay side by side.
 * @module
 */
import type { Migration } from '../../io/sqlite.ts';

/** The name of the database in a home. */
export const STORE_FILE = 'starling.db';

const TORRENTS_SETTINGS_CATEGORIES = `
CREATE TABLE torrent (
  id TEXT NOT NULL PRIMARY KEY,
  dir TEXT NOT NULL,
  name TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('download', 'seed')),
  is_paused INTEGER NOT NULL,
  queue_index INTEGER NOT NULL,
  category TEXT,
  tags TEXT NOT NULL,
  options TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  completed_at INTEGER,
  uploaded_bytes INTEGER NOT NULL,
  downloaded_bytes INTEGER NOT NULL,
  active_seconds REAL NOT NULL,
  seeding_seconds REAL NOT NULL,
  error TEXT
) STRICT;
CREATE TABLE torrent_source (
  torrent_id TEXT NOT NULL PRIMARY KEY REFERENCES torrent (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('metainfo', 'magnet')),
  content ANY NOT NULL
) STRICT;
CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE category (
  name TEXT NOT NULL PRIMARY KEY,
  dir TEXT,
  limits TEXT NOT NULL
) STRICT, WITHOUT ROWID`;

const STATISTICS = `
CREATE TABLE sample (
  resolution_seconds INTEGER NOT NULL,
  at INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  download_rate REAL NOT NULL,
  upload_rate REAL NOT NULL,
  downloaded_bytes INTEGER NOT NULL,
  uploaded_bytes INTEGER NOT NULL,
  peers REAL NOT NULL,
  dht_nodes REAL NOT NULL,
  PRIMARY KEY (resolution_seconds, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE total (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO total VALUES ('downloaded_bytes', 0), ('uploaded_bytes', 0)`;

// Their order is that in which they were added; `contact_revision` counts the changes.
const CONTACTS = `
CREATE TABLE contact (
  number INTEGER PRIMARY KEY,
  peer_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  flags TEXT NOT NULL,
  addresses TEXT NOT NULL
) STRICT;
CREATE TABLE contact_revision (value INTEGER NOT NULL) STRICT;
INSERT INTO contact_revision VALUES (0)`;

const PUBLICATIONS = `
CREATE TABLE publication (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('own', 'followed')),
  link TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT,
  version INTEGER,
  torrent_id TEXT,
  complete_id TEXT,
  interval_seconds INTEGER NOT NULL,
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

/** Metadata of magnets, once it was received: it outlives resume data, which a check of all files or another folder begins anew. */
const METADATA = 'ALTER TABLE torrent_source ADD COLUMN info BLOB';

/** All forms, from the first to the newest. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: TORRENTS_SETTINGS_CATEGORIES },
  { version: 2, sql: STATISTICS },
  { version: 3, sql: CONTACTS },
  { version: 4, sql: METADATA },
  { version: 5, sql: PUBLICATIONS },
];
