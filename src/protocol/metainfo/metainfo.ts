/**
 * Parses a torrent file: the info dictionary and what stands around it.
 *
 * Spec: BEP 3, 5 (`nodes`), 12 (`announce-list`), 19 (`url-list`), 52 (`piece layers`). What is optional and malformed is left out; what
 * carries hashes is checked. A missing piece layer is no fault: like the info of a magnet, it can come from peers.
 * Bounds: 128 MiB, 500 trackers, 200 web seeds, 100 nodes, 4 KiB a URL.
 * @module
 */
import { equalBytes, fromLatin1, toHex } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { Crypto } from '../../lib/ports.ts';
import { decodeUtf8 } from '../../lib/utf8.ts';
import { BencodeDict, type BencodeValue, decodePrefix, typeName } from '../bencode/index.ts';
import type { MetainfoErrorCode } from './errors.ts';
import { MAX_NESTING, MAX_TOKENS, type ParseOptions, readInfo } from './info.ts';
import { V2_HASH_LENGTH_BYTES as V2_HASH } from './limits.ts';
import { rootOfPieceLayer } from './merkle.ts';
import { type Info, type Metainfo, VERSION_TRAITS } from './types.ts';

// Implementation limits

/** 2^21 pieces have 106 MiB of hashes in a hybrid. */
const MAX_METAINFO_LENGTH_BYTES = 134_217_728;
const MAX_TRACKERS = 500;
const MAX_WEB_SEEDS = 200;
const MAX_NODES = 100;
const MAX_URL_LENGTH = 4096;

type Parsed<T> = Result<T, MetainfoErrorCode>;

/**
 * Parses a torrent file. White space behind it is accepted, other trailing bytes are not.
 * @param bytes at most 128 MiB; kept as views: don't change them afterwards.
 */
export function parseMetainfo(
  bytes: Uint8Array,
  crypto: Crypto,
  options?: ParseOptions,
): Parsed<Metainfo> {
  const root = decodeRoot(bytes);
  if (!root.ok) return root;
  const infoDict = root.value.dict('info');
  if (infoDict === undefined) {
    return fail(
      'ERR_METAINFO_INFO_MISSING',
      `expected a dictionary as info, got ${typeName(root.value.get('info'))}`,
    );
  }
  const info = readInfo(infoDict, crypto, options);
  if (!info.ok) return info;
  const pieceLayers = verifyPieceLayers(info.value, root.value.get('piece layers'), crypto);
  if (!pieceLayers.ok) return pieceLayers;
  const comment = root.value.text('comment.utf-8') ?? root.value.text('comment');
  const createdBy = root.value.text('created by');
  const creationDateSec = root.value.int('creation date');
  return ok({
    info: info.value,
    pieceLayers: pieceLayers.value,
    trackers: readTrackers(root.value),
    webSeeds: readWebSeeds(root.value.get('url-list'), !info.value.isSingleFile),
    nodes: readNodes(root.value.list('nodes') ?? []),
    ...(comment !== undefined && { comment }),
    ...(createdBy !== undefined && { createdBy }),
    ...(creationDateSec !== undefined && creationDateSec >= 0 && { creationDateSec }),
  });
}

function decodeRoot(bytes: Uint8Array): Parsed<BencodeDict> {
  if (bytes.length > MAX_METAINFO_LENGTH_BYTES) {
    return fail(
      'ERR_METAINFO_TOO_LARGE',
      `expected at most ${MAX_METAINFO_LENGTH_BYTES} bytes, got ${bytes.length}`,
    );
  }
  const decoded = decodePrefix(bytes, { maxDepth: MAX_NESTING + 1, maxTokens: MAX_TOKENS });
  if (!decoded.ok) return decoded;
  const { value, lengthBytes } = decoded.value;
  if (!bytes.subarray(lengthBytes).every(isWhiteSpace)) {
    return fail('ERR_BENCODE_TRAILING', `expected the end at byte ${lengthBytes}, got more`);
  }
  if (value instanceof BencodeDict) return ok(value);
  return fail('ERR_BENCODE_TYPE', `expected a torrent to be a dictionary, got ${typeName(value)}`);
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * Checks piece layers against the roots of the files they belong to (BEP 52).
 * @param value the decoded `piece layers`, or undefined when there are none.
 * @returns verified layers by lower-case hex of the root; fewer than there are files when some are missing.
 */
export function verifyPieceLayers(
  info: Info,
  value: BencodeValue | undefined,
  crypto: Crypto,
): Parsed<ReadonlyMap<string, Uint8Array>> {
  const layers = new Map<string, Uint8Array>();
  if (value === undefined || !VERSION_TRAITS[info.version].hasV2) return ok(layers);
  if (!(value instanceof BencodeDict)) {
    return fail(
      'ERR_METAINFO_PIECE_LAYER',
      `expected a dictionary as piece layers, got ${typeName(value)}`,
    );
  }
  const pieceCounts = new Map<string, number>();
  for (const file of info.files) {
    if (file.piecesRoot === undefined || file.lengthBytes <= info.pieceLengthBytes) continue;
    const pieces = Math.ceil(file.lengthBytes / info.pieceLengthBytes);
    pieceCounts.set(toHex(file.piecesRoot), pieces);
  }
  for (const [key, layer] of value.entries()) {
    const root = fromLatin1(key);
    const pieces = pieceCounts.get(toHex(root));
    if (pieces === undefined) {
      return fail(
        'ERR_METAINFO_PIECE_LAYER',
        `expected layers of files larger than a piece, got one of root ${toHex(root)}`,
      );
    }
    if (!(layer instanceof Uint8Array) || layer.length !== pieces * V2_HASH) {
      const found = layer instanceof Uint8Array ? `${layer.length} bytes` : typeName(layer);
      return fail(
        'ERR_METAINFO_PIECE_LAYER',
        `expected a layer of ${pieces} hashes of ${V2_HASH} bytes, got ${found}`,
      );
    }
    if (!equalBytes(rootOfPieceLayer(crypto, layer, info.pieceLengthBytes), root)) {
      return fail(
        'ERR_METAINFO_PIECE_LAYER',
        `expected a layer that hashes to root ${toHex(root)}, got another`,
      );
    }
    layers.set(toHex(root), layer);
  }
  return ok(layers);
}

/** BEP 12: with a usable `announce-list`, `announce` is ignored. A flat list, which some make, is one tier each. */
function readTrackers(root: BencodeDict): string[][] {
  const tiers: string[][] = [];
  const seen = new Set<string>();
  for (const tier of root.list('announce-list') ?? []) {
    const urls: string[] = [];
    for (const value of Array.isArray(tier) ? tier : [tier]) {
      const url = readUrl(value, /^(?:https?|udp|wss?):\/\//i);
      if (url === undefined || seen.has(url) || seen.size === MAX_TRACKERS) continue;
      seen.add(url);
      urls.push(url);
    }
    if (urls.length > 0) tiers.push(urls);
  }
  if (tiers.length > 0) return tiers;
  const announce = readUrl(root.get('announce'), /^(?:https?|udp|wss?):\/\//i);
  return announce === undefined ? [] : [[announce]];
}

/** BEP 19: one URL or a list; those of a multi-file torrent name a folder. */
function readWebSeeds(value: BencodeValue | undefined, isMultiFile: boolean): string[] {
  const seeds = new Set<string>();
  for (const item of Array.isArray(value) ? value : [value]) {
    const url = readUrl(item, /^https?:\/\//i)?.replaceAll(' ', '%20');
    if (url === undefined || seeds.size === MAX_WEB_SEEDS) continue;
    seeds.add(isMultiFile && !url.endsWith('/') ? `${url}/` : url);
  }
  return [...seeds];
}

function readUrl(value: BencodeValue | undefined, schemes: RegExp): string | undefined {
  if (!(value instanceof Uint8Array) || value.length > MAX_URL_LENGTH) return undefined;
  const url = decodeUtf8(value).trim();
  return schemes.test(url) ? url : undefined;
}

/** BEP 5: a list of [host, port]. */
function readNodes(list: readonly BencodeValue[]): { host: string; port: number }[] {
  const nodes: { host: string; port: number }[] = [];
  for (const item of list) {
    if (nodes.length === MAX_NODES) break;
    const [host, port] = Array.isArray(item) ? item : [];
    if (!(host instanceof Uint8Array) || host.length === 0 || host.length > 255) continue;
    if (typeof port !== 'number' || port < 1 || port > 65_535) continue;
    nodes.push({ host: decodeUtf8(host), port });
  }
  return nodes;
}
