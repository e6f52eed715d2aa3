/**
 * Fuzzes the HTTP API of a node in this process, by the node's own description: `node --expose-gc test/fuzz/run.ts api [--count N] [--seed N]`.
 *
 * Of 8 requests about 3 are right, 3 nearly right, 2 hostile in path, headers or form, all with the right token. Each is answered in time, by no 5xx but those that tell
 * of others (502, 503, 504, 507), errors as problems, answers as their schemas have it; at the end nothing of it is left in memory, and the node ends when it is told to.
 * @module
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { Rng } from '../../src/lib/rng.ts';
import { createTorrent } from '../../src/node/index.ts';
import { TestBed } from '../support/cli-child.ts';
import { openTestNode, type TestNode } from '../support/daemon.ts';
import { hostileValue, type Json, type Known, pick, rightValue, spoilt } from './api-values.ts';

// Implementation limits
/** How long an answer may take. */
const ANSWER_MS = 20_000;
/** Growth of the heap from the first fifth to the end that is no noise. */
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
/** Calls of routes that cost much, in a whole run. */
const BUDGETS: Readonly<Record<string, number>> = {
  'POST /api/v1/doctor': 1,
  // Each takes 256 MiB for a second.
  'POST /api/v1/identity/copy': 8,
  'POST /api/v1/publications': 4,
  'POST /api/v1/receives': 60,
  'POST /api/v1/sends': 120,
  // It takes as long as it is told to.
  'POST /api/v1/tools/peers': 0,
};
const OTHERS_FAILED = new Set([502, 503, 504, 507]);
const TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '', 'x'];

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly schema: Json;
}

interface Wish {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | undefined;
  readonly operation: Operation;
}

interface Got {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

type Ids = Record<'torrents' | 'contacts' | 'sends' | 'receives', string[]>;

/** The outcome of a run, in numbers. */
export interface ApiFuzzReport {
  readonly count: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly slowest: string;
  readonly heapGrowthBytes: number;
}

class ApiFuzzer {
  readonly #node: TestNode;
  readonly #root: string;
  readonly #rng: Rng;
  readonly #document: Json;
  readonly #operations: readonly Operation[];
  readonly #torrents: readonly string[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #ajv = new Ajv({ strict: false });
  readonly #checks = new Map<string, ValidateFunction>();
  readonly #spent = new Map<string, number>();
  readonly statuses: Record<string, number> = {};
  #ids: Ids = {
    torrents: [],
    contacts: [],
    sends: [],
    receives: [],
  };
  slowestMs = 0;
  slowest = '';

  constructor(node: TestNode, root: string, rng: Rng, document: Json, torrents: readonly string[]) {
    this.#node = node;
    this.#root = root;
    this.#rng = rng;
    this.#document = document;
    this.#torrents = torrents;
    this.#operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
      Object.entries<Json>(methods).map(([method, schema]) => ({
        method: method.toUpperCase(),
        path,
        schema,
      })),
    );
  }

  /** One request; throws what is wrong with its answer. */
  async step(): Promise<void> {
    const wish = this.#wish();
    const startMs = performance.now();
    const got = await this.#send(wish).catch((error: Error) => {
      throw new Error(`${described(wish)}: ${error.message}`, { cause: error });
    });
    const tookMs = performance.now() - startMs;
    if (tookMs > this.slowestMs) {
      this.slowestMs = tookMs;
      this.slowest = `${wish.method} ${wish.operation.path}`;
    }
    this.statuses[got.status] = (this.statuses[got.status] ?? 0) + 1;
    this.#judge(wish, got);
  }

  /** What there is by now, so that ids mean something. */
  async look(): Promise<void> {
    const ids = async (where: string, key: string): Promise<string[]> => {
      const { body } = await this.#node.ask('GET', where);
      return (body.torrents ?? body).map((each: Json) => each[key]);
    };
    this.#ids = {
      torrents: await ids('/torrents?limit=5000', 'id'),
      contacts: await ids('/contacts', 'peerId'),
      sends: await ids('/sends', 'id'),
      receives: await ids('/receives', 'id'),
    };
    const health = await this.#node.ask('GET', '/healthz', { token: null });
    assert.equal(health.status, 200, health.text);
  }

  /** Takes all away. */
  async clear(): Promise<void> {
    await this.look();
    const body = { action: 'remove-with-files', ids: 'all' };
    await this.#node.ask('POST', '/torrents/actions', { body });
    for (const kind of ['contacts', 'sends', 'receives'] as const) {
      for (const id of this.#ids[kind]) await this.#node.ask('DELETE', `/${kind}/${id}`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  readonly #known: Known = (name) => {
    const rng = this.#rng;
    switch (name) {
      case 'path':
        return join(this.#root, 'files', `f${rng.below(20)}`);
      case 'dir':
        return join(this.#root, `dir-${rng.below(5)}`);
      case 'link':
        return rng.below(3) === 0
          ? pick(rng, ['http://127.0.0.1:1/none.torrent', 'https://[::1]:1/', 'magnet:?xt=x'])
          : `magnet:?xt=urn:btih:${rng.below(40).toString(16).padStart(40, '0')}&dn=m`;
      case 'torrent':
        return pick(rng, this.#torrents);
      case 'ids':
        return rng.below(6) === 0 ? 'all' : this.#ids.torrents.slice(0, rng.below(20));
      case 'peers':
        return ['127.0.0.1:1'];
      case 'topics':
        return pick(rng, ['node', 'torrents,node', 'log,dht,connections', 'nothing']);
      case 'words':
        return `${1 + rng.below(900)}-acid-acorn`;
      case 'text':
        return 'a message';
      default:
        return undefined;
    }
  };

  #wish(): Wish {
    const rng = this.#rng;
    let operation = pick(rng, this.#operations);
    while (!this.#mayAsk(operation)) operation = pick(rng, this.#operations);
    const way = rng.below(8);
    const isNear = way >= 3;
    const { requestBody, parameters = [] } = operation.schema;
    const schema = requestBody?.content?.['application/json']?.schema;
    let value = schema === undefined ? undefined : this.#value(schema);
    if (value !== undefined && isNear) value = this.#held(spoilt(value, rng));
    let path = this.#path(operation, parameters, isNear);
    const headers: OutgoingHttpHeaders = { authorization: `Bearer ${this.#node.daemon.token}` };
    let body = value === undefined ? undefined : JSON.stringify(value);
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (way === 6) [path, body] = this.#bent(path, body, headers);
    if (way === 7 && body !== undefined) body = this.#cut(body);
    // What is too long to be read as HEAD is answered with a body, which this client does not expect.
    if (operation.method === 'HEAD') path = path.slice(0, 8_000);
    // Without it a body of GET would be read as the next request.
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    return { method: operation.method, path, headers, body, operation };
  }

  #value(schema: Json): Json {
    return rightValue(schema, this.#rng, this.#known, this.#document);
  }

  /** Whatever is spoilt: no share or move reaches beyond the folder of the run. */
  #held(value: Json): Json {
    if (typeof value !== 'object' || value === null) return value;
    for (const name of ['path', 'dir', 'download-dir']) {
      const given = value[name];
      if (typeof given === 'string' && given.startsWith('/') && !given.startsWith(this.#root)) {
        value[name] = this.#root;
      }
    }
    return value;
  }

  #mayAsk({ method, path }: Operation): boolean {
    const key = `${method} ${path}`;
    if (key === 'POST /api/v1/stop') return false;
    const spent = this.#spent.get(key) ?? 0;
    if (spent >= (BUDGETS[key] ?? Number.POSITIVE_INFINITY)) return false;
    this.#spent.set(key, spent + 1);
    return true;
  }

  #path({ path }: Operation, parameters: readonly Json[], isNear: boolean): string {
    const rng = this.#rng;
    const query = new URLSearchParams();
    let filled = path;
    for (const { name, in: where, schema, required } of parameters) {
      const right = this.#value({ ...schema, name });
      const value = isNear && rng.below(2) === 0 ? hostileValue(rng) : right;
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      if (where === 'path') {
        const kind = path.split('/')[3] as keyof Ids;
        const ids = this.#ids[kind] ?? [];
        const id = ids.length > 0 && rng.below(5) > 0 && !isNear ? pick(rng, ids) : text;
        filled = filled.replace(`{${name}}`, encoded(id));
      } else if (where === 'query' && (required === true || rng.below(2) === 0)) {
        query.append(name, name === 'topics' ? (this.#known(name) as string) : wellFormed(text));
      }
    }
    const text = query.toString();
    return text === '' ? filled : `${filled}?${text}`;
  }

  #bent(
    path: string,
    body: string | undefined,
    headers: OutgoingHttpHeaders,
  ): [string, string | undefined] {
    const rng = this.#rng;
    switch (rng.below(6)) {
      case 0:
        headers['content-type'] = pick(rng, TYPES);
        return [path, body ?? 'x=1'];
      case 1:
        return [
          path.replace('/api', pick(rng, ['/api/../api', '//api', '/api/./', '/%2e%2e/api'])),
          body,
        ];
      case 2:
        return [
          `${path}${pick(rng, ['%', '%zz', '%00', '/..%2f..', '?&&==', '#x', ';x=1', '/'])}`,
          body,
        ];
      case 3:
        headers['last-event-id'] = pick(rng, ['x', 'a b=c', `${'9'.repeat(500)}`, 'x =,=,=']);
        headers['accept'] = pick(rng, ['text/html', '*/*;q=0', 'x']);
        return [path, body];
      case 4:
        return [path, 'x'.repeat(rng.below(200_000))];
      default:
        headers['content-type'] = 'application/json; charset=utf-16';
        return [path, body];
    }
  }

  #cut(body: string): string {
    const at = this.#rng.below(body.length + 1);
    return this.#rng.below(2) === 0
      ? body.slice(0, at)
      : `${body.slice(0, at)}${pick(this.#rng, ['"', '}', '\0', ',', '1e999', '\\u'])}${body.slice(at)}`;
  }

  #send(wish: Wish): Promise<Got> {
    const { method, path, headers, body } = wish;
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.#node.port, method, path, headers, agent: this.#agent },
        (response) => {
          const status = response.statusCode!;
          const type = String(response.headers['content-type'] ?? '');
          const parts: string[] = [];
          response.setEncoding('utf8').on('data', (text: string) => {
            parts.push(text);
            // A stream has no end of its own.
            if (type.startsWith('text/event-stream')) settle(status, type, parts);
          });
          response.on('end', () => settle(status, type, parts)).on('error', () => {});
        },
      );
      const timer = setTimeout(() => {
        reject(new Error(`no answer within ${ANSWER_MS} ms`));
        asked.destroy();
      }, ANSWER_MS);
      const settle = (status: number, type: string, parts: readonly string[]): void => {
        clearTimeout(timer);
        resolve({ status, type, text: parts.join('') });
        if (type.startsWith('text/event-stream')) asked.destroy();
      };
      asked.on('error', (error) => {
        clearTimeout(timer);
        // The server had ended this connection, after an answer to a body that it did not read.
        const isStale =
          asked.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (isStale) resolve(this.#send(wish));
        else reject(error);
      });
      asked.end(body);
    });
  }

  #judge(wish: Wish, { status, type, text }: Got): void {
    const what = (): string => `${described(wish)}\n→ ${status} ${text.slice(0, 1_000)}`;
    assert.ok(status < 500 || OTHERS_FAILED.has(status), what());
    assert.doesNotMatch(type, /html/, what());
    if (wish.method === 'HEAD') return;
    if (status >= 400) {
      assert.match(type, /^application\/problem\+json/, what());
      const problem = JSON.parse(text);
      assert.equal(problem.status, status, what());
      assert.match(problem.code, /^ERR_/, what());
      return;
    }
    const { responses } = wish.operation.schema;
    const schema = responses[status]?.content?.['application/json']?.schema;
    if (schema === undefined || !type.startsWith('application/json')) return;
    const key = `${wish.method} ${wish.operation.path} ${status}`;
    const check =
      this.#checks.get(key) ??
      this.#ajv.compile({ ...schema, components: this.#document.components });
    this.#checks.set(key, check);
    // A bent path may have led elsewhere.
    const isBent =
      wish.path.split('?', 1)[0]!.split('/').length !== wish.operation.path.split('/').length;
    if (!isBent) assert.ok(check(JSON.parse(text)), `${what()}\n${JSON.stringify(check.errors)}`);
  }
}

function described({ method, path, body }: Wish): string {
  return `${method} ${path.slice(0, 500)} ${(body ?? '').slice(0, 500)}`;
}

function wellFormed(text: string): string {
  return text.toWellFormed().slice(0, 3_000);
}

function encoded(text: string): string {
  return encodeURIComponent(wellFormed(text)) || 'x';
}

async function settledHeap(): Promise<number> {
  for (let n = 0; n < 3; n += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

/** Sends so many requests. @throws what is wrong, with the seed and the number of the request. */
export async function fuzzApi(options: { count: number; seed: number }): Promise<ApiFuzzReport> {
  const { count, seed } = options;
  await using bed = new TestBed();
  const files = (): void => {
    for (let n = 0; n < 20; n += 1) {
      mkdirSync(join(bed.dir('files'), `f${n}`), { recursive: true });
      writeFileSync(join(bed.dir('files'), `f${n}`, 'a.txt'), `file ${n}`);
    }
  };
  files();
  const torrents: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { bytes } = await createTorrent(join(bed.dir('files'), `f${n}`));
    torrents.push(Buffer.from(bytes).toString('base64'));
  }
  torrents.push(readFileSync(join(bed.root, 'files', 'f0', 'a.txt')).toString('base64'));
  const stopped = Promise.withResolvers<void>();
  const failures: string[] = [];
  const node = await openTestNode(bed, {
    onStop: stopped.resolve,
    logSink: ({ level, message }) => {
      if (level === 'error') failures.push(message);
    },
  });
  const { body: document } = await node.ask('GET', '/openapi.json');
  const fuzzer = new ApiFuzzer(node, bed.root, new Rng(seed), document, torrents);
  let early: { heap: number; handles: number } | undefined;
  try {
    for (let n = 0; n < count; n += 1) {
      if (n % 250 === 0) {
        files();
        await fuzzer.look();
      }
      if (n === Math.floor(count / 5)) {
        await fuzzer.clear();
        early = { heap: await settledHeap(), handles: process.getActiveResourcesInfo().length };
      }
      await fuzzer.step().catch((error: Error) => {
        const told = failures.slice(-2).join('\n');
        const message = `request ${n} of seed ${seed}: ${error.message}\n${told}`;
        throw new Error(message, { cause: error });
      });
    }
    await fuzzer.clear();
    await fuzzer.look();
    const heapGrowthBytes = (await settledHeap()) - early!.heap;
    const handles = process.getActiveResourcesInfo().length - early!.handles;
    assert.ok(handles < 30, `${handles} more handles are open than at a fifth of the run`);
    if (globalThis.gc !== undefined) {
      assert.ok(heapGrowthBytes < MAX_GROWTH_BYTES, `the heap grew by ${heapGrowthBytes} bytes`);
    }
    const { status } = await node.ask('POST', '/stop');
    assert.equal(status, 202);
    await stopped.promise;
    const { statuses, slowestMs, slowest } = fuzzer;
    return { count, statuses, slowestMs, slowest, heapGrowthBytes };
  } finally {
    fuzzer.close();
  }
}
