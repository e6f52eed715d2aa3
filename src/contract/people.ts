/**
 * People in the HTTP API: this node's identity, contacts, sending and receiving.
 * @module
 */
import Type, { type Static } from 'typebox';
import { Bytes, Nullable, WallMs } from './shapes.ts';

const Name = Type.String({ minLength: 1, maxLength: 100 });

export const IdentityCard = Type.Object(
  {
    peerId: Type.String(),
    fingerprint: Type.String({ description: 'To compare aloud.' }),
    link: Type.String({ description: 'starling://peer/…, to hand over.' }),
  },
  { $id: 'IdentityCard' },
);
export type IdentityCard = Static<typeof IdentityCard>;

export const CopyIdentity = Type.Object(
  {
    passphrase: Type.String({
      minLength: 8,
      maxLength: 1_000,
      description: 'Seals the copy; whoever has both is this node.',
    }),
  },
  { $id: 'CopyIdentity', additionalProperties: false },
);

/** As `starling id import` reads it. */
export const SealedIdentity = Type.Object(
  {
    version: Type.Integer(),
    peerId: Type.String(),
    publicKey: Type.String({ description: 'Ed25519, 32 bytes; here and below hexadecimal.' }),
    sealed: Type.Object({
      kdf: Type.Object({
        name: Type.Literal('argon2id'),
        memoryKib: Type.Integer(),
        passes: Type.Integer(),
        lanes: Type.Integer(),
      }),
      salt: Type.String(),
      cipher: Type.String({ description: 'chacha20-poly1305; the public key is its AAD.' }),
      nonce: Type.String(),
      bytes: Type.String({ description: 'The seed of the key, then the tag.' }),
    }),
  },
  { $id: 'SealedIdentity', description: 'Save it as a file: `starling id import` reads it.' },
);
export type SealedIdentity = Static<typeof SealedIdentity>;

export const Contact = Type.Object(
  {
    name: Name,
    peerId: Type.String(),
    fingerprint: Type.String(),
    isTrusted: Type.Boolean({ description: 'What it sends is accepted without asking.' }),
    isRelay: Type.Boolean({ description: 'It may be a relay for this node.' }),
    isServed: Type.Boolean({ description: 'This node may be a relay for it.' }),
    path: Nullable(Type.String({ description: 'How it is connected now; null: it is not.' })),
  },
  { $id: 'Contact' },
);
export type Contact = Static<typeof Contact>;

export const AddContact = Type.Object(
  {
    name: Name,
    id: Type.String({ minLength: 1, maxLength: 4096, description: 'A peer id or a link.' }),
  },
  { $id: 'AddContact', additionalProperties: false },
);

export const ChangeContact = Type.Object(
  {
    name: Type.Optional(Name),
    isTrusted: Type.Optional(Type.Boolean()),
    isRelay: Type.Optional(Type.Boolean()),
    isServed: Type.Optional(Type.Boolean()),
  },
  { $id: 'ChangeContact', additionalProperties: false },
);

/** One sending or receiving, of files or a message. */
export const Transfer = Type.Object(
  {
    id: Type.String(),
    direction: Type.Union([Type.Literal('send'), Type.Literal('receive')]),
    state: Type.Union(
      [
        Type.Literal('preparing'),
        Type.Literal('waiting'),
        Type.Literal('searching'),
        Type.Literal('offered'),
        Type.Literal('transferring'),
        Type.Literal('verifying'),
        Type.Literal('complete'),
        Type.Literal('declined'),
        Type.Literal('failed'),
        Type.Literal('cancelled'),
      ],
      { description: 'offered: a person has to accept or decline.' },
    ),
    name: Type.String(),
    words: Nullable(Type.String({ description: 'The code, of a send.' })),
    contact: Nullable(Type.String()),
    path: Nullable(Type.String({ description: 'direct, LAN, relay …' })),
    totalBytes: Bytes,
    doneBytes: Bytes,
    bytesPerSec: Bytes,
    files: Nullable(Type.Integer({ minimum: 0 })),
    guesses: Type.Integer({ minimum: 0, description: 'Wrong codes that others tried.' }),
    text: Nullable(Type.String({ description: 'A message.' })),
    sha256: Nullable(Type.String({ description: 'Hex; when complete.' })),
    dir: Nullable(Type.String()),
    error: Nullable(Type.String()),
    startedAtMs: WallMs,
  },
  { $id: 'Transfer' },
);
export type Transfer = Static<typeof Transfer>;

export const BeginSend = Type.Object(
  {
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Absolute.' })),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000_000 })),
    to: Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: 'A contact.' })),
    name: Type.Optional(Name),
  },
  {
    $id: 'BeginSend',
    additionalProperties: false,
    description: 'One of `path` and `text`; without `to`, three words are made.',
  },
);
export type BeginSend = Static<typeof BeginSend>;

export const BeginReceive = Type.Object(
  {
    words: Type.String({ minLength: 1, maxLength: 200 }),
    dir: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    peers: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 20 })),
    isAccepted: Type.Optional(Type.Boolean({ description: 'Take it without asking again.' })),
    sha256: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{64}$', description: 'The digest that it must have.' }),
    ),
    patienceSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 604_800,
        description: 'How long the sender is looked for; default 600.',
      }),
    ),
  },
  { $id: 'BeginReceive', additionalProperties: false },
);
export type BeginReceive = Static<typeof BeginReceive>;

export const AnswerOffer = Type.Object(
  { accept: Type.Boolean(), dir: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })) },
  { $id: 'AnswerOffer', additionalProperties: false },
);
