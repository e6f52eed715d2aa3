/**
 * One publication of a long-running node: what is kept of it, when it is looked at again, and what is done then.
 *
 * An own one is put again every hour, unless somebody else who has the key published a newer version. Of one that is followed, version N goes to the folder N; the last complete one
 * is seeded until the next is complete, too; earlier versions stay on the disk. Its item is put again every hour, so that it lives as long as one of those who follow.
 * Not here: the list, routes (publication-service.ts).
 * @module
 */
import path from 'node:path';
import type { Publication } from '../../contract/index.ts';
import { untilAborted } from '../../io/until-aborted.ts';
import { toHex } from '../../lib/bytes.ts';
import { printableLine } from '../../lib/printable.ts';
import { REPUBLISH_MS } from '../../protocol/dht/index.ts';
import { formatMagnet, parsePublicationLink } from '../../protocol/metainfo/index.ts';
import type { DhtService } from '../dht-service.ts';
import {
  type FoundVersion,
  findNewest,
  type PublicationMemory,
  pointToLatest,
  publishVersion,
} from '../publication.ts';
import type { PublicationRecord, PublicationTable } from '../store/publication-table.ts';
import type { VersionTorrents } from './version-torrents.ts';

// Implementation limits
/** Wait after a look that found nothing or failed; doubles up to the interval. */
const AGAIN_MS = 5_000;

/** What publications work with. */
export interface PublicationGround {
  readonly dht: DhtService | undefined;
  readonly memory: PublicationMemory;
  readonly table: PublicationTable;
  readonly torrents: VersionTorrents;
  /** Of the key of own publications, 32 bytes. */
  readonly seed: () => Uint8Array;
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** A publication in the list. */
export class KeptPublication {
  record: PublicationRecord;
  /** When it is looked at again, milliseconds since 1970. */
  dueMs = 0;
  /** Under way. */
  looking: Promise<void> | undefined;
  readonly #ground: PublicationGround;
  #waitMs: number = AGAIN_MS;
  #putMs = 0;
  #stored: number | undefined;
  #lookedAtMs: number | undefined;
  #error: string | undefined;

  constructor(record: PublicationRecord, ground: PublicationGround) {
    this.record = record;
    this.#ground = ground;
  }

  get row(): Publication {
    const { id, kind, link, name, path: where, version, torrent } = this.record;
    return {
      id,
      kind,
      link,
      name: printableLine(name),
      dir: kind === 'followed' ? (where ?? null) : null,
      path: kind === 'own' ? (where ?? null) : null,
      version: version ?? null,
      torrent: torrent ?? null,
      isComplete: this.#ground.torrents.find(torrent)?.isComplete ?? false,
      intervalSeconds: this.record.intervalSeconds,
      stored: this.#stored ?? null,
      lookedAtMs: this.#lookedAtMs ?? null,
      error: this.#error ?? null,
      addedAtMs: this.record.addedAt,
    };
  }

  /** An own one was put just now. */
  notePut(stored: number): void {
    this.#stored = stored;
    this.#lookedAtMs = Date.now();
    this.#error = stored > 0 ? undefined : 'No node of the DHT took it; it is tried again.';
    if (stored > 0) this.#putMs = Date.now();
    this.#rest(stored > 0);
  }

  /** Looks for a newer version, and puts what is there again. What fails is told in the row, and tried again. */
  async look(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      if (this.#ground.signal.aborted) return;
      this.#error = (error as Error).message;
      this.#rest(false);
    }
    this.#ground.onChange();
  }

  async #look(): Promise<void> {
    const { dht, memory, signal } = this.#ground;
    if (dht === undefined) throw new Error('This node takes no part in the DHT.');
    const { value: link } = this.#parsed();
    const newest = await untilAborted(signal, findNewest(dht, memory, link));
    this.#lookedAtMs = Date.now();
    this.#error = undefined;
    if (this.record.kind === 'own') await this.#putOwn(dht, newest);
    else if (newest === undefined) this.#error = 'Nothing is published there yet.';
    else {
      if (newest.seq > (this.record.version ?? -1)) await this.#begin(newest);
      await this.completed();
      await this.#putAgain(dht, newest);
    }
    this.#rest(this.#error === undefined);
  }

  async #putOwn(dht: DhtService, newest: FoundVersion | undefined): Promise<void> {
    const { memory, signal, seed, torrents } = this.#ground;
    const { version = 0, torrent } = this.record;
    if (newest !== undefined && newest.seq > version) {
      this.#error = `Version ${newest.seq} was published elsewhere with the same key.`;
      return;
    }
    const infoHash = newest?.infoHash ?? torrents.find(torrent)?.infoHashV1;
    if (infoHash === undefined || Date.now() - this.#putMs < REPUBLISH_MS) return;
    const { salt } = this.#parsed().value;
    const putting = publishVersion(dht, memory, { seed: seed(), salt }, infoHash);
    this.notePut((await untilAborted(signal, putting)).stored);
  }

  async #putAgain(dht: DhtService, { item }: FoundVersion): Promise<void> {
    if (Date.now() - this.#putMs < REPUBLISH_MS) return;
    const { stored } = await untilAborted(this.#ground.signal, dht.put(item));
    this.#stored = stored;
    if (stored > 0) this.#putMs = Date.now();
  }

  async #begin({ seq, infoHash }: FoundVersion): Promise<void> {
    const { torrents } = this.#ground;
    const { torrent: before, complete, path: dir } = this.record;
    const { trackers, peers, displayName } = this.#parsed().value;
    const id = toHex(infoHash);
    // A publisher may count on without a change, or go back to what was there before.
    if (id !== before) {
      // One that is half there is of no use any more.
      if (before !== undefined && before !== complete && this.#isOurs(before)) {
        await torrents.remove(before);
      }
      if (id !== complete) {
        const name = displayName === undefined ? {} : { displayName };
        const magnet = formatMagnet({ infoHashV1: infoHash, trackers, peers, ...name });
        await torrents.fetch(magnet, path.join(dir!, String(seq)));
      }
    }
    await this.keep({ version: seq, torrent: id });
  }

  /** When the torrent of the newest version is complete: it takes the place of the one before. */
  async completed(): Promise<void> {
    const { torrents } = this.#ground;
    const { kind, torrent: id, complete: before, path: dir } = this.record;
    const torrent = torrents.find(id);
    if (kind !== 'followed' || id === before || torrent?.isComplete !== true) return;
    if (path.dirname(torrent.dir) === dir) pointToLatest(dir, path.basename(torrent.dir));
    await this.keep({ complete: id });
    if (before !== undefined && this.#isOurs(before)) await torrents.remove(before);
  }

  /** It was added for this publication, not by the user for another reason. */
  #isOurs(id: string): boolean {
    const torrent = this.#ground.torrents.find(id);
    return torrent !== undefined && path.dirname(torrent.dir) === this.record.path;
  }

  async keep(fields: Partial<PublicationRecord>): Promise<void> {
    const record = { ...this.record, ...fields };
    await this.#ground.table.set(record);
    this.record = record;
    this.#ground.onChange();
  }

  #rest(isWell: boolean): void {
    const { intervalSeconds, kind } = this.record;
    const mostMs = kind === 'own' ? REPUBLISH_MS : intervalSeconds * 1_000;
    this.dueMs = Date.now() + (isWell ? mostMs : Math.min(this.#waitMs, mostMs));
    this.#waitMs = isWell ? AGAIN_MS : Math.min(this.#waitMs * 2, Math.max(mostMs, AGAIN_MS));
  }

  #parsed(): Extract<ReturnType<typeof parsePublicationLink>, { readonly ok: true }> {
    const parsed = parsePublicationLink(this.record.link);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed;
  }
}
