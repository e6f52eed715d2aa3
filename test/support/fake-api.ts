/**
 * A node's HTTP API made up for the dashboard's own tests: the paths, shapes and events of src/contract over state that a seed decides, changed twice a second.
 * `node test/support/fake-api.ts [TORRENTS]` serves it, to look at the dashboard without a node.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { TorrentRow, Transfer } from '../../src/contract/index.ts';
import {
  DISCLOSURES,
  type FakeState,
  FINDINGS,
  makeDetails,
  makeSamples,
  makeState,
  seeded,
} from './fake-state.ts';

const WEB = join(import.meta.dirname, '../../dist/web');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** What the node sends with every page: nothing from outside, nothing inline. */
const POLICY =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

export interface FakeApiOptions {
  /** Default 500. */
  readonly torrents?: number;
  /** Between two patches; 0: none. Default 500. */
  readonly patchMs?: number;
  readonly isHostile?: boolean;
  readonly port?: number;
  /** Served as the content of every file, under its type. */
  readonly media?: { readonly bytes: Buffer; readonly type: string };
}

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly url: URL;
  readonly parts: readonly string[];
  readonly body: Record<string, unknown>;
}

interface Stream {
  readonly response: http.ServerResponse;
  readonly topics: readonly string[];
}

type Rows = Record<string, Record<string, unknown>>;

function byKey<Row extends object>(rows: readonly Row[], key: keyof Row): Rows {
  return Object.fromEntries(rows.map((row) => [String(row[key]), row as Record<string, unknown>]));
}

/** The fake; `requests` has what was asked of it, for the tests to look at. */
export class FakeApi {
  readonly token = randomBytes(24).toString('base64url');
  readonly requests: { method: string; path: string; body: Record<string, unknown> }[] = [];
  readonly state: FakeState;
  readonly #options: FakeApiOptions;
  readonly #server: http.Server;
  readonly #streams = new Set<Stream>();
  readonly #random = seeded(7);
  readonly #cookie = randomBytes(12).toString('hex');
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;

  constructor(options: FakeApiOptions = {}) {
    this.#options = options;
    this.state = makeState(options.torrents ?? 500, options.isHostile === true);
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  static async start(options: FakeApiOptions = {}): Promise<FakeApi> {
    const api = new FakeApi(options);
    await new Promise<void>((resolve) =>
      api.#server.listen(options.port ?? 0, '127.0.0.1', resolve),
    );
    const patchMs = options.patchMs ?? 500;
    if (patchMs > 0) api.#timer = setInterval(() => api.#tick(), patchMs);
    return api;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The address that a start prints. */
  get url(): string {
    return `${this.origin}/#token=${this.token}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends every stream, as a restart of the node does. */
  dropStreams(): void {
    for (const { response } of this.#streams) response.destroy();
  }

  /** Sends a patch to whoever watches the topic. */
  push(topic: string, set: Rows, removed: readonly string[] = []): void {
    this.#seq += 1;
    const data = JSON.stringify({ topic, seq: this.#seq, set, removed });
    for (const { response, topics } of this.#streams) {
      if (topics.includes(topic))
        response.write(`id: 1-${this.#seq}\nevent: patch\ndata: ${data}\n\n`);
    }
  }

  #rowsOf(topic: string): Rows {
    const { state } = this;
    if (topic.startsWith('torrent:')) return this.#torrentRows(topic.slice('torrent:'.length));
    switch (topic) {
      case 'node':
        return { node: state.node };
      case 'torrents':
        return byKey(state.torrents, 'id');
      case 'transfers':
        return byKey(state.transfers, 'id');
      case 'categories':
        return byKey(state.categories, 'name');
      case 'publications':
        return byKey(state.publications, 'id');
      case 'contacts':
        return byKey(state.contacts, 'peerId');
      case 'connections':
        return byKey(state.connections, 'id');
      case 'dht':
        return { '4': state.dht };
      case 'settings':
        return byKey(state.settings, 'name');
      case 'log':
        return byKey(state.log, 'seq');
      default:
        return {};
    }
  }

  #torrentRows(id: string): Rows {
    const row = this.#torrent(id);
    if (row === undefined) return {};
    const { files, peers, trackers, ...details } = makeDetails(
      row,
      this.#options.isHostile === true,
    );
    return {
      details,
      ...Object.fromEntries(files.map((file) => [`file:${file.index}`, file])),
      ...Object.fromEntries(peers.map((peer) => [`peer:${peer.id}`, peer])),
      ...Object.fromEntries(trackers.map((tracker, at) => [`tracker:${at}`, tracker])),
    };
  }

  #torrent(id: string | undefined): TorrentRow | undefined {
    return this.state.torrents.find((row) => row.id === id);
  }

  /** Every torrent that runs changes its rates, and what downloads comes further. */
  #tick(): void {
    const set: Rows = {};
    for (const row of this.state.torrents) {
      if (row.state !== 'downloading' && row.state !== 'seeding') continue;
      const change: Partial<TorrentRow> = {
        uploadBytesPerSec: Math.floor(row.uploadBytesPerSec * (0.8 + 0.4 * this.#random())),
      };
      if (row.state === 'downloading') {
        const doneBytes = Math.min(
          row.wantedBytes - 1,
          row.doneBytes + Math.floor(row.downloadBytesPerSec / 2),
        );
        change.downloadBytesPerSec = Math.floor(2 ** 20 * 4 * this.#random());
        change.doneBytes = doneBytes;
        change.progress = doneBytes / row.wantedBytes;
      }
      Object.assign(row, change);
      set[row.id] = change;
    }
    this.push('torrents', set);
    const { node, connections } = this.state;
    node.downloadBytesPerSec = Math.floor((60 + 8 * this.#random()) * 2 ** 20);
    node.uploadBytesPerSec = Math.floor((20 + 4 * this.#random()) * 2 ** 20);
    const { downloadBytesPerSec, uploadBytesPerSec } = node;
    this.push('node', { node: { downloadBytesPerSec, uploadBytesPerSec } });
    this.push(
      'connections',
      Object.fromEntries(
        connections.map((each) => [
          each.id,
          {
            downloadBytesPerSec: Math.floor(
              each.downloadBytesPerSec * (0.7 + 0.6 * this.#random()),
            ),
          },
        ]),
      ),
    );
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    if (!url.pathname.startsWith('/api/')) return this.#asset(url.pathname, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const method = request.method ?? 'GET';
    const parts = url.pathname.split('/').slice(3).map(decodeURIComponent);
    this.requests.push({ method, path: url.pathname.slice('/api/v1'.length), body });
    if (parts[0] === 'session') return this.#session(method, body, response);
    if (!(request.headers.cookie ?? '').includes(this.#cookie)) {
      return this.#problem(response, 401, 'ERR_UNAUTHORIZED', 'Expected a session. Sign in again.');
    }
    if (method !== 'GET' && method !== 'HEAD' && request.headers['x-starling-request'] !== '1') {
      return this.#problem(
        response,
        403,
        'ERR_FORBIDDEN',
        'Expected the header X-Starling-Request.',
      );
    }
    this.#route(`${method} ${parts[0]}`, { request, response, url, parts, body });
  }

  #session(method: string, body: Record<string, unknown>, response: http.ServerResponse) {
    if (method === 'DELETE') {
      response.setHeader('set-cookie', 'starling=; Max-Age=0; Path=/');
      return this.#json(response, { ok: true });
    }
    if (body['token'] !== this.token) {
      return this.#problem(
        response,
        401,
        'ERR_UNAUTHORIZED',
        'This is not the token of this node. “starling token” shows it.',
      );
    }
    response.setHeader('set-cookie', `starling=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`);
    this.#json(response, { ok: true });
  }

  async #asset(path: string, response: http.ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : normalize(path);
    try {
      const body = await readFile(join(WEB, name));
      response.writeHead(200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  #json(response: http.ServerResponse, value: unknown, status = 200): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }

  #problem(response: http.ServerResponse, status: number, code: string, detail: string): void {
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail }));
  }

  #events(response: http.ServerResponse, url: URL): void {
    const topics = (url.searchParams.get('topics') ?? '').split(',');
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const stream = { response, topics };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
    for (const topic of topics) {
      this.#seq += 1;
      const data = JSON.stringify({ topic, seq: this.#seq, rows: this.#rowsOf(topic) });
      response.write(`id: 1-${this.#seq}\nevent: snapshot\ndata: ${data}\n\n`);
    }
  }

  #route(what: string, exchange: Exchange) {
    const { response, url, parts, body } = exchange;
    const { state } = this;
    const answers: Readonly<Record<string, () => unknown>> = {
      'GET status': () => state.node,
      'GET identity': () => ({
        peerId: state.node.peerId,
        fingerprint: '48213 90417 55310 27764 01928 63355',
        link: `starling://peer/${state.node.peerId}?name=Me`,
      }),
      'GET contacts': () => state.contacts,
      'POST contacts': () => this.#addContact(body),
      'PATCH contacts': () => this.#changeContact(parts[1]!, body),
      'DELETE contacts': () => this.push('contacts', {}, [parts[1]!]),
      'POST sends': () => this.#begin('send', body),
      'DELETE sends': () => this.push('transfers', {}, [parts[1]!]),
      'POST receives': () =>
        parts[2] === 'answer' ? this.#answerOffer(parts[1]!, body) : this.#begin('receive', body),
      'DELETE receives': () => this.push('transfers', {}, [parts[1]!]),
      'GET pages': () => [],
      'POST doctor': () => ({ findings: FINDINGS }),
      'GET privacy': () => ({ disclosures: DISCLOSURES }),
      'PATCH privacy': () => ({ ok: true }),
      'PATCH settings': () => this.#changeSettings(body),
      'GET statistics': () => ({
        samples: makeSamples(
          Number(url.searchParams.get('fromMs')),
          Number(url.searchParams.get('toMs')),
          Number(url.searchParams.get('points')),
        ),
      }),
      'GET log': () => ({ lines: state.log }),
      'POST shares': () => state.torrents[0],
      'POST publications': () => state.publications[0],
      'DELETE publications': () => this.push('publications', {}, [parts[1]!]),
      'PUT categories': () =>
        this.push('categories', { [parts[1]!]: { name: parts[1]!, ...body } }),
      'DELETE categories': () => this.push('categories', {}, [parts[1]!]),
      'GET folders': () => this.#folder(url.searchParams.get('path') ?? '/srv'),
    };
    if (what === 'GET events') return this.#events(response, url);
    if (parts[0] === 'torrents') return this.#torrents(what, exchange);
    const answer = answers[what];
    if (answer === undefined)
      return this.#problem(response, 404, 'ERR_NOT_FOUND', `Nothing is at ${url.pathname}.`);
    this.#json(response, answer() ?? { ok: true });
  }

  #torrents(what: string, { request, response, url, parts, body }: Exchange) {
    const [, id, part, index, last] = parts;
    if (what === 'GET torrents' && part === 'files' && last === 'content')
      return this.#content(request, response);
    if (what === 'GET torrents' && part === 'files' && last === 'subtitles')
      return this.#json(response, []);
    if (what === 'POST torrents' && part === 'files') {
      return this.#json(response, {
        url: `${this.origin}/api/v1/torrents/${id}/files/${index}/content?ticket=abc`,
      });
    }
    if (what === 'POST torrents' && id === 'preview') return this.#preview(response, body);
    if (what === 'POST torrents' && id === 'actions') return this.#act(response, body);
    if (what === 'POST torrents' && id === undefined) {
      if (body['link'] === 'magnet:?nothing')
        return this.#problem(response, 400, 'ERR_SOURCE', 'Expected a hash in the link.');
      return this.#json(response, this.#add(body), 201);
    }
    const row = this.#torrent(id);
    if (row === undefined)
      return this.#problem(response, 404, 'ERR_NOT_FOUND', `No torrent is at ${url.pathname}.`);
    if (what === 'PATCH torrents') {
      const { isPaused, files, shareLimits, ...fields } = body as Record<string, unknown>;
      const changes = {
        ...fields,
        ...(isPaused === undefined ? {} : { state: isPaused === true ? 'paused' : 'downloading' }),
      };
      Object.assign(row, changes);
      this.push('torrents', { [row.id]: changes });
      for (const file of (files ?? []) as { index: number; priority: number }[]) {
        this.push(`torrent:${row.id}`, { [`file:${file.index}`]: { priority: file.priority } });
      }
    }
    this.#json(response, makeDetails(row, false));
  }

  #preview(response: http.ServerResponse, body: Record<string, unknown>) {
    if (typeof body['link'] === 'string' && !/^(magnet:|https?:)/.test(body['link'])) {
      return this.#problem(
        response,
        400,
        'ERR_SOURCE',
        'Expected a magnet link, an http(s) address or a publication’s link. Copy it again, whole.',
      );
    }
    this.#json(response, {
      name: 'Spring lectures',
      totalBytes: 700 * 2 ** 20,
      isKnown: false,
      files: [
        { index: 0, path: 'one.webm', lengthBytes: 400 * 2 ** 20 },
        { index: 1, path: 'two.webm', lengthBytes: 300 * 2 ** 20 },
      ],
    });
  }

  #add(body: Record<string, unknown>): TorrentRow {
    const [made] = makeState(1, false, this.state.torrents.length + 1_000).torrents;
    const row = {
      ...made!,
      name: 'Spring lectures',
      addedAtMs: Date.now(),
      state: body['isPaused'] === true ? ('paused' as const) : ('downloading' as const),
    };
    this.state.torrents.push(row);
    this.push('torrents', { [row.id]: row });
    return row;
  }

  #act(response: http.ServerResponse, body: Record<string, unknown>): void {
    const ids =
      body['ids'] === 'all' ? this.state.torrents.map(({ id }) => id) : (body['ids'] as string[]);
    const action = String(body['action']);
    if (action.startsWith('remove')) {
      this.state.torrents.splice(
        0,
        Infinity,
        ...this.state.torrents.filter(({ id }) => !ids.includes(id)),
      );
      this.push('torrents', {}, ids);
    } else if (action === 'pause' || action === 'resume') {
      const set: Rows = {};
      for (const id of ids) {
        const row = this.#torrent(id);
        if (row === undefined) continue;
        const change = {
          state: action === 'pause' ? ('paused' as const) : ('downloading' as const),
          error: null,
          downloadBytesPerSec: 0,
          uploadBytesPerSec: 0,
        };
        Object.assign(row, change);
        set[id] = change;
      }
      this.push('torrents', set);
    }
    this.#json(response, { ok: true });
  }

  #begin(direction: Transfer['direction'], body: Record<string, unknown>): Transfer {
    const id = `t${this.#seq}`;
    const isSend = direction === 'send';
    const transfer: Transfer = {
      ...makeState(1, false).transfers[0]!,
      id,
      direction,
      state: isSend ? 'waiting' : 'searching',
      name: String(body['path'] ?? 'A message')
        .split('/')
        .at(-1)!,
      words: isSend && body['to'] === undefined ? 'harbor-violet-comet' : null,
      contact: (body['to'] as string | undefined) ?? null,
      text: (body['text'] as string | undefined) ?? null,
    };
    this.state.transfers.push(transfer);
    this.push('transfers', { [id]: transfer });
    return transfer;
  }

  #answerOffer(id: string, body: Record<string, unknown>): void {
    this.push('transfers', {
      [id]: { state: body['accept'] === true ? 'transferring' : 'declined' },
    });
  }

  #addContact(body: Record<string, unknown>): unknown {
    const made = {
      ...this.state.contacts[0]!,
      name: String(body['name']),
      peerId: String(body['id']),
      isTrusted: false,
      path: null,
    };
    this.state.contacts.push(made);
    this.push('contacts', { [made.peerId]: made });
    return made;
  }

  #changeContact(peerId: string, body: Record<string, unknown>): void {
    this.push('contacts', { [peerId]: body });
  }

  #changeSettings(body: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(body)) {
      const known = this.state.settings.find((each) => each.name === name)!;
      const change =
        value === null ? { value: known.default, source: 'default' } : { value, source: 'saved' };
      this.push('settings', { [name]: change });
    }
    const isSlow = body['schedule.always'];
    if (typeof isSlow === 'boolean') {
      this.push('node', { node: { usesAlternativeLimits: isSlow } });
    }
  }

  #folder(path: string): unknown {
    return {
      path,
      parent: path === '/' ? null : path.replace(/\/[^/]*$/, '') || '/',
      entries: [
        { name: 'films', isFolder: true, bytes: 0 },
        { name: 'lectures', isFolder: true, bytes: 0 },
        { name: 'notes.txt', isFolder: false, bytes: 3_200 },
      ],
    };
  }

  #content(request: http.IncomingMessage, response: http.ServerResponse) {
    const { bytes: media, type } = this.#options.media ?? {
      bytes: Buffer.alloc(0),
      type: 'video/webm',
    };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const headers = { 'content-type': type, 'accept-ranges': 'bytes' };
    if (range === null) {
      response.writeHead(200, { ...headers, 'content-length': media.length }).end(media);
      return;
    }
    const from = Number(range[1]);
    const to = range[2] === '' ? media.length - 1 : Number(range[2]);
    response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${to}/${media.length}` });
    response.end(media.subarray(from, to + 1));
  }
}

if (import.meta.main) {
  const api = await FakeApi.start({
    torrents: Number(process.argv[2] ?? 500),
    port: Number(process.env['PORT'] ?? 0),
  });
  console.log(api.url);
}
