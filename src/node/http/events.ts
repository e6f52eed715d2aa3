/**
 * The feed over server-sent events (WHATWG HTML, section 9.2): one connection carries any number of topics.
 *
 * Bounds: MAX_STREAMS connections; a reader that leaves MAX_UNREAD_BYTES unread is cut off, comes back by itself and gets what it missed.
 * @module
 */
import type { ServerResponse } from 'node:http';
import Type from 'typebox';
import type { Feed, FeedEvent } from '../daemon/feed.ts';
import type { Api } from './api.ts';
import { apiError } from './errors.ts';

// Implementation limits
/** Readers at a time. */
const MAX_STREAMS = 64;
/** Topics of one reader. */
const MAX_TOPICS = 50;
/** What a reader may leave unread. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** A comment this often keeps the connection alive. */
const HEARTBEAT_MS = 15_000;
/** How soon a browser comes back. */
const RETRY_MS = 1_000;

/** Declares GET /events. @returns ends all streams. */
export function eventRoutes(api: Api, feed: Feed): () => void {
  const ends = new Set<() => void>();
  api.get(
    '/events',
    {
      schema: {
        tags: ['node'],
        summary: 'Follow state: snapshots, then differences (server-sent events)',
        querystring: Type.Object({
          topics: Type.String({
            maxLength: 10_000,
            description:
              'Names with commas: node, torrents, torrent:ID, transfers, contacts, connections, dht, settings, categories, log.',
          }),
          since: Type.Optional(
            Type.String({ maxLength: 10_000, description: 'As Last-Event-ID, for programs.' }),
          ),
        }),
      },
    },
    (request, reply) => {
      if (ends.size >= MAX_STREAMS) {
        throw apiError('ERR_API_TOO_MANY', { what: 'event streams', most: MAX_STREAMS });
      }
      const topics = [...new Set(request.query.topics.split(','))].filter((name) => name !== '');
      if (topics.length === 0 || topics.length > MAX_TOPICS) {
        const mistakes = `expected 1 to ${MAX_TOPICS} names, got ${topics.length}`;
        throw apiError('ERR_API_INVALID', { what: 'topics', mistakes });
      }
      const header = request.headers['last-event-id'];
      const last = request.query.since ?? (typeof header === 'string' ? header : '');
      reply.hijack();
      const end = new EventStream(reply.raw, feed).run(topics, last, reply.getHeaders());
      ends.add(end);
      reply.raw.on('close', () => {
        end();
        ends.delete(end);
      });
    },
  );
  return () => {
    for (const end of ends) end();
  };
}

class EventStream {
  readonly #raw: ServerResponse;
  readonly #feed: Feed;
  readonly #seqs = new Map<string, number>();
  readonly #stops: (() => void)[] = [];
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(raw: ServerResponse, feed: Feed) {
    this.#raw = raw;
    this.#feed = feed;
  }

  /** @param last the id of the last event that came before. @returns ends it. */
  run(topics: readonly string[], last: string, headers: object): () => void {
    this.#raw.writeHead(200, {
      ...(headers as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    this.#raw.write(`retry: ${RETRY_MS}\n\n`);
    const known = this.#knownBy(last);
    for (const name of topics) {
      const stop = this.#feed.subscribe(name, known.get(name), (event) => this.#write(event));
      if (stop === undefined) this.#write(goneEvent(name));
      else this.#stops.push(stop);
    }
    this.#heartbeat = setInterval(() => this.#raw.write(': \n\n'), HEARTBEAT_MS).unref();
    return () => {
      clearInterval(this.#heartbeat);
      for (const stop of this.#stops.splice(0)) stop();
      this.#raw.end();
    };
  }

  /** An id names the epoch and how far each topic was told: "epoch node=5,torrents=7". */
  #knownBy(last: string): Map<string, number> {
    const [epoch, list = ''] = last.split(' ', 2);
    if (epoch !== this.#feed.epoch) return new Map();
    return new Map(
      list.split(',').flatMap((part) => {
        const at = part.lastIndexOf('=');
        const seq = Number(part.slice(at + 1));
        return Number.isSafeInteger(seq) ? [[part.slice(0, at), seq] as const] : [];
      }),
    );
  }

  #write(event: FeedEvent): void {
    if (this.#raw.destroyed) return;
    if (this.#raw.writableLength > MAX_UNREAD_BYTES) {
      this.#raw.destroy();
      return;
    }
    // A name that nothing has is whatever somebody sent: it stays out of the line of the id.
    if (event.type === 'gone') this.#seqs.delete(event.topic);
    else this.#seqs.set(event.topic, event.seq);
    const seqs = [...this.#seqs].map(([topic, seq]) => `${topic}=${seq}`).join(',');
    this.#raw.write(
      `id: ${this.#feed.epoch} ${seqs}\nevent: ${event.type}\ndata: ${event.data}\n\n`,
    );
  }
}

function goneEvent(topic: string): FeedEvent {
  return { type: 'gone', topic, seq: 0, data: JSON.stringify({ topic, seq: 0 }) };
}
