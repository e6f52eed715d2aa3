/** `starling doctor`: a healthy node, and each thing that can be wrong. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, startSeed, startStarling } from '../support/cli.ts';
import { freePort, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };

interface Check {
  readonly name: string;
  readonly status: string;
  readonly finding: string;
  readonly mend?: string;
}

async function examine(bed: TestBed, args: string[], env: Record<string, string> = {}) {
  const home = bed.home();
  const all = ['doctor', '--json', '--listen', '127.0.0.1:0', ...args];
  const exit = await startStarling(bed, all, { home, env }).child.exit();
  const events = exit.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const checks = events.filter(({ type }) => type === 'check') as Check[];
  const of = (name: string): Check => checks.find((check) => check.name.startsWith(name))!;
  return { ...exit, checks, of };
}

it('all is well where all is well, trackers and clock included', LIMITS, async () => {
  await using bed = new TestBed();
  const dir = bed.dir('other');
  writeFile(join(dir, 'other.bin'), 20_000, 3);
  const { file } = await createTorrentFile(bed, join(dir, 'other.bin'), 'v1');
  const { address } = await startSeed(bed, file, dir);
  const tracker = startStarling(bed, ['tracker', '--listen', '127.0.0.1:0', '--json']);
  const { urls } = (await tracker.event('tracking')) as unknown as { urls: string[] };
  const named = urls.flatMap((url) => ['--tracker', url]);
  const { code, checks, of } = await examine(bed, ['--bootstrap', address, ...named]);
  const others = checks.filter(({ status }) => status !== 'ok');
  assert.deepEqual(
    others.map(({ name, status }) => `${name}: ${status}`),
    // Offline no router is asked that was not named.
    ['Port mapping: skipped'],
  );
  assert.equal(code, 0);
  assert.match(of('DHT').finding, /^1 node answered/);
  assert.match(of('Clock').finding, /agrees with the tracker's/);
});

it(
  'a DHT that does not answer, trackers that do not, a clock that is off: each is told, with a way out',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const deaf = createSocket('udp4').bind(0, '127.0.0.1');
    bed.onEnd(() => deaf.close());
    await once(deaf, 'listening');
    const late = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
      response.end('d5:filesdee');
    });
    late.listen(0, '127.0.0.1');
    bed.onEnd(() => late.close());
    await once(late, 'listening');
    const http = `http://127.0.0.1:${(late.address() as AddressInfo).port}/announce`;
    const nowhere = `http://127.0.0.1:${await freePort()}/announce`;
    const args = ['--bootstrap', `127.0.0.1:${deaf.address().port}`];
    const run = await examine(bed, [...args, '--tracker', nowhere, '--tracker', http]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /Something is wrong: DHT, Tracker/);
    const statuses = ['DHT', `Tracker ${nowhere}`, `Tracker ${http}`, 'Clock'].map(
      (name) => run.of(name).status,
    );
    assert.deepEqual(statuses, ['failed', 'failed', 'ok', 'warning']);
    assert.match(run.of('Clock').finding, /^it is 3600 s ahead of|^it is 3[56]\d\d s ahead of/);
    for (const { status, mend } of run.checks) {
      assert.equal(mend !== undefined, status === 'failed' || status === 'warning');
    }
  },
);

it('what is turned off is not tested', LIMITS, async () => {
  await using bed = new TestBed();
  const { code, checks } = await examine(bed, ['--no-dht', '--no-lsd', '--no-port-mapping']);
  const skipped = checks.filter(({ status }) => status === 'skipped').map(({ name }) => name);
  assert.deepEqual(skipped, ['UDP', 'Port mapping', 'DHT', 'Tracker', 'Local network']);
  assert.equal(code, 0);
});
