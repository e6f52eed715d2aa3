/**
 * Every setting of a node: name, type, default, what it means; the one place that command line, environment, file, API, dashboard and reference page read.
 *
 * A name is `area.word`; its environment variable is STARLING_ and the name in capitals, with _ for dots and hyphens.
 * Not here: where values come from (resolve.ts).
 * @module
 */

/** What a setting takes. */
export type SettingType =
  | { readonly type: 'boolean' }
  | { readonly type: 'integer' | 'number'; readonly minimum: number; readonly maximum: number }
  | { readonly type: 'text'; readonly pattern?: RegExp; readonly expected?: string }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'list'; readonly pattern?: RegExp; readonly expected?: string };

/** A setting. */
export type SettingSpec<T = unknown> = SettingType & {
  readonly default: T;
  /** One sentence. */
  readonly help: string;
  readonly unit?: string;
  /** False: it counts with the next start. */
  readonly isLive: boolean;
  /** The file of switches of privacy keeps it (privacy.json), as `starling privacy` does. */
  readonly isPrivacy?: boolean;
};

const MAX_BYTES = Number.MAX_SAFE_INTEGER;

const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/;
const PATH = /^(?:\/|[A-Za-z]:[\\/])/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

function flag(isOn: boolean, help: string, isLive = false): SettingSpec<boolean> {
  return { type: 'boolean', default: isOn, help, isLive };
}

function bytes(help: string, value = 0, unit = 'bytes/s'): SettingSpec<number> {
  const range = { minimum: 0, maximum: MAX_BYTES };
  return { type: 'integer', ...range, default: value, unit, help, isLive: true };
}

function text(
  help: string,
  rule: { readonly pattern: RegExp; readonly expected: string },
  isLive = false,
): SettingSpec<string> {
  return { type: 'text', default: '', help, isLive, ...rule };
}

const OR_EMPTY = (pattern: RegExp): RegExp => new RegExp(`^$|${pattern.source}`);
const address = { pattern: OR_EMPTY(ADDRESS), expected: 'HOST:PORT' };
const folder = { pattern: OR_EMPTY(PATH), expected: 'an absolute path' };

/** The values of settings by name. */
export interface SettingValues {
  readonly listen: string;
  readonly gateway: string;
  readonly 'download-dir': string;
  readonly 'completed-dir': string;
  readonly 'api.listen': string;
  readonly 'api.hosts': readonly string[];
  readonly 'api.password': string;
  readonly 'api.tls-cert': string;
  readonly 'api.tls-key': string;
  readonly 'transfers.download-limit': number;
  readonly 'transfers.upload-limit': number;
  readonly 'schedule.enabled': boolean;
  readonly 'schedule.always': boolean;
  readonly 'schedule.download-limit': number;
  readonly 'schedule.upload-limit': number;
  readonly 'schedule.days': readonly string[];
  readonly 'schedule.from': string;
  readonly 'schedule.to': string;
  readonly 'queue.active-downloads': number;
  readonly 'queue.active-seeds': number;
  readonly 'queue.start-added': boolean;
  readonly 'seeding.ratio': number;
  readonly 'seeding.time': number;
  readonly 'seeding.idle': number;
  readonly 'seeding.action': 'pause' | 'remove' | 'super-seed';
  readonly 'watch.folders': readonly string[];
  readonly 'disk.keep-free': number;
  readonly 'discovery.dht': boolean;
  readonly 'discovery.lan': boolean;
  readonly 'discovery.pex': boolean;
  readonly 'discovery.port-mapping': boolean;
  readonly 'discovery.address-record': boolean;
  readonly 'relay.enabled': boolean;
  readonly 'relay.all-contacts': boolean;
  readonly 'relay.bytes-per-day': number;
  readonly 'tracker.listen': string;
  readonly 'tracker.interval': number;
  readonly 'tracker.keys': readonly string[];
  readonly 'tracker.allow': string;
  readonly 'log.level': 'error' | 'warn' | 'info' | 'debug';
}

/** The name of a setting. */
export type SettingName = keyof SettingValues;

/** All settings. */
export const SETTINGS: { readonly [N in SettingName]: SettingSpec<SettingValues[N]> } = {
  listen: text('Address for peers; empty: port 6881, or a free one.', address),
  gateway: text('The router to ask for port mappings; empty: that of the default route.', {
    pattern: /^(?:\d{1,3}(?:\.\d{1,3}){3})?$/,
    expected: 'an IPv4 address',
  }),
  'download-dir': text(
    'Where downloads go; empty: the folder Downloads of the user.',
    folder,
    true,
  ),
  'completed-dir': text(
    'Where downloads are moved when they are complete; empty: they stay, as those of a category with a folder do.',
    folder,
    true,
  ),
  'api.listen': {
    type: 'text',
    pattern: ADDRESS,
    expected: 'HOST:PORT',
    default: '127.0.0.1:7070',
    help: 'Address of API and dashboard. Another one than loopback needs api.password and TLS.',
    isLive: false,
  },
  'api.hosts': {
    type: 'list',
    pattern: /^[a-z0-9.-]+$|^[0-9a-f:.]+$/,
    expected: 'host names or addresses in lower case',
    default: [],
    help: 'Names besides localhost by which browsers may ask this node.',
    isLive: true,
  },
  'api.password': {
    type: 'text',
    pattern: /^(?:.{12,200})?$/,
    expected: 'at least 12 characters',
    default: '',
    help: 'Lets a browser sign in without the token; kept as a digest of argon2id.',
    isLive: true,
  },
  'api.tls-cert': text('File of the certificate, PEM; empty: one is made.', folder),
  'api.tls-key': text('File of its key, PEM.', folder),
  'transfers.download-limit': bytes('Most that all torrents download; 0: no limit.'),
  'transfers.upload-limit': bytes('Most that all torrents upload; 0: no limit.'),
  'schedule.enabled': flag(
    false,
    'The alternative limits hold at the times of the schedule.',
    true,
  ),
  'schedule.always': flag(false, 'The alternative limits hold now, whatever the time.', true),
  'schedule.download-limit': bytes('Alternative limit of all downloads; 0: no limit.', 1_000_000),
  'schedule.upload-limit': bytes('Alternative limit of all uploads; 0: no limit.', 100_000),
  'schedule.days': {
    type: 'list',
    pattern: /^(?:sun|mon|tue|wed|thu|fri|sat)$/,
    expected: 'days: mon, tue, wed, thu, fri, sat, sun',
    default: ['mon', 'tue', 'wed', 'thu', 'fri'],
    help: 'Days on which the schedule begins.',
    isLive: true,
  },
  'schedule.from': {
    type: 'text',
    pattern: TIME,
    expected: 'HH:MM',
    default: '08:00',
    help: 'When the alternative limits begin, local time.',
    isLive: true,
  },
  'schedule.to': {
    type: 'text',
    pattern: TIME,
    expected: 'HH:MM',
    default: '18:00',
    help: 'When they end; before the beginning: on the next day.',
    isLive: true,
  },
  'queue.active-downloads': count(5, 'Downloads that run at a time; 0: no limit.'),
  'queue.active-seeds': count(100, 'Seeds that run at a time; 0: no limit.'),
  'queue.start-added': flag(true, 'Torrents that are added start; off: they are added paused.'),
  'seeding.ratio': {
    type: 'number',
    minimum: 0,
    maximum: 1e6,
    default: 0,
    help: 'Bytes given for each byte of a torrent after which a seed has given enough; 0: never.',
    isLive: true,
  },
  'seeding.time': seconds('Time of seeding after which it has given enough; 0: never.'),
  'seeding.idle': seconds('Time without anybody taking after which it has; 0: never.'),
  'seeding.action': {
    type: 'choice',
    choices: ['pause', 'remove', 'super-seed'],
    default: 'pause',
    help: 'What happens to a seed that has given enough; its files stay.',
    isLive: true,
  },
  'watch.folders': {
    type: 'list',
    pattern: PATH,
    expected: 'absolute paths, each with =CATEGORY where it has one',
    default: [],
    help: 'Folders from which torrent files and files of links are added.',
    isLive: true,
  },
  'disk.keep-free': bytes(
    'Free space that downloads leave; below it they rest.',
    1_073_741_824,
    'bytes',
  ),
  'discovery.dht': privacy('Find peers by the DHT, and be found.'),
  'discovery.lan': privacy('Find peers in the local network, and be found.'),
  'discovery.pex': privacy('Tell peers of other peers, and believe them about others.'),
  'discovery.port-mapping': privacy('Ask the router to let the port through.'),
  'discovery.address-record': privacy('Put a signed record of the addresses into the DHT.'),
  'relay.enabled': flag(false, 'Pass sealed bytes on for contacts that are marked for it.'),
  'relay.all-contacts': flag(false, 'Pass on for every contact.', true),
  'relay.bytes-per-day': {
    type: 'integer',
    minimum: 1,
    maximum: MAX_BYTES,
    default: 20 * 1024 ** 3,
    unit: 'bytes',
    help: 'Bytes that are passed on for one peer within a day.',
    isLive: false,
  },
  'tracker.listen': text('Address of a tracker that runs with the node; empty: none.', address),
  'tracker.interval': {
    type: 'integer',
    minimum: 30,
    maximum: 86_400,
    default: 1_800,
    unit: 's',
    help: 'Time between announces of a peer.',
    isLive: false,
  },
  'tracker.keys': {
    type: 'list',
    pattern: /^[\w.~-]{1,64}$/,
    expected: 'keys of up to 64 letters, digits and . _ ~ -',
    default: [],
    help: 'Only /KEY/announce with one of these is served; none: /announce.',
    isLive: false,
  },
  'tracker.allow': text(
    'A file with the only info-hashes that are served, one a line; empty: all are. It is read again when the node starts.',
    folder,
  ),
  'log.level': {
    type: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    help: 'How much is logged.',
    isLive: true,
  },
};

function count(value: number, help: string): SettingSpec<number> {
  return {
    type: 'integer',
    minimum: 0,
    maximum: 100_000,
    default: value,
    help,
    isLive: true,
  };
}

function seconds(help: string): SettingSpec<number> {
  const range = { minimum: 0, maximum: 1e9 };
  return { type: 'integer', ...range, default: 0, unit: 's', help, isLive: true };
}

function privacy(help: string): SettingSpec<boolean> {
  return { ...flag(true, help), isPrivacy: true };
}
