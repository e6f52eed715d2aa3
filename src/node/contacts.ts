/**
 * Contacts: the identities that the user of this installation knows, by names of their own choosing.
 *
 * They are data of the user: kept in the database of the node's home (store/contact-table.ts), where every change is made on what is there at that moment; so programs that share a home may all change them.
 * Bounds: MAX_CONTACTS, MAX_PEER_ADDRESSES addresses each. Not here: which identity belongs to which person; comparing fingerprints tells.
 * @module
 */
import { nodeCrypto } from '../io/crypto.ts';
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
import { type Contact, type ContactFlags, ContactTable } from './store/contact-table.ts';

export type { Contact } from './store/contact-table.ts';

// Implementation limits
/** Contacts of one home. */
const MAX_CONTACTS = 10_000;

/** The contacts of one home. */
export class Contacts {
  readonly #table: ContactTable;
  readonly #nowMs: () => number;
  #known: readonly Contact[] = [];
  #byId = new Map<string, Contact>();
  /** Whose contacts they are, where that is known: nobody is a contact of their own. */
  ownId: string | undefined;

  /** @param nowMs the time of day, in milliseconds since 1970. */
  constructor(home: string, nowMs: () => number = Date.now) {
    this.#table = new ContactTable(home);
    this.#nowMs = nowMs;
  }

  /** All of them, in the order in which they were added. @throws {AppError} ERR_FILE, ERR_DATABASE_NEWER, ERR_DATABASE_DAMAGED; ERR_CONFIG for an older file that is none of ours. */
  list(): readonly Contact[] {
    const contacts = this.#table.all();
    if (this.#known !== contacts) {
      this.#known = contacts;
      this.#byId = new Map(contacts.map((contact) => [contact.peerId, contact]));
    }
    return contacts;
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
    if (contact.peerId === this.ownId) {
      throw wrong('the peer id or link of somebody else', 'those of this node itself');
    }
    this.#table.change((contacts) => {
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
    this.#table.change((contacts) => {
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
    this.#table.change((contacts) =>
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
    this.#table.change((contacts) => {
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
