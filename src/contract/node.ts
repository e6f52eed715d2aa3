/**
 * The node itself in the HTTP API: its state, settings, statistics, log and health.
 * @module
 */
import Type, { type Static } from 'typebox';
import { Bytes, Nullable, WallMs } from './shapes.ts';

const Count = Type.Integer({ minimum: 0 });

export const NodeStatus = Type.Object(
  {
    version: Type.String(),
    peerId: Type.String({ description: 'Of its identity, as libp2p writes it.' }),
    home: Type.String(),
    listen: Type.Array(Type.String(), { description: 'HOST:PORT for peers.' }),
    startedAtMs: WallMs,
    externalAddress: Nullable(Type.String()),
    portMapping: Nullable(Type.String({ description: 'What the router does for this node.' })),
    isOffline: Type.Boolean(),
    downloadBytesPerSec: Bytes,
    uploadBytesPerSec: Bytes,
    downloadedBytes: Bytes,
    uploadedBytes: Bytes,
    allTimeDownloadedBytes: Bytes,
    allTimeUploadedBytes: Bytes,
    downloadLimitBytesPerSec: Bytes,
    uploadLimitBytesPerSec: Bytes,
    usesAlternativeLimits: Type.Boolean(),
    torrents: Type.Object({
      total: Count,
      downloading: Count,
      seeding: Count,
      queued: Count,
      paused: Count,
      checking: Count,
      error: Count,
    }),
    connectedPeers: Count,
    dhtNodes: Count,
    freeBytes: Nullable(Bytes),
    warnings: Type.Array(Type.String(), { description: 'What its user should look at.' }),
  },
  { $id: 'NodeStatus' },
);
export type NodeStatus = Static<typeof NodeStatus>;

export const Setting = Type.Object(
  {
    name: Type.String(),
    area: Type.String(),
    help: Type.String(),
    type: Type.Union([
      Type.Literal('boolean'),
      Type.Literal('integer'),
      Type.Literal('number'),
      Type.Literal('text'),
      Type.Literal('choice'),
      Type.Literal('list'),
    ]),
    unit: Nullable(Type.String()),
    choices: Nullable(Type.Array(Type.String())),
    minimum: Nullable(Type.Number()),
    maximum: Nullable(Type.Number()),
    value: Type.Unknown(),
    default: Type.Unknown(),
    source: Type.Union([
      Type.Literal('command line'),
      Type.Literal('environment'),
      Type.Literal('file'),
      Type.Literal('saved'),
      Type.Literal('default'),
    ]),
    isLive: Type.Boolean({ description: 'A change counts at once, without a restart.' }),
  },
  { $id: 'Setting' },
);
export type Setting = Static<typeof Setting>;

export const ChangeSettings = Type.Record(Type.String(), Type.Unknown(), {
  description: 'New values by name; null takes a value back.',
  maxProperties: 200,
});

export const Sample = Type.Object(
  {
    atMs: WallMs,
    downloadBytesPerSec: Type.Number(),
    uploadBytesPerSec: Type.Number(),
    peers: Type.Number(),
    dhtNodes: Type.Number(),
  },
  { $id: 'Sample' },
);
export type Sample = Static<typeof Sample>;

export const LogLine = Type.Object(
  {
    seq: Count,
    atMs: WallMs,
    level: Type.Union([
      Type.Literal('error'),
      Type.Literal('warn'),
      Type.Literal('info'),
      Type.Literal('debug'),
    ]),
    area: Type.String(),
    message: Type.String(),
  },
  { $id: 'LogLine' },
);
export type LogLine = Static<typeof LogLine>;

export const Health = Type.Object(
  {
    ok: Type.Boolean(),
    services: Type.Record(
      Type.String(),
      Type.Object({ ok: Type.Boolean(), detail: Type.Optional(Type.String()) }),
    ),
  },
  { $id: 'Health' },
);
export type Health = Static<typeof Health>;
