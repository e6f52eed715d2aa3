/**
 * Publications (BEP 46) as a service: what this node publishes under links that stay, and what it follows of others.
 *
 * All of it is kept in the database and goes on after a restart; items are put into the DHT again every hour. One key of the home signs all own publications, which differ by
 * their salts, as with `starling publish`.
 * Bounds: MAX_PUBLICATIONS; MAX_LOOKING are looked for in the DHT at a time. Not here: what is done with a version (kept-publication.ts), the items (publication.ts).
 * @module
 */
import path from 'node:path';
import Type from 'typebox';
import { Done, Follow, Publication, Publish } from '../../contract/index.ts';
import { Turns } from '../../lib/turns.ts';
import {
  formatPublicationLink,
  type PublicationLink,
  parsePublicationLink,
} from '../../protocol/metainfo/index.ts';
import type { TopicSource } from '../daemon/feed.ts';
import type { Logger } from '../daemon/log.ts';
import type { NodeService } from '../daemon/service.ts';
import { publicKeyOf, publisherSeed } from '../dht-client.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import { needDht } from '../network/dht-item-routes.ts';
import type { PeerNode } from '../peer-node.ts';
import {
  expectNodes,
  PUBLISH_KEY_FILE,
  PublicationMemory,
  publicationId,
  publishVersion,
} from '../publication.ts';
import type { PublicationRecord, PublicationTable } from '../store/publication-table.ts';
import { expectAbsolute } from '../torrents/addition.ts';
import { KeptPublication, type PublicationGround } from './kept-publication.ts';
import type { VersionTorrents } from './version-torrents.ts';

/** Of a publisher's name that becomes a folder's. */
const PLAIN_NAME = /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,63}$/u;

// Implementation limits
/** Own and followed ones together. */
const MAX_PUBLICATIONS = 500;
/** Looked at in the DHT at a time. */
const MAX_LOOKING = 4;
/** How often it is looked whether one is due. */
const TICK_MS = 1_000;
/** Between looks for a newer version of what is followed. */
const LOOK_SECONDS = 600;

const tags = ['publications'];
const Id = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{40}$' }) });

/** What is needed of the rest of the node. */
export interface PublicationServiceOptions {
  readonly node: PeerNode;
  readonly table: PublicationTable;
  readonly torrents: VersionTorrents;
  readonly log: Logger;
  /** Where what is followed goes when nothing else is said. */
  readonly dir: () => string;
  readonly onChange: () => void;
}

/** The service. */
export class PublicationService implements NodeService {
  readonly name = 'publications';
  readonly #options: PublicationServiceOptions;
  readonly #ground: PublicationGround;
  readonly #kept = new Map<string, KeptPublication>();
  readonly #abort = new AbortController();
  /** Changes happen one after the other: of one publication, and of what is being published. */
  readonly #turns = new Turns();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PublicationServiceOptions) {
    this.#options = options;
    const { node, table, torrents, onChange } = options;
    this.#ground = {
      dht: node.dht,
      memory: new PublicationMemory(node.home),
      table,
      torrents,
      seed: () => publisherSeed(node.home, path.join(node.home, PUBLISH_KEY_FILE)),
      onChange,
      signal: this.#abort.signal,
    };
  }

  async start(): Promise<void> {
    for (const record of await this.#options.table.all()) {
      this.#kept.set(record.id, new KeptPublication(record, this.#ground));
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort(new Error('stopped'));
    await this.#turns.settled();
  }

  readonly topics: TopicSource = (name) =>
    name === 'publications'
      ? { name, rows: () => this.#rows().map((row) => [row.id, row] as const) }
      : undefined;

  /** A torrent is complete: it may be a version that was waited for. */
  noteComplete(torrent: string): void {
    for (const kept of this.#kept.values()) {
      if (kept.record.torrent !== torrent) continue;
      this.#turns
        .run(kept.record.id, () => kept.completed())
        .catch((error: Error) => this.#options.log.error(`${kept.record.name}: ${error.message}`));
    }
  }

  routes(api: Api): void {
    const response = { 200: Type.Array(Publication) };
    api.get(
      '/publications',
      { schema: { tags, summary: 'What this node publishes and follows', response } },
      () => this.#rows(),
    );
    api.post(
      '/publications',
      {
        schema: {
          tags,
          summary: 'Publish files or a torrent under a link that stays, or their next version',
          body: Publish,
          response: { 201: Publication },
        },
      },
      async ({ body }, reply) => reply.status(201).send(await this.publish(body)),
    );
    api.post(
      '/publications/follow',
      {
        schema: {
          tags,
          summary: 'Fetch the newest version behind a published link, and each that comes after',
          body: Follow,
          response: { 201: Publication },
        },
      },
      async ({ body }, reply) => reply.status(201).send(await this.follow(body)),
    );
    this.#oneRoutes(api);
  }

  #oneRoutes(api: Api): void {
    const one = { tags, params: Id, response: { 200: Publication } };
    api.get(
      '/publications/:id',
      { schema: { ...one, summary: 'One publication' } },
      ({ params }) => this.#get(params.id).row,
    );
    api.post(
      '/publications/:id/look',
      { schema: { ...one, summary: 'Look for a newer version now; put an own one again' } },
      async ({ params }) => {
        const kept = this.#get(params.id);
        needDht(this.#options.node);
        await this.#look(kept);
        return kept.row;
      },
    );
    api.delete(
      '/publications/:id',
      {
        schema: {
          tags,
          summary: 'Publish or follow it no longer; its torrents stay in the list',
          params: Id,
          response: { 200: Done },
        },
      },
      ({ params }) =>
        this.#turns.run(params.id, async () => {
          this.#get(params.id);
          await this.#options.table.remove(params.id);
          this.#kept.delete(params.id);
          this.#options.onChange();
          return { ok: true as const };
        }),
    );
  }

  /** Resolves when the item is in the DHT. @throws {AppError} ERR_API_INVALID, ERR_API_NOT_FOUND, ERR_API_CONFLICT, ERR_NO_DHT_NODES, ERR_FILE. */
  async publish(wish: Publish): Promise<Publication> {
    const { torrents, seed } = this.#ground;
    const dht = needDht(this.#options.node);
    if ((wish.path === undefined) === (wish.torrent === undefined)) {
      throw invalid('body', 'expected one of path and torrent');
    }
    const salt = Buffer.from(wish.salt ?? '');
    if (salt.length > 64) throw invalid('salt', `expected at most 64 bytes, got ${salt.length}`);
    if (wish.path !== undefined) expectAbsolute(wish.path);
    const name = { publicKey: publicKeyOf(seed()), salt };
    const id = publicationId(name);
    this.#expectPlace(id);
    await expectNodes(dht);
    return await this.#turns.run(id, async () => {
      const { trackers = [], webSeeds = [] } = wish;
      const torrentId =
        wish.torrent ?? (await torrents.share({ path: wish.path!, trackers, webSeeds }));
      const torrent = torrents.find(torrentId);
      if (torrent === undefined) {
        const hint = 'GET /api/v1/torrents lists all';
        throw apiError('ERR_API_NOT_FOUND', { what: `torrent ${torrentId}`, hint });
      }
      if (torrent.isPrivate) {
        throw invalid('torrent', 'expected one that is not private: the DHT would tell of it');
      }
      if (torrent.infoHashV1 === undefined) {
        throw invalid('torrent', 'expected one of v1 or hybrid: links lead to no others (BEP 46)');
      }
      const { memory } = this.#ground;
      const key = { seed: seed(), salt };
      const { seq, stored } = await publishVersion(dht, memory, key, torrent.infoHashV1);
      const displayName = torrent.name;
      const link = formatPublicationLink({ ...name, displayName, trackers, peers: [] });
      const record = { id, link, name: displayName, version: seq, torrent: torrentId };
      return await this.#keepOwn({ ...record, path: wish.path }, stored);
    });
  }

  async #keepOwn(
    fields: Pick<PublicationRecord, 'id' | 'link' | 'name' | 'path' | 'version' | 'torrent'>,
    stored: number,
  ): Promise<Publication> {
    const before = this.#kept.get(fields.id);
    const kept = before ?? new KeptPublication(newRecord(fields.id, 'own'), this.#ground);
    const old = before?.record;
    const where = fields.path ?? (old?.torrent === fields.torrent ? old?.path : undefined);
    await kept.keep({ ...fields, path: where, kind: 'own' });
    this.#kept.set(fields.id, kept);
    kept.notePut(stored);
    // What lay there before is not there any more.
    if (old?.torrent !== undefined && old.torrent !== fields.torrent && old.path === fields.path) {
      if (old.path !== undefined) await this.#options.torrents.remove(old.torrent);
    }
    this.#options.onChange();
    return kept.row;
  }

  /** Resolves when it is kept; it is looked for at once. @throws {AppError} ERR_API_INVALID, ERR_API_CONFLICT, ERR_CONFIG. */
  async follow(wish: Follow): Promise<Publication> {
    needDht(this.#options.node);
    const parsed = parsePublicationLink(wish.link.trim());
    if (!parsed.ok) throw invalid('link', parsed.message);
    const link = parsed.value;
    const id = publicationId(link);
    const dir = path.resolve(
      expected(wish.dir ?? path.join(this.#options.dir(), folderOf(link, id))),
    );
    this.#expectPlace(id);
    return await this.#turns
      .run(id, async () => {
        const known = this.#kept.get(id)?.record.kind;
        if (known !== undefined) {
          const reason =
            known === 'own' ? 'This node publishes it itself' : 'It is followed already';
          const remedy = 'remove it first to follow it with other choices';
          throw apiError('ERR_API_CONFLICT', { reason, remedy });
        }
        if ([...this.#kept.values()].some(({ record }) => record.path === dir)) {
          const remedy = 'give each a folder of its own';
          throw apiError('ERR_API_CONFLICT', { reason: `${dir} is another one’s folder`, remedy });
        }
        const kept = new KeptPublication(newRecord(id, 'followed'), this.#ground);
        await kept.keep({
          link: formatPublicationLink(link),
          name: link.displayName ?? id,
          path: dir,
          intervalSeconds: wish.intervalSeconds ?? LOOK_SECONDS,
        });
        this.#kept.set(id, kept);
        this.#options.onChange();
        return kept.row;
      })
      .finally(() => this.#tick());
  }

  #tick(): void {
    if (this.#abort.signal.aborted) return;
    let busy = [...this.#kept.values()].filter(({ looking }) => looking !== undefined).length;
    for (const kept of this.#kept.values()) {
      if (busy >= MAX_LOOKING) return;
      if (kept.looking !== undefined || kept.dueMs > Date.now()) continue;
      busy += 1;
      void this.#look(kept);
    }
  }

  /** Whoever asks while it is looked waits for that. */
  async #look(kept: KeptPublication): Promise<void> {
    const { id } = kept.record;
    kept.looking ??= this.#turns
      .run(id, async () => {
        if (this.#kept.get(id) === kept) await kept.look();
      })
      .finally(() => {
        kept.looking = undefined;
      });
    await kept.looking;
  }

  #rows(): Publication[] {
    return [...this.#kept.values()].map(({ row }) => row);
  }

  /** @throws {AppError} ERR_API_NOT_FOUND. */
  #get(id: string): KeptPublication {
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    const hint = 'GET /api/v1/publications lists all';
    throw apiError('ERR_API_NOT_FOUND', { what: `publication ${id}`, hint });
  }

  /** @throws {AppError} ERR_API_TOO_MANY. */
  #expectPlace(id: string): void {
    if (this.#kept.has(id) || this.#kept.size < MAX_PUBLICATIONS) return;
    throw apiError('ERR_API_TOO_MANY', { what: 'publications', most: MAX_PUBLICATIONS });
  }
}

function newRecord(id: string, kind: PublicationRecord['kind']): PublicationRecord {
  return {
    id,
    kind,
    link: '',
    name: '',
    path: undefined,
    version: undefined,
    torrent: undefined,
    complete: undefined,
    intervalSeconds: LOOK_SECONDS,
    addedAt: Date.now(),
  };
}

/** A publisher's name is what it likes: only a plain one becomes a folder. */
function folderOf({ displayName = '' }: PublicationLink, id: string): string {
  return PLAIN_NAME.test(displayName) ? displayName : `publication-${id.slice(0, 16)}`;
}

/** @throws {AppError} ERR_CONFIG. */
function expected(dir: string): string {
  expectAbsolute(dir);
  return dir;
}

function invalid(what: string, mistakes: string): Error {
  return apiError('ERR_API_INVALID', { what, mistakes });
}
