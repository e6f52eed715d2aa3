/**
 * Turns what a person gives (magnet link, torrent file, URL of one) into a torrent's source, and describes it.
 * @module
 */
import fs from 'node:fs/promises';
import { nodeCrypto } from '../io/crypto.ts';
import type { HttpResponse } from '../io/http.ts';
import { isSpecialAddress, type ReachPolicy } from '../io/reach-policy.ts';
import {
  formatMagnet,
  parseMagnet,
  parseMetainfo,
  type TorrentVersion,
} from '../protocol/metainfo/index.ts';
import { CLIENT_NAME } from './config.ts';
import { nodeError } from './errors.ts';
import { hexHashes } from './hex-hashes.ts';
import { shownPath } from './selection.ts';
import type { TorrentSource } from './torrent-types.ts';

// Implementation limits
/** Largest torrent file read or fetched. */
const MAX_TORRENT_BYTES = 128 * 1024 * 1024;
/** How long the fetch of a torrent file may take. */
const FETCH_TIMEOUT_MS = 60_000;

/** A torrent as `starling info --json` shows it. */
export interface TorrentDescription {
  readonly kind: 'torrent' | 'magnet';
  readonly name: string;
  readonly version?: TorrentVersion;
  readonly infoHashV1?: string;
  readonly infoHashV2?: string;
  readonly magnet: string;
  readonly totalBytes?: number;
  readonly pieceLength?: number;
  readonly pieceCount?: number;
  readonly isPrivate?: boolean;
  readonly files?: readonly { readonly path: string; readonly length: number }[];
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly peers?: readonly string[];
  readonly comment?: string;
  readonly createdBy?: string;
  readonly creationDate?: string;
}

/** Parses the bytes of a torrent file. @param what names it in the error. @throws {AppError} ERR_SOURCE. */
export function sourceFromBytes(bytes: Uint8Array, what: string): TorrentSource {
  const parsed = parseMetainfo(bytes, nodeCrypto);
  if (!parsed.ok) throw nodeError('ERR_SOURCE', { what, reason: parsed.message });
  return { kind: 'metainfo', metainfo: parsed.value };
}

/**
 * Reads a source.
 * @param text a magnet link, the path of a torrent file, or an http(s) URL of one.
 * @param policy what may be contacted; needed for URLs.
 * @throws {AppError} ERR_SOURCE, ERR_FILE, ERR_OFFLINE.
 */
export async function readSource(text: string, policy?: ReachPolicy): Promise<TorrentSource> {
  if (/^magnet:/i.test(text)) return sourceFromLink(text);
  if (/^https?:\/\//i.test(text)) return (await fetchSource(text, policy)).source;
  return sourceFromBytes(await readTorrentBytes(text), text);
}

/** Parses a magnet link. @throws {AppError} ERR_SOURCE. */
export function sourceFromLink(text: string): TorrentSource {
  const parsed = parseMagnet(text);
  if (!parsed.ok) throw nodeError('ERR_SOURCE', { what: 'The link', reason: parsed.message });
  return { kind: 'magnet', magnet: parsed.value };
}

/** Fetches the torrent file behind an http(s) URL. @throws {AppError} ERR_SOURCE, ERR_OFFLINE. */
export async function fetchSource(
  url: string,
  policy?: ReachPolicy,
): Promise<{ readonly source: TorrentSource; readonly bytes: Uint8Array }> {
  const { body, address } = await fetchTorrent(url, policy);
  const source = { ...sourceFromBytes(body, url), isFromPublic: !isSpecialAddress(address) };
  return { source, bytes: body };
}

/** Reads a torrent file of this machine. @throws {AppError} ERR_SOURCE. */
export async function readTorrentBytes(text: string): Promise<Uint8Array> {
  try {
    const stat = await fs.stat(text);
    if (!stat.isFile()) {
      throw nodeError('ERR_SOURCE', { what: text, reason: 'expected a file, got a folder' });
    }
    if (stat.size > MAX_TORRENT_BYTES) {
      const reason = `expected at most ${MAX_TORRENT_BYTES} bytes, got ${stat.size}`;
      throw nodeError('ERR_SOURCE', { what: text, reason });
    }
    return await fs.readFile(text);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === undefined) throw error;
    throw nodeError('ERR_SOURCE', { what: text, reason: `it cannot be read (${code})` }, error);
  }
}

async function fetchTorrent(url: string, policy: ReachPolicy | undefined): Promise<HttpResponse> {
  const { httpGet } = await import('../io/http.ts');
  const reply = await httpGet(url, {
    timeoutMs: FETCH_TIMEOUT_MS,
    maxBytes: MAX_TORRENT_BYTES,
    userAgent: CLIENT_NAME,
    ...(policy === undefined ? {} : { policy }),
  }).catch((error: Error) => {
    throw nodeError('ERR_SOURCE', { what: url, reason: error.message }, error);
  });
  if (reply.status !== 200) {
    const reason = `expected status 200, got ${reply.status}`;
    throw nodeError('ERR_SOURCE', { what: url, reason });
  }
  return reply;
}

/** A link without a torrent of its own, that leads to the newest one of its publisher (BEP 46, publication.ts). */
export function isPublicationLink(text: string): boolean {
  return /^magnet:.*[?&]xs=urn(?::|%3a)btpk/i.test(text) && !/[?&]xt=/i.test(text);
}

/** What there is to say about a source. */
export function describeSource(source: TorrentSource): TorrentDescription {
  if (source.kind === 'magnet') {
    const { magnet } = source;
    const hashes = hexHashes(magnet);
    return {
      kind: 'magnet',
      name: magnet.displayName ?? hashes.infoHashV1 ?? hashes.infoHashV2 ?? '',
      ...hashes,
      magnet: formatMagnet(magnet),
      trackers: magnet.trackers.map((url) => [url]),
      webSeeds: magnet.webSeeds,
      peers: magnet.peers.map(({ host, port }) =>
        host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
      ),
    };
  }
  const { info, trackers, webSeeds, comment, createdBy, creationDateSec } = source.metainfo;
  const files = info.files
    .map((file, index) => ({ file, path: shownPath(info, index) }))
    .filter(({ file }) => !file.isPad)
    .map(({ file, path }) => ({ path, length: file.lengthBytes }));
  return {
    kind: 'torrent',
    name: info.name,
    version: info.version,
    ...hexHashes(info),
    magnet: formatMagnet({
      ...(info.infoHashV1 === undefined ? {} : { infoHashV1: info.infoHashV1 }),
      ...(info.infoHashV2 === undefined ? {} : { infoHashV2: info.infoHashV2 }),
      displayName: info.name,
      trackers: trackers.flat(),
      webSeeds,
    }),
    totalBytes: info.totalBytes,
    pieceLength: info.pieceLengthBytes,
    pieceCount: info.pieceCount,
    isPrivate: info.isPrivate,
    files,
    trackers,
    webSeeds,
    ...(comment === undefined ? {} : { comment }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(creationDateSec === undefined
      ? {}
      : { creationDate: new Date(creationDateSec * 1000).toISOString() }),
  };
}
