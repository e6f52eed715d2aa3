/**
 * A web seed (BEP 19) of this node: serves the files of torrents over HTTP, to browsers and to clients that know no peers yet.
 *
 * The base of a torrent's files is "/" and then its name; of a second torrent with the same name "/2/", and so on. Only files of torrents that were
 * given a place are known (protocol/web-seed/serve.ts), and only bytes that were verified and have not changed since are sent: a file that
 * another program touches in the middle of an answer ends its connection, and is looked at again. Upload limits and counts hold as for peers.
 * Private torrents (BEP 27) are refused: here everybody may ask.
 * Bounds: those of io/http-server.ts; STEP_BYTES of memory for each connection.
 * @module
 */
import { once } from 'node:events';
import {
  type HttpQuestion,
  type HttpReply,
  type HttpServer,
  type HttpServerLimits,
  serveHttp,
} from '../io/http-server.ts';
import type { Endpoint } from '../io/tcp.ts';
import { DiskFaultError } from '../plane/file-table.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import { answerFile, entityTag, requestedPath, servedPaths } from '../protocol/web-seed/index.ts';
import { formatEndpoint, reachableEndpoints } from './address.ts';
import { CLIENT_NAME } from './config.ts';
import { nodeError } from './errors.ts';
import { type FileSpan, firstMissing, readSpan } from './file-span.ts';
import type { Outlet } from './outlet.ts';
import type { Torrent } from './torrent.ts';

// Implementation limits
/** Bytes that are read and sent at a time. */
const STEP_BYTES = 65_536;
/** Least bytes of a turn at the upload limit: a block. */
const TURN_BYTES = 16_384;
/** Seconds after which a client may ask again for what cannot be sent now. */
const RETRY_AFTER_S = 10;

/** Options of `WebSeedServer.open`. */
export interface WebSeedServerOptions extends Endpoint {
  readonly limits?: Partial<HttpServerLimits>;
  /** Addresses without a bound of connections of their own. */
  readonly isExempt?: (host: string) => boolean;
}

/** Where a torrent is served. */
export interface WebPlace {
  /** Its web seed URLs, one for each address of this machine that the server listens on. */
  readonly urls: readonly string[];
  /** Begins to serve a torrent whose metadata is known. @throws {AppError} ERR_CONFIG for a private one. */
  serve(torrent: Torrent): void;
}

interface Served {
  readonly torrent: Torrent;
  readonly info: Info;
  readonly paths: ReadonlyMap<string, number>;
}

/** Serves torrents over HTTP until it is closed. */
export class WebSeedServer {
  #server: HttpServer | undefined;
  /** Torrents by the number of their folder, from 1. */
  readonly #served = new Map<number, Served[]>();
  readonly #names = new Map<string, number>();

  /** Listens. @throws {AppError} ERR_LISTEN. */
  static async open(options: WebSeedServerOptions): Promise<WebSeedServer> {
    const web = new WebSeedServer();
    try {
      web.#server = await serveHttp({ ...options, onRequest: (question) => web.#answer(question) });
    } catch (error) {
      const { code = 'EINVAL' } = error as NodeJS.ErrnoException;
      const endpoint = formatEndpoint(options);
      throw nodeError('ERR_LISTEN', { endpoint, code, option: '--web' }, error);
    }
    return web;
  }

  /** The address and port that it listens on. */
  get endpoint(): Endpoint {
    return this.#server!.endpoint;
  }

  /** A place for a torrent, so that its URLs can be told before it is made. @param name the torrent's. */
  reserve(name: string): WebPlace {
    const folder = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, folder);
    const path = folder === 1 ? '/' : `/${folder}/`;
    return {
      urls: reachableEndpoints(this.endpoint).map((one) => `http://${formatEndpoint(one)}${path}`),
      serve: (torrent) => this.#serve(folder, torrent),
    };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  #serve(folder: number, torrent: Torrent): void {
    const { info } = torrent;
    if (info === undefined || info.isPrivate) {
      const got = `${torrent.name}, which is ${info === undefined ? 'not known' : 'private'}`;
      const expected = 'a torrent that may be given to everybody';
      throw nodeError('ERR_CONFIG', { what: '--web', expected, got });
    }
    const here = this.#served.get(folder) ?? [];
    const served: Served = { torrent, info, paths: servedPaths(info) };
    this.#served.set(folder, [...here, served]);
    torrent.on('state', ({ state }) => {
      if (state !== 'stopped') return;
      const others = this.#served.get(folder)!.filter((other) => other !== served);
      this.#served.set(folder, others);
    });
  }

  #find(target: string): { readonly served: Served; readonly fileIndex: number } | undefined {
    const path = requestedPath(target);
    if (path === undefined) return undefined;
    const [, number, rest] = /^([1-9]\d{0,6})\/(.*)$/s.exec(path) ?? [];
    // A torrent in the first folder may have a number for its name.
    for (const [folder, below] of [[1, path] as const, [Number(number), rest ?? ''] as const]) {
      for (const served of this.#served.get(folder) ?? []) {
        const fileIndex = served.paths.get(below);
        if (fileIndex !== undefined) return { served, fileIndex };
      }
    }
    return undefined;
  }

  #answer({ method, target, headers, signal }: HttpQuestion): HttpReply {
    const server = { server: CLIENT_NAME };
    const found = this.#find(target);
    if (found === undefined) return { status: 404, headers: { ...server, 'content-length': '0' } };
    const { served, fileIndex } = found;
    const { info, torrent } = served;
    const file = { ...info.files[fileIndex]!, etag: entityTag(info, fileIndex) };
    const { status, headers: told, ...part } = answerFile({ method, headers }, file);
    const reply = { status, headers: { ...server, ...told } };
    if (part.lengthBytes === 0) return reply;
    const span = { info, fileIndex, ...part };
    const { outlet } = torrent.service;
    if (outlet === undefined || firstMissing(outlet.have, span) !== undefined) {
      const again = { 'retry-after': String(RETRY_AFTER_S), 'content-length': '0' };
      return { status: 503, headers: { ...server, ...again } };
    }
    return { ...reply, body: bodyOf(() => torrent.service.outlet, span, signal) };
  }
}

/** A span step by step, as fast as the limits allow. @throws when it cannot be sent to its end. */
async function* bodyOf(
  outletNow: () => Outlet | undefined,
  span: FileSpan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(STEP_BYTES, span.lengthBytes));
  const turns = new EventTarget();
  const wake = (): void => void turns.dispatchEvent(new Event('turn'));
  let outlet: Outlet | undefined;
  try {
    for (let at = 0; at < span.lengthBytes; ) {
      outlet = outletNow();
      if (outlet === undefined || signal.aborted) throw new Error('the torrent rests');
      const allowed = outlet.available(wake);
      if (allowed <= 0) {
        await once(turns, 'turn', { signal });
        continue;
      }
      const most = Math.min(buffer.length, Math.max(allowed, TURN_BYTES));
      const lengthBytes = Math.min(most, span.lengthBytes - at);
      const part = { ...span, offsetBytes: span.offsetBytes + at, lengthBytes };
      if (firstMissing(outlet.have, part) !== undefined) throw new Error('a piece was lost');
      const bytes = buffer.subarray(0, lengthBytes);
      const fault = await readSpan(outlet.source.files, part, bytes);
      if (fault !== undefined) {
        outlet.failed(fault);
        throw new DiskFaultError(fault, undefined);
      }
      outlet.sent(wake, lengthBytes);
      yield bytes;
      at += lengthBytes;
    }
  } finally {
    outlet?.forget(wake);
  }
}
