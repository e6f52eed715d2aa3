/**
 * Torrents in the HTTP API: rows of the list, details, and what may be asked of them.
 * @module
 */
import Type, { type Static } from 'typebox';
import { Bytes, Nullable, TorrentId, WallMs } from './shapes.ts';

export const TorrentState = Type.Union(
  [
    Type.Literal('metadata'),
    Type.Literal('checking'),
    Type.Literal('downloading'),
    Type.Literal('seeding'),
    Type.Literal('queued'),
    Type.Literal('paused'),
    Type.Literal('moving'),
    Type.Literal('error'),
    Type.Literal('stopped'),
  ],
  { description: 'metadata: it is a magnet link whose metadata is being fetched.' },
);
export type TorrentState = Static<typeof TorrentState>;

export const ShareLimits = Type.Object(
  {
    ratio: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 1e6 }))),
    seedingSeconds: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 1e10 }))),
    idleSeconds: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 1e10 }))),
    action: Type.Optional(
      Type.Union([Type.Literal('pause'), Type.Literal('remove'), Type.Literal('super-seed')]),
    ),
  },
  { additionalProperties: false, description: 'When a seed has given enough; null: never.' },
);
export type ShareLimits = Static<typeof ShareLimits>;

/** One line of the list. */
export const TorrentRow = Type.Object(
  {
    id: TorrentId,
    infoHashV1: Nullable(Type.String()),
    infoHashV2: Nullable(Type.String()),
    name: Type.String(),
    state: TorrentState,
    error: Nullable(Type.String()),
    progress: Type.Number({ minimum: 0, maximum: 1, description: 'Of what is wanted.' }),
    checked: Nullable(Type.Number({ minimum: 0, maximum: 1, description: 'While checking.' })),
    wantedBytes: Bytes,
    doneBytes: Bytes,
    totalBytes: Bytes,
    downloadBytesPerSec: Bytes,
    uploadBytesPerSec: Bytes,
    downloadedBytes: Bytes,
    uploadedBytes: Bytes,
    ratio: Type.Number({ minimum: 0 }),
    etaSeconds: Nullable(Type.Number({ minimum: 0 })),
    connectedPeers: Type.Integer({ minimum: 0 }),
    connectedSeeds: Type.Integer({ minimum: 0 }),
    swarmSeeds: Nullable(Type.Integer({ minimum: 0, description: 'As trackers count them.' })),
    swarmLeeches: Nullable(Type.Integer({ minimum: 0 })),
    category: Nullable(Type.String()),
    tags: Type.Array(Type.String()),
    queueIndex: Type.Integer({ minimum: 0 }),
    addedAtMs: WallMs,
    completedAtMs: Nullable(WallMs),
    dir: Type.String({ description: 'The folder that holds the top name.' }),
    isPrivate: Type.Boolean(),
    isSequential: Type.Boolean(),
    isSecure: Type.Boolean({ description: 'Shared with contacts alone.' }),
    downloadLimitBytesPerSec: Bytes,
    uploadLimitBytesPerSec: Bytes,
  },
  { $id: 'TorrentRow' },
);
export type TorrentRow = Static<typeof TorrentRow>;

export const TorrentFile = Type.Object(
  {
    index: Type.Integer({ minimum: 0 }),
    path: Type.String({ description: 'Below the folder, with "/".' }),
    lengthBytes: Bytes,
    doneBytes: Bytes,
    priority: Type.Integer({ minimum: 0, maximum: 7, description: '0: not wanted; 4: normal.' }),
    mediaType: Nullable(Type.String({ description: 'Of what can be played.' })),
    isPlayable: Type.Boolean({ description: 'Browsers can play it.' }),
  },
  { $id: 'TorrentFile' },
);
export type TorrentFile = Static<typeof TorrentFile>;

export const TorrentPeer = Type.Object(
  {
    id: Type.Integer(),
    address: Type.String(),
    client: Type.String(),
    source: Type.String({ description: 'How it was found: tracker, dht, pex, lan, …' }),
    isIncoming: Type.Boolean(),
    isWebSeed: Type.Boolean(),
    isSeed: Type.Boolean(),
    downloadBytesPerSec: Bytes,
    uploadBytesPerSec: Bytes,
    downloadedBytes: Bytes,
    uploadedBytes: Bytes,
    isChokingUs: Type.Boolean(),
    amChoking: Type.Boolean(),
    isInterested: Type.Boolean(),
    amInterested: Type.Boolean(),
    isSnubbed: Type.Boolean(),
  },
  { $id: 'TorrentPeer' },
);
export type TorrentPeer = Static<typeof TorrentPeer>;

export const TorrentTracker = Type.Object(
  {
    url: Type.String(),
    tier: Type.Integer({ minimum: 0 }),
    activity: Type.String(),
    error: Nullable(Type.String()),
    warning: Nullable(Type.String()),
    seeds: Nullable(Type.Integer()),
    leeches: Nullable(Type.Integer()),
    downloads: Nullable(Type.Integer()),
    peersReceived: Type.Integer({ minimum: 0 }),
    nextAnnounceInSeconds: Nullable(Type.Number()),
  },
  { $id: 'TorrentTracker' },
);
export type TorrentTracker = Static<typeof TorrentTracker>;

export const TorrentDetails = Type.Object(
  {
    ...TorrentRow.properties,
    magnet: Type.String(),
    comment: Nullable(Type.String()),
    createdBy: Nullable(Type.String()),
    createdAtMs: Nullable(WallMs),
    pieceLengthBytes: Nullable(Bytes),
    pieceCount: Type.Integer({ minimum: 0 }),
    pieces: Type.String({
      description: 'Which pieces are here: a bitfield (BEP 3), base64; empty before the metadata.',
    }),
    activeSeconds: Type.Integer({
      minimum: 0,
      description: 'Time at work, in all runs: looking for metadata, downloading, seeding.',
    }),
    seedingSeconds: Type.Integer({ minimum: 0, description: 'Of it: seeding.' }),
    wastedBytes: Bytes,
    failedPieces: Type.Integer({ minimum: 0 }),
    shareLimits: ShareLimits,
    files: Type.Array(TorrentFile),
    peers: Type.Array(TorrentPeer),
    trackers: Type.Array(TorrentTracker),
    webSeeds: Type.Array(
      Type.Object({
        url: Type.String(),
        isConnected: Type.Boolean(),
        isBanned: Type.Boolean(),
        failure: Nullable(Type.String()),
      }),
    ),
  },
  { $id: 'TorrentDetails' },
);
export type TorrentDetails = Static<typeof TorrentDetails>;

const Text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) });

/** What a torrent may be given when it is added. */
const CHOICES = {
  dir: Type.Optional(Text(4096, 'Absolute; default: the category’s, then the setting’s.')),
  category: Type.Optional(Text(100)),
  tags: Type.Optional(Type.Array(Text(100), { maxItems: 50 })),
  isPaused: Type.Optional(Type.Boolean()),
  isSequential: Type.Optional(Type.Boolean()),
  select: Type.Optional(
    Type.Array(Text(4096), { maxItems: 1000, description: 'Only files that match one of these.' }),
  ),
  peers: Type.Optional(Type.Array(Text(300, 'HOST:PORT'), { maxItems: 200 })),
  trackers: Type.Optional(Type.Array(Text(2048), { maxItems: 100 })),
  webSeeds: Type.Optional(Type.Array(Text(2048), { maxItems: 100 })),
  usesDiscovery: Type.Optional(Type.Boolean()),
  downloadLimitBytesPerSec: Type.Optional(Bytes),
  uploadLimitBytesPerSec: Type.Optional(Bytes),
  shareLimits: Type.Optional(ShareLimits),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
};

const Contacts = Type.Optional(
  Type.Array(Text(300), {
    maxItems: 100,
    description: 'Only with these, over encrypted channels; names or peer ids.',
  }),
);

export const AddTorrent = Type.Object(
  {
    link: Type.Optional(
      Text(65_536, 'A magnet link, an http(s) URL of a torrent file, or a publication’s link.'),
    ),
    torrent: Type.Optional(
      Type.String({ maxLength: 180_000_000, description: 'The torrent file, base64.' }),
    ),
    mode: Type.Optional(
      Type.Union([Type.Literal('download'), Type.Literal('seed')], {
        description: 'seed: every file must be in `dir` and right. Default download.',
      }),
    ),
    contacts: Contacts,
    ...CHOICES,
  },
  { $id: 'AddTorrent', additionalProperties: false, description: 'One of `link` and `torrent`.' },
);
export type AddTorrent = Static<typeof AddTorrent>;

export const ShareFiles = Type.Object(
  {
    path: Text(4096, 'Absolute path of a file or folder on the node’s machine.'),
    trackers: CHOICES.trackers,
    webSeeds: CHOICES.webSeeds,
    category: CHOICES.category,
    tags: CHOICES.tags,
    isPrivate: Type.Optional(Type.Boolean()),
    contacts: Contacts,
    comment: Type.Optional(Text(10_000)),
  },
  { $id: 'ShareFiles', additionalProperties: false },
);
export type ShareFiles = Static<typeof ShareFiles>;

export const ChangeTorrent = Type.Object(
  {
    isPaused: Type.Optional(Type.Boolean()),
    category: Type.Optional(Nullable(Text(100))),
    tags: CHOICES.tags,
    isSequential: CHOICES.isSequential,
    downloadLimitBytesPerSec: CHOICES.downloadLimitBytesPerSec,
    uploadLimitBytesPerSec: CHOICES.uploadLimitBytesPerSec,
    shareLimits: CHOICES.shareLimits,
    trackers: Type.Optional(
      Type.Array(Type.Array(Text(2048), { maxItems: 100 }), {
        maxItems: 100,
        description: 'All its trackers by tier (BEP 12), in place of those that it has.',
      }),
    ),
    dir: Type.Optional(Text(4096, 'Moves the files there.')),
    queue: Type.Optional(
      Type.Union([
        Type.Literal('top'),
        Type.Literal('up'),
        Type.Literal('down'),
        Type.Literal('bottom'),
      ]),
    ),
    files: Type.Optional(
      Type.Array(
        Type.Object(
          {
            index: Type.Integer({ minimum: 0 }),
            priority: Type.Integer({ minimum: 0, maximum: 7 }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 100_000, description: 'Priorities; 0: not wanted, 4: normal.' },
      ),
    ),
  },
  { $id: 'ChangeTorrent', additionalProperties: false },
);
export type ChangeTorrent = Static<typeof ChangeTorrent>;

export const PeersOfTorrent = Type.Object(
  { peers: Type.Array(Text(300, 'HOST:PORT'), { minItems: 1, maxItems: 200 }) },
  { $id: 'PeersOfTorrent', additionalProperties: false },
);
export type PeersOfTorrent = Static<typeof PeersOfTorrent>;

export const RenameInTorrent = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        maxLength: 65_536,
        description:
          'Of a file as its list of files says it, or of a folder above one. Default: the torrent’s own name.',
      }),
    ),
    name: Text(1024, 'What it is called from now on: one component.'),
  },
  { $id: 'RenameInTorrent', additionalProperties: false },
);
export type RenameInTorrent = Static<typeof RenameInTorrent>;

export const TorrentAction = Type.Object(
  {
    action: Type.Union([
      Type.Literal('pause'),
      Type.Literal('resume'),
      Type.Literal('recheck'),
      Type.Literal('reannounce'),
      Type.Literal('remove'),
      Type.Literal('remove-with-files'),
    ]),
    ids: Type.Union([Type.Array(TorrentId, { maxItems: 100_000 }), Type.Literal('all')]),
  },
  { $id: 'TorrentAction', additionalProperties: false },
);
export type TorrentAction = Static<typeof TorrentAction>;

export const Category = Type.Object(
  {
    name: Text(100),
    dir: Type.Optional(Nullable(Text(4096, 'Where its torrents go.'))),
    shareLimits: Type.Optional(ShareLimits),
    downloadLimitBytesPerSec: CHOICES.downloadLimitBytesPerSec,
    uploadLimitBytesPerSec: CHOICES.uploadLimitBytesPerSec,
  },
  { $id: 'Category', additionalProperties: false },
);
export type Category = Static<typeof Category>;
