/**
 * State that is pushed: keyed collections ("topics"), sent whole once and as differences after that, over server-sent events.
 *
 * `GET /api/v1/events?topics=node,torrents,torrent:<id>` sends an event "snapshot" for each topic, then "patch" whenever something changed. Each event's id is
 * `<epoch>-<seq>`; a client that comes back with `Last-Event-ID` gets the patches that it missed, or snapshots when they are gone.
 *
 * Topics and their rows: `node` {"node": NodeStatus}; `torrents` id → TorrentRow; `torrent:<id>` {"details": TorrentDetails without files, peers, trackers} plus rows
 * `file:<index>` TorrentFile, `peer:<id>` TorrentPeer, `tracker:<n>` TorrentTracker; `transfers` id → Transfer; `contacts` peer id → Contact; `connections` id → Connection; `dht` "4"|"6" → DhtFamily;
 * `publications` id → Publication; `settings` name → Setting; `categories` name → Category; `log` seq → LogLine (the newest).
 * @module
 */
import Type, { type Static } from 'typebox';

/** Rows by key; a patch merges fields into rows. */
const Rows = Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()));

export const SnapshotEvent = Type.Object(
  { topic: Type.String(), seq: Type.Integer({ minimum: 0 }), rows: Rows },
  { $id: 'SnapshotEvent' },
);
export type SnapshotEvent = Static<typeof SnapshotEvent>;

export const PatchEvent = Type.Object(
  {
    topic: Type.String(),
    seq: Type.Integer({ minimum: 0 }),
    set: Rows,
    removed: Type.Array(Type.String()),
  },
  { $id: 'PatchEvent', description: 'New rows whole, known rows with the fields that changed.' },
);
export type PatchEvent = Static<typeof PatchEvent>;
