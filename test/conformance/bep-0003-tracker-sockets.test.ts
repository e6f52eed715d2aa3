/** The announcer and the test tracker over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpGet } from '../../src/io/http.ts';
import { ReachPolicy } from '../../src/io/reach-policy.ts';
import { openUdp, type UdpSocket } from '../../src/io/udp.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  Announcer,
  type AnnouncerOptions,
  type AnnouncerOutput,
  udpTransactionId,
} from '../../src/protocol/tracker/index.ts';
import { startTestTracker } from '../support/tracker.ts';

/** The least shell that an announcer needs. */
class Shell {
  readonly announcer: Announcer;
  readonly #policy = new ReachPolicy({ offline: true });
  readonly #waiting: { type: string; resolve: (output: AnnouncerOutput) => void }[] = [];
  readonly #seen: AnnouncerOutput[] = [];
  #udp: UdpSocket | undefined;

  constructor(options: Pick<AnnouncerOptions, 'tiers' | 'hashes' | 'port'>) {
    const rng = new Rng(options.port);
    this.announcer = new Announcer({ ...options, peerId: rng.bytes(20), rng });
  }

  async open(): Promise<void> {
    this.#udp = await openUdp({
      host: '127.0.0.1',
      port: 0,
      onMessage: (bytes) => {
        const id = udpTransactionId(bytes);
        if (id !== undefined) this.announcer.handleUdpReply(performance.now(), id, bytes);
        this.drain();
      },
      onError: (error) => assert.fail(error),
    });
  }

  drain(): void {
    for (let output = this.announcer.poll(); output; output = this.announcer.poll()) {
      if (output.type === 'udp') this.#udp!.send(output.bytes, output.host, output.port);
      else if (output.type === 'http') void this.#get(output);
      this.#seen.push(output);
      const index = this.#waiting.findIndex(({ type }) => type === output.type);
      if (index >= 0) this.#waiting.splice(index, 1)[0]!.resolve(output);
    }
  }

  async #get({ requestId, url, timeoutMs, maxBytes }: AnnouncerOutput & { type: 'http' }) {
    const options = { timeoutMs, maxBytes, userAgent: 'Starling/0.0.0', policy: this.#policy };
    try {
      const response = await httpGet(url, options);
      this.announcer.handleHttpReply(performance.now(), requestId, response);
    } catch (error) {
      this.announcer.handleFailure(performance.now(), requestId, (error as Error).message);
    }
    this.drain();
  }

  /** The first output of a type, past or future. */
  output<T extends AnnouncerOutput['type']>(type: T): Promise<AnnouncerOutput & { type: T }> {
    type Wanted = AnnouncerOutput & { type: T };
    const past = this.#seen.find((output): output is Wanted => output.type === type);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => {
      this.#waiting.push({ type, resolve: resolve as (output: AnnouncerOutput) => void });
    });
  }

  async close(): Promise<void> {
    await this.#udp?.close();
  }
}

for (const via of ['http', 'udp'] as const) {
  test(`two peers find each other through a ${via} tracker`, async () => {
    const tracker = await startTestTracker();
    const hash = new Rng(3).bytes(20);
    const tiers = [[via === 'http' ? tracker.httpUrl : tracker.udpUrl]];
    const shells = [7001, 7002].map((port) => new Shell({ tiers, hashes: [hash], port }));
    const [seed, leech] = shells as [Shell, Shell];
    await Promise.all(shells.map((shell) => shell.open()));
    seed.announcer.updateStats({ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 0 });
    seed.announcer.start(performance.now());
    seed.drain();
    await tracker.waitFor(({ port }) => port === 7001);
    leech.announcer.start(performance.now());
    leech.drain();
    const { peers } = await leech.output('peers');
    assert.deepEqual(peers, [{ host: '127.0.0.1', port: 7001 }]);
    leech.announcer.complete(performance.now());
    leech.drain();
    const announce = await tracker.waitFor(({ event }) => event === 'completed');
    assert.equal(announce.port, 7002);
    assert.equal(announce.infoHash, toHex(hash));
    assert.equal(announce.left, 0);
    for (const shell of shells) {
      shell.announcer.stop(performance.now());
      shell.drain();
    }
    await tracker.waitFor(({ event, port }) => event === 'stopped' && port === 7001);
    await tracker.waitFor(({ event, port }) => event === 'stopped' && port === 7002);
    const events = tracker.announces.map(({ event }) => event);
    assert.deepEqual(events.slice(0, 3), ['started', 'started', 'completed']);
    if (via === 'udp') assert.equal(tracker.announces[0]!.urlData, '/announce');
    else assert.equal(tracker.announces[0]!.userAgent, 'Starling/0.0.0');
    await Promise.all(shells.map((shell) => shell.close()));
    await tracker.close();
  });
}

test('a refusal, a warning and a policy refusal reach the user', async () => {
  const refusing = await startTestTracker({ failureReason: 'not registered' });
  const warning = await startTestTracker({ warning: 'old client', trackerId: 'id' });
  const shell = new Shell({
    tiers: [['http://t.example/announce'], [refusing.httpUrl], [warning.httpUrl]],
    hashes: [new Uint8Array(20)],
    port: 7003,
  });
  shell.announcer.start(performance.now());
  shell.drain();
  assert.equal((await shell.output('warning')).message, 'old client');
  const status = shell.announcer.status.map(({ lastError }) => lastError);
  assert.match(status[0]!, /^offline: refused to contact t\.example/);
  assert.deepEqual(status.slice(1), ['not registered', undefined]);
  await Promise.all([refusing.close(), warning.close()]);
});
