/**
 * The network in the HTTP API: connections, the DHT, the doctor, what is revealed to whom.
 * @module
 */
import Type, { type Static } from 'typebox';
import { Bytes, Nullable } from './shapes.ts';

const Count = Type.Integer({ minimum: 0 });

/** A connection of any kind, for the picture of the network. */
export const Connection = Type.Object(
  {
    id: Type.String(),
    kind: Type.Union([
      Type.Literal('swarm'),
      Type.Literal('channel'),
      Type.Literal('relay'),
      Type.Literal('web-seed'),
    ]),
    address: Type.String(),
    label: Type.String({ description: 'A client’s or contact’s name, printable.' }),
    source: Type.String(),
    isIncoming: Type.Boolean(),
    torrent: Nullable(Type.String()),
    downloadBytesPerSec: Bytes,
    uploadBytesPerSec: Bytes,
  },
  { $id: 'Connection' },
);
export type Connection = Static<typeof Connection>;

export const DhtFamily = Type.Object(
  {
    family: Type.Union([Type.Literal(4), Type.Literal(6)]),
    id: Type.String(),
    port: Nullable(Type.Integer()),
    good: Count,
    questionable: Count,
    waiting: Count,
    buckets: Count,
    networkSize: Type.Number(),
    queriesSent: Count,
    answersReceived: Count,
    timeouts: Count,
    queriesReceived: Count,
    nodes: Type.Array(
      Type.Object({
        id: Type.String(),
        address: Type.String(),
        sharedBits: Type.Integer({ minimum: 0, maximum: 160 }),
        isGood: Type.Boolean(),
      }),
      { description: 'The neighbourhood: the nearest nodes known.' },
    ),
  },
  { $id: 'DhtFamily' },
);
export type DhtFamily = Static<typeof DhtFamily>;

export const Finding = Type.Object(
  {
    what: Type.String(),
    state: Type.Union([
      Type.Literal('ok'),
      Type.Literal('warning'),
      Type.Literal('problem'),
      Type.Literal('unknown'),
    ]),
    text: Type.String(),
    remedy: Nullable(Type.String()),
  },
  { $id: 'Finding' },
);
export type Finding = Static<typeof Finding>;

export const Disclosure = Type.Object(
  {
    name: Type.String({ description: 'The mechanism.' }),
    isOn: Type.Boolean(),
    canSwitch: Type.Boolean(),
    what: Type.String(),
    toWhom: Type.String(),
    when: Type.String(),
    off: Type.String({ description: 'What turns it off.' }),
  },
  { $id: 'Disclosure' },
);
export type Disclosure = Static<typeof Disclosure>;

export const RelayState = Type.Object(
  {
    isServing: Type.Boolean({ description: 'The setting relay.enabled.' }),
    reservations: Count,
    connections: Count,
    passedBytes: Bytes,
  },
  { $id: 'RelayState' },
);
export type RelayState = Static<typeof RelayState>;
