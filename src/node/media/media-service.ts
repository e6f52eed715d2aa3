/**
 * Files of torrents over HTTP, to play while they download or to save: routes with ranges, subtitles, links for players.
 *
 * A player that knows no cookie gets a URL with a ticket in it, which is good for reading this one file for a day.
 * Bounds: MAX_STREAMS files read at a time; a reader that does not take what it gets holds one step of memory.
 * @module
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { TorrentId } from '../../contract/index.ts';
import { printableLine } from '../../lib/printable.ts';
import type { Info } from '../../protocol/metainfo/index.ts';
import type { NodeService } from '../daemon/service.ts';
import { nodeError } from '../errors.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { Torrent } from '../torrent.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';
import { mediaKindOf, subtitleFormatOf, subtitlesOf } from './media.ts';
import { readTorrentFile } from './reader.ts';
import { respondMedia, vttHeaders } from './respond.ts';
import { MAX_SUBTITLE_BYTES, srtToVtt } from './srt.ts';

// Implementation limits
/** Files that are read at a time. */
const MAX_STREAMS = 64;

const tags = ['media'];
const File = Type.Object({
  id: TorrentId,
  index: Type.Integer({ minimum: 0, description: 'Of the file in the torrent.' }),
});

interface Found {
  readonly torrent: Torrent;
  readonly info: Info;
}

/** The service. */
export class MediaService implements NodeService {
  readonly name = 'media';
  readonly #torrents: TorrentService;
  /** Makes a secret for reading one path. */
  readonly #ticketFor: (path: string) => string;
  readonly #abort = new AbortController();
  #streams = 0;

  constructor(torrents: TorrentService, ticketFor: (path: string) => string) {
    this.#torrents = torrents;
    this.#ticketFor = ticketFor;
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('the node ends'));
  }

  routes(api: Api): void {
    api.route({
      method: ['GET', 'HEAD'],
      url: '/torrents/:id/files/:index/content',
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'A file, or a range of it; what is missing is waited for and fetched first',
        params: File,
        querystring: Type.Object({
          download: Type.Optional(Type.Boolean({ description: 'To save it.' })),
          ticket: Type.Optional(Type.String({ maxLength: 200 })),
        }),
      },
      handler: (request, reply) => {
        const { id, index } = request.params;
        return this.#content(request, reply, id, index, request.query.download === true);
      },
    });
    this.#subtitleRoutes(api);
    api.post(
      '/torrents/:id/files/:index/ticket',
      {
        schema: {
          tags,
          summary: 'A URL of a file that players can open',
          params: File,
          response: { 200: Type.Object({ url: Type.String(), playlist: Type.String() }) },
        },
      },
      ({ params, protocol, host }) => {
        this.#find(params.id, params.index);
        const base = `/api/v1/torrents/${params.id}/files/${params.index}`;
        const url = (path: string): string =>
          `${protocol}://${host}${path}?ticket=${this.#ticketFor(path)}`;
        return { url: url(`${base}/content`), playlist: url(`${base}/playlist.m3u8`) };
      },
    );
    api.get(
      '/torrents/:id/files/:index/playlist.m3u8',
      { schema: { tags, summary: 'A playlist of one file, for players', params: File } },
      async ({ params, protocol, host }, reply) => {
        const { info } = this.#find(params.id, params.index);
        const path = `/api/v1/torrents/${params.id}/files/${params.index}/content`;
        const name = printableLine(info.files[params.index]!.path.at(-1)!);
        const url = `${protocol}://${host}${path}?ticket=${this.#ticketFor(path)}`;
        return reply.type('audio/x-mpegurl').send(`#EXTM3U\n#EXTINF:-1,${name}\n${url}\n`);
      },
    );
  }

  #subtitleRoutes(api: Api): void {
    api.get(
      '/torrents/:id/files/:index/subtitles',
      {
        schema: {
          tags,
          summary: 'Subtitles that belong to a video',
          params: File,
          response: {
            200: Type.Array(
              Type.Object({
                label: Type.String(),
                language: Type.String({ description: 'BCP 47; empty: not known.' }),
                url: Type.String(),
              }),
            ),
          },
        },
      },
      ({ params }) => {
        const { info } = this.#find(params.id, params.index);
        if (mediaKindOf(info.files[params.index]!.path.at(-1)!) !== 'video') return [];
        return subtitlesOf(info, params.index)
          .filter(({ format }) => format !== 'ass')
          .map(({ file, label, language }) => ({
            label: printableLine(label),
            language: language ?? '',
            url: `/api/v1/torrents/${params.id}/files/${file}/subtitles.vtt`,
          }));
      },
    );
    api.get(
      '/torrents/:id/files/:index/subtitles.vtt',
      { schema: { tags, summary: 'A file of subtitles as WebVTT', params: File } },
      async ({ params }, reply) => {
        const found = this.#find(params.id, params.index);
        const vtt = await this.#subtitles(found, params.index);
        return reply.headers(vttHeaders(vtt)).send(vtt);
      },
    );
  }

  async #content(
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    index: number,
    isDownload: boolean,
  ): Promise<FastifyReply> {
    const { torrent, info } = this.#find(id, index);
    const { method, headers } = request;
    const range = headers.range;
    const answer = respondMedia(
      {
        method,
        headers: { range, 'if-range': single(headers['if-range']) },
        isDownload,
      } as Parameters<typeof respondMedia>[0],
      info,
      index,
    );
    void reply.status(answer.status).headers(answer.headers);
    if (method === 'HEAD' || answer.lengthBytes === 0) return reply.send();
    if (this.#streams >= MAX_STREAMS) {
      throw apiError('ERR_API_TOO_MANY', { what: 'files that are read', most: MAX_STREAMS });
    }
    const { offsetBytes: begin, lengthBytes } = answer;
    const signal = this.#signalOf(reply);
    const parts = readTorrentFile(torrent, {
      file: index,
      begin,
      end: begin + lengthBytes,
      signal,
    });
    // What cannot come is told while there still is a status to tell it by.
    const first = await parts.next();
    this.#streams += 1;
    const stream = Readable.from(rest(first, parts), { objectMode: false });
    stream.once('close', () => {
      this.#streams -= 1;
    });
    return reply.send(stream);
  }

  /** Ends with the request's connection, or the node. */
  #signalOf(reply: FastifyReply): AbortSignal {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new Error('the reader is gone')));
    return AbortSignal.any([gone.signal, this.#abort.signal]);
  }

  async #subtitles({ torrent, info }: Found, index: number): Promise<string> {
    const file = info.files[index]!;
    const name = file.path.at(-1)!;
    const format = subtitleFormatOf(name);
    const isText = format === 'srt' || format === 'vtt';
    if (!isText || file.lengthBytes > MAX_SUBTITLE_BYTES) {
      const reason = isText ? 'it is too large for subtitles' : 'expected a name with .srt or .vtt';
      throw nodeError('ERR_READ', { name, reason });
    }
    const parts: Uint8Array[] = [];
    const { signal } = this.#abort;
    for await (const part of readTorrentFile(torrent, { file: index, signal })) parts.push(part);
    const vtt = srtToVtt(Buffer.concat(parts));
    if (vtt !== undefined) return vtt;
    throw nodeError('ERR_READ', { name, reason: 'it holds no subtitles that can be read' });
  }

  /** @throws {AppError} ERR_API_NOT_FOUND, ERR_READ before the metadata. */
  #find(id: string, index: number): Found {
    const entry = this.#torrents.get(id);
    const { torrent } = entry;
    const info = torrent?.info;
    if (torrent === undefined || info === undefined) {
      const reason = entry.error ?? 'its files are not known yet: wait for the metadata';
      throw nodeError('ERR_READ', { name: entry.record.name, reason });
    }
    const file = info.files[index];
    if (file === undefined || file.isPad || file.symlinkTarget !== undefined) {
      const hint = `GET /api/v1/torrents/${id} lists its files`;
      throw apiError('ERR_API_NOT_FOUND', { what: `file ${index} in it`, hint });
    }
    return { torrent, info };
  }
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  parts: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done === true) return;
  yield first.value;
  yield* parts;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
