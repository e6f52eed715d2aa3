/**
 * The session of Transmission's RPC (rpc-spec, section 4): settings and statistics of the node in its words.
 * @module
 */
import type { NodeStatus } from '../../contract/index.ts';
import { VERSION } from '../config.ts';
import type { Settings } from '../settings/settings.ts';
import { type RpcArguments, type RpcServiceOptions, stringsOf } from './rpc-call.ts';
import { kilobytes } from './torrent-fields.ts';

// Specification constants
/** The version of the RPC, and the oldest that its callers may know. */
const RPC_VERSION = 17;
const RPC_VERSION_MINIMUM = 14;

const UNITS = {
  'memory-bytes': 1024,
  'memory-units': ['KiB', 'MiB', 'GiB', 'TiB'],
  'size-bytes': 1000,
  'size-units': ['kB', 'MB', 'GB', 'TB'],
  'speed-bytes': 1000,
  'speed-units': ['kB/s', 'MB/s', 'GB/s', 'TB/s'],
};

/** session-get. */
export function sessionOf(options: RpcServiceOptions, values: RpcArguments): object {
  const session = allOf(options);
  const fields = stringsOf(values['fields']);
  if (fields.length === 0) return session;
  const known = fields.filter((name) => Object.hasOwn(session, name));
  return Object.fromEntries(known.map((name) => [name, session[name]]));
}

function allOf({ settings, status, home }: RpcServiceOptions): Record<string, unknown> {
  const now = status.status();
  const rate = (name: 'download' | 'upload'): number => settings.get(`transfers.${name}-limit`);
  const alternative = (name: 'download' | 'upload'): number =>
    settings.get(`schedule.${name}-limit`);
  const port = Number(now.listen[0]?.split(':').at(-1) ?? 0);
  return {
    version: `4.0.5 (Starling ${VERSION})`,
    'rpc-version': RPC_VERSION,
    'rpc-version-minimum': RPC_VERSION_MINIMUM,
    'rpc-version-semver': '5.3.0',
    'session-id': '',
    'config-dir': home,
    'download-dir': status.downloadDir(),
    'download-dir-free-space': now.freeBytes ?? -1,
    'incomplete-dir': status.downloadDir(),
    'incomplete-dir-enabled': false,
    'speed-limit-down': kilobytes(rate('download')),
    'speed-limit-down-enabled': rate('download') > 0,
    'speed-limit-up': kilobytes(rate('upload')),
    'speed-limit-up-enabled': rate('upload') > 0,
    'alt-speed-down': kilobytes(alternative('download')),
    'alt-speed-up': kilobytes(alternative('upload')),
    'alt-speed-enabled': now.usesAlternativeLimits,
    'alt-speed-time-enabled': false,
    'alt-speed-time-begin': 540,
    'alt-speed-time-end': 1020,
    'alt-speed-time-day': 127,
    'download-queue-enabled': settings.get('queue.active-downloads') > 0,
    'download-queue-size': settings.get('queue.active-downloads'),
    'seed-queue-enabled': settings.get('queue.active-seeds') > 0,
    'seed-queue-size': settings.get('queue.active-seeds'),
    'queue-stalled-enabled': true,
    'queue-stalled-minutes': 1,
    seedRatioLimit: settings.get('seeding.ratio'),
    seedRatioLimited: settings.get('seeding.ratio') > 0,
    'idle-seeding-limit': Math.round(settings.get('seeding.idle') / 60),
    'idle-seeding-limit-enabled': settings.get('seeding.idle') > 0,
    'dht-enabled': settings.get('discovery.dht'),
    'lpd-enabled': settings.get('discovery.lan'),
    'pex-enabled': settings.get('discovery.pex'),
    'utp-enabled': false,
    'peer-port': port,
    'peer-port-random-on-start': false,
    'port-forwarding-enabled': settings.get('discovery.port-mapping'),
    'peer-limit-global': 0,
    'peer-limit-per-torrent': 0,
    encryption: 'tolerated',
    'cache-size-mb': 64,
    'blocklist-enabled': false,
    'blocklist-size': 0,
    'blocklist-url': '',
    'rename-partial-files': false,
    'start-added-torrents': settings.get('queue.start-added'),
    'trash-original-torrent-files': false,
    'script-torrent-done-enabled': false,
    'script-torrent-done-filename': '',
    'default-trackers': '',
    units: UNITS,
  };
}

/** session-set: what has a setting of this node; the rest is passed over, as the original does with what it does not know. */
export async function setSession(settings: Settings, values: RpcArguments): Promise<object> {
  const changes: Record<string, unknown> = {};
  const rates = {
    'speed-limit-down': 'transfers.download-limit',
    'speed-limit-up': 'transfers.upload-limit',
    'alt-speed-down': 'schedule.download-limit',
    'alt-speed-up': 'schedule.upload-limit',
  } as const;
  for (const [name, setting] of Object.entries(rates)) {
    const value = values[name];
    if (values[`${name}-enabled`] === false) changes[setting] = 0;
    else if (typeof value === 'number') changes[setting] = Math.round(value * 1000);
  }
  const counts = {
    'download-queue-size': 'queue.active-downloads',
    'seed-queue-size': 'queue.active-seeds',
  };
  for (const [name, setting] of Object.entries(counts)) {
    const isOn = values[name.replace('-size', '-enabled')];
    if (isOn === false) changes[setting] = 0;
    else if (typeof values[name] === 'number') changes[setting] = values[name];
  }
  const { seedRatioLimit, seedRatioLimited } = values;
  if (seedRatioLimited === false) changes['seeding.ratio'] = 0;
  else if (typeof seedRatioLimit === 'number') changes['seeding.ratio'] = seedRatioLimit;
  const idle = values['idle-seeding-limit'];
  if (values['idle-seeding-limit-enabled'] === false) changes['seeding.idle'] = 0;
  else if (typeof idle === 'number') changes['seeding.idle'] = Math.round(idle * 60);
  const dir = values['download-dir'];
  if (typeof dir === 'string') changes['download-dir'] = dir;
  const isStarted = values['start-added-torrents'];
  if (typeof isStarted === 'boolean') changes['queue.start-added'] = isStarted;
  const isAlternative = values['alt-speed-enabled'];
  if (typeof isAlternative === 'boolean') changes['schedule.always'] = isAlternative;
  if (Object.keys(changes).length > 0) await settings.change(changes);
  return {};
}

/** session-stats. */
export function statsOf(status: NodeStatus): object {
  const { torrents, startedAtMs } = status;
  const secondsActive = Math.floor((Date.now() - startedAtMs) / 1000);
  const moved = (downloadedBytes: number, uploadedBytes: number): object => ({
    downloadedBytes,
    uploadedBytes,
    filesAdded: torrents.total,
    sessionCount: 1,
    secondsActive,
  });
  return {
    activeTorrentCount: torrents.downloading + torrents.seeding,
    pausedTorrentCount: torrents.paused,
    torrentCount: torrents.total,
    downloadSpeed: status.downloadBytesPerSec,
    uploadSpeed: status.uploadBytesPerSec,
    'current-stats': moved(status.downloadedBytes, status.uploadedBytes),
    'cumulative-stats': moved(status.allTimeDownloadedBytes, status.allTimeUploadedBytes),
  };
}
