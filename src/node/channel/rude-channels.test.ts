/**
 * What comes to a node's port and is no peer: replays, half handshakes, clients of other protocols; and peers that flood.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import tls from 'node:tls';
import { poll, TestBed } from '../../../test/support/cli-child.ts';
import { meet, openParty, type Party } from '../../../test/support/parties.ts';
import { dialTcp } from '../../io/tcp.ts';
import { secureTcp } from '../../io/tls.ts';
import { CONTROL_PROTOCOL, encodeFrame, WIRE_PROTOCOL } from '../../protocol/channel/index.ts';
import { ChannelCredentials } from './credentials.ts';
import { MAX_PENDING_INCOMING } from './handshake-budget.ts';

const HALF_OPEN = 10_000;
const GROUP = 100;
const LIMITS = { timeout: 60_000 };

function echo({ channels }: Party): { count: number } {
  const seen = { count: 0 };
  channels.handle('echo', {
    admits: () => true,
    onRequest: (_, { payload }) => {
      seen.count += 1;
      return payload;
    },
  });
  return seen;
}

/** Passes a connection on, and keeps what the dialler said. */
async function recorder(bed: TestBed, port: number): Promise<{ port: number; said: Buffer[] }> {
  const said: Buffer[] = [];
  const server = net.createServer((from) => {
    const to = net.connect(port, '127.0.0.1');
    from.on('data', (bytes) => {
      said.push(bytes as Buffer);
      to.write(bytes);
    });
    to.pipe(from);
    for (const socket of [from, to]) socket.on('error', () => {});
    from.on('close', () => to.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onEnd(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, said };
}

async function ended(socket: net.Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (bytes) => parts.push(bytes as Buffer));
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(parts);
}

/** A peer that speaks frames by hand: nothing holds it to the rules. */
async function frames(victim: Party, onFrame: (bytes: Buffer) => void = () => {}) {
  const raw = await dialTcp(victim.node.endpoint);
  const { connection } = await secureTcp(raw, {
    isServer: false,
    credentials: await new ChannelCredentials(randomBytes(32)).current(),
    protocols: [CONTROL_PROTOCOL],
  });
  const closed = new Promise<void>((resolve) => {
    connection.attach({ onData: onFrame, onDrain: () => {}, onClose: () => resolve() });
  });
  const hello = { instance: randomBytes(8), addresses: [] };
  connection.write(encodeFrame({ kind: 'hello', hello }));
  return { connection, closed };
}

describe('refused at the port of a node:', () => {
  it('the recorded handshake of a peer, sent again', async () => {
    await using bed = new TestBed();
    const [a, b] = [await openParty(bed), await openParty(bed)];
    const seen = echo(b);
    const proxy = await recorder(bed, b.node.endpoint.port);
    const hints = { addresses: [{ host: '127.0.0.1', port: proxy.port }] };
    const channel = await a.channels.channelTo(b.peerId, { hints });
    await channel.request('echo', randomBytes(10));
    const recorded = Buffer.concat(proxy.said);
    let opened = 0;
    b.channels.listen(({ type }) => {
      if (type !== 'closed') opened += 1;
    });
    const socket = net.connect(b.node.endpoint.port, '127.0.0.1');
    socket.write(recorded);
    await ended(socket);
    assert.equal(opened, 0);
    assert.equal(seen.count, 1);
    assert.equal(b.channels.channel(a.peerId)?.isClosed, false, 'the peer itself stays');
  });

  it('TLS without a protocol (ALPN), and without a certificate: not a byte of the channel is said', async () => {
    await using bed = new TestBed();
    const { node, channels } = await openParty(bed);
    const { port } = node.endpoint;
    for (const options of [{}, { ALPNProtocols: [CONTROL_PROTOCOL] }, { ALPNProtocols: ['h2'] }]) {
      const socket = tls.connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...options,
      });
      socket.write(
        encodeFrame({ kind: 'hello', hello: { instance: randomBytes(8), addresses: [] } }),
      );
      assert.equal((await ended(socket)).length, 0);
    }
    assert.equal(channels.channels.length, 0);
  });

  it('the data connection of a proven stranger that names no transfer of its', async () => {
    await using bed = new TestBed();
    const victim = await openParty(bed);
    const raw = await dialTcp(victim.node.endpoint);
    const { connection } = await secureTcp(raw, {
      isServer: false,
      credentials: await new ChannelCredentials(randomBytes(32)).current(),
      protocols: [WIRE_PROTOCOL],
    });
    const closed = new Promise<void>((resolve) => {
      connection.attach({
        onData: () => assert.fail(),
        onDrain: () => {},
        onClose: () => resolve(),
      });
    });
    const handshake = [Buffer.from('\x13BitTorrent protocol'), Buffer.alloc(8), randomBytes(40)];
    connection.write(Buffer.concat(handshake));
    await closed;
  });

  it(
    `${HALF_OPEN} half-open handshakes: few are kept, it is told once, a peer still gets in`,
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const notices: string[] = [];
      const [victim, peer] = [
        await openParty(bed, { onNotice: (notice) => notices.push(notice) }),
        await openParty(bed),
      ];
      echo(victim);
      const { port } = victim.node.endpoint;
      const open = new Set<net.Socket>();
      bed.onEnd(() => {
        for (const socket of open) socket.destroy();
      });
      // A TLS record that says it is longer than what comes; nothing at all; a preface without its token.
      const beginnings = [
        Buffer.from([22, 3, 1, 2, 0, 1, 0, 1]),
        Buffer.alloc(0),
        Buffer.from('S'),
      ];
      for (let at = 0; at < HALF_OPEN; at += GROUP) {
        const group = Array.from({ length: GROUP }, async (_, i) => {
          const socket = net.connect(port, '127.0.0.1');
          open.add(socket);
          socket.on('error', () => {});
          socket.on('close', () => open.delete(socket));
          socket.resume();
          await once(socket, 'connect');
          socket.write(beginnings[i % beginnings.length]!);
        });
        await Promise.all(group);
        // What the system keeps for a listener is short: who comes too fast waits a second.
        while (open.size > MAX_PENDING_INCOMING) await turn();
      }
      const channel = await meet(peer, victim);
      const answer = await channel.request('echo', Buffer.from('still here'));
      assert.equal(Buffer.from(answer).toString(), 'still here');
      assert.equal(notices.length, 1);
      assert.match(notices[0]!, /incoming connection\(s\) were refused/);
    },
  );

  it(
    'strangers by the hundred who prove an identity and then say nothing: they have the places of those who are nobody',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const notices: string[] = [];
      const victim = await openParty(bed, { onNotice: (notice) => notices.push(notice) });
      const peer = await openParty(bed);
      echo(victim);
      let open = 0;
      for (let at = 0; at < MAX_PENDING_INCOMING + 60; at += 20) {
        const group = Array.from({ length: 20 }, async (_, i) => {
          const raw = await dialTcp(victim.node.endpoint);
          const { connection } = await secureTcp(raw, {
            isServer: false,
            credentials: await new ChannelCredentials(randomBytes(32)).current(),
            protocols: [i % 2 === 0 ? CONTROL_PROTOCOL : WIRE_PROTOCOL],
          });
          open += 1;
          connection.attach({
            onData: () => {},
            onDrain: () => {},
            onClose: () => {
              open -= 1;
            },
          });
          bed.onEnd(() => connection.destroy());
        });
        await Promise.all(group);
      }
      await poll('few open', () => (open <= MAX_PENDING_INCOMING ? true : undefined));
      const channel = await meet(peer, victim);
      await channel.request('echo', randomBytes(3));
      assert.equal(notices.length, 1);
    },
  );
});

describe('refused of a proven peer:', () => {
  it('more requests at a time than it may have waiting; others are served meanwhile', async () => {
    await using bed = new TestBed();
    const [victim, peer] = [await openParty(bed), await openParty(bed)];
    let waiting = 0;
    victim.channels.handle('slow', {
      admits: () => true,
      onRequest: () => {
        waiting += 1;
        return new Promise<Uint8Array>(() => {});
      },
    });
    echo(victim);
    let got = 0;
    const rude = await frames(victim, (bytes) => {
      got += bytes.length;
    });
    const envelope = { service: 'slow', version: 1 };
    for (let id = 1; id <= 5_000; id += 1) {
      const request = { kind: 'request', id, timeoutMs: 300_000, envelope } as const;
      rude.connection.write(encodeFrame({ ...request, payload: new Uint8Array(100) }));
    }
    await poll('refusals', () => (got > 4_900 * 20 ? true : undefined));
    assert.equal(waiting, 64);
    const channel = await meet(peer, victim);
    await channel.request('echo', randomBytes(3));
    rude.connection.destroy();
  });

  it('pings without end, a second greeting, a frame that is too long: the channel is closed', async () => {
    await using bed = new TestBed();
    const victim = await openParty(bed);
    const ping = encodeFrame({ kind: 'ping', nonce: randomBytes(8) });
    const hello = encodeFrame({
      kind: 'hello',
      hello: { instance: randomBytes(8), addresses: [] },
    });
    for (const rude of [Buffer.concat(Array(1_000).fill(ping)), hello, Buffer.alloc(64, 0xff)]) {
      const { connection, closed } = await frames(victim);
      connection.write(rude);
      await closed;
    }
    await poll('no channel', () => (victim.channels.channels.length === 0 ? true : undefined));
  });

  it('requests whose answers it does not read: the channel is closed, and little waits', async () => {
    await using bed = new TestBed();
    const victim = await openParty(bed);
    echo(victim);
    const { connection, closed } = await frames(victim);
    connection.pause();
    const envelope = { service: 'echo', version: 1 };
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    victim.channels.listen(({ type }) => {
      if (type !== 'closed') return;
      isClosed = true;
    });
    for (let id = 1; !isClosed; id += 1) {
      const request = { kind: 'request', id, timeoutMs: 1_000, envelope } as const;
      const frame = encodeFrame({ ...request, payload: new Uint8Array(60_000) });
      await new Promise<void>((resolve) => connection.write(frame, resolve));
      assert.ok(id < 2_000, 'it answers without end');
    }
    connection.destroy();
  });
});
