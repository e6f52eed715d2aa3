/**
 * STARLING_OFFLINE=1: what a torrent or a tracker names outside loopback is not contacted. A listener on this machine's own network address is
 * the witness, and a run without the variable proves that it would have been called.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, startStarling } from '../support/cli.ts';
import { freePort, poll, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { startTestTracker } from '../support/tracker.ts';

const outside = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const needsInterface = {
  timeout: 60_000,
  skip: outside === undefined ? 'this machine has no address but loopback' : false,
};

async function witness(bed: TestBed): Promise<{ calls: () => number; port: number }> {
  const port = await freePort(outside);
  let calls = 0;
  const server: Server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  }).listen(port, outside);
  await once(server, 'listening');
  bed.onEnd(() => server.close());
  return { calls: () => calls, port };
}

it(
  'offline, trackers and peers outside loopback are refused; online they are called',
  needsInterface,
  async () => {
    await using bed = new TestBed();
    const { calls, port } = await witness(bed);
    const tracker = await startTestTracker();
    bed.onEnd(() => tracker.close());
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 50_000, 1);
    // The one that answers comes last: no tier behind it would be asked (BEP 12).
    const refusedUrls = [`http://${outside}:${port}/announce`, 'http://tracker.invalid/announce'];
    const trackers = [...refusedUrls, tracker.httpUrl];
    const torrent = await createTorrentFile(bed, path, 'v1', { trackers });
    tracker.addPeer(torrent.infoHashV1!, outside!, port);
    const args = [
      'get',
      torrent.file,
      '--dir',
      bed.dir('copy'),
      '--json',
      '--listen',
      '127.0.0.1:0',
    ];
    const offline = startStarling(bed, args);
    await tracker.waitFor(({ event }) => event === 'started');
    const refused = async (url: string): Promise<void> => {
      const problem = await offline.event('tracker-problem', (event) => event['url'] === url);
      assert.match(String(problem['message']), /offline: refused to contact/);
    };
    await Promise.all(refusedUrls.map(refused));
    // Two turns of the core's clock: a dial would have happened.
    await offline.child.waitFor('progress', () =>
      offline.events.filter(({ type }) => type === 'progress').length >= 2 ? true : undefined,
    );
    assert.equal(calls(), 0);
    await offline.child.stop('SIGINT');
    assert.equal(calls(), 0);
    const online = startStarling(bed, [...args.slice(0, -2), '--listen', '0.0.0.0:0'], {
      env: { STARLING_OFFLINE: '0' },
    });
    await poll('call from outside', () => (calls() > 0 ? true : undefined));
    await online.child.stop('SIGINT');
  },
);

it('offline, a URL outside loopback is not fetched', { timeout: 60_000 }, async () => {
  await using bed = new TestBed();
  const end = await startStarling(bed, ['get', 'http://192.0.2.1/x.torrent']).child.exit();
  assert.equal(end.code, 1);
  assert.match(end.stderr, /^starling: [^\n]*offline: refused to contact 192\.0\.2\.1[^\n]*\n$/);
});
