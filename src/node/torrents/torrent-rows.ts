/**
 * Torrents as the API shows them.
 * @module
 */
import type {
  TorrentDetails,
  TorrentFile,
  TorrentPeer,
  TorrentRow,
  TorrentTracker,
} from '../../contract/index.ts';
import { monotonicMs } from '../../io/clock.ts';
import { printableLine } from '../../lib/printable.ts';
import type { TrackerStatus } from '../../protocol/tracker/index.ts';
import { formatEndpoint } from '../address.ts';
import { hexHashes } from '../hex-hashes.ts';
import { isPlayable, mediaTypeOf } from '../media/media.ts';
import { shownPath } from '../selection.ts';
import type { TorrentRecord } from '../store/torrent-table.ts';
import type { Torrent } from '../torrent.ts';
import type { TorrentStatus } from '../torrent-types.ts';
import type { TorrentEntry } from './torrent-entry.ts';

/** A line of the list. */
export function rowOf(entry: TorrentEntry): TorrentRow {
  const { record, torrent, status } = entry;
  const { downloadedBytes, uploadedBytes } = entry.totals;
  const { wantedBytes = 0, doneBytes = 0 } = status ?? {};
  const left = wantedBytes - doneBytes;
  const rate = status?.downloadBytesPerSec ?? 0;
  const counts = swarmCounts(status?.trackers ?? []);
  const size = wantedBytes > 0 ? wantedBytes : (torrent?.info?.totalBytes ?? 0);
  return {
    id: record.id,
    infoHashV1: null,
    infoHashV2: null,
    ...hashesOf(torrent),
    name: record.options.renames === undefined ? (status?.name ?? record.name) : record.name,
    state: entry.state,
    error: entry.error ?? null,
    progress: progressOf(status, record),
    checked: entry.checked ?? null,
    wantedBytes,
    doneBytes,
    totalBytes: torrent?.info?.totalBytes ?? 0,
    downloadBytesPerSec: Math.round(rate),
    uploadBytesPerSec: Math.round(status?.uploadBytesPerSec ?? 0),
    downloadedBytes,
    uploadedBytes,
    ratio: size > 0 ? Math.round((uploadedBytes / size) * 1000) / 1000 : 0,
    etaSeconds: entry.state === 'downloading' && rate > 0 ? Math.ceil(left / rate) : null,
    connectedPeers: status?.peers.length ?? 0,
    connectedSeeds: status?.peers.filter(({ isSeed }) => isSeed).length ?? 0,
    swarmSeeds: counts.seeds ?? null,
    swarmLeeches: counts.leeches ?? null,
    category: record.category ?? null,
    tags: [...record.tags],
    queueIndex: record.queueIndex,
    addedAtMs: record.addedAt,
    completedAtMs: record.completedAt ?? null,
    dir: record.dir,
    isPrivate: torrent?.info?.isPrivate ?? false,
    isSequential: record.options.isSequential ?? false,
    isSecure: record.options.secureContacts !== undefined,
    downloadLimitBytesPerSec: record.options.downloadLimitBytesPerSec ?? 0,
    uploadLimitBytesPerSec: record.options.uploadLimitBytesPerSec ?? 0,
  };
}

function hashesOf(torrent: Torrent | undefined): Partial<TorrentRow> {
  return torrent === undefined ? {} : hexHashes(torrent.infoHashes);
}

function progressOf(status: TorrentStatus | undefined, record: TorrentRecord): number {
  if (status === undefined) return record.completedAt === undefined ? 0 : 1;
  const { wantedBytes, doneBytes, pieceCount } = status;
  if (pieceCount === 0) return 0;
  return wantedBytes === 0 ? 1 : Math.floor((doneBytes / wantedBytes) * 10_000) / 10_000;
}

function swarmCounts(trackers: readonly TrackerStatus[]): { seeds?: number; leeches?: number } {
  const known = trackers.filter(({ seeds, leeches }) => (seeds ?? leeches) !== undefined);
  if (known.length === 0) return {};
  return {
    seeds: Math.max(...known.map(({ seeds = 0 }) => seeds)),
    leeches: Math.max(...known.map(({ leeches = 0 }) => leeches)),
  };
}

/** Everything about a torrent. */
export function detailsOf(entry: TorrentEntry): TorrentDetails {
  const { record, torrent, status } = entry;
  const { metainfo } = entry;
  const have = torrent?.service.swarm.have;
  const { activeSeconds, seedingSeconds } = entry.totals;
  return {
    ...rowOf(entry),
    magnet: entry.magnet,
    comment: metainfo?.comment ?? null,
    createdBy: metainfo?.createdBy ?? null,
    createdAtMs: metainfo?.creationDateSec === undefined ? null : metainfo.creationDateSec * 1000,
    pieceLengthBytes: torrent?.info?.pieceLengthBytes ?? null,
    pieceCount: torrent?.info?.pieceCount ?? 0,
    pieces: have === undefined ? '' : Buffer.from(have.bytes).toString('base64'),
    activeSeconds: Math.floor(activeSeconds),
    seedingSeconds: Math.floor(seedingSeconds),
    wastedBytes: status?.wastedBytes ?? 0,
    failedPieces: status?.failedPieces ?? 0,
    shareLimits: { ...record.options.shareLimits } as TorrentDetails['shareLimits'],
    files: filesOf(entry),
    peers: (status?.peers ?? []).map(peerOf),
    trackers: (status?.trackers ?? []).map(trackerOf),
    webSeeds: (status?.webSeeds ?? []).map(({ url, isConnected, isBanned, failure }) => ({
      url,
      isConnected,
      isBanned,
      failure: failure ?? null,
    })),
  };
}

/** Its files, pads left out; `index` is that of `info.files`. */
export function filesOf({ torrent }: TorrentEntry): TorrentFile[] {
  const info = torrent?.info;
  if (info === undefined) return [];
  const done = torrent!.fileProgress();
  const priorities = torrent!.filePriorities;
  return info.files.flatMap((file, index) => {
    if (file.isPad) return [];
    const path = shownPath(info, index);
    return [
      {
        index,
        path,
        lengthBytes: file.lengthBytes,
        doneBytes: done[index]!,
        priority: priorities[index]!,
        mediaType: mediaTypeOf(path) ?? null,
        isPlayable: isPlayable(path),
      },
    ];
  });
}

function peerOf(peer: TorrentStatus['peers'][number]): TorrentPeer {
  return {
    id: peer.id,
    address: formatEndpoint(peer.address),
    client: printableLine(peer.client),
    source: peer.source,
    isIncoming: peer.isIncoming,
    isWebSeed: peer.isWebSeed,
    isSeed: peer.isSeed,
    downloadBytesPerSec: Math.round(peer.downloadBytesPerSec),
    uploadBytesPerSec: Math.round(peer.uploadBytesPerSec),
    downloadedBytes: peer.downloadedBytes,
    uploadedBytes: peer.uploadedBytes,
    isChokingUs: peer.isChokingUs,
    amChoking: peer.amChoking,
    isInterested: peer.isInterested,
    amInterested: peer.amInterested,
    isSnubbed: peer.isSnubbed,
  };
}

function trackerOf(tracker: TrackerStatus): TorrentTracker {
  const { url, tier, activity, seeds, leeches, downloads, peersReceived, nextAnnounceMs } = tracker;
  return {
    url,
    tier,
    activity,
    error: tracker.lastError ?? null,
    warning: tracker.warning ?? null,
    seeds: seeds ?? null,
    leeches: leeches ?? null,
    downloads: downloads ?? null,
    peersReceived,
    nextAnnounceInSeconds:
      nextAnnounceMs === undefined
        ? null
        : Math.max(0, Math.round((nextAnnounceMs - monotonicMs()) / 1000)),
  };
}
