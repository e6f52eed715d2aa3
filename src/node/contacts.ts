/**
 * Contacts: the identities that the user of this installation knows, by names of their own choosing.
 *
 * They are data of the user, so a file that is damaged or from a newer version is an error that says what to do: nothing in it is dropped or written over. Every
 * change is made under a lock, on what the file says at that moment, and replaces the file as a whole; so programs that share a home may all change it.
 * File: `contacts.json` in the node's home, readable by its owner alone: an object of version and rows.
 * Bounds: MAX_CONTACTS, MAX_PEER_ADDRESSES addresses each. Not here: which identity belongs to which person; comparing fingerprints tells.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { nodeCrypto } from '../io/crypto.ts';
import { withFileLock } from '../io/file-lock.ts';
import {
  fingerprintOf,
  formatPeerAddress,
  formatPeerCard,
  formatPeerId,
  isCard,
  MAX_PEER_ADDRESSES,
  type PeerAddress,
  type PeerCard,
  parsePeerAddress,
  parsePeerCard,
  parsePeerId,
  parsePeerName,
  peerNameKey,
  type RelayHint,
} from '../protocol/identity/index.ts';
import { nodeError } from './errors.ts';

// Implementation limits
/** Contacts of one home. */
const MAX_CONTACTS = 10_000;
/** Longest file that is read as contacts: all of them at their bounds take 12 MB. */
const MAX_FILE_BYTES = 33_554_432;
const VERSION = 1;
/** Only its owner may read whom they know. */
const FILE_MODE = 0o600;

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

/** A contact. */
export interface Contact extends ContactFlags {
  readonly name: string;
  /** "12D3KooW…" */
  readonly peerId: string;
  /** Milliseconds since 1970. */
  readonly addedMs: number;
  /** The last one first. */
  readonly addresses: readonly KnownAddress[];
}

/** The contacts of one home. */
export class Contacts {
  readonly #file: string;
  readonly #nowMs: () => number;
  #known: { readonly stamp: string; readonly contacts: readonly Contact[] } | undefined;
  #byId = new Map<string, Contact>();

  /** @param nowMs the time of day, in milliseconds since 1970. */
  constructor(home: string, nowMs: () => number = Date.now) {
    this.#file = path.join(home, 'contacts.json');
    this.#nowMs = nowMs;
  }

  /** All of them, in the order in which they were added. @throws {AppError} ERR_CONFIG for a file that is none of ours; ERR_FILE. */
  list(): readonly Contact[] {
    const stamp = this.#stamp();
    if (this.#known?.stamp !== stamp) {
      const contacts = this.#read();
      this.#known = { stamp, contacts };
      this.#byId = new Map(contacts.map((contact) => [contact.peerId, contact]));
    }
    return this.#known.contacts;
  }

  /** The contact with this peer id, as `formatPeerId` writes it. @throws as list. */
  byPeerId(peerId: string): Contact | undefined {
    this.list();
    return this.#byId.get(peerId);
  }

  /** The contact that a person means by a name, in any case, or by a peer id. @throws {AppError} ERR_CONFIG when there is none. */
  find(nameOrId: string): Contact {
    return this.#expect(this.list(), nameOrId);
  }

  /** @param idOrCard a peer id, or a card, whose addresses are kept. @throws {AppError} ERR_CONFIG: taken, malformed or too many; ERR_FILE. */
  add(name: string, idOrCard: string): Contact {
    const { peerId, addresses } = cardOf(idOrCard);
    const contact: Contact = {
      name: nameOf(name),
      peerId: formatPeerId(peerId),
      addedMs: this.#nowMs(),
      isTrusted: false,
      mayRelay: false,
      isRelay: false,
      addresses: addresses.map((address) => ({ ...address, lastMs: 0 })),
    };
    this.#change((contacts) => {
      expectFree(contacts, contact.name);
      const known = contacts.find((each) => each.peerId === contact.peerId);
      if (known !== undefined) {
        throw wrong('a peer id that is no contact yet', `the one of "${known.name}"`);
      }
      if (contacts.length >= MAX_CONTACTS) {
        throw wrong(`at most ${MAX_CONTACTS} contacts`, 'one more: remove some');
      }
      return [...contacts, contact];
    });
    return contact;
  }

  /** @throws {AppError} ERR_CONFIG when there is none; ERR_FILE. */
  remove(nameOrId: string): Contact {
    let removed: Contact | undefined;
    this.#change((contacts) => {
      removed = this.#expect(contacts, nameOrId);
      return contacts.filter((contact) => contact !== removed);
    });
    return removed!;
  }

  /** @throws {AppError} ERR_CONFIG when there is none, or the name is taken or malformed; ERR_FILE. */
  rename(nameOrId: string, newName: string): Contact {
    const name = nameOf(newName);
    return this.#replace(nameOrId, (contact, others) => {
      expectFree(others, name);
      return { ...contact, name };
    });
  }

  /** Allows or forbids. @throws {AppError} ERR_CONFIG when there is none; ERR_FILE. */
  setFlags(nameOrId: string, flags: Partial<ContactFlags>): Contact {
    return this.#replace(nameOrId, (contact) => ({ ...contact, ...flags }));
  }

  /** A contact was reached there; of somebody who is no contact nothing is kept. @throws {AppError} ERR_CONFIG, ERR_FILE. */
  noteAddress(peerId: string, address: PeerAddress): void {
    if (this.byPeerId(peerId) === undefined) return;
    const met = { host: address.host, port: address.port, lastMs: this.#nowMs() };
    const key = formatPeerAddress(met);
    this.#change((contacts) =>
      contacts.map((contact) => {
        if (contact.peerId !== peerId) return contact;
        const others = contact.addresses.filter((each) => formatPeerAddress(each) !== key);
        return { ...contact, addresses: [met, ...others].slice(0, MAX_PEER_ADDRESSES) };
      }),
    );
  }

  #replace(
    nameOrId: string,
    make: (contact: Contact, others: readonly Contact[]) => Contact,
  ): Contact {
    let made: Contact | undefined;
    this.#change((contacts) => {
      const old = this.#expect(contacts, nameOrId);
      const others = contacts.filter((contact) => contact !== old);
      const next = make(old, others);
      made = next;
      return contacts.map((contact) => (contact === old ? next : contact));
    });
    return made!;
  }

  #expect(contacts: readonly Contact[], nameOrId: string): Contact {
    const key = peerNameKey(nameOrId.trim());
    const id = parsePeerId(nameOrId);
    const peerId = id.ok ? formatPeerId(id.value) : undefined;
    const found = contacts.find((each) => peerNameKey(each.name) === key || each.peerId === peerId);
    if (found !== undefined) return found;
    const got = JSON.stringify(nameOrId.slice(0, 80));
    throw wrong('a name or peer id that "starling contacts list" shows', got);
  }

  #change(work: (contacts: readonly Contact[]) => readonly Contact[]): void {
    this.#orFileError('write', () =>
      withFileLock(this.#file, () => {
        const contacts = work(this.#read()).map(rowOf);
        const text = JSON.stringify({ version: VERSION, contacts }, undefined, 1);
        writeFileAtomic(this.#file, Buffer.from(`${text}\n`), FILE_MODE);
      }),
    );
    this.#known = undefined;
  }

  /** Changes whenever the file was replaced. */
  #stamp(): string {
    const made = fs.statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    return made === undefined ? '' : `${made.ino} ${made.size} ${made.mtimeNs}`;
  }

  #read(): readonly Contact[] {
    const bytes = this.#orFileError('read', () => readFileIfThere(this.#file));
    if (bytes === undefined) return [];
    const contacts =
      bytes.length > MAX_FILE_BYTES ? undefined : parse(Buffer.from(bytes).toString());
    if (contacts !== undefined) return contacts;
    throw nodeError('ERR_CONFIG', {
      what: this.#file,
      expected: 'contacts as "starling contacts" of this version writes them',
      got: 'something else: put a copy of it back, or move it away to begin anew',
    });
  }

  #orFileError<T>(operation: 'read' | 'write', work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException;
      if (code === undefined || (errno === undefined && code !== 'EBUSY')) throw error;
      throw nodeError('ERR_FILE', { path: this.#file, code, operation }, error);
    }
  }
}

/** The contact as a relay that a card can name: its last address. @throws {AppError} ERR_CONFIG when it has none. */
export function relayHintOf({ name, peerId, addresses }: Contact): RelayHint {
  const id = parsePeerId(peerId);
  const [address] = addresses;
  if (id.ok && address !== undefined) {
    return { peerId: id.value, address: { host: address.host, port: address.port } };
  }
  throw wrong('a relay whose address is known', `"${name}", which has none`);
}

/** The card of an identity, as a link. @throws {AppError} ERR_CONFIG for hints that no card can hold. */
export function cardLink(
  peerId: string,
  hints: {
    readonly name?: string;
    readonly addresses: readonly string[];
    readonly relays: readonly RelayHint[];
  },
): string {
  const id = parsePeerId(peerId);
  if (!id.ok) throw new RangeError(id.message);
  const addresses = hints.addresses.map((text) => {
    const address = parsePeerAddress(text);
    if (address !== undefined) return address;
    const expected = 'IP:PORT that others can dial, as in 192.0.2.7:6881 or [2001:db8::7]:6881';
    const got = JSON.stringify(text.slice(0, 80));
    throw nodeError('ERR_CONFIG', { what: '--address', expected, got });
  });
  const name = hints.name === undefined ? {} : { name: nameOf(hints.name) };
  try {
    return formatPeerCard({ peerId: id.value, addresses, relays: hints.relays, ...name });
  } catch (error) {
    throw wrong('hints that fit into a link', (error as RangeError).message);
  }
}

/** What two people compare aloud: "01234 56789 …". @param peerId as `formatPeerId` writes it. */
export function fingerprintOfText(peerId: string): string {
  const id = parsePeerId(peerId);
  if (!id.ok) throw new RangeError(id.message);
  return fingerprintOf(nodeCrypto, id.value);
}

/** What a person gave: a peer id alone, or a card. @throws {AppError} ERR_CONFIG. */
export function cardOf(text: string): PeerCard {
  if (isCard(text)) {
    const card = parsePeerCard(text);
    if (card.ok) return card.value;
    throw wrong('a link of "starling id"', card.message);
  }
  const peerId = parsePeerId(text);
  if (peerId.ok) return { peerId: peerId.value, addresses: [], relays: [] };
  throw wrong(
    'a peer id, or a link of "starling id"',
    `"${text.slice(0, 80)}" (${peerId.message})`,
  );
}

function nameOf(text: string): string {
  const name = parsePeerName(text);
  if (name.ok) return name.value;
  throw wrong('a name', name.message);
}

function expectFree(contacts: readonly Contact[], name: string): void {
  const key = peerNameKey(name);
  const taken = contacts.find((contact) => peerNameKey(contact.name) === key);
  if (taken !== undefined) throw wrong('a name that no contact has', `"${taken.name}"`);
}

function wrong(expected: string, got: string): Error {
  return nodeError('ERR_CONFIG', { what: 'contacts', expected, got });
}

function rowOf({ addresses, ...contact }: Contact): Record<string, unknown> {
  const rows = addresses.map((each) => [formatPeerAddress(each), each.lastMs]);
  return { ...contact, addresses: rows };
}

/** @returns undefined unless every row is right: the rest would be lost with the next change. */
function parse(text: string): readonly Contact[] | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) ?? {};
  } catch {
    return undefined;
  }
  const rows = value['contacts'];
  if (value['version'] !== VERSION || !Array.isArray(rows) || rows.length > MAX_CONTACTS) {
    return undefined;
  }
  const contacts = (rows as unknown[]).flatMap((row) => contactIn(row) ?? []);
  const names = new Set(contacts.map(({ name }) => peerNameKey(name)));
  const ids = new Set(contacts.map(({ peerId }) => peerId));
  const isWhole = [contacts.length, names.size, ids.size].every((size) => size === rows.length);
  return isWhole ? contacts : undefined;
}

function contactIn(row: unknown): Contact | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  const { name, peerId, addedMs, addresses, ...rest } = row as Contact;
  const { isTrusted, mayRelay, isRelay } = rest;
  const known = typeof name === 'string' ? parsePeerName(name) : undefined;
  const id = typeof peerId === 'string' ? parsePeerId(peerId) : undefined;
  const isFlagged = [isTrusted, mayRelay, isRelay].every((flag) => typeof flag === 'boolean');
  if (known?.ok !== true || id?.ok !== true || !isFlagged || !isTime(addedMs)) return undefined;
  const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [undefined];
  const read = list.flatMap((each) => addressIn(each) ?? []);
  if (read.length !== list.length || read.length > MAX_PEER_ADDRESSES) return undefined;
  const flags = { isTrusted, mayRelay, isRelay };
  return { name: known.value, peerId: formatPeerId(id.value), addedMs, addresses: read, ...flags };
}

function addressIn(row: unknown): KnownAddress | undefined {
  const [text, lastMs] = Array.isArray(row) ? row : [];
  const address = typeof text === 'string' ? parsePeerAddress(text) : undefined;
  return address !== undefined && isTime(lastMs) ? { ...address, lastMs } : undefined;
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
