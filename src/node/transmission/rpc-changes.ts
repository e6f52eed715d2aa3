/**
 * Adding and changing torrents by Transmission's RPC (rpc-spec, sections 3.2 "torrent-set" and 3.4 "torrent-add").
 * @module
 */
import path from 'node:path';
import {
  type AddTorrent,
  type ChangeTorrent,
  formatTiers,
  parseTiers,
  type Tiers,
} from '../../contract/index.ts';
import { AppError } from '../../lib/errors.ts';
import { readTorrentBytes } from '../source.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import { filesOf } from '../torrents/torrent-rows.ts';
import { judgedTiers, withAdded, withChanged } from '../torrents/tracker-lists.ts';
import { type RpcArguments, type RpcContext, RpcError, stringsOf } from './rpc-call.ts';

/** Priorities of the engine for the three of Transmission. */
const PRIORITIES = { low: 1, normal: 4, high: 7 } as const;

/** Adds one. A torrent that is there already is told of, which remotes know. */
export async function addTorrent(rpc: RpcContext, values: RpcArguments): Promise<object> {
  const wish = await wishOf(values);
  try {
    const entry = await rpc.options.torrents.additions.add(wish);
    return { 'torrent-added': shortOf(rpc, entry) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'ERR_DUPLICATE') throw error;
    const { infoHash } = error.details as { infoHash: string };
    return { 'torrent-duplicate': shortOf(rpc, rpc.options.torrents.get(infoHash)) };
  }
}

function shortOf(rpc: RpcContext, entry: TorrentEntry): object {
  return { id: rpc.idOf(entry), name: entry.record.name, hashString: entry.id };
}

async function wishOf(values: RpcArguments): Promise<AddTorrent> {
  const { metainfo, filename, paused, labels } = values;
  const dir = values['download-dir'];
  const source =
    typeof metainfo === 'string'
      ? { torrent: metainfo }
      : typeof filename === 'string'
        ? await sourceOf(filename)
        : undefined;
  if (source === undefined) throw new RpcError('no filename or metainfo specified');
  return {
    ...source,
    ...(typeof paused === 'boolean' ? { isPaused: paused } : {}),
    tags: stringsOf(labels),
    ...(typeof dir === 'string' && dir !== '' ? { dir } : {}),
    ...(typeof values['sequentialDownload'] === 'boolean'
      ? { isSequential: values['sequentialDownload'] }
      : {}),
  };
}

/** A link, or a torrent file on the node's machine, as the original takes them. */
async function sourceOf(filename: string): Promise<AddTorrent> {
  if (/^(?:magnet:|https?:\/\/)/i.test(filename)) return { link: filename };
  if (/^[0-9a-f]{40}$/i.test(filename)) return { link: `magnet:?xt=urn:btih:${filename}` };
  if (!path.isAbsolute(filename)) throw new RpcError('expected an absolute path, a link or a hash');
  return { torrent: Buffer.from(await readTorrentBytes(filename)).toString('base64') };
}

/** Changes those that `ids` names. */
export async function setTorrents(rpc: RpcContext, values: RpcArguments): Promise<object> {
  for (const entry of rpc.meant(values)) {
    const changes = changesOf(entry, values);
    const trackers = trackerChanges(entry, values);
    if (trackers !== undefined) changes.trackers = trackers.map((tier) => [...tier]);
    if (Object.keys(changes).length > 0) await rpc.options.torrents.change(entry.id, changes);
    const location = values['location'];
    if (typeof location === 'string') await rpc.options.torrents.moveTo(entry.id, location);
  }
  return {};
}

function changesOf(entry: TorrentEntry, values: RpcArguments): ChangeTorrent {
  const changes: ChangeTorrent = {};
  for (const way of ['download', 'upload'] as const) {
    const limit = values[`${way}Limit`];
    const isLimited = values[`${way}Limited`];
    if (isLimited === false) changes[`${way}LimitBytesPerSec`] = 0;
    else if (isNumber(limit)) changes[`${way}LimitBytesPerSec`] = Math.round(limit * 1000);
  }
  const limits = shareLimitsOf(entry, values);
  if (limits !== undefined) changes.shareLimits = limits;
  if (Array.isArray(values['labels'])) {
    const labels = stringsOf(values['labels']);
    changes.tags = labels.filter((label) => label !== entry.record.category);
  }
  if (typeof values['sequentialDownload'] === 'boolean') {
    changes.isSequential = values['sequentialDownload'];
  }
  const position = values['queuePosition'];
  if (position === 0) changes.queue = 'top';
  const files = priorityChanges(entry, values);
  if (files.length > 0) changes.files = files;
  return changes;
}

/** Modes: 0 as the session, 1 its own limit, 2 none. */
function shareLimitsOf(entry: TorrentEntry, values: RpcArguments): ChangeTorrent['shareLimits'] {
  const limits: NonNullable<ChangeTorrent['shareLimits']> = {};
  const { seedRatioMode, seedRatioLimit, seedIdleMode, seedIdleLimit } = values;
  if (seedRatioMode === 2) limits.ratio = null;
  else if (isNumber(seedRatioLimit)) limits.ratio = seedRatioLimit;
  if (seedIdleMode === 2) limits.idleSeconds = null;
  else if (isNumber(seedIdleLimit)) limits.idleSeconds = seedIdleLimit * 60;
  const isEmpty = Object.keys(limits).length === 0;
  return isEmpty
    ? undefined
    : ({
        action: 'pause',
        ...entry.record.options.shareLimits,
        ...limits,
      } as ChangeTorrent['shareLimits']);
}

/** In the order of the original: added, taken away, replaced, all in one text. What changes nothing is refused in its words. */
function trackerChanges(entry: TorrentEntry, values: RpcArguments): Tiers | undefined {
  const { trackerAdd, trackerRemove, trackerReplace, trackerList } = values;
  const lists = [trackerAdd, trackerRemove, trackerReplace];
  if (!lists.some(Array.isArray) && typeof trackerList !== 'string') return undefined;
  let { tiers } = entry;
  const change = (next: Tiers): void => {
    if (formatTiers(next) === formatTiers(tiers)) throw new RpcError('error setting announce list');
    tiers = next;
  };
  if (Array.isArray(trackerAdd)) change(withAdded(tiers, stringsOf(trackerAdd)));
  if (Array.isArray(trackerRemove)) {
    change(withChanged(tiers, new Map(trackerRemove.map((id) => [Number(id), undefined]))));
  }
  if (Array.isArray(trackerReplace)) change(withChanged(tiers, replacements(trackerReplace)));
  if (typeof trackerList === 'string') tiers = parseTiers(trackerList);
  try {
    return judgedTiers(tiers);
  } catch (error) {
    if (typeof trackerList === 'string')
      throw new RpcError('Invalid tracker list', { cause: error });
    throw error;
  }
}

/** Pairs of a tracker's id and its new URL. */
function replacements(list: readonly unknown[]): Map<number, string> {
  const pairs = new Map<number, string>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [id, url] = [list[at], list[at + 1]];
    if (typeof id === 'number' && typeof url === 'string') pairs.set(id, url);
  }
  return pairs;
}

/** An empty list means all files. Which are wanted is said apart from how much. */
function priorityChanges(
  entry: TorrentEntry,
  values: RpcArguments,
): NonNullable<ChangeTorrent['files']> {
  const files = filesOf(entry);
  const next = new Map<number, number>();
  const each = (name: string, change: (now: number) => number): void => {
    const list = values[name];
    if (!Array.isArray(list)) return;
    for (const file of list.length === 0 ? files : list.map((at) => files[Number(at)])) {
      if (file !== undefined) next.set(file.index, change(next.get(file.index) ?? file.priority));
    }
  };
  each('files-wanted', (now) => (now === 0 ? PRIORITIES.normal : now));
  for (const level of ['low', 'normal', 'high'] as const) {
    each(`priority-${level}`, (now) => (now === 0 ? 0 : PRIORITIES[level]));
  }
  each('files-unwanted', () => 0);
  return [...next].map(([index, priority]) => ({ index, priority }));
}

/** @param values `path` begins with the top name, as the names of files do. */
export async function renamePath(rpc: RpcContext, values: RpcArguments): Promise<object> {
  const { path, name } = values;
  const [entry, ...others] = rpc.meant(values);
  if (entry === undefined || others.length > 0) {
    throw new RpcError('torrent-rename-path requires 1 torrent');
  }
  if (typeof path !== 'string' || typeof name !== 'string') throw new RpcError('no path or name');
  const [top, ...below] = path.split('/');
  const isKnown = top === (entry.info?.name ?? entry.record.name);
  if (!isKnown) throw new RpcError(`expected a path that begins with its name, got ${path}`);
  await rpc.options.torrents.rename(entry.id, below.join('/'), name);
  return { path, name, id: rpc.idOf(entry) };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
