/**
 * The API as its own description promises it: routes, answers, problems, pushed state.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { type Answer, openTestNode, StreamReader, type TestNode } from '../support/daemon.ts';

const LIMITS = { timeout: 60_000 };
const MAGNET = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=sought`;
const NONE = '00'.repeat(20);
const errorsPage = readFileSync(
  join(import.meta.dirname, '..', '..', 'docs', 'reference', 'errors.md'),
  'utf8',
);

// biome-ignore lint/suspicious/noExplicitAny: a document is JSON.
type Json = any;

/** Checks answers against the node's own description. */
class Description {
  readonly document: Json;
  readonly #node: TestNode;
  readonly #ajv = new Ajv({ strict: false, allErrors: true });
  readonly asked = new Set<string>();

  private constructor(node: TestNode, document: Json) {
    this.#node = node;
    this.document = document;
  }

  static async of(node: TestNode): Promise<Description> {
    return new Description(node, (await node.ask('GET', '/openapi.json', { token: null })).body);
  }

  operations(): { method: string; path: string; operation: Json }[] {
    return Object.entries<Json>(this.document.paths).flatMap(([path, methods]) =>
      Object.entries<Json>(methods).map(([method, operation]) => ({ method, path, operation })),
    );
  }

  /** Asks, insists on the status, and on the schema that the description has for it. */
  async ask(method: string, where: string, body?: unknown, status = 200): Promise<Json> {
    const answer = await this.#node.ask(method, where, body === undefined ? {} : { body });
    assert.equal(answer.status, status, `${method} ${where}: ${answer.text.slice(0, 500)}`);
    const [path, operation] = this.#find(method, where);
    this.asked.add(`${method} ${path}`);
    const response = operation.responses[String(status)] ?? operation.responses.default;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    const schema = response.content?.[type]?.schema;
    if (schema !== undefined) this.expect(schema, answer.body, `${method} ${where}`);
    if (status >= 400) expectDocumented(answer);
    return answer.body;
  }

  expect(schema: Json, value: unknown, what: string): void {
    const check = this.#ajv.compile({ ...schema, components: this.document.components });
    assert.ok(check(value), `${what}: ${JSON.stringify(check.errors)}\n${JSON.stringify(value)}`);
  }

  #find(method: string, where: string): [string, Json] {
    const plain = `/api/v1${where.split('?', 1)[0]}`;
    const fitting = Object.keys(this.document.paths)
      .filter((path) => new RegExp(`^${path.replaceAll(/\{[^}]*\}/g, '[^/]+')}$`).test(plain))
      .toSorted((a, b) => a.split('{').length - b.split('{').length);
    const found = fitting.find((path) => this.document.paths[path][method.toLowerCase()]);
    assert.ok(found !== undefined, `${method} ${plain} is described`);
    return [found, this.document.paths[found][method.toLowerCase()]];
  }
}

/** A whole problem whose code has its line in the reference. */
function expectDocumented({ body, headers, status, text }: Answer): void {
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, text);
  assert.equal(body.status, status);
  assert.equal(body.type, `urn:starling:error:${body.code}`);
  assert.ok(errorsPage.includes(body.code), `${body.code} is documented`);
  assert.ok(body.detail.length > 10 && !/undefined|\[object/.test(body.detail), body.detail);
}

describe('the API', { concurrency: 3 }, () => {
  it(
    'describes each route with a sentence, a tag, its answers and what can go wrong',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const description = await Description.of(await openTestNode(bed));
      const { document } = description;
      assert.match(document.openapi, /^3\.1\./);
      assert.ok(description.operations().length > 25);
      for (const { method, path, operation } of description.operations()) {
        const what = `${method} ${path}`;
        assert.ok((operation.summary ?? '').length > 3, `${what} has a summary`);
        assert.equal(operation.tags?.length, 1, `${what} has a tag`);
        assert.ok(operation.responses.default.content['application/problem+json'].schema, what);
        if (operation.requestBody !== undefined) {
          assert.ok(operation.requestBody.content['application/json'].schema, what);
        }
      }
      const refs = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
      for (const [, name] of refs) assert.ok(document.components.schemas[name!], name!);
      assert.doesNotMatch(JSON.stringify(document), /"\$id"/);
    },
  );

  it(
    'answers as it describes: torrents, people, transfers, network, the node',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const api = await Description.of(node);
      writeFile(join(bed.dir('files'), 'shared.bin'), 300_000, 1);
      const share = await api.ask(
        'POST',
        '/shares',
        { path: join(bed.root, 'files', 'shared.bin') },
        201,
      );
      const one = `/torrents/${share.id}`;
      const added = await api.ask('POST', '/torrents', { link: MAGNET, tags: ['a', 'b'] }, 201);
      await api.ask('POST', '/torrents/preview', { link: MAGNET });
      const list = await api.ask('GET', '/torrents?limit=1&offset=1');
      assert.deepEqual([list.total, list.torrents.length], [2, 1]);
      assert.equal((await api.ask('GET', '/torrents?tag=a')).total, 1);
      assert.equal((await api.ask('GET', '/torrents?search=SHARED')).total, 1);
      const changes = {
        isPaused: true,
        tags: ['x', 'x'],
        downloadLimitBytesPerSec: 1000,
        shareLimits: { ratio: 2 },
        queue: 'top',
      };
      const changed = await api.ask('PATCH', `/torrents/${added.id}`, changes);
      assert.deepEqual(
        [changed.isPaused ?? changed.state, changed.tags, changed.downloadLimitBytesPerSec],
        ['paused', ['x'], 1000],
      );
      assert.equal(changed.shareLimits.ratio, 2);
      assert.equal(changed.queueIndex, 0);
      const details = await api.ask('GET', one);
      assert.equal(details.files.length, 1);
      const file = await node.ask('GET', `${one}/torrent`);
      assert.equal(file.status, 200);
      assert.match(file.text, /^d/);
      const moved = await api.ask('PATCH', one, { dir: bed.dir('moved') });
      assert.equal(moved.dir, bed.dir('moved'));
      for (const action of ['pause', 'resume', 'recheck', 'reannounce']) {
        const done = await api.ask('POST', '/torrents/actions', { action, ids: [share.id, NONE] });
        assert.deepEqual([done.done, done.problems.length], [1, 1], action);
      }
      await api.ask('DELETE', `/torrents/${added.id}?files=true`);
      await api.ask('GET', `/torrents/${added.id}`, undefined, 404);

      const facts = await api.ask('POST', '/tools/info', { link: MAGNET });
      assert.deepEqual([facts.kind, facts.name], ['magnet', 'sought']);
      assert.deepEqual(await api.ask('POST', '/tools/scrape', { link: MAGNET }), []);
      const looked = await api.ask('POST', '/tools/peers', { link: MAGNET, seconds: 0 });
      assert.deepEqual(looked, { peers: [] });
      const here = { link: `magnet:?xt=urn:btih:${share.id}` };
      await api.ask('POST', '/tools/peers', here, 409);
      await api.ask('DELETE', '/reputation');

      const { link, peerId } = await api.ask('GET', '/identity?name=me&address=true');
      assert.match(link, /^starling:/);
      const other = await openTestNode(bed);
      const card = (await other.ask('GET', '/identity')).body;
      await api.ask('POST', '/contacts', { name: 'Ida', id: card.peerId }, 201);
      assert.notEqual(card.peerId, peerId);
      await api.ask('PATCH', `/contacts/${card.peerId}`, { name: 'Ada', isTrusted: true });
      const secured = await api.ask('POST', '/torrents', { link: MAGNET, contacts: ['Ada'] }, 201);
      await api.ask('DELETE', `/torrents/${secured.id}`);
      await api.ask('POST', '/torrents', { link: MAGNET, contacts: ['nobody'] }, 400);
      assert.deepEqual(
        (await api.ask('GET', '/contacts')).map((each: Json) => each.name),
        ['Ada'],
      );

      const sent = await api.ask('POST', '/sends', { text: 'a message' }, 201);
      const sought = await api.ask('POST', '/receives', { words: sent.words }, 201);
      assert.equal((await api.ask('GET', '/sends')).length, 1);
      assert.equal((await api.ask('GET', '/receives')).length, 1);
      await api.ask('POST', `/receives/${sought.id}/answer`, { accept: false }, 409);
      await api.ask('DELETE', `/receives/${sought.id}`);
      await api.ask('DELETE', `/sends/${sent.id}`);
      await api.ask('DELETE', `/contacts/${card.peerId}`);

      for (const where of [
        '/connections',
        '/dht',
        '/privacy',
        '/reputation',
        '/status',
        '/settings',
      ]) {
        await api.ask('GET', where);
      }
      const { disclosures } = await api.ask('PATCH', '/privacy', {});
      assert.ok(disclosures.length > 5);
      await api.ask('PATCH', '/settings', { 'transfers.download-limit': 123_000 });
      assert.equal((await api.ask('GET', '/status')).downloadLimitBytesPerSec, 123_000);
      await api.ask('GET', '/statistics?fromMs=0');
      await api.ask('GET', '/log?after=0');
      await api.ask('GET', '/health');
      await api.ask('GET', '/pages');
      const known = api.operations().filter(({ method, operation }) => {
        const needs = (operation.parameters ?? []).some((each: Json) => each.required === true);
        return method === 'get' && !needs;
      });
      for (const { path } of known.filter(({ path }) => path.startsWith('/api/v1/'))) {
        if (!api.asked.has(`GET ${path}`)) await api.ask('GET', path.slice('/api/v1'.length));
      }
      const metrics = await node.ask('GET', '/metrics');
      assert.match(metrics.text, /^starling_torrents\{state="[a-z]+"\} 1$/m);
      const health = await node.ask('GET', '/healthz', { token: null });
      assert.deepEqual(health.body, { ok: true });
    },
  );

  it('tells what is wrong as problems with documented codes', LIMITS, async () => {
    await using bed = new TestBed();
    const node = await openTestNode(bed);
    const api = await Description.of(node);
    const cases: readonly [string, string, unknown, number, string][] = [
      ['GET', `/torrents/${NONE}`, undefined, 404, 'ERR_API_NOT_FOUND'],
      ['GET', '/torrents/UPPER', undefined, 400, 'ERR_API_INVALID'],
      ['GET', '/torrents?limit=-1', undefined, 400, 'ERR_API_INVALID'],
      ['POST', '/torrents', {}, 400, 'ERR_API_INVALID'],
      ['POST', '/torrents', { link: 'ftp://x' }, 400, 'ERR_SOURCE'],
      ['POST', '/torrents', { link: 'magnet:?xt=urn:btih:short' }, 400, 'ERR_SOURCE'],
      ['POST', '/torrents', { torrent: 'AAAA' }, 400, 'ERR_SOURCE'],
      ['POST', '/torrents', { link: MAGNET, dir: 'not/absolute' }, 400, 'ERR_CONFIG'],
      ['POST', '/torrents', { link: MAGNET, unknown: 1 }, 400, 'ERR_API_INVALID'],
      ['POST', '/torrents', { link: MAGNET, isPaused: 'yes' }, 400, 'ERR_API_INVALID'],
      ['POST', '/shares', { path: join(bed.root, 'missing') }, 400, 'ERR_NOT_THERE'],
      ['PATCH', `/torrents/${NONE}`, { isPaused: true }, 404, 'ERR_API_NOT_FOUND'],
      ['DELETE', `/torrents/${NONE}`, undefined, 404, 'ERR_API_NOT_FOUND'],
      ['POST', '/contacts', { name: 'x', id: 'nobody' }, 400, 'ERR_PEER_CARD'],
      ['DELETE', '/contacts/nobody', undefined, 404, 'ERR_API_NOT_FOUND'],
      ['POST', '/sends', {}, 400, 'ERR_API_INVALID'],
      ['POST', '/receives', { words: 'only two' }, 400, 'ERR_API_INVALID'],
      ['DELETE', '/sends/0000000000000000', undefined, 404, 'ERR_API_NOT_FOUND'],
      ['PATCH', '/privacy', { nothing: true }, 404, 'ERR_API_NOT_FOUND'],
      ['GET', '/events?topics=', undefined, 400, 'ERR_API_INVALID'],
    ];
    for (const [method, where, body, status, code] of cases) {
      const problem = await api.ask(method, where, body, status);
      if (code !== 'ERR_PEER_CARD') assert.equal(problem.code, code, `${method} ${where}`);
    }
    await api.ask('POST', '/torrents', { link: MAGNET }, 201);
    await api.ask('POST', '/torrents', { link: MAGNET }, 409);
    const missing = await node.ask('GET', '/nothing');
    assert.equal(missing.status, 404);
    expectDocumented(missing);
    const mediaType = await node.ask('POST', '/torrents', {
      body: 'link=x',
      headers: { 'content-type': 'text/plain' },
    });
    assert.equal(mediaType.status, 415);
    expectDocumented(mediaType);
    const invalid = await node.ask('POST', '/torrents', { body: { tags: [1], link: 2 } });
    const pointers = invalid.body.errors.map((each: Json) => each.pointer).sort();
    assert.deepEqual(pointers, ['/link', '/tags/0'], 'all mistakes at once');
    for (const text of ['{', '{"__proto__":{}}', '[]', '"x"', 'null']) {
      const answer = await node.ask('POST', '/torrents', { body: text });
      assert.equal(answer.status, 400, text);
      expectDocumented(answer);
    }
  });

  it(
    'pushes state: a reader whose connection breaks is told what it missed, after a restart all',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const home = bed.home();
      const node = await openTestNode(bed, { home });
      const { id } = (await node.ask('POST', '/torrents', { body: { link: MAGNET } })).body;
      const first = new StreamReader(node, 'torrents,node,nonsense');
      const snapshot = await first.event(({ data }) => data.topic === 'torrents');
      assert.equal(snapshot.type, 'snapshot');
      assert.equal(snapshot.data.rows[id].name, 'sought');
      const gone = await first.event(({ type }) => type === 'gone');
      assert.equal(gone.data.topic, 'nonsense');
      assert.doesNotMatch(gone.id, /nonsense/);
      await node.ask('PATCH', `/torrents/${id}`, { body: { tags: ['early'] } });
      const told = await first.event(({ data }) => data.set?.[id]?.tags?.[0] === 'early');
      assert.equal(told.data.set[id].name, undefined, 'only what changed');
      await first.cut();
      await node.ask('PATCH', `/torrents/${id}`, { body: { tags: ['missed'] } });
      const last = first.events.findLast(({ id: each }) => each !== undefined)!.id;
      const second = new StreamReader(node, 'torrents,node', last);
      await second.event(({ data }) => data.set?.[id]?.tags?.[0] === 'missed');
      const ofList = second.events.filter(({ data }) => data.topic === 'torrents');
      assert.ok(ofList.every(({ type }) => type === 'patch'));
      await node.ask('DELETE', `/torrents/${id}`);
      await second.event(({ data }) => data.removed?.includes(id));
      await node.daemon.close();
      await second.cut();
      const again = await openTestNode(bed, { home });
      const third = new StreamReader(again, 'torrents', last);
      const anew = await third.event(({ data }) => data.topic === 'torrents');
      assert.equal(anew.type, 'snapshot');
      assert.deepEqual(anew.data.rows, {});
      await third.cut();
    },
  );
});
