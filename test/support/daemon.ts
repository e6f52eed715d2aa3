/**
 * The long-running node in the process of a test: on loopback alone, with a home of its own, asked over HTTP.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Daemon, type DaemonOptions } from '../../src/node/daemon/daemon.ts';
import { poll, type TestBed } from './cli-child.ts';

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Its body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer is JSON.
  readonly body: any;
  readonly text: string;
}

/** How a request is made. */
export interface AskOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the right one. */
  readonly token?: string | null;
  readonly timeoutMs?: number;
}

/** A node to ask. */
export class TestNode {
  readonly daemon: Daemon;

  constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  get url(): string {
    return this.daemon.server.url;
  }

  get port(): number {
    return this.daemon.server.endpoint.port;
  }

  /** Asks below /api/v1 when the path begins with none of the server's own. */
  async ask(method: string, where: string, options: AskOptions = {}): Promise<Answer> {
    const { body, token = this.daemon.token, headers = {}, timeoutMs = 30_000 } = options;
    const path = /^\/(?:api|healthz|metrics|transmission)/.test(where) ? where : `/api/v1${where}`;
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const { status } = response;
    return { status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  /** Sends these very bytes and gives all that comes until the server hangs up. */
  async raw(bytes: string | Uint8Array): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return answer;
  }
}

/** Opens a node that ends with the test. */
export async function openTestNode(bed: TestBed, options: DaemonOptions = {}): Promise<TestNode> {
  const daemon = await Daemon.open({
    home: bed.home(),
    isOffline: true,
    ...options,
    settings: {
      'api.listen': '127.0.0.1:0',
      listen: '127.0.0.1:0',
      'discovery.lan': false,
      'download-dir': bed.dir('downloads'),
      ...options.settings,
    },
  });
  bed.onEnd(() => daemon.close());
  return new TestNode(daemon);
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON.
export type Json = any;

/** Asks and insists on success. @returns the answer's JSON. */
export async function ok(
  node: TestNode,
  method: string,
  where: string,
  body?: unknown,
): Promise<Json> {
  const answer = await node.ask(method, where, body === undefined ? {} : { body });
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.text}`);
  return answer.body;
}

/** The details of a torrent, once they fit. */
export function until(node: TestNode, id: string, fits: (torrent: Json) => boolean): Promise<Json> {
  return poll('the torrent', async () => {
    const torrent = await ok(node, 'GET', `/torrents/${id}`);
    return fits(torrent) ? torrent : undefined;
  });
}

/** An event of a stream. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event is JSON.
  readonly data: any;
}

/** A reader of server-sent events, which can be cut off. */
export class StreamReader {
  readonly events: StreamEvent[] = [];
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #tell: () => void = () => {};

  constructor(node: TestNode, topics: string, last?: string) {
    this.#done = this.#read(node, topics, last).catch(() => {});
  }

  async #read(node: TestNode, topics: string, last: string | undefined): Promise<void> {
    const response = await fetch(`${node.url}/api/v1/events?topics=${topics}`, {
      signal: this.#abort.signal,
      headers: {
        authorization: `Bearer ${node.daemon.token}`,
        ...(last === undefined ? {} : { 'last-event-id': last }),
      },
    });
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) this.#take(part);
      this.#tell();
    }
  }

  #take(part: string): void {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1];
    const type = field('event');
    if (type !== undefined) {
      this.events.push({ id: field('id')!, type, data: JSON.parse(field('data')!) });
    }
  }

  /** Resolves when nothing more comes. */
  get over(): Promise<undefined> {
    return this.#done.then(() => undefined);
  }

  /** The first event, past or future, that fits. */
  async event(fits: (event: StreamEvent) => boolean): Promise<StreamEvent> {
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  /** Ends it as a broken connection does. */
  async cut(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}
