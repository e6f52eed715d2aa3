/** Made-up state of a node for the dashboard's tests: the same for the same seed; every name in it may be hostile. */
import type {
  Category,
  Connection,
  Contact,
  DhtFamily,
  Disclosure,
  Finding,
  LogLine,
  NodeStatus,
  Publication,
  Sample,
  Setting,
  TorrentDetails,
  TorrentFile,
  TorrentPeer,
  TorrentRow,
  TorrentState,
  TorrentTracker,
  Transfer,
} from '../../src/contract/index.ts';

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = [
  'debian-13.2.0-amd64-netinst.iso',
  'Open street map, planet extract',
  'big-buck-bunny-1080p.mp4',
  'wikipedia_en_all_maxi.zim',
  'Lectures on distributed systems',
  'fedora-workstation-43-x86_64.iso',
  'Field recordings, spring',
  'Sintel (2010) 4K',
  'genome-reference-38',
  'Photographs of the archive 1890–1910',
  'archlinux-2026.11.01-x86_64.iso',
  'Librivox: The Time Machine',
];
const CLIENTS = [
  'libtorrent 2.0.11',
  'Transmission 4.0.6',
  'Starling 0.1',
  'aria2 1.37',
  'rqbit 8.0',
];
const SOURCES = ['tracker', 'dht', 'pex', 'lan', 'incoming'];
const STATES: readonly TorrentState[] = [
  'downloading',
  'seeding',
  'seeding',
  'paused',
  'queued',
  'checking',
  'error',
  'metadata',
];
/** Wall time at which the state stands: 26 November 2026. */
const NOW_MS = Date.UTC(2026, 10, 26, 12);
const MIB = 2 ** 20;

/** Names by which others would like to run code here, or to look like something else. */
export const HOSTILE_NAMES: readonly string[] = [
  '<img src=x onerror="window.hacked=1">',
  '"><script>window.hacked=1</script>',
  'invoice\u202Egpj.exe',
  'javascript:window.hacked=1//',
  "'); window.hacked=1; ('",
  `${'a'.repeat(5_000)}\u0000\u200b`,
];

function hex(random: () => number, digits: number): string {
  let text = '';
  while (text.length < digits) text += Math.floor(random() * 16).toString(16);
  return text;
}

function makeRow(random: () => number, index: number, name: string): TorrentRow {
  const state = STATES[index % STATES.length]!;
  const totalBytes = Math.floor(40 * MIB + random() * 9_000 * MIB);
  const progress =
    state === 'seeding' ? 1 : state === 'metadata' ? 0 : Math.round(random() * 980) / 1000;
  const isDownloading = state === 'downloading';
  return {
    id: hex(random, 40),
    infoHashV1: hex(random, 40),
    infoHashV2: index % 5 === 0 ? hex(random, 64) : null,
    name,
    state,
    error:
      state === 'error'
        ? 'The disk is full: 2 GiB are needed in the folder, 120 MiB are free. Make room, then resume.'
        : null,
    progress,
    checked: state === 'checking' ? 0.4 : null,
    wantedBytes: state === 'metadata' ? 0 : totalBytes,
    doneBytes: state === 'metadata' ? 0 : Math.floor(progress * totalBytes),
    totalBytes: state === 'metadata' ? 0 : totalBytes,
    downloadBytesPerSec: isDownloading ? Math.floor(random() * 4 * MIB) : 0,
    uploadBytesPerSec: isDownloading || state === 'seeding' ? Math.floor(random() * MIB) : 0,
    downloadedBytes: Math.floor(progress * totalBytes),
    uploadedBytes: Math.floor(random() * 2 * totalBytes),
    ratio: Math.round(random() * 300) / 100,
    etaSeconds: isDownloading ? Math.floor(random() * 9_000) : null,
    connectedPeers: isDownloading || state === 'seeding' ? Math.floor(random() * 60) : 0,
    connectedSeeds: isDownloading ? Math.floor(random() * 20) : 0,
    swarmSeeds: index % 3 === 0 ? null : Math.floor(random() * 900),
    swarmLeeches: index % 3 === 0 ? null : Math.floor(random() * 300),
    category: index % 4 === 0 ? 'Systems' : index % 7 === 0 ? 'Films' : null,
    tags: index % 6 === 0 ? ['weekly'] : [],
    queueIndex: index,
    addedAtMs: NOW_MS - index * 3_600_000,
    completedAtMs: state === 'seeding' ? NOW_MS - index * 1_800_000 : null,
    dir: '/srv/downloads',
    isPrivate: false,
    isSequential: false,
    isSecure: index % 11 === 5,
    downloadLimitBytesPerSec: 0,
    uploadLimitBytesPerSec: 0,
  };
}

function makeFiles(row: TorrentRow, names: readonly string[]): TorrentFile[] {
  const lengths = names.map((_, at) => Math.floor(row.totalBytes / 2 ** (at + 1)));
  return names.map((path, index) => ({
    index,
    path,
    lengthBytes: lengths[index]!,
    doneBytes: Math.floor(lengths[index]! * row.progress),
    priority: index === 3 ? 0 : 4,
    mediaType: path.endsWith('.webm') ? 'video/webm' : path.endsWith('.mp3') ? 'audio/mpeg' : null,
    isPlayable: path.endsWith('.webm') || path.endsWith('.mp3'),
  }));
}

function makePeer(random: () => number, id: number, client: string): TorrentPeer {
  return {
    id,
    address: `198.51.100.${id % 250}:${6881 + (id % 40)}`,
    client,
    source: SOURCES[id % SOURCES.length]!,
    isIncoming: id % 3 === 0,
    isWebSeed: false,
    isSeed: id % 2 === 0,
    downloadBytesPerSec: Math.floor(random() * MIB),
    uploadBytesPerSec: Math.floor(random() * MIB * 0.3),
    downloadedBytes: Math.floor(random() * 300 * MIB),
    uploadedBytes: Math.floor(random() * 90 * MIB),
    isChokingUs: id % 4 === 1,
    amChoking: id % 4 === 2,
    isInterested: id % 2 === 1,
    amInterested: true,
    isSnubbed: id % 9 === 8,
  };
}

function makeTrackers(): TorrentTracker[] {
  const one = {
    tier: 0,
    error: null,
    warning: null,
    seeds: 214,
    leeches: 61,
    downloads: 9_120,
    peersReceived: 50,
    nextAnnounceInSeconds: 1_240,
  };
  return [
    { ...one, url: 'udp://tracker.example.org:6969/announce', activity: 'announced' },
    {
      ...one,
      url: 'https://tracker.example.net/announce',
      tier: 1,
      activity: 'waits before it tries again',
      error: 'The tracker does not answer; it is asked again in 5 min.',
      seeds: null,
      leeches: null,
      downloads: null,
      peersReceived: 0,
    },
  ];
}

const PIECES = 1_800;

/** The details of a torrent, whole. */
export function makeDetails(row: TorrentRow, isHostile: boolean): TorrentDetails {
  const random = seeded(Number.parseInt(row.id.slice(0, 8), 16));
  const bits = Buffer.alloc(Math.ceil(PIECES / 8));
  for (let at = 0; at < PIECES; at += 1) {
    if (random() < row.progress) bits[at >> 3]! |= 0x80 >> (at & 7);
  }
  const names = isHostile
    ? HOSTILE_NAMES
    : ['film.webm', 'extras/sound.mp3', 'film.en.srt', 'README.txt', 'extras/poster.png'];
  const clients = isHostile ? HOSTILE_NAMES : CLIENTS;
  const peerCount = isHostile ? HOSTILE_NAMES.length : row.connectedPeers;
  return {
    ...row,
    magnet: `magnet:?xt=urn:btih:${row.infoHashV1}&dn=${encodeURIComponent(row.name)}`,
    comment: isHostile ? HOSTILE_NAMES[0]! : 'Built by the release team',
    createdBy: isHostile ? HOSTILE_NAMES[1]! : 'starling 0.1',
    createdAtMs: NOW_MS - 1e9,
    pieceLengthBytes: row.state === 'metadata' ? null : 2 ** 20,
    pieceCount: row.state === 'metadata' ? 0 : PIECES,
    pieces: row.state === 'metadata' ? '' : bits.toString('base64'),
    activeSeconds: 93_784,
    seedingSeconds: row.completedAtMs === null ? 0 : 79_203,
    wastedBytes: 120_000,
    failedPieces: 1,
    shareLimits: { ratio: 2, action: 'pause' },
    files: row.state === 'metadata' ? [] : makeFiles(row, names),
    peers: Array.from({ length: peerCount }, (_, id) =>
      makePeer(random, id, clients[id % clients.length]!),
    ),
    trackers: makeTrackers(),
    webSeeds: [
      {
        url: 'https://mirror.example.org/files/',
        isConnected: true,
        isBanned: false,
        failure: null,
      },
    ],
  };
}

function makeContacts(names: readonly string[]): Contact[] {
  return names.map((name, at) => ({
    name: name.slice(0, 100),
    peerId: `12D3KooWExample${at}${'x'.repeat(36)}`,
    fingerprint: '12345 67890 24680 13579 11223 34455',
    isTrusted: at === 0,
    isRelay: at === 1,
    isServed: at === 0,
    path: at === 0 ? 'LAN' : at === 1 ? 'direct' : null,
  }));
}

function makeTransfers(names: readonly string[]): Transfer[] {
  const one = {
    contact: null,
    path: null,
    totalBytes: 734 * MIB,
    doneBytes: 0,
    bytesPerSec: 0,
    files: 1,
    guesses: 0,
    text: null,
    sha256: null,
    dir: null,
    error: null,
    startedAtMs: NOW_MS,
  };
  return [
    {
      ...one,
      id: 's1',
      direction: 'send',
      state: 'waiting',
      name: names[0]!,
      words: 'amber-otter-lantern',
    },
    {
      ...one,
      id: 'r1',
      direction: 'receive',
      state: 'offered',
      name: names[1]!,
      words: null,
      contact: names[2]!,
      files: 3,
    },
    {
      ...one,
      id: 'r2',
      direction: 'receive',
      state: 'transferring',
      name: names[2]!,
      words: null,
      path: 'direct',
      doneBytes: 300 * MIB,
      bytesPerSec: 24 * MIB,
    },
    {
      ...one,
      id: 's2',
      direction: 'send',
      state: 'complete',
      name: names[3]!,
      words: null,
      doneBytes: 734 * MIB,
      sha256: 'ab'.repeat(32),
      dir: '/srv/downloads',
    },
    {
      ...one,
      id: 'r3',
      direction: 'receive',
      state: 'failed',
      name: names[4]!,
      words: null,
      error: 'Nobody waits with these words. Ask for new ones: they hold for an hour.',
    },
  ];
}

function makeConnections(random: () => number, labels: readonly string[]): Connection[] {
  const kinds = ['swarm', 'swarm', 'swarm', 'swarm', 'channel', 'relay', 'web-seed'] as const;
  return Array.from({ length: 42 }, (_, at) => ({
    id: `c${at}`,
    kind: kinds[at % kinds.length]!,
    address: at % 8 === 0 ? `[2001:db8::${at}]:6881` : `203.0.113.${at}:6881`,
    label: labels[at % labels.length]!,
    source: SOURCES[at % SOURCES.length]!,
    isIncoming: at % 3 === 0,
    torrent: null,
    downloadBytesPerSec: Math.floor(random() ** 3 * 6 * MIB),
    uploadBytesPerSec: Math.floor(random() ** 3 * 2 * MIB),
  }));
}

function makeDht(random: () => number): DhtFamily {
  return {
    family: 4,
    id: hex(random, 40),
    port: 6881,
    good: 182,
    questionable: 24,
    waiting: 6,
    buckets: 23,
    networkSize: 5_800_000,
    queriesSent: 12_300,
    answersReceived: 9_410,
    timeouts: 2_890,
    queriesReceived: 40_110,
    nodes: Array.from({ length: 64 }, (_, at) => ({
      id: hex(random, 40),
      address: `192.0.2.${at}:6881`,
      sharedBits: Math.min(24, Math.floor(-Math.log2(random() + 1e-9)) + (at % 20)),
      isGood: at % 7 !== 0,
    })),
  };
}

function setting(
  name: string,
  type: Setting['type'],
  value: unknown,
  more: Partial<Setting> = {},
): Setting {
  return {
    name,
    area: name.split('.')[0]!,
    help: `What ${name} is for, in one sentence.`,
    type,
    unit: null,
    choices: null,
    minimum: null,
    maximum: null,
    value,
    default: value,
    source: 'default',
    isLive: true,
    ...more,
  };
}

function makeSettings(): Setting[] {
  return [
    setting('download-dir', 'text', '/srv/downloads', {
      area: 'transfers',
      help: 'Where files go when nothing else is said.',
    }),
    setting('transfers.download-limit', 'integer', 0, {
      unit: 'bytes/s',
      minimum: 0,
      help: 'Most bytes a second that come in; 0: no limit.',
    }),
    setting('transfers.upload-limit', 'integer', 2 * MIB, {
      unit: 'bytes/s',
      minimum: 0,
      source: 'saved',
      help: 'Most bytes a second that go out; 0: no limit.',
    }),
    setting('schedule.always', 'boolean', false),
    setting('queue.active-downloads', 'integer', 5, {
      minimum: 0,
      maximum: 1000,
      source: 'command line',
    }),
    setting('seeding.ratio', 'number', 2, { minimum: 0 }),
    setting('seeding.action', 'choice', 'pause', {
      choices: ['pause', 'remove', 'super-seed', 'stop'],
    }),
    setting('watch.folders', 'list', ['/srv/watch']),
    setting('discovery.dht', 'boolean', true, { source: 'environment' }),
    setting('listen', 'text', '0.0.0.0:6881', { isLive: false, area: 'network' }),
    setting('log.level', 'choice', 'info', { choices: ['error', 'warn', 'info', 'debug'] }),
  ];
}

export const DISCLOSURES: readonly Disclosure[] = [
  {
    name: 'dht',
    isOn: true,
    canSwitch: true,
    what: 'address and UDP port; info-hashes of torrents that are not private',
    toWhom: 'nodes of the DHT: strangers anywhere',
    when: 'always, while a torrent runs',
    off: 'this switch',
  },
  {
    name: 'lan',
    isOn: true,
    canSwitch: true,
    what: 'address and port; info-hashes',
    toWhom: 'whoever is in the local network',
    when: 'while a torrent runs',
    off: 'this switch',
  },
  {
    name: 'peers',
    isOn: true,
    canSwitch: false,
    what: 'address, what is downloaded and what is had',
    toWhom: 'the peers of a torrent',
    when: 'while a torrent runs',
    off: 'removing the torrent',
  },
];

export const FINDINGS: readonly Finding[] = [
  { what: 'Port', state: 'ok', text: 'TCP 6881 is open; another node reached it.', remedy: null },
  {
    what: 'UDP',
    state: 'warning',
    text: 'Answers come, but from another port than was asked.',
    remedy: 'Let the router map UDP 6881, too.',
  },
  {
    what: 'Clock',
    state: 'problem',
    text: 'It is 14 minutes late.',
    remedy: 'Turn on the time service of this machine.',
  },
  { what: 'Local network', state: 'unknown', text: 'Nobody else is there to ask.', remedy: null },
];

/** Samples of a span, as a day of a home looks. */
export function makeSamples(fromMs: number, toMs: number, points: number): Sample[] {
  return Array.from({ length: points }, (_, at) => {
    const atMs = fromMs + ((toMs - fromMs) * at) / Math.max(1, points - 1);
    const wave = Math.sin(atMs / 9e5) + Math.sin(atMs / 4.1e6) + 2.2;
    return {
      atMs,
      downloadBytesPerSec: wave * 2 * MIB,
      uploadBytesPerSec: (4.4 - wave) * 0.5 * MIB,
      peers: 60 + 10 * wave,
      dhtNodes: 180,
    };
  });
}

export interface FakeState {
  readonly node: NodeStatus;
  readonly torrents: TorrentRow[];
  readonly categories: Category[];
  readonly publications: Publication[];
  readonly contacts: Contact[];
  readonly transfers: Transfer[];
  readonly connections: Connection[];
  readonly dht: DhtFamily;
  readonly settings: Setting[];
  readonly log: LogLine[];
}

function makePublications(names: readonly string[], torrent: string | null): Publication[] {
  const one = {
    link: `magnet:?xs=urn:btpk:${'ab'.repeat(32)}`,
    version: 3,
    torrent,
    isComplete: true,
    intervalSeconds: 600,
    stored: 8,
    lookedAtMs: NOW_MS,
    addedAtMs: NOW_MS,
    error: null,
  };
  const [mine = 'mine', theirs = 'theirs'] = names;
  const own = { ...one, id: '01'.repeat(20), kind: 'own', name: mine } as const;
  const followed = { ...one, id: '02'.repeat(20), kind: 'followed', name: theirs } as const;
  return [
    { ...own, dir: null, path: `/srv/${mine}` },
    { ...followed, dir: `/srv/${theirs}`, path: null, isComplete: false, error: theirs },
  ];
}

export function makeState(count: number, isHostile: boolean, seed = 1): FakeState {
  const random = seeded(seed);
  const names = isHostile ? HOSTILE_NAMES : NAMES;
  const people = isHostile ? HOSTILE_NAMES : ['Ada', 'Mirko', 'Sunniva'];
  const torrents = Array.from({ length: count }, (_, at) =>
    makeRow(random, at, at < names.length ? names[at]! : `${names[at % names.length]} #${at}`),
  );
  const counted = (...states: TorrentState[]): number =>
    torrents.filter(({ state }) => states.includes(state)).length;
  return {
    node: {
      version: '0.1.0',
      peerId: `12D3KooWSelf${'x'.repeat(40)}`,
      home: '/srv/starling',
      listen: ['0.0.0.0:6881'],
      startedAtMs: NOW_MS - 86_400_000,
      externalAddress: '198.51.100.7',
      portMapping: 'UPnP',
      isOffline: false,
      downloadBytesPerSec: torrents.reduce((sum, row) => sum + row.downloadBytesPerSec, 0),
      uploadBytesPerSec: torrents.reduce((sum, row) => sum + row.uploadBytesPerSec, 0),
      downloadedBytes: 9e9,
      uploadedBytes: 4e9,
      allTimeDownloadedBytes: 9e11,
      allTimeUploadedBytes: 1.4e12,
      downloadLimitBytesPerSec: 0,
      uploadLimitBytesPerSec: 0,
      usesAlternativeLimits: false,
      torrents: {
        total: count,
        downloading: counted('downloading', 'metadata'),
        seeding: counted('seeding'),
        queued: counted('queued'),
        paused: counted('paused'),
        checking: counted('checking'),
        error: counted('error'),
      },
      connectedPeers: 412,
      dhtNodes: 182,
      freeBytes: 412e9,
      warnings: [],
    },
    torrents,
    categories: [
      { name: 'Systems', dir: '/srv/systems' },
      { name: isHostile ? HOSTILE_NAMES[0]! : 'Films' },
    ],
    publications: makePublications(names, torrents[0]?.id ?? null),
    contacts: makeContacts(people),
    transfers: count === 0 ? [] : makeTransfers(names),
    connections: makeConnections(random, isHostile ? HOSTILE_NAMES : [...CLIENTS, ...people]),
    dht: makeDht(random),
    settings: makeSettings(),
    log: Array.from({ length: 60 }, (_, seq) => ({
      seq,
      atMs: NOW_MS + seq * 1000,
      level: (['info', 'debug', 'warn', 'error'] as const)[seq % 4]!,
      area: ['swarm', 'dht', 'tracker', 'http'][seq % 4]!,
      message: isHostile
        ? HOSTILE_NAMES[seq % HOSTILE_NAMES.length]!
        : `Something that is worth a line happened (${seq}).`,
    })),
  };
}
