/**
 * STARLING_OFFLINE=1: what a torrent or a tracker names outside loopback is not contacted. Listeners on this machine's own network address are
 * the witnesses, and a run without the variable proves that each would have been called.
 * @module
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, type Starling, startStarling } from '../support/cli.ts';
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

/** Somebody outside who counts what reaches him. */
interface Witness {
  readonly calls: () => number;
  readonly port: number;
}

/** Hangs up on everybody. */
async function tcpWitness(bed: TestBed): Promise<Witness> {
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

/** Refuses every request (BEP 15, "error"), so that the next tracker is asked at once. */
async function udpWitness(bed: TestBed): Promise<Witness> {
  let calls = 0;
  const socket = createSocket('udp4').on('message', (bytes, from) => {
    calls += 1;
    const reply = Buffer.concat([Buffer.from([0, 0, 0, 3]), bytes.subarray(12, 16)]);
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, outside);
  await once(socket, 'listening');
  bed.onEnd(() => socket.close());
  return { calls: () => calls, port: socket.address().port };
}

it(
  'offline, trackers and peers outside loopback are refused; online they are called',
  needsInterface,
  async () => {
    await using bed = new TestBed();
    const witnesses = await Promise.all([tcpWitness(bed), udpWitness(bed), tcpWitness(bed)]);
    const [http, udp, peer] = witnesses;
    const calls = (): number[] => witnesses.map((witness) => witness.calls());
    const tracker = await startTestTracker();
    bed.onEnd(() => tracker.close());
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 50_000, 1);
    const watched = [
      `http://${outside}:${http.port}/announce`,
      `udp://${outside}:${udp.port}/announce`,
    ];
    const named = ['http://tracker.invalid/announce', 'udp://tracker.invalid:1/announce'];
    // The one that answers comes last: no tier behind it would be asked (BEP 12).
    const trackers = [...watched, ...named, tracker.httpUrl];
    const torrent = await createTorrentFile(bed, path, 'v1', { trackers });
    tracker.addPeer(torrent.infoHashV1!, outside!, peer.port);
    const start = (offline: '0' | '1'): Starling => {
      // A socket bound to loopback could not reach the witnesses on every system, whatever the policy says.
      const place = ['--dir', bed.dir('copy'), '--listen', '0.0.0.0:0'];
      const env = { STARLING_OFFLINE: offline };
      return startStarling(bed, ['get', torrent.file, ...place, '--json'], { env });
    };
    const offline = start('1');
    await tracker.waitFor(({ event }) => event === 'started');
    const refused = async (url: string): Promise<void> => {
      const problem = await offline.event('tracker-problem', (event) => event['url'] === url);
      assert.match(String(problem['message']), /offline: refused to contact/);
    };
    await Promise.all([...watched, ...named].map(refused));
    // Two turns of the core's clock: a dial would have happened.
    await offline.child.waitFor('progress', () =>
      offline.events.filter(({ type }) => type === 'progress').length >= 2 ? true : undefined,
    );
    assert.deepEqual(calls(), [0, 0, 0]);
    await offline.child.stop('SIGINT');
    assert.deepEqual(calls(), [0, 0, 0]);
    // Without the names, for which DNS would be asked now.
    await createTorrentFile(bed, path, 'v1', { trackers: [...watched, tracker.httpUrl] });
    const online = start('0');
    await poll('calls from outside', () =>
      calls().every((count) => count > 0) ? true : undefined,
    );
    await online.child.stop('SIGINT');
  },
);

it('offline, a URL outside loopback is not fetched', { timeout: 60_000 }, async () => {
  await using bed = new TestBed();
  const end = await startStarling(bed, ['get', 'http://192.0.2.1/x.torrent']).child.exit();
  assert.equal(end.code, 1);
  assert.match(end.stderr, /^starling: [^\n]*offline: refused to contact 192\.0\.2\.1[^\n]*\n$/);
});
