/**
 * Publications (BEP 46) in the HTTP API: links that always lead to the newest version, of this node and of others.
 * @module
 */
import Type, { type Static } from 'typebox';
import { Nullable, WallMs } from './shapes.ts';

const Path = Type.String({ minLength: 1, maxLength: 4096, description: 'Absolute.' });
const Url = Type.String({ minLength: 1, maxLength: 2048 });

export const Publication = Type.Object(
  {
    id: Type.String({ description: 'Where it stands in the DHT, 40 hex digits.' }),
    kind: Type.Union([Type.Literal('own'), Type.Literal('followed')]),
    link: Type.String({ description: 'Always leads to the newest version.' }),
    name: Type.String(),
    dir: Nullable(
      Type.String({
        description:
          'Of one that is followed: version N goes to the folder N in it, and `latest` leads to the newest that is complete.',
      }),
    ),
    path: Nullable(Type.String({ description: 'What was published last, of an own one.' })),
    version: Nullable(Type.Integer({ description: 'The newest that is known; it only grows.' })),
    torrent: Nullable(Type.String({ description: 'The id of its torrent.' })),
    isComplete: Type.Boolean(),
    intervalSeconds: Type.Integer({ description: 'Between looks for a newer one.' }),
    stored: Nullable(Type.Integer({ description: 'Nodes of the DHT that took it the last time.' })),
    lookedAtMs: Nullable(WallMs),
    error: Nullable(Type.String()),
    addedAtMs: WallMs,
  },
  { $id: 'Publication' },
);
export type Publication = Static<typeof Publication>;

export const Publish = Type.Object(
  {
    path: Type.Optional(Path),
    torrent: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{40}$', description: 'The id of a torrent of this node.' }),
    ),
    salt: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'The key has a publication for each; default: none.',
      }),
    ),
    trackers: Type.Optional(Type.Array(Url, { maxItems: 100 })),
    webSeeds: Type.Optional(Type.Array(Url, { maxItems: 100 })),
  },
  {
    $id: 'Publish',
    additionalProperties: false,
    description:
      'One of `path` and `torrent`. With the salt of an earlier one it is its next version.',
  },
);
export type Publish = Static<typeof Publish>;

export const Follow = Type.Object(
  {
    link: Type.String({ minLength: 1, maxLength: 8192, description: 'magnet:?xs=urn:btpk:…' }),
    dir: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: 'Absolute; default: a folder in that for downloads.',
      }),
    ),
    intervalSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 604_800, description: 'Default 600.' }),
    ),
  },
  { $id: 'Follow', additionalProperties: false },
);
export type Follow = Static<typeof Follow>;
