/** How others add a service to a node: with a route, a topic, a number, its health and a page, without touching any other. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Type from 'typebox';
import { Daemon } from '../../src/node/daemon/daemon.ts';
import type { TopicSource } from '../../src/node/daemon/feed.ts';
import type { Metric } from '../../src/node/daemon/metric.ts';
import type { NodeService, ServiceHealth } from '../../src/node/daemon/service.ts';
import type { Api } from '../../src/node/http/api.ts';

/** Counts what it is told. */
class TallyService implements NodeService {
  readonly name = 'tally';
  readonly page = {
    title: 'Tally',
    script: 'export function mount(element) { element.textContent = "tally"; }',
  };
  isRunning = false;
  #count = 0;

  async start(): Promise<void> {
    this.isRunning = true;
  }

  async stop(): Promise<void> {
    this.isRunning = false;
  }

  health(): ServiceHealth {
    return this.#count < 2 ? { ok: true } : { ok: false, detail: 'it counted too far' };
  }

  metrics(): Metric[] {
    return [{ name: 'tally_total', type: 'counter', help: 'Counted.', value: this.#count }];
  }

  readonly topics: TopicSource = (name) =>
    name === 'tally' ? { name, rows: () => [['all', { count: this.#count }]] } : undefined;

  routes(api: Api): void {
    const response = { 200: Type.Object({ count: Type.Integer() }) };
    api.post('/tally', { schema: { tags: ['tally'], summary: 'Count one', response } }, () => {
      this.#count += 1;
      return { count: this.#count };
    });
  }
}

describe('a service that others add', () => {
  const home = mkdtempSync(join(tmpdir(), 'starling-example-'));
  const tally = new TallyService();
  let daemon: Daemon;

  before(async () => {
    daemon = await Daemon.open({
      home,
      isOffline: true,
      settings: {
        'api.listen': '127.0.0.1:0',
        listen: '127.0.0.1:0',
        'discovery.dht': false,
        'discovery.lan': false,
      },
      services: () => [tally],
    });
  });

  after(async () => {
    await daemon.close();
    rmSync(home, { recursive: true, force: true });
    assert.equal(tally.isRunning, false);
  });

  function ask(where: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${daemon.token}` };
    return fetch(`${daemon.server.url}${where}`, { ...init, headers });
  }

  it('is asked, followed, measured, judged and shown like those of the node', async () => {
    assert.equal(tally.isRunning, true);
    assert.equal(
      (await fetch(`${daemon.server.url}/api/v1/tally`, { method: 'POST' })).status,
      401,
    );
    const { paths } = (await (await ask('/api/v1/openapi.json')).json()) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    assert.equal(paths['/api/v1/tally']!['post']!.summary, 'Count one');
    const abort = new AbortController();
    const events = await ask('/api/v1/events?topics=tally', { signal: abort.signal });
    assert.deepEqual(await (await ask('/api/v1/tally', { method: 'POST' })).json(), { count: 1 });
    let seen = '';
    for await (const part of events.body!) {
      seen += new TextDecoder().decode(part);
      if (seen.includes('"set":{"all":{"count":1}}')) break;
    }
    abort.abort();
    assert.match(seen, /event: snapshot\ndata: .*"rows":\{"all":\{"count":0\}\}/);
    assert.match(await (await ask('/metrics')).text(), /^tally_total 1$/m);
    const health = async (): Promise<unknown> => {
      const { services } = (await (await ask('/api/v1/health')).json()) as {
        services: Record<string, unknown>;
      };
      return services['tally'];
    };
    assert.deepEqual(await health(), { ok: true });
    await ask('/api/v1/tally', { method: 'POST' });
    assert.deepEqual(await health(), { ok: false, detail: 'it counted too far' });
    assert.equal((await fetch(`${daemon.server.url}/healthz`)).status, 503);
    const pages = (await (await ask('/api/v1/pages')).json()) as unknown[];
    assert.deepEqual(pages, [{ name: 'tally', title: 'Tally' }]);
    const script = await ask('/api/v1/pages/tally.js');
    assert.match(script.headers.get('content-type')!, /^text\/javascript/);
    assert.equal(await script.text(), tally.page.script);
  });
});
