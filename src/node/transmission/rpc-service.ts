/**
 * Transmission's RPC (its rpc-spec, version 17), so that remotes made for it control this node: `transmission-remote`, desktop and mobile ones.
 *
 * POST /transmission/rpc with JSON: method, arguments, tag. As the original: 401 without credentials (user "starling", the token as password), then 409 with a session id that has to come back in a header.
 * Ids are small numbers that hold for one run of the node; hashes are taken, too. Rates are in kB/s. What the node has no such thing for (blocklists, port forwarding of the original) is answered as switched off.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../lib/errors.ts';
import type { NodeService } from '../daemon/service.ts';
import type { Api } from '../http/api.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';
import {
  isObject,
  type RpcArguments,
  RpcError,
  type RpcServiceOptions,
  stringsOf,
} from './rpc-call.ts';
import { addTorrent, renamePath, setTorrents } from './rpc-changes.ts';
import { sessionOf, setSession, statsOf } from './rpc-session.ts';
import { torrentFields } from './torrent-fields.ts';

// Specification constants
const SESSION_HEADER = 'x-transmission-session-id';
/** "recently-active": changed within so long. */
const RECENT_MS = 60_000;

// Implementation limits
/** Body of a request: a torrent file as base64. */
const MAX_RPC_BODY_BYTES = 192 * 1024 * 1024;

/** The service. */
export class RpcService implements NodeService {
  readonly name = 'transmission';
  readonly options: RpcServiceOptions;
  readonly #sessionId = randomBytes(24).toString('base64url');
  readonly #ids = new Map<string, number>();
  #lastId = 0;
  /** Torrents removed lately, by their number, for "recently-active". */
  #removed: { readonly id: number; readonly atMs: number }[] = [];

  constructor(options: RpcServiceOptions) {
    this.options = options;
  }

  /** Not below /api/v1: where remotes look. */
  rootRoutes(app: Api): void {
    void app.register((api: Api, _: unknown, done: () => void) => {
      // Remotes call their body what they like.
      api.removeAllContentTypeParsers();
      const options = { parseAs: 'string', bodyLimit: MAX_RPC_BODY_BYTES } as const;
      api.addContentTypeParser('*', options, (_request, body, parsed) => parsed(null, body));
      // transmission-remote adds "/rpc/" to whatever URL it was given, also to one that ends in a slash.
      for (const url of ['/transmission/rpc', '/transmission//rpc']) {
        api.route({
          method: ['GET', 'POST'],
          url,
          schema: { hide: true },
          handler: (request, reply) => this.#answer(request, reply),
        });
      }
      done();
    });
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    void reply.header(SESSION_HEADER, this.#sessionId);
    if (request.headers[SESSION_HEADER] !== this.#sessionId) return askForSession(reply);
    if (request.method !== 'POST') return reply.status(405).send('expected POST');
    const answer = await this.call(request.body);
    return reply.type('application/json; charset=utf-8').send(answer);
  }

  /** Answers one call. @param text its JSON. */
  async call(text: unknown): Promise<string> {
    const { method, arguments: given, tag } = parsed(text);
    const more = typeof tag === 'number' ? { tag } : {};
    try {
      const values = isObject(given) ? given : {};
      const answer = await this.#run(String(method), values);
      return JSON.stringify({ arguments: answer, result: 'success', ...more });
    } catch (error) {
      if (!(error instanceof RpcError || error instanceof AppError)) throw error;
      return JSON.stringify({ arguments: {}, result: error.message, ...more });
    }
  }

  async #run(method: string, values: RpcArguments): Promise<object> {
    const { torrents, status, settings } = this.options;
    switch (method) {
      case 'torrent-get':
        return this.#get(values);
      case 'torrent-add':
        return addTorrent(this, values);
      case 'torrent-set':
        return setTorrents(this, values);
      case 'torrent-set-location':
        return this.#setLocation(values);
      case 'torrent-rename-path':
        return renamePath(this, values);
      case 'torrent-remove':
        return this.#remove(values);
      case 'session-get':
        return sessionOf(this.options, values);
      case 'session-set':
        return setSession(settings, values);
      case 'session-stats':
        return statsOf(status.status());
      case 'session-close':
        setImmediate(() => this.options.onStop());
        return {};
      case 'port-test':
        return { 'port-is-open': status.status().portMapping !== null };
      case 'blocklist-update':
        return { 'blocklist-size': 0 };
      case 'free-space':
        return status.spaceAt(String(values['path'] ?? ''));
      case 'group-get':
        return { group: [] };
      default:
        return this.#act(method, values, torrents);
    }
  }

  async #act(method: string, values: RpcArguments, torrents: TorrentService): Promise<object> {
    const work: Readonly<Record<string, (entry: TorrentEntry) => unknown>> = {
      'torrent-start': ({ id }) => torrents.change(id, { isPaused: false }),
      'torrent-start-now': ({ id }) => torrents.change(id, { isPaused: false }),
      'torrent-stop': ({ id }) => torrents.change(id, { isPaused: true }),
      'torrent-verify': ({ id }) => torrents.recheck(id),
      'torrent-reannounce': ({ torrent }) => torrent?.discovery.askAgain(),
      'queue-move-top': ({ id }) => torrents.change(id, { queue: 'top' }),
      'queue-move-up': ({ id }) => torrents.change(id, { queue: 'up' }),
      'queue-move-down': ({ id }) => torrents.change(id, { queue: 'down' }),
      'queue-move-bottom': ({ id }) => torrents.change(id, { queue: 'bottom' }),
    };
    if (!Object.hasOwn(work, method)) throw new RpcError('method name not recognized');
    for (const entry of this.meant(values)) await work[method]!(entry);
    return {};
  }

  #get(values: RpcArguments): object {
    const fields = stringsOf(values['fields']);
    const entries = this.meant(values);
    const isRecent = values['ids'] === 'recently-active';
    const rows = entries.map((entry) => torrentFields(this.idOf(entry), entry, fields));
    const torrents =
      values['format'] === 'table'
        ? [fields, ...rows.map((row) => fields.map((name) => row[name] ?? null))]
        : rows;
    return isRecent ? { torrents, removed: this.#removedLately() } : { torrents };
  }

  async #setLocation(values: RpcArguments): Promise<object> {
    const location = values['location'];
    if (typeof location !== 'string') throw new RpcError('no location');
    for (const { id } of this.meant(values)) {
      if (values['move'] === true) await this.options.torrents.moveTo(id, location);
      else await this.options.torrents.setDir(id, location);
    }
    return {};
  }

  async #remove(values: RpcArguments): Promise<object> {
    for (const entry of this.meant(values)) {
      this.#removed.push({ id: this.idOf(entry), atMs: Date.now() });
      await this.options.torrents.remove(entry.id, values['delete-local-data'] === true);
      this.#ids.delete(entry.id);
    }
    return {};
  }

  #removedLately(): number[] {
    this.#removed = this.#removed.filter(({ atMs }) => Date.now() - atMs < RECENT_MS);
    return this.#removed.map(({ id }) => id);
  }

  /** The number of a torrent in this run. */
  idOf(entry: TorrentEntry): number {
    let id = this.#ids.get(entry.id);
    if (id === undefined) {
      this.#lastId += 1;
      id = this.#lastId;
      this.#ids.set(entry.id, id);
    }
    return id;
  }

  /** The torrents that `ids` names: a number, a hash, a list of them, "recently-active"; absent: all. */
  meant({ ids }: RpcArguments): readonly TorrentEntry[] {
    const { entries } = this.options.torrents;
    // Numbers are given in the order of the list, whatever is asked first.
    for (const entry of entries) this.idOf(entry);
    if (ids === undefined) return entries;
    if (ids === 'recently-active') {
      return entries.filter(({ lastActiveMs }) => Date.now() - lastActiveMs < RECENT_MS);
    }
    const wanted = new Set(
      (Array.isArray(ids) ? ids : [ids]).map((id) => String(id).toLowerCase()),
    );
    return entries.filter((entry) => wanted.has(String(this.idOf(entry))) || wanted.has(entry.id));
  }
}

function askForSession(reply: FastifyReply): FastifyReply {
  return reply
    .status(409)
    .type('text/html; charset=utf-8')
    .send('<p>409: Conflict. Send the header X-Transmission-Session-Id of this answer.</p>');
}

/** What is no JSON has no method, and is told so. */
function parsed(text: unknown): RpcArguments {
  try {
    const value: unknown = JSON.parse(String(text));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
