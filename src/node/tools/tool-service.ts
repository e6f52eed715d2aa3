/**
 * Work on files of the node's machine, as a service: looking into folders, making torrent files, checking files against them; and questions about torrents that are not in the list (source-routes.ts).
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import Type from 'typebox';
import { Bytes, Nullable } from '../../contract/index.ts';
import { createTorrent } from '../create.ts';
import type { NodeService } from '../daemon/service.ts';
import { nodeError } from '../errors.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import { describeSource, sourceFromBytes } from '../source.ts';
import type { TorrentSource } from '../torrent-types.ts';
import { expectAbsolute } from '../torrents/addition.ts';
import { verifyFiles } from '../verify.ts';
import { type SourceRoutesNeeds, sourceRoutes } from './source-routes.ts';

// Implementation limits
/** Entries of a folder in one answer. */
const MAX_ENTRIES = 5_000;
/** Hashing jobs at a time: each uses all cores. */
const MAX_JOBS = 2;
/** Body of a request that holds a torrent file of 128 MiB as base64. */
const MAX_TORRENT_BODY_BYTES = 192 * 1024 * 1024;

const tags = ['tools'];
const Path = Type.String({ minLength: 1, maxLength: 4096, description: 'Absolute.' });
const Url = Type.String({ minLength: 1, maxLength: 2048 });
const TorrentBase64 = Type.String({ maxLength: 180_000_000, description: 'base64' });

const Entry = Type.Object({
  name: Type.String(),
  isFolder: Type.Boolean(),
  bytes: Nullable(Bytes),
});

const Create = Type.Object(
  {
    path: Path,
    format: Type.Optional(
      Type.Union([Type.Literal('v1'), Type.Literal('v2'), Type.Literal('hybrid')]),
    ),
    pieceLengthBytes: Type.Optional(Type.Integer({ minimum: 16_384, maximum: 536_870_912 })),
    trackers: Type.Optional(Type.Array(Url, { maxItems: 100 })),
    webSeeds: Type.Optional(Type.Array(Url, { maxItems: 100 })),
    isPrivate: Type.Optional(Type.Boolean()),
    comment: Type.Optional(Type.String({ maxLength: 10_000 })),
  },
  { $id: 'CreateTorrent', additionalProperties: false },
);

/** What is needed of the rest of the node. */
export interface ToolServiceOptions extends Omit<SourceRoutesNeeds, 'signal'> {
  /** Where a person begins to look for files. */
  readonly start: () => string;
}

/** The service. */
export class ToolService implements NodeService {
  readonly name = 'tools';
  readonly #options: ToolServiceOptions;
  readonly #abort = new AbortController();
  #jobs = 0;

  constructor(options: ToolServiceOptions) {
    this.#options = options;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
  }

  routes(api: Api): void {
    api.get(
      '/folders',
      {
        schema: {
          tags,
          summary: 'What is in a folder of the node’s machine',
          querystring: Type.Object({ path: Type.Optional(Path) }),
          response: {
            200: Type.Object({
              path: Type.String(),
              parent: Nullable(Type.String()),
              entries: Type.Array(Entry),
            }),
          },
        },
      },
      ({ query }) => folder(query.path ?? this.#options.start()),
    );
    this.#createRoute(api);
    this.#verifyRoute(api);
    sourceRoutes(api, { ...this.#options, signal: this.#abort.signal });
  }

  #createRoute(api: Api): void {
    const created = Type.Object({
      torrent: TorrentBase64,
      name: Type.String(),
      magnet: Type.String(),
    });
    api.post(
      '/tools/create',
      {
        schema: { tags, summary: 'Make a torrent file', body: Create, response: { 200: created } },
      },
      ({ body }) =>
        this.#job(async (signal) => {
          expectAbsolute(body.path);
          const { path: target, format: version, trackers = [], ...rest } = body;
          const made = await createTorrent(target, {
            ...rest,
            ...(version === undefined ? {} : { version }),
            trackers: trackers.map((url) => [url]),
            signal,
          });
          const { metainfo, bytes } = made;
          const { name, magnet } = describeSource({ kind: 'metainfo', metainfo });
          return { torrent: Buffer.from(bytes).toString('base64'), name, magnet };
        }),
    );
  }

  #verifyRoute(api: Api): void {
    api.post(
      '/tools/verify',
      {
        bodyLimit: MAX_TORRENT_BODY_BYTES,
        schema: {
          tags,
          summary: 'Check files against a torrent file',
          body: Type.Object(
            { torrent: TorrentBase64, dir: Path },
            { $id: 'VerifyFiles', additionalProperties: false },
          ),
          response: {
            200: Type.Object({
              name: Type.String(),
              isComplete: Type.Boolean(),
              pieces: Type.Integer(),
              goodPieces: Type.Integer(),
              files: Type.Array(
                Type.Object({
                  path: Type.String(),
                  lengthBytes: Type.Integer(),
                  pieces: Type.Integer(),
                  goodPieces: Type.Integer(),
                }),
              ),
            }),
          },
        },
      },
      ({ body }) =>
        this.#job(async (signal) => {
          expectAbsolute(body.dir);
          const { metainfo } = fileSource(body.torrent);
          const report = await verifyFiles(metainfo, body.dir, { signal });
          return { ...report, files: report.files.map((file) => ({ ...file })) };
        }),
    );
  }

  async #job<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#jobs >= MAX_JOBS) {
      throw apiError('ERR_API_TOO_MANY', { what: 'jobs that hash files', most: MAX_JOBS });
    }
    this.#jobs += 1;
    try {
      return await work(this.#abort.signal);
    } finally {
      this.#jobs -= 1;
    }
  }
}

/** @throws {AppError} ERR_SOURCE. */
function fileSource(base64: string): Extract<TorrentSource, { kind: 'metainfo' }> {
  const source = sourceFromBytes(Buffer.from(base64, 'base64'), 'The file');
  if (source.kind === 'metainfo') return source;
  throw nodeError('ERR_SOURCE', { what: 'The file', reason: 'expected a torrent file' });
}

interface Folder {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: { name: string; isFolder: boolean; bytes: number | null }[];
}

/** Folders first, by name. @throws {AppError} ERR_CONFIG, ERR_FILE. */
async function folder(where: string): Promise<Folder> {
  expectAbsolute(where);
  const at = path.resolve(where);
  let found: import('node:fs').Dirent[];
  try {
    found = await fs.readdir(at, { withFileTypes: true });
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    throw nodeError('ERR_FILE', { path: at, code, operation: 'read' }, error);
  }
  const kept = found
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .toSorted((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || order(a.name, b.name))
    .slice(0, MAX_ENTRIES);
  const entries = await Promise.all(
    kept.map(async (entry) => {
      const isFolder = entry.isDirectory();
      const stat = isFolder ? undefined : await fs.stat(path.join(at, entry.name)).catch(() => {});
      return { name: entry.name, isFolder, bytes: stat?.size ?? null };
    }),
  );
  const parent = path.dirname(at);
  return { path: at, parent: parent === at ? null : parent, entries };
}

function order(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
