/**
 * State that is pushed: topics are collections of rows by key; subscribers get a snapshot, then differences with sequence numbers.
 *
 * Rows are plain objects that are never changed in place: a topic that gives the same object again says that nothing changed, which makes thousands of resting rows cheap.
 * Bounds: a topic is looked at only while somebody listens or did within KEEP_MS; of each topic MAX_PATCHES patches of MAX_PATCH_BYTES in all are kept for those who come back.
 * Not here: how it travels (src/node/http/events.ts).
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { PatchEvent, SnapshotEvent } from '../../contract/index.ts';
import { monotonicMs } from '../../io/clock.ts';

// Implementation limits
/** How often a topic is looked at. */
const TICK_MS = 450;
/** How long a topic without listeners is kept up, for those whose connection broke. */
const KEEP_MS = 60_000;
/** Patches of a topic that are kept. */
const MAX_PATCHES = 256;
/** Characters of JSON in them. */
const MAX_PATCH_CHARS = 4 * 1024 * 1024;
/** Topics that are kept up at a time; each torrent that somebody looks at is one. */
const MAX_TOPICS = 256;
/** Rows in a snapshot; the rest follows as patches, so that other requests are answered in between. */
const SNAPSHOT_ROWS = 500;

/** Whoever was told no more than this gets a snapshot. */
const BEGUN = -1;

/** A row: never changed in place. */
export type Row = Readonly<Record<string, unknown>>;

/** A collection of rows that can be followed. */
export interface Topic {
  readonly name: string;
  /** The rows of the moment; undefined: there is no such thing any more. */
  rows(): Iterable<readonly [key: string, row: Row]> | undefined;
}

/** An event on its way to a subscriber: already JSON, the same text for all. */
export interface FeedEvent {
  readonly type: 'snapshot' | 'patch' | 'gone';
  readonly topic: string;
  /** How far the subscriber was told with it; BEGUN: more of the snapshot follows. */
  readonly seq: number;
  readonly data: string;
}

/** Finds topics by name: fixed ones, and ones with a part of their own ("torrent:<id>"). */
export type TopicSource = (name: string) => Topic | undefined;

/** All topics of a node. */
export class Feed {
  /** Another start of the node counts anew. */
  readonly epoch: string = randomBytes(6).toString('hex');
  readonly #sources: TopicSource[] = [];
  readonly #live = new Map<string, LiveTopic>();
  readonly #nowMs: () => number;
  /** The highest number of topics that are kept up no more: one that comes back counts on from there, so that no number stands for two states. */
  #lastSeq = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(nowMs: () => number = monotonicMs) {
    this.#nowMs = nowMs;
  }

  /** Adds topics. */
  add(source: TopicSource): void {
    this.#sources.push(source);
  }

  /** How many listeners there are, over all topics. */
  get listeners(): number {
    let count = 0;
    for (const topic of this.#live.values()) count += topic.listeners.size;
    return count;
  }

  /**
   * Follows a topic: first what brings a subscriber with `since` up to date, or a snapshot; then patches.
   * @returns how to end it; undefined when there is no such topic or too many are followed.
   */
  subscribe(
    name: string,
    since: number | undefined,
    listener: (event: FeedEvent) => void,
  ): (() => void) | undefined {
    const topic = this.#open(name);
    if (topic === undefined) return undefined;
    // Whoever listens already is told what this look finds: it counts as told.
    if (!topic.tell()) {
      this.#drop(name, topic);
      return undefined;
    }
    for (const event of topic.bring(since)) listener(event);
    topic.listeners.add(listener);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return () => {
      if (!topic.listeners.delete(listener)) return;
      topic.restingSinceMs = this.#nowMs();
    };
  }

  /** Looks at a topic now, since something important changed. */
  touch(name: string): void {
    const topic = this.#live.get(name);
    if (topic !== undefined && topic.listeners.size > 0) topic.tell();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#live.clear();
  }

  #open(name: string): LiveTopic | undefined {
    const known = this.#live.get(name);
    if (known !== undefined) return known;
    if (this.#live.size >= MAX_TOPICS) this.#dropResting(0);
    if (this.#live.size >= MAX_TOPICS) return undefined;
    for (const source of this.#sources) {
      const topic = source(name);
      if (topic === undefined) continue;
      const live = new LiveTopic(topic, this.#lastSeq + 1, this.#nowMs());
      this.#live.set(name, live);
      return live;
    }
    return undefined;
  }

  #tick(): void {
    for (const [name, topic] of this.#live) {
      if (topic.listeners.size > 0 && !topic.tell()) this.#drop(name, topic);
    }
    this.#dropResting(KEEP_MS);
    if (this.#live.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #dropResting(restMs: number): void {
    const before = this.#nowMs() - restMs;
    for (const [name, topic] of this.#live) {
      if (topic.listeners.size === 0 && topic.restingSinceMs <= before) this.#drop(name, topic);
    }
  }

  #drop(name: string, topic: LiveTopic): void {
    this.#live.delete(name);
    this.#lastSeq = Math.max(this.#lastSeq, topic.seq);
  }
}

/** A topic that is kept up. */
class LiveTopic {
  readonly listeners = new Set<(event: FeedEvent) => void>();
  restingSinceMs: number;
  readonly #topic: Topic;
  #rows = new Map<string, Row>();
  #seq: number;
  #patches: FeedEvent[] = [];
  #patchChars = 0;

  constructor(topic: Topic, seq: number, nowMs: number) {
    this.#seq = seq;
    this.restingSinceMs = nowMs;
    this.#topic = topic;
    for (const [key, row] of topic.rows() ?? []) this.#rows.set(key, row);
  }

  get seq(): number {
    return this.#seq;
  }

  /** Tells its listeners what changed. @returns false when it is gone. */
  tell(): boolean {
    const event = this.look();
    if (event !== undefined) for (const listener of this.listeners) listener(event);
    return event?.type !== 'gone';
  }

  /** Compares with what was told last. */
  look(): FeedEvent | undefined {
    const now = this.#topic.rows();
    if (now === undefined) return this.#event('gone', { topic: this.#topic.name, seq: this.#seq });
    const rows = new Map(now);
    const set: Record<string, Row> = {};
    let changes = 0;
    for (const [key, row] of rows) {
      const change = differenceOf(this.#rows.get(key), row);
      if (change === undefined) continue;
      set[key] = change;
      changes += 1;
    }
    const removed = [...this.#rows.keys()].filter((key) => !rows.has(key));
    this.#rows = rows;
    if (changes === 0 && removed.length === 0) return undefined;
    this.#seq += 1;
    const patch: PatchEvent = { topic: this.#topic.name, seq: this.#seq, set, removed };
    return this.#keep(this.#event('patch', patch));
  }

  /** What brings somebody up to date who was told all up to `since`. */
  bring(since: number | undefined): readonly FeedEvent[] {
    if (since !== undefined && since > BEGUN && since <= this.#seq) {
      const missed = this.#patches.filter(({ seq }) => seq > since);
      if (missed.length === this.#seq - since) return missed;
    }
    return this.#snapshot();
  }

  #snapshot(): FeedEvent[] {
    const { name: topic } = this.#topic;
    const seq = this.#seq;
    const all = [...this.#rows];
    const rows = Object.fromEntries(all.slice(0, SNAPSHOT_ROWS));
    const snapshot: SnapshotEvent = { topic, seq, rows };
    const events = [this.#event('snapshot', snapshot)];
    for (let at = SNAPSHOT_ROWS; at < all.length; at += SNAPSHOT_ROWS) {
      const set = Object.fromEntries(all.slice(at, at + SNAPSHOT_ROWS));
      const patch: PatchEvent = { topic, seq, set, removed: [] };
      events.push(this.#event('patch', patch));
    }
    return events.map((event, at) => (at < events.length - 1 ? { ...event, seq: BEGUN } : event));
  }

  #event(type: FeedEvent['type'], body: Pick<PatchEvent, 'topic' | 'seq'>): FeedEvent {
    const { topic, seq } = body;
    return { type, topic, seq, data: JSON.stringify(body) };
  }

  #keep(event: FeedEvent): FeedEvent {
    this.#patches.push(event);
    this.#patchChars += event.data.length;
    while (this.#patches.length > MAX_PATCHES || this.#patchChars > MAX_PATCH_CHARS) {
      this.#patchChars -= this.#patches.shift()!.data.length;
    }
    return event;
  }
}

/** The fields that changed; the whole row when it is new; undefined: nothing did. */
function differenceOf(before: Row | undefined, now: Row): Row | undefined {
  if (before === now) return undefined;
  if (before === undefined) return now;
  let difference: Record<string, unknown> | undefined;
  for (const key in now) {
    if (isSame(before[key], now[key])) continue;
    difference ??= {};
    difference[key] = now[key];
  }
  return difference;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
