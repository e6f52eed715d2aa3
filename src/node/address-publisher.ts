/**
 * Telling the DHT where this identity can be reached, and finding where others can be.
 *
 * A record (src/protocol/identity/address-record.ts) is an item under the identity's own key. It is put when its content changed and every hour, since the DHT
 * forgets items after two. Its number is the time in milliseconds, and always more than every one that this home or the DHT has seen: a clock that was set back
 * and a restart change nothing. Whoever publishes binds its key to its addresses in public; so there is a switch, looked at every time, and when it is
 * turned off an empty record takes the place of the old one.
 * File: `address-record.json` in the node's home: the last number. Bounds: the codec's; one timer; one item on its way.
 * Not here: finding in the local network; which of the addresses answers.
 * @module
 */
import path from 'node:path';
import { nodeEd25519 } from '../io/crypto.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { decode, encode } from '../protocol/bencode/index.ts';
import { isMutable, REPUBLISH_MS } from '../protocol/dht/index.ts';
import {
  ADDRESS_SALT,
  type AddressRecord,
  decodeAddressRecord,
  encodeAddressRecord,
  formatPeerAddress,
  formatPeerId,
  type PeerAddress,
  type PublishRule,
  parsePeerId,
  publicKeyIn,
  publishableAddresses,
  type RelayHint,
  scopeOf,
} from '../protocol/identity/index.ts';
import type { PeerFinder } from './channel/channel-service.ts';
import type { Contacts } from './contacts.ts';
import { signDhtItem } from './dht-client.ts';
import type { DhtService } from './dht-service.ts';
import { readMemory, writeMemory } from './memory-file.ts';
import type { PortMappingStatus } from './port-mapping.ts';
import { readPrivacy } from './privacy-settings.ts';

// Implementation limits
/** How often it is looked whether the content changed, or the switch. */
const LOOK_MS = 60_000;
/** How long the first node of the DHT is waited for. */
const PATIENCE_MS = 15_000;
const VERSION = 1;

/** What a node knows of itself at a moment. */
export interface OwnAddresses {
  /** All that it knows, in order of preference; those that must not be told are left out here. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly relays?: readonly RelayHint[];
  /** It relays for its contacts. Default false. */
  readonly isRelay?: boolean;
  /** It knows of no address that strangers can dial. Default: no address is told. */
  readonly isHidden?: boolean;
}

/** Options of an AddressPublisher. */
export interface AddressPublisherOptions extends PublishRule {
  readonly dht: DhtService;
  /** Of the identity, 32 bytes. */
  readonly seed: Uint8Array;
  readonly home: string;
  /** Asked at every look. */
  readonly current: () => OwnAddresses;
  /** The switch, asked at every look; where it cannot be read nothing is told. Default: the home's, of `starling privacy`. */
  readonly isOn?: () => boolean;
  /** The time of day, in milliseconds since 1970. */
  readonly nowMs?: () => number;
}

/** What a publisher did last. */
export interface AddressStatus {
  readonly isOn: boolean;
  /** What stands in the DHT, as far as this node put it; undefined before the first time and after an empty record. */
  readonly record: AddressRecord | undefined;
  readonly seq: number;
  /** Nodes that took it. */
  readonly stored: number;
}

/** Publishes the addresses of one identity. */
export class AddressPublisher {
  readonly #options: AddressPublisherOptions;
  readonly #nowMs: () => number;
  readonly #file: string;
  readonly #isOn: () => boolean;
  #record: AddressRecord | undefined;
  #content = '';
  #putMs = Number.NEGATIVE_INFINITY;
  #seq: number;
  #stored = 0;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: AddressPublisherOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#isOn = options.isOn ?? (() => readPrivacy(options.home)['address-record']);
    this.#file = path.join(options.home, 'address-record.json');
    this.#seq = seqIn(this.#file);
  }

  /** Begins: looks at once, then every minute. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS).unref();
    void this.look();
  }

  /** Looks now whether something is to be told; one look comes after the other. Resolves when it was done. */
  look(): Promise<void> {
    this.#work = this.#work.then(() => this.#look()).catch(() => {});
    return this.#work;
  }

  /** A picture of the moment. */
  status(): AddressStatus {
    return { isOn: this.#isOn(), record: this.#record, seq: this.#seq, stored: this.#stored };
  }

  /** Ends; what stands in the DHT is forgotten there after two hours. @param forgets replaces it by an empty record first. */
  async close(forgets = false): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    await this.#work;
    if (forgets && this.#record !== undefined) await this.#put(emptyRecord(this.#nowMs()));
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    if (!this.#isOn()) {
      if (this.#record !== undefined) await this.#put(emptyRecord(this.#nowMs()));
      return;
    }
    const record = recordOf(this.#options.current(), this.#options, this.#nowMs());
    const isDue = this.#nowMs() - this.#putMs >= REPUBLISH_MS;
    if (isDue || contentOf(record) !== this.#content) await this.#put(record);
  }

  async #put(record: AddressRecord): Promise<void> {
    const { dht, seed } = this.#options;
    if (!(await dht.ready(PATIENCE_MS))) return;
    const { item } = await dht.getMutable(nodeEd25519.publicKey(seed), ADDRESS_SALT);
    const seen = item !== undefined && isMutable(item) ? item.seq : 0;
    const seq = Math.max(this.#nowMs(), this.#seq + 1, seqIn(this.#file) + 1, seen + 1);
    // Before it is told: whatever happens then, the number is not used again.
    writeMemory(this.#file, VERSION, { seq });
    const value = encode(encodeAddressRecord(record));
    const { stored } = await dht.put(
      signDhtItem(seed, seq, value, ADDRESS_SALT),
      seen || undefined,
    );
    this.#seq = seq;
    this.#stored = stored;
    if (stored === 0) return;
    this.#putMs = this.#nowMs();
    this.#content = contentOf(record);
    const isEmpty = record.addresses.length + record.relays.length === 0;
    this.#record = isEmpty ? undefined : record;
  }
}

/** Where an address is known from. */
export type AddressOrigin = 'contact' | 'dht';

/** Where a peer may be reached. */
export interface FoundPeer {
  readonly addresses: readonly (PeerAddress & { readonly origin: AddressOrigin })[];
  readonly relays: readonly RelayHint[];
  /** What the DHT has of it; undefined when it has nothing. */
  readonly record: AddressRecord | undefined;
}

/** What is asked for a peer. */
export interface FindWays {
  readonly policy: ReachPolicy;
  readonly dht?: DhtService | undefined;
  readonly contacts?: Contacts | undefined;
  /** Hears of each address once, as soon as it is known. */
  readonly onAddress?: (address: PeerAddress, origin: AddressOrigin) => void;
}

/**
 * Looks for a peer's addresses among the contacts, which answer at once, and in the DHT. Each is a hint: only the owner of the id can answer a dial.
 * Left out are those that the policy forbids and, unless offline, loopback, which can only mean this machine.
 * @param peerId "12D3KooW…" @throws RangeError for a text that is no peer id.
 */
export async function findPeerAddresses(peerId: string, ways: FindWays): Promise<FoundPeer> {
  const { policy, dht, contacts } = ways;
  const id = parsePeerId(peerId);
  if (!id.ok) throw new RangeError(id.message);
  const key = publicKeyIn(id.value);
  if (!key.ok) throw new RangeError(key.message);
  const found = new Map<string, PeerAddress & { readonly origin: AddressOrigin }>();
  const add = ({ host, port }: PeerAddress, origin: AddressOrigin): void => {
    const address = { host, port };
    const text = formatPeerAddress(address);
    if (found.has(text) || !isDialable(address, policy)) return;
    found.set(text, { ...address, origin });
    ways.onAddress?.(address, origin);
  };
  for (const address of contacts?.byPeerId(peerId)?.addresses ?? []) add(address, 'contact');
  const record = dht === undefined ? undefined : await recordIn(dht, key.value);
  for (const address of record?.addresses ?? []) add(address, 'dht');
  const relays = (record?.relays ?? []).filter(({ address }) => isDialable(address, policy));
  return { addresses: [...found.values()], relays, record };
}

/**
 * Looks where `findPeerAddresses` looks, for channels: each address as soon as it is known, then the relays that the peer named.
 * A contact's address costs nothing; the DHT is asked even so, since the contact may have moved.
 */
export function addressFinder(ways: Omit<FindWays, 'onAddress'>): PeerFinder {
  return async (peerId, onFound, signal) => {
    const onAddress = (address: PeerAddress): void => {
      if (!signal.aborted) onFound({ addresses: [address] });
    };
    const { relays } = await findPeerAddresses(peerId, { ...ways, onAddress });
    if (signal.aborted || relays.length === 0) return;
    const named = relays.map(({ peerId: id, address }) => {
      return { peerId: formatPeerId(id), addresses: [address] };
    });
    onFound({ addresses: [], relays: named });
  };
}

/** What a node knows of where it is: what its router gave first, then its own addresses. */
export function ownEndpoints(
  { externalHost, tcpPort }: PortMappingStatus,
  reachable: readonly Endpoint[],
): readonly Endpoint[] {
  if (externalHost === undefined || tcpPort === undefined) return reachable;
  return [{ host: externalHost, port: tcpPort }, ...reachable];
}

function isDialable(address: PeerAddress, policy: ReachPolicy): boolean {
  if (scopeOf(address) === 'loopback' && !policy.isOffline) return false;
  return policy.allowsAddress(address.host);
}

async function recordIn(
  dht: DhtService,
  publicKey: Uint8Array,
): Promise<AddressRecord | undefined> {
  if (!(await dht.ready(PATIENCE_MS))) return undefined;
  const { item } = await dht.getMutable(publicKey, ADDRESS_SALT);
  const value = item === undefined ? undefined : decode(item.value);
  if (value?.ok !== true || !(value.value instanceof Uint8Array)) return undefined;
  const record = decodeAddressRecord(value.value);
  return record.ok ? record.value : undefined;
}

function recordOf(own: OwnAddresses, rule: PublishRule, timeMs: number): AddressRecord {
  const addresses = publishableAddresses(own.addresses, rule);
  const { relays = [], isRelay = false, isHidden = addresses.length === 0 } = own;
  return { timeMs, addresses, relays, isRelay, isHidden };
}

function emptyRecord(timeMs: number): AddressRecord {
  return { timeMs, addresses: [], relays: [], isRelay: false, isHidden: true };
}

/** Two records with the same content differ in their time alone. */
function contentOf(record: AddressRecord): string {
  return toHex(encodeAddressRecord({ ...record, timeMs: 0 }));
}

function seqIn(file: string): number {
  const { seq } = readMemory(file, VERSION);
  return Number.isSafeInteger(seq) && (seq as number) >= 0 ? (seq as number) : 0;
}
