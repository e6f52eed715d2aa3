/**
 * Routes of torrents: list, details, adding, changing, removing.
 * @module
 */
import Type from 'typebox';
import {
  AddTorrent,
  ChangeTorrent,
  Done,
  Nullable,
  PeersOfTorrent,
  RenameInTorrent,
  ShareFiles,
  TorrentAction,
  TorrentDetails,
  TorrentId,
  TorrentRow,
  TorrentState,
} from '../../contract/index.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { Additions } from './additions.ts';
import { detailsOf } from './torrent-rows.ts';
import type { TorrentService } from './torrent-service.ts';

// Implementation limits
/** Rows of one answer. */
const MAX_ROWS = 5_000;
/** Body of a request that may hold a torrent file of 128 MiB as base64. */
const MAX_TORRENT_BODY_BYTES = 192 * 1024 * 1024;

const Id = Type.Object({ id: TorrentId });
const tags = ['torrents'];

/** Declares them. */
export function torrentRoutes(api: Api, service: TorrentService, additions: Additions): void {
  listRoute(api, service);
  addRoutes(api, additions);
  oneRoutes(api, service);
  actionRoute(api, service);
}

function listRoute(api: Api, service: TorrentService): void {
  api.get(
    '/torrents',
    {
      schema: {
        tags,
        summary: 'List torrents',
        querystring: Type.Object({
          state: Type.Optional(TorrentState),
          category: Type.Optional(Type.String({ maxLength: 100 })),
          tag: Type.Optional(Type.String({ maxLength: 100 })),
          search: Type.Optional(Type.String({ maxLength: 200, description: 'In the name.' })),
          offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1e6, default: 0 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ROWS, default: 500 })),
        }),
        response: {
          200: Type.Object({ total: Type.Integer(), torrents: Type.Array(TorrentRow) }),
        },
      },
    },
    ({ query }) => {
      const { state, category, tag, search, offset = 0, limit = 500 } = query;
      const wanted = search?.toLowerCase();
      const found = service.entries.filter(
        (entry) =>
          (state === undefined || entry.state === state) &&
          (category === undefined || (entry.record.category ?? '') === category) &&
          (tag === undefined || entry.record.tags.includes(tag)) &&
          (wanted === undefined || entry.record.name.toLowerCase().includes(wanted)),
      );
      const torrents = found.slice(offset, offset + limit).map((entry) => entry.row);
      return { total: found.length, torrents };
    },
  );
}

function addRoutes(api: Api, additions: Additions): void {
  api.post(
    '/torrents',
    {
      bodyLimit: MAX_TORRENT_BODY_BYTES,
      schema: {
        tags,
        summary: 'Add a torrent: a link or a torrent file',
        body: AddTorrent,
        response: { 201: TorrentDetails },
      },
    },
    async (request, reply) => {
      const entry = await additions.add(request.body);
      return reply.status(201).send(detailsOf(entry));
    },
  );
  api.post(
    '/torrents/preview',
    {
      bodyLimit: MAX_TORRENT_BODY_BYTES,
      schema: {
        tags,
        summary: 'What a link or torrent file holds, without adding it',
        body: AddTorrent,
        response: {
          200: Type.Object({
            id: TorrentId,
            name: Type.String(),
            isKnown: Type.Boolean(),
            totalBytes: Nullable(Type.Integer()),
            files: Nullable(
              Type.Array(
                Type.Object({
                  index: Type.Integer(),
                  path: Type.String(),
                  lengthBytes: Type.Integer(),
                }),
              ),
            ),
          }),
        },
      },
    },
    (request) => additions.preview(request.body),
  );
  api.post(
    '/shares',
    {
      schema: {
        tags,
        summary: 'Make a torrent of files of the node’s machine and seed it',
        body: ShareFiles,
        response: { 201: TorrentDetails },
      },
    },
    async (request, reply) => {
      const entry = await additions.share(request.body);
      return reply.status(201).send(detailsOf(entry));
    },
  );
}

function oneRoutes(api: Api, service: TorrentService): void {
  api.get(
    '/torrents/:id',
    {
      schema: { tags, summary: 'One torrent', params: Id, response: { 200: TorrentDetails } },
    },
    ({ params }) => detailsOf(service.get(params.id)),
  );
  api.patch(
    '/torrents/:id',
    {
      schema: {
        tags,
        summary: 'Change a torrent',
        params: Id,
        body: ChangeTorrent,
        response: { 200: TorrentDetails },
      },
    },
    async ({ params, body }) => {
      // Where it goes is decided before anything is changed.
      const { dir, ...changes } = body;
      const entry = await service.change(params.id, changes);
      if (dir !== undefined) await service.moveTo(params.id, dir);
      return detailsOf(entry);
    },
  );
  api.delete(
    '/torrents/:id',
    {
      schema: {
        tags,
        summary: 'Remove a torrent',
        params: Id,
        querystring: Type.Object({
          files: Type.Optional(
            Type.Boolean({ default: false, description: 'Remove its files from the disk, too.' }),
          ),
        }),
        response: { 200: Done },
      },
    },
    async ({ params, query }) => {
      await service.remove(params.id, query.files ?? false);
      return { ok: true as const };
    },
  );
  api.post(
    '/torrents/:id/rename',
    {
      schema: {
        tags,
        summary: 'Call a file or folder of it otherwise on this disk',
        params: Id,
        body: RenameInTorrent,
        response: { 200: TorrentDetails },
      },
    },
    async ({ params, body }) =>
      detailsOf(await service.rename(params.id, body.path ?? '', body.name)),
  );
  api.post(
    '/torrents/:id/peers',
    {
      schema: {
        tags,
        summary: 'Dial peers that you know of',
        params: Id,
        body: PeersOfTorrent,
        response: { 200: Done },
      },
    },
    async ({ params, body }) => {
      await service.addPeers(params.id, body.peers);
      return { ok: true as const };
    },
  );
  api.get(
    '/torrents/:id/torrent',
    { schema: { tags, summary: 'The torrent file', params: Id } },
    async ({ params }, reply) => {
      const entry = service.get(params.id);
      const bytes = entry.torrentFile();
      if (bytes === undefined) {
        const hint = 'wait until its metadata is there';
        throw apiError('ERR_API_NOT_FOUND', { what: 'torrent file of it yet', hint });
      }
      return reply
        .type('application/x-bittorrent')
        .header('content-disposition', `attachment; filename="${entry.id}.torrent"`)
        .send(Buffer.from(bytes));
    },
  );
}

function actionRoute(api: Api, service: TorrentService): void {
  api.post(
    '/torrents/actions',
    {
      schema: {
        tags,
        summary: 'Do something with many torrents',
        body: TorrentAction,
        response: {
          200: Type.Object({
            done: Type.Integer(),
            problems: Type.Array(Type.Object({ id: TorrentId, detail: Type.String() })),
          }),
        },
      },
    },
    async ({ body }) => {
      const ids = body.ids === 'all' ? service.entries.map(({ id }) => id) : body.ids;
      const problems: { id: string; detail: string }[] = [];
      await Promise.all(
        ids.map((id) =>
          act(service, body.action, id).catch((error: Error) => {
            problems.push({ id, detail: error.message });
          }),
        ),
      );
      return { done: ids.length - problems.length, problems };
    },
  );
}

async function act(
  service: TorrentService,
  action: TorrentAction['action'],
  id: string,
): Promise<void> {
  switch (action) {
    case 'pause':
    case 'resume':
      await service.change(id, { isPaused: action === 'pause' });
      return;
    case 'recheck':
      await service.recheck(id);
      return;
    case 'reannounce':
      service.get(id).torrent?.discovery.askAgain();
      return;
    case 'remove':
    case 'remove-with-files':
      await service.remove(id, action === 'remove-with-files');
      return;
  }
}
