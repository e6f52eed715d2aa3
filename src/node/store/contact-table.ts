/**
 * The people that this installation knows, in its database.
 *
 * Unlike the other tables it is synchronous: who is a contact is asked at every handshake. All of it is kept in memory, and read again when another connection (another program on the same home) changed it.
 * Earlier versions kept a file `contacts.json`: what is in it is taken over once, and the file renamed to `contacts.json.imported`.
 * A home without database and file has no contacts, and is not written to by looking.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { readFileIfThere } from '../../io/atomic-file.ts';
import { DirectDatabase } from '../../io/sqlite-direct.ts';
import { databaseError } from '../../io/sqlite-errors.ts';
import { formatPeerAddress, type PeerAddress } from '../../protocol/identity/index.ts';
import { nodeError } from '../errors.ts';
import { contactIn, contactsIn } from './contact-rows.ts';
import { MIGRATIONS, STORE_FILE } from './migrations.ts';

// Implementation limits
/** Longest file of an earlier version that is read: all contacts at their bounds take 12 MB. */
const MAX_FILE_BYTES = 33_554_432;

/** An address where a contact was reached. */
export interface KnownAddress extends PeerAddress {
  /** When, in milliseconds since 1970; 0: it was only told. */
  readonly lastMs: number;
}

/** What the user allows a contact. */
export interface ContactFlags {
  /** What it sends is accepted without asking: for devices of one's own. */
  readonly isTrusted: boolean;
  /** This node relays for it. */
  readonly mayRelay: boolean;
  /** It may be used as a relay for this node. */
  readonly isRelay: boolean;
}

/** A contact: never changed in place. */
export interface Contact extends ContactFlags {
  readonly name: string;
  /** "12D3KooW…" */
  readonly peerId: string;
  /** Milliseconds since 1970. */
  readonly addedMs: number;
  /** The last one first. */
  readonly addresses: readonly KnownAddress[];
}

interface ContactRow {
  readonly peer_id: string;
  readonly name: string;
  readonly added_at: number;
  readonly flags: string;
  readonly addresses: string;
}

/** The contacts of one home. */
export class ContactTable {
  readonly #file: string;
  readonly #olderFile: string;
  #database: DirectDatabase | undefined;
  #contacts: readonly Contact[] = [];
  #seen: { version: number; revision: number } | undefined;

  constructor(home: string) {
    this.#file = path.join(home, STORE_FILE);
    this.#olderFile = path.join(home, 'contacts.json');
  }

  /** All of them, in the order in which they were added; the same list while nothing changed. @throws {AppError} ERR_DATABASE_NEWER, ERR_DATABASE_DAMAGED, ERR_FILE; ERR_CONFIG for an older file that is none of ours. */
  all(): readonly Contact[] {
    const isThere =
      this.#database !== undefined || [this.#file, this.#olderFile].some(fs.existsSync);
    if (!isThere) return [];
    this.#database ??= this.#open();
    const version = this.#database.dataVersion;
    if (this.#seen?.version !== version) {
      const revision = revisionOf(this.#database);
      if (this.#seen?.revision !== revision) this.#contacts = this.#read(this.#database);
      this.#seen = { version, revision };
    }
    return this.#contacts;
  }

  /** Changes them all at once; durable when it returns. @param work gets them as they are at that moment, and gives what they shall be. @throws as all. */
  change(work: (contacts: readonly Contact[]) => readonly Contact[]): void {
    this.#database ??= this.#open();
    const database = this.#database;
    const after = database.transaction(() => {
      const before = this.all();
      const after = work(before);
      write(database, before, after);
      return after;
    });
    this.#contacts = after;
    // Own changes do not change the version; the revision counts them.
    if (this.#seen !== undefined) this.#seen.revision += 1;
  }

  #open(): DirectDatabase {
    const database = new DirectDatabase({
      file: this.#file,
      migrations: MIGRATIONS,
      systemError: (details, cause) => nodeError('ERR_FILE', details, cause),
    });
    try {
      this.#takeOver(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }

  /** What an earlier version kept, once. */
  #takeOver(database: DirectDatabase): void {
    if (revisionOf(database) > 0 || !fs.existsSync(this.#olderFile)) return;
    const isTaken = database.transaction(() => {
      // Another program may have been faster.
      if (revisionOf(database) > 0) return false;
      write(database, [], this.#readOlderFile());
      return true;
    });
    if (isTaken)
      this.#orFileError('rename', () =>
        fs.renameSync(this.#olderFile, `${this.#olderFile}.imported`),
      );
  }

  #readOlderFile(): readonly Contact[] {
    const bytes = this.#orFileError('read', () => readFileIfThere(this.#olderFile));
    if (bytes === undefined) return [];
    const isRead = bytes.length <= MAX_FILE_BYTES;
    const contacts = isRead ? contactsIn(Buffer.from(bytes).toString()) : undefined;
    if (contacts !== undefined) return contacts;
    throw nodeError('ERR_CONFIG', {
      what: this.#olderFile,
      expected: 'contacts as "starling contacts" writes them',
      got: 'something else: put a copy of it back, or move it away to begin anew',
    });
  }

  #read(database: DirectDatabase): readonly Contact[] {
    const rows = database.all<ContactRow>(
      'SELECT peer_id, name, added_at, flags, addresses FROM contact ORDER BY number',
    );
    return rows.map((row) => {
      const contact = contactOf(row);
      if (contact !== undefined) return contact;
      const reason = `a contact that is none: ${JSON.stringify(row).slice(0, 200)}`;
      throw databaseError('ERR_DATABASE_DAMAGED', { file: this.#file, reason });
    });
  }

  #orFileError<T>(operation: 'read' | 'rename', work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException;
      throw nodeError('ERR_FILE', { path: this.#olderFile, code, operation }, error);
    }
  }
}

function revisionOf(database: DirectDatabase): number {
  return database.get<{ value: number }>('SELECT value FROM contact_revision')!.value;
}

/** Only what differs is written. */
function write(
  database: DirectDatabase,
  before: readonly Contact[],
  after: readonly Contact[],
): void {
  const kept = new Set(after.map(({ peerId }) => peerId));
  for (const { peerId } of before) {
    if (!kept.has(peerId)) database.run('DELETE FROM contact WHERE peer_id = ?', [peerId]);
  }
  const same = new Set(before);
  for (const contact of after) {
    if (same.has(contact)) continue;
    const { peerId, name, addedMs, addresses, ...flags } = contact;
    const known = addresses.map((each) => [formatPeerAddress(each), each.lastMs]);
    database.run(
      `INSERT INTO contact (peer_id, name, added_at, flags, addresses) VALUES (?, ?, ?, ?, ?) ON CONFLICT (peer_id)
       DO UPDATE SET name = excluded.name, added_at = excluded.added_at, flags = excluded.flags, addresses = excluded.addresses`,
      [peerId, name, addedMs, JSON.stringify(flags), JSON.stringify(known)],
    );
  }
  database.run('UPDATE contact_revision SET value = value + 1');
}

function contactOf({
  peer_id: peerId,
  name,
  added_at: addedMs,
  ...json
}: ContactRow): Contact | undefined {
  try {
    const flags = JSON.parse(json.flags);
    return contactIn({ ...flags, peerId, name, addedMs, addresses: JSON.parse(json.addresses) });
  } catch {
    return undefined;
  }
}
