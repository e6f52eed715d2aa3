/**
 * The node's pushed state: one stream of events for what every page needs, one for what the open page needs beside it.
 *
 * A browser keeps at most six connections to one host, over all its tabs: a tab that nobody looks at therefore lets go of its streams after a while, and gets
 * snapshots when it is looked at again. A stream that breaks comes back by itself, with the number of the last event, and gets what it missed.
 * @module
 */
import { useEffect } from 'react';
import type {
  Category,
  Connection,
  Contact,
  DhtFamily,
  LogLine,
  NodeStatus,
  PatchEvent,
  Publication,
  Setting,
  SnapshotEvent,
  TorrentRow,
  Transfer,
} from '../../contract/index.ts';
import { eventsUrl, request } from './api.ts';
import { Collection } from './collection.ts';
import { session } from './session-value.ts';
import { Value } from './value.ts';

// Implementation limits
/** How long a tab that is not looked at keeps its streams, in milliseconds. */
const HIDDEN_MS = 10_000;
/** How long after a refused stream it is tried again, in milliseconds. */
const RETRY_MS = 2_000;

export const node = new Collection<NodeStatus>();
export const torrents = new Collection<TorrentRow>();
export const transfers = new Collection<Transfer>();
export const categories = new Collection<Category>();
export const publications = new Collection<Publication>();
export const contacts = new Collection<Contact>();
export const connections = new Collection<Connection>();
export const dht = new Collection<DhtFamily>();
export const settings = new Collection<Setting>();
export const log = new Collection<LogLine>();
/** The torrent that is looked at: rows "details", "file:…", "peer:…", "tracker:…". */
export const torrent = new Collection<object>();

const COLLECTIONS: Readonly<Record<string, Collection<object>>> = {
  node,
  torrents,
  transfers,
  categories,
  publications,
  contacts,
  connections,
  dht,
  settings,
  log,
} as unknown as Record<string, Collection<object>>;

/** Whether the streams are open. */
export const isLive = new Value(false);

function collectionOf(topic: string): Collection<object> | undefined {
  return topic.startsWith('torrent:') ? torrent : COLLECTIONS[topic];
}

/** A stream of some topics, opened again when they change. */
class Stream {
  #topics: readonly string[] = [];
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isPaused = false;
  readonly #isMain: boolean;

  constructor(isMain: boolean) {
    this.#isMain = isMain;
  }

  watch(topics: readonly string[]): void {
    if (topics.join() === this.#topics.join()) return;
    this.#topics = topics;
    this.#open();
  }

  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#open();
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
    if (this.#isPaused || this.#topics.length === 0) return;
    const source = new EventSource(eventsUrl(this.#topics));
    this.#source = source;
    source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => {
      if (this.#isMain) isLive.set(true);
      const { topic, rows } = JSON.parse(data) as SnapshotEvent;
      collectionOf(topic)?.snapshot(rows);
    });
    source.addEventListener('patch', ({ data }: MessageEvent<string>) => {
      const { topic, set, removed } = JSON.parse(data) as PatchEvent;
      collectionOf(topic)?.patch(set, removed);
    });
    source.addEventListener('open', () => {
      if (this.#isMain) isLive.set(true);
    });
    source.addEventListener('error', () => {
      if (this.#isMain) isLive.set(false);
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused: an ended session, or a node that is just starting. The request finds out which, and tells the session.
      request('GET', '/status').catch(() => undefined);
      this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    });
  }
}

const main = new Stream(true);
const page = new Stream(false);

/** Opens and closes the streams as the session and the tab's visibility say. */
export function beginLive(): void {
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const apply = (): void => {
    const isSignedIn = session.get() === 'signed-in';
    main.watch(isSignedIn ? ['node', 'torrents', 'transfers', 'categories'] : []);
    if (!isSignedIn) page.watch([]);
  };
  session.subscribe(apply);
  apply();
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    const pause = (isPaused: boolean): void => {
      main.pause(isPaused);
      page.pause(isPaused);
    };
    if (document.visibilityState === 'visible') pause(false);
    else hiding = setTimeout(() => pause(true), HIDDEN_MS);
  });
}

/** Watches more topics as long as the component is there; only one page does at a time. */
export function useTopics(...topics: readonly string[]): void {
  const all = topics.join();
  useEffect(() => {
    if (all === '') return;
    for (const topic of all.split(',')) collectionOf(topic)?.clear();
    page.watch(all.split(','));
    return () => page.watch([]);
  }, [all]);
}
