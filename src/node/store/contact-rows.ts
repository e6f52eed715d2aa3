/**
 * Contacts as they are read: each row is looked at as if a stranger had written it.
 * @module
 */
import {
  formatPeerId,
  MAX_PEER_ADDRESSES,
  parsePeerAddress,
  parsePeerId,
  parsePeerName,
  peerNameKey,
} from '../../protocol/identity/index.ts';
import type { Contact, KnownAddress } from './contact-table.ts';

/** Of the file that earlier versions kept. */
const FILE_VERSION = 1;

/** The contacts in a file of an earlier version. @returns undefined unless every row is right: the rest would be lost. */
export function contactsIn(text: string): readonly Contact[] | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) ?? {};
  } catch {
    return undefined;
  }
  const rows = value['contacts'];
  if (value['version'] !== FILE_VERSION || !Array.isArray(rows)) return undefined;
  const contacts = (rows as unknown[]).flatMap((row) => contactIn(row) ?? []);
  const names = new Set(contacts.map(({ name }) => peerNameKey(name)));
  const ids = new Set(contacts.map(({ peerId }) => peerId));
  const isWhole = [contacts.length, names.size, ids.size].every((size) => size === rows.length);
  return isWhole ? contacts : undefined;
}

/** @returns undefined for what is no contact. */
export function contactIn(row: unknown): Contact | undefined {
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
