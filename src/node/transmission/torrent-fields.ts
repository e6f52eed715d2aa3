/**
 * Torrents as Transmission's RPC names and counts them (rpc-spec of Transmission, version 17, section 3.3 "torrent-get").
 * @module
 */
import { formatTiers, type TorrentDetails, type TorrentFile } from '../../contract/index.ts';
import type { Info } from '../../protocol/metainfo/index.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import { detailsOf } from '../torrents/torrent-rows.ts';

// Specification constants
/** tr_torrent_activity. */
const STATUS = {
  stopped: 0,
  checkWait: 1,
  check: 2,
  downloadWait: 3,
  download: 4,
  seedWait: 5,
  seed: 6,
};
/** tr_stat_errtype: a problem of this machine. */
const LOCAL_ERROR = 3;
const TRACKER_ERROR = 2;
/** tr_eta: not known, not available. */
const ETA_UNKNOWN = -2;
const ETA_NONE = -1;

/** What a field is made of: the details are made once for all fields that need them. */
interface Source {
  readonly id: number;
  readonly entry: TorrentEntry;
  readonly details: () => TorrentDetails;
}

type Field = (source: Source) => unknown;

const seconds = (ms: number | null): number => (ms === null ? 0 : Math.floor(ms / 1000));

/** Fields that the row answers: cheap, for lists of thousands. */
const ROW_FIELDS: Readonly<Record<string, Field>> = {
  id: ({ id }) => id,
  hashString: ({ entry }) => entry.id,
  name: ({ entry }) => entry.row.name,
  status: ({ entry }) => statusOf(entry),
  error: ({ entry }) => errorOf(entry).code,
  errorString: ({ entry }) => errorOf(entry).text,
  eta: ({ entry }) => entry.row.etaSeconds ?? (entry.row.progress === 1 ? ETA_NONE : ETA_UNKNOWN),
  etaIdle: () => ETA_NONE,
  percentDone: ({ entry }) => entry.row.progress,
  percentComplete: ({ entry }) => entry.row.progress,
  metadataPercentComplete: ({ entry }) => (entry.torrent?.info === undefined ? 0 : 1),
  recheckProgress: ({ entry }) => entry.row.checked ?? 0,
  sizeWhenDone: ({ entry }) => entry.row.wantedBytes,
  totalSize: ({ entry }) => entry.row.totalBytes,
  leftUntilDone: ({ entry }) => entry.row.wantedBytes - entry.row.doneBytes,
  haveValid: ({ entry }) => entry.row.doneBytes,
  haveUnchecked: () => 0,
  desiredAvailable: ({ entry }) => entry.row.wantedBytes - entry.row.doneBytes,
  corruptEver: () => 0,
  downloadedEver: ({ entry }) => entry.row.downloadedBytes,
  uploadedEver: ({ entry }) => entry.row.uploadedBytes,
  uploadRatio: ({ entry }) => entry.row.ratio,
  rateDownload: ({ entry }) => entry.row.downloadBytesPerSec,
  rateUpload: ({ entry }) => entry.row.uploadBytesPerSec,
  peersConnected: ({ entry }) => entry.row.connectedPeers,
  peersGettingFromUs: ({ entry }) => activePeers(entry, 'up'),
  peersSendingToUs: ({ entry }) => activePeers(entry, 'down'),
  webseedsSendingToUs: ({ entry }) => activeWebSeeds(entry),
  isFinished: ({ entry }) => entry.row.progress === 1 && entry.row.state === 'paused',
  isStalled: () => false,
  isPrivate: ({ entry }) => entry.row.isPrivate,
  queuePosition: ({ entry }) => entry.row.queueIndex,
  addedDate: ({ entry }) => seconds(entry.row.addedAtMs),
  doneDate: ({ entry }) => seconds(entry.row.completedAtMs),
  startDate: ({ entry }) => seconds(entry.row.addedAtMs),
  activityDate: ({ entry }) => seconds(entry.lastActiveMs),
  editDate: () => 0,
  downloadDir: ({ entry }) => entry.row.dir,
  labels: ({ entry }) => labelsOf(entry),
  group: () => '',
  bandwidthPriority: () => 0,
  honorsSessionLimits: () => true,
  downloadLimit: ({ entry }) => kilobytes(entry.row.downloadLimitBytesPerSec),
  downloadLimited: ({ entry }) => entry.row.downloadLimitBytesPerSec > 0,
  uploadLimit: ({ entry }) => kilobytes(entry.row.uploadLimitBytesPerSec),
  uploadLimited: ({ entry }) => entry.row.uploadLimitBytesPerSec > 0,
  seedRatioLimit: ({ entry }) => entry.record.options.shareLimits?.ratio ?? 0,
  seedRatioMode: ({ entry }) => modeOf(entry.record.options.shareLimits?.ratio),
  seedIdleLimit: ({ entry }) => (entry.record.options.shareLimits?.idleSeconds ?? 0) / 60,
  seedIdleMode: ({ entry }) => modeOf(entry.record.options.shareLimits?.idleSeconds),
  secondsDownloading: ({ entry }) => {
    const { activeSeconds, seedingSeconds } = entry.totals;
    return Math.floor(activeSeconds - seedingSeconds);
  },
  secondsSeeding: ({ entry }) => Math.floor(entry.totals.seedingSeconds),
  manualAnnounceTime: () => 0,
  maxConnectedPeers: () => 0,
  'peer-limit': () => 0,
  sequentialDownload: ({ entry }) => entry.row.isSequential,
  magnetLink: ({ entry }) => entry.magnet,
  torrentFile: () => '',
};

/** Fields that need everything. */
const DETAIL_FIELDS: Readonly<Record<string, Field>> = {
  comment: ({ details }) => details().comment ?? '',
  creator: ({ details }) => details().createdBy ?? '',
  dateCreated: ({ details }) => seconds(details().createdAtMs),
  pieceCount: ({ details }) => details().pieceCount,
  pieceSize: ({ details }) => details().pieceLengthBytes ?? 0,
  pieces: ({ details }) => details().pieces,
  files: ({ entry, details }) => details().files.map(fileOf(entry.torrent?.info)),
  fileStats: ({ details }) =>
    details().files.map(({ doneBytes, priority }) => ({
      bytesCompleted: doneBytes,
      wanted: priority > 0,
      priority: priorityOf(priority),
    })),
  'file-count': ({ details }) => details().files.length,
  priorities: ({ details }) => details().files.map(({ priority }) => priorityOf(priority)),
  wanted: ({ details }) => details().files.map(({ priority }) => (priority > 0 ? 1 : 0)),
  primaryMimeType: ({ details }) =>
    details().files.find(({ mediaType }) => mediaType !== null)?.mediaType ??
    'application/octet-stream',
  peers: ({ details }) => details().peers.map(peerOf),
  peersFrom: ({ details }) => peersFrom(details()),
  // An id is a place in the list as it is kept: the order in which they are asked changes.
  trackers: ({ entry }) => {
    const all = entry.tiers.flatMap((urls, tier) => urls.map((url) => ({ url, tier })));
    return all.map(({ url, tier }, id) => ({
      id,
      tier,
      announce: url,
      scrape: '',
      sitename: siteOf(url),
    }));
  },
  trackerList: ({ entry }) => formatTiers(entry.tiers),
  trackerStats: ({ entry, details }) => {
    const urls = entry.tiers.flat();
    const known = details().trackers.filter(({ url }) => urls.includes(url));
    return known
      .map((tracker) => trackerOf(tracker, urls.indexOf(tracker.url)))
      .toSorted((a, b) => a.id - b.id);
  },
  webseeds: ({ details }) => details().webSeeds.map(({ url }) => url),
};

/** The fields that somebody asked for; unknown ones are left out, as the original does. */
export function torrentFields(
  id: number,
  entry: TorrentEntry,
  fields: readonly string[],
): Record<string, unknown> {
  let made: TorrentDetails | undefined;
  const source: Source = {
    id,
    entry,
    details: () => {
      made ??= detailsOf(entry);
      return made;
    },
  };
  const answer: Record<string, unknown> = {};
  for (const name of fields) {
    const field = Object.hasOwn(ROW_FIELDS, name) ? ROW_FIELDS[name] : DETAIL_FIELDS[name];
    if (
      typeof field === 'function' &&
      (Object.hasOwn(ROW_FIELDS, name) || Object.hasOwn(DETAIL_FIELDS, name))
    ) {
      answer[name] = field(source);
    }
  }
  return answer;
}

function statusOf({ row, record }: TorrentEntry): number {
  switch (row.state) {
    case 'checking':
      return row.checked === null ? STATUS.checkWait : STATUS.check;
    case 'queued':
      return row.progress === 1 ? STATUS.seedWait : STATUS.downloadWait;
    case 'seeding':
      return STATUS.seed;
    case 'downloading':
    case 'metadata':
    case 'moving':
      return STATUS.download;
    case 'error':
      return record.isPaused ? STATUS.stopped : STATUS.download;
    case 'paused':
    case 'stopped':
      return STATUS.stopped;
  }
}

function errorOf({ row, status }: TorrentEntry): { code: number; text: string } {
  if (row.error !== null) return { code: LOCAL_ERROR, text: row.error };
  const failing = status?.trackers.find(({ lastError }) => lastError !== undefined);
  if (failing === undefined || status!.trackers.some(({ lastError }) => lastError === undefined)) {
    return { code: 0, text: '' };
  }
  return { code: TRACKER_ERROR, text: failing.lastError! };
}

function activePeers({ status }: TorrentEntry, way: 'up' | 'down'): number {
  const rate = way === 'up' ? 'uploadBytesPerSec' : 'downloadBytesPerSec';
  return status?.peers.filter((peer) => !peer.isWebSeed && peer[rate] > 0).length ?? 0;
}

function activeWebSeeds({ status }: TorrentEntry): number {
  return status?.peers.filter((peer) => peer.isWebSeed && peer.downloadBytesPerSec > 0).length ?? 0;
}

/** A category is one more label, as remotes know labels alone. */
function labelsOf({ record }: TorrentEntry): string[] {
  return record.category === undefined ? [...record.tags] : [record.category, ...record.tags];
}

/** Transmission counts rates in kB/s. */
export function kilobytes(bytes: number): number {
  return Math.round(bytes / 1000);
}

/** 0: as the session, 1: its own limit, 2: none. */
function modeOf(limit: number | null | undefined): number {
  if (limit === undefined) return 0;
  return limit === null ? 2 : 1;
}

/** -1 low, 0 normal, 1 high. */
function priorityOf(priority: number): number {
  if (priority > 4) return 1;
  return priority > 0 && priority < 4 ? -1 : 0;
}

/** @param info undefined: there are no files yet. */
function fileOf(info: Info | undefined) {
  return ({ path, lengthBytes, doneBytes }: TorrentFile) => ({
    name: info === undefined || info.isSingleFile ? path : `${info.name}/${path}`,
    length: lengthBytes,
    bytesCompleted: doneBytes,
    begin_piece: 0,
    end_piece: 0,
  });
}

function peerOf(peer: TorrentDetails['peers'][number]): Record<string, unknown> {
  const at = peer.address.lastIndexOf(':');
  return {
    address: peer.address.slice(0, at).replaceAll(/[[\]]/g, ''),
    port: Number(peer.address.slice(at + 1)),
    clientName: peer.client,
    clientIsChoked: peer.isChokingUs,
    clientIsInterested: peer.amInterested,
    flagStr: flagsOf(peer),
    isDownloadingFrom: peer.downloadBytesPerSec > 0,
    isEncrypted: false,
    isIncoming: peer.isIncoming,
    isUTP: false,
    isUploadingTo: peer.uploadBytesPerSec > 0,
    peerIsChoked: peer.amChoking,
    peerIsInterested: peer.isInterested,
    progress: peer.isSeed ? 1 : 0,
    rateToClient: peer.downloadBytesPerSec,
    rateToPeer: peer.uploadBytesPerSec,
  };
}

function flagsOf(peer: TorrentDetails['peers'][number]): string {
  const flags = [
    [peer.downloadBytesPerSec > 0, 'D'],
    [peer.uploadBytesPerSec > 0, 'U'],
    [peer.source === 'dht', 'H'],
    [peer.source === 'pex', 'X'],
    [peer.isIncoming, 'I'],
  ] as const;
  return flags.map(([isSet, flag]) => (isSet ? flag : '')).join('');
}

function peersFrom({ peers }: TorrentDetails): Record<string, number> {
  const from = (...sources: readonly string[]): number =>
    peers.filter(({ source, isIncoming }) => !isIncoming && sources.includes(source)).length;
  return {
    fromCache: from('earlier', 'memory'),
    fromDht: from('dht'),
    fromIncoming: peers.filter(({ isIncoming }) => isIncoming).length,
    fromLpd: from('lan'),
    fromLtep: 0,
    fromPex: from('pex'),
    fromTracker: from('tracker'),
  };
}

function siteOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function trackerOf(
  tracker: TorrentDetails['trackers'][number],
  id: number,
): { readonly id: number } & Record<string, unknown> {
  const { url, tier, error, seeds, leeches, downloads, peersReceived } = tracker;
  const isAnswered = error === null && peersReceived + (seeds ?? 0) + (leeches ?? 0) > 0;
  return {
    id,
    tier,
    announce: url,
    scrape: '',
    sitename: siteOf(url),
    host: siteOf(url),
    announceState: tracker.activity === 'announcing' ? 3 : 1,
    scrapeState: 0,
    isBackup: false,
    hasAnnounced: isAnswered || error !== null,
    hasScraped: false,
    lastAnnouncePeerCount: peersReceived,
    lastAnnounceResult: error ?? 'Success',
    lastAnnounceStartTime: 0,
    lastAnnounceSucceeded: error === null,
    lastAnnounceTime: 0,
    lastAnnounceTimedOut: false,
    lastScrapeResult: '',
    lastScrapeStartTime: 0,
    lastScrapeSucceeded: false,
    lastScrapeTime: 0,
    lastScrapeTimedOut: 0,
    nextAnnounceTime:
      tracker.nextAnnounceInSeconds === null
        ? 0
        : Math.floor(Date.now() / 1000) + tracker.nextAnnounceInSeconds,
    nextScrapeTime: 0,
    seederCount: seeds ?? -1,
    leecherCount: leeches ?? -1,
    downloadCount: downloads ?? -1,
  };
}
