/**
 * Publications (BEP 46): a link that always leads to the newest torrent of its publisher, for both ends.
 *
 * A publisher signs the hash of its torrent with a number that grows; whoever follows takes the highest number that it ever saw, so that nobody can turn it
 * back by holding on to an old item. Both put the item again every hour, so it lives as long as one of them; one that the DHT forgot meanwhile is put back.
 * File: `publications.json` in the node's home: the newest item that was seen, by target. A file that is not ours or damaged counts as none.
 * Bounds: MAX_REMEMBERED publications. Not here: making, fetching and seeding the torrents.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeCrypto, nodeEd25519 } from '../io/crypto.ts';
import { fromHex, toHex } from '../lib/bytes.ts';
import {
  isMutable,
  isRightItem,
  type MutableItem,
  mutableTarget,
  publicationValue,
  publishedInfoHash,
  REPUBLISH_MS,
  targetOf,
} from '../protocol/dht/index.ts';
import { type PublicationLink, parsePublicationLink } from '../protocol/metainfo/index.ts';
import { publicKeyOf, signDhtItem } from './dht-client.ts';
import type { DhtService } from './dht-service.ts';
import { nodeError } from './errors.ts';
import { readMemory, writeMemory } from './memory-file.ts';
import type { TorrentSource } from './torrent-types.ts';

/** Publications have a key of their own in a home: whoever has it can replace them. */
export const PUBLISH_KEY_FILE = 'publish.key';

// Implementation limits
/** Publications whose highest number is remembered. */
const MAX_REMEMBERED = 1_000;
const VERSION = 1;
/** How long the first node of the DHT is waited for. */
const PATIENCE_MS = 15_000;

/** One version of a publication, and the item that says so. */
export interface FoundVersion {
  /** Grows with each version. */
  readonly seq: number;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly item: MutableItem;
}

/** What publishing brought. */
export interface PublishResult extends FoundVersion {
  /** Nodes that took the item. */
  readonly stored: number;
}

/** Which publication: its key, and the salt that tells several of one key apart. */
export type PublicationName = Pick<PublicationLink, 'publicKey' | 'salt'>;

/** The versions that one home has seen. */
export class PublicationMemory {
  readonly #file: string;

  constructor(home: string) {
    this.#file = path.join(home, 'publications.json');
  }

  /** The newest version that was seen. */
  get(name: PublicationName): FoundVersion | undefined {
    return this.#read().get(publicationId(name));
  }

  /** Remembers a version, unless a newer one is known. @throws the system's error. */
  set(found: FoundVersion): void {
    const all = this.#read();
    const key = publicationId(found.item);
    if ((all.get(key)?.seq ?? -1) > found.seq) return;
    all.delete(key);
    all.set(key, found);
    for (const oldest of all.keys()) {
      if (all.size <= MAX_REMEMBERED) break;
      all.delete(oldest);
    }
    const publications = [...all.values()].map(({ item }) => rowOf(item));
    writeMemory(this.#file, VERSION, { publications });
  }

  #read(): Map<string, FoundVersion> {
    const all = new Map<string, FoundVersion>();
    const { publications } = readMemory(this.#file, VERSION);
    if (!Array.isArray(publications)) return all;
    for (const row of publications.slice(-MAX_REMEMBERED) as unknown[]) {
      const found = versionOf(row);
      if (found !== undefined) all.set(publicationId(found.item), found);
    }
    return all;
  }
}

function rowOf({ seq, publicKey, salt, value, signature }: MutableItem): unknown[] {
  return [seq, ...[publicKey, salt, value, signature].map(toHex)];
}

/** @returns undefined for anything that its publisher did not sign. */
function versionOf(row: unknown): FoundVersion | undefined {
  const [seq, ...texts] = Array.isArray(row) ? row : [];
  const parts = texts.map((text) => (typeof text === 'string' ? fromHex(text) : undefined));
  const [publicKey, salt, value, signature] = parts;
  if (!publicKey || !salt || !value || !signature || !Number.isSafeInteger(seq)) return undefined;
  const item = { seq, publicKey, salt, value, signature };
  const isRight = isRightItem(nodeCrypto, nodeEd25519, targetOf(nodeCrypto, item), item);
  const infoHash = isRight ? publishedInfoHash(item) : undefined;
  return infoHash && { seq, infoHash, item };
}

/** Where it stands in the DHT: its target, 40 hex digits. */
export function publicationId({ publicKey, salt }: PublicationName): string {
  return toHex(mutableTarget(nodeCrypto, publicKey, salt));
}

/**
 * The newest version of a publication; when the DHT has none that is as new as what was seen before, that is put back and taken.
 * @throws {AppError} ERR_NO_DHT_NODES.
 */
export async function findNewest(
  dht: DhtService,
  memory: PublicationMemory,
  name: PublicationName,
): Promise<FoundVersion | undefined> {
  await expectNodes(dht);
  const { item } = await dht.getMutable(name.publicKey, name.salt);
  const known = memory.get(name);
  const infoHash = item && publishedInfoHash(item);
  if (item !== undefined && infoHash !== undefined && isMutable(item)) {
    const found = { seq: item.seq, infoHash, item };
    memory.set(found);
    if (item.seq >= (known?.seq ?? 0)) return found;
  }
  if (known !== undefined) await dht.put(known.item);
  return known;
}

/** The torrent that a publication's link leads to now. @throws {AppError} ERR_SOURCE, ERR_NO_DHT_NODES. */
export async function newestSource(
  link: string,
  { dht, home }: { readonly dht: DhtService | undefined; readonly home: string },
): Promise<TorrentSource> {
  const what = 'The link';
  const parsed = parsePublicationLink(link);
  if (!parsed.ok) throw nodeError('ERR_SOURCE', { what, reason: parsed.message });
  const { trackers, peers, ...name } = parsed.value;
  const reason = 'its torrent stands in the DHT, which is turned off';
  if (dht === undefined) throw nodeError('ERR_SOURCE', { what, reason });
  const newest = await findNewest(dht, new PublicationMemory(home), name);
  if (newest === undefined) {
    throw nodeError('ERR_SOURCE', { what, reason: 'nothing is published there now' });
  }
  const magnet = { infoHashV1: newest.infoHash, trackers, peers, webSeeds: [] };
  return { kind: 'magnet', magnet };
}

/**
 * Puts a torrent as the newest version; the same torrent again keeps its number.
 * @param seed 32 bytes that the key pair is made from. @param infoHash of v1, 20 bytes.
 * @throws {AppError} ERR_NO_DHT_NODES.
 */
export async function publishVersion(
  dht: DhtService,
  memory: PublicationMemory,
  { seed, salt }: { readonly seed: Uint8Array; readonly salt: Uint8Array },
  infoHash: Uint8Array,
): Promise<PublishResult> {
  const name = { publicKey: publicKeyOf(seed), salt };
  const newest = await findNewest(dht, memory, name);
  const isSame = newest !== undefined && toHex(newest.infoHash) === toHex(infoHash);
  const seq = isSame ? newest.seq : (newest?.seq ?? 0) + 1;
  const item = signDhtItem(seed, seq, publicationValue(infoHash), salt);
  const { stored } = await dht.put(item, newest?.seq);
  memory.set({ seq, infoHash, item });
  return { seq, infoHash, item, stored };
}

/** Puts an item again every hour, until the signal aborts; what fails once may succeed the next time. */
export async function keepPublished(
  dht: DhtService,
  item: () => MutableItem | undefined,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(REPUBLISH_MS, undefined, { signal, ref: false }).catch(() => {});
    const current = item();
    if (!signal.aborted && current !== undefined) await dht.put(current);
  }
}

/** Lets `latest` in a folder lead to a version. What the user put there by that name is left alone. */
export function pointToLatest(dir: string, version: string): void {
  const latest = path.join(dir, 'latest');
  const stat = fs.lstatSync(latest, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isSymbolicLink()) return;
  const next = path.join(dir, `.latest-${process.pid}`);
  fs.rmSync(next, { force: true });
  fs.symlinkSync(version, next, 'junction');
  fs.renameSync(next, latest);
}

/** @throws {AppError} ERR_NO_DHT_NODES. */
export async function expectNodes(dht: DhtService): Promise<void> {
  if (await dht.ready(PATIENCE_MS)) return;
  throw nodeError('ERR_NO_DHT_NODES', { seconds: PATIENCE_MS / 1000 });
}
