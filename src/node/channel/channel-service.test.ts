import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { nodeEd25519 } from '../../io/crypto.ts';
import { formatPeerId, peerIdOf } from '../../protocol/identity/index.ts';
import { PeerNode } from '../peer-node.ts';
import type { ChannelService, PeerFinder } from './channel-service.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'starling-channel-'));
const closers: (() => Promise<void>)[] = [];
after(async () => {
  await Promise.all(closers.map((close) => close()));
  rmSync(root, { recursive: true });
});

interface Party {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly peerId: string;
}

let made = 0;
async function party(
  known: (peerId: string) => boolean,
  seed = randomBytes(32),
  finders: readonly PeerFinder[] = [],
): Promise<Party> {
  made += 1;
  const node = await PeerNode.open({
    home: path.join(root, String(made)),
    listen: '127.0.0.1:0',
    usesDht: false,
    usesLocalDiscovery: false,
    isOffline: true,
  });
  closers.push(() => node.close());
  const channels = node.openChannels({ seed, isKnown: known, finders });
  return { node, channels, peerId: channels.peerId };
}

const anybody = (): boolean => true;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (words: string): Uint8Array => new Uint8Array(Buffer.from(words));
const at = ({ node }: Party) => ({ hints: { addresses: [node.endpoint] } });

function echo({ channels }: Party, admits: (peerId: string) => boolean = anybody): void {
  channels.handle('echo', {
    admits,
    onRequest: (_channel, { payload }) => {
      if (text(payload) === 'fail') throw new Error('it was told to');
      return payload;
    },
    onBulk: ({ connection }, { payload }) => {
      connection.attach({
        onData: (data) => connection.write(Uint8Array.from(data)),
        onDrain: () => {},
        onClose: () => {},
      });
      connection.write(payload);
    },
  });
}

describe('channels of two nodes', () => {
  it('ask and answer over one connection that both ends know by the same binding', async () => {
    const [a, b] = [await party(anybody), await party(anybody)];
    echo(b);
    const channel = await a.channels.channelTo(b.peerId, at(b));
    assert.equal(channel.peerId, b.peerId);
    assert.equal(text(await channel.request('echo', bytes('hello'))), 'hello');
    const other = b.channels.channel(a.peerId)!;
    assert.deepEqual(other.binding, channel.binding);
    assert.equal(channel.path.kind, 'lan');
    assert.equal(await a.channels.channelTo(b.peerId), channel);
    await assert.rejects(channel.request('echo', bytes('fail')), /it was told to/);
    await assert.rejects(channel.request('nothing', bytes('')), {
      code: 'ERR_PEER_REFUSED',
      message: /"nothing" is not offered here/,
    });
  });

  it('a service refuses whom it does not admit', async () => {
    const [a, b] = [await party(anybody), await party(anybody)];
    echo(b, () => false);
    const channel = await a.channels.channelTo(b.peerId, at(b));
    await assert.rejects(channel.request('echo', bytes('hello')), /not open to this peer/);
  });

  it('a stranger is not connected, and hears nothing', async () => {
    const [a, b] = [await party(anybody), await party(() => false)];
    await assert.rejects(a.channels.channelTo(b.peerId, at(b)), { code: 'ERR_CHANNEL' });
    assert.equal(b.channels.channels.length, 0);
  });

  it('a stranger that made this node dial, as by an announcement in its network, gets no channel', async () => {
    const [a, b] = [await party(anybody), await party(() => false)];
    const signal = AbortSignal.timeout(10_000);
    const dialled = b.channels.channelAt(a.node.endpoint, signal);
    await assert.rejects(dialled, new RegExp(`${a.peerId} is nobody that this node deals with`));
    assert.equal(a.channels.channels.length, 0);
  });

  it('whoever else answers at an address is told, and gets nothing', async () => {
    const [a, b] = [await party(anybody), await party(anybody)];
    const somebody = formatPeerId(peerIdOf(nodeEd25519.publicKey(randomBytes(32))));
    await assert.rejects(a.channels.channelTo(somebody, at(b)), {
      code: 'ERR_PEER_UNREACHABLE',
      message: new RegExp(`somebody else answers: expected ${somebody}, got ${b.peerId}`),
    });
    assert.equal(b.channels.channels.length, 0);
  });

  it('simultaneous dials leave one connection, the same at both ends', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [a, b] = [await party(anybody), await party(anybody)];
      echo(a);
      echo(b);
      await Promise.all([
        a.channels.channelTo(b.peerId, at(b)),
        b.channels.channelTo(a.peerId, at(a)),
      ]);
      // An answer from either end shows that its connection lives.
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const channel = await from.channels.channelTo(to.peerId);
        assert.equal(text(await channel.request('echo', bytes('x'))), 'x');
      }
      const [ofA, ofB] = [a.channels.channel(b.peerId)!, b.channels.channel(a.peerId)!];
      assert.deepEqual(ofA.binding, ofB.binding);
    }
  });

  it('carries bulk on a connection of its own', async () => {
    const [a, b] = [await party(anybody), await party(anybody)];
    echo(b);
    await a.channels.channelTo(b.peerId, at(b));
    const { connection } = await a.channels.openBulk(b.peerId, 'echo', bytes('first '));
    const sent = randomBytes(3_000_000);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const parts: Buffer[] = [];
    connection.attach({
      onData: (data) => {
        parts.push(Buffer.from(data));
        const all = Buffer.concat(parts);
        if (all.length === sent.length + 6) resolve(all);
      },
      onDrain: () => {},
      onClose: () => {},
    });
    connection.write(sent);
    const all = await promise;
    assert.equal(text(all.subarray(0, 6)), 'first ');
    assert.ok(all.subarray(6).equals(sent));
    connection.destroy();
  });

  it('a data connection that was wanted before there was a channel learns from it where the peer is', async () => {
    const finds: PeerFinder = (_peerId, _onFound, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const [a, b] = [await party(anybody, randomBytes(32), [finds]), await party(anybody)];
    echo(b);
    const wanted = a.channels.openBulk(b.peerId, 'echo', bytes('first'));
    await b.channels.channelTo(a.peerId, at(a));
    const { connection, peerId } = await wanted;
    assert.equal(peerId, b.peerId);
    connection.destroy();
  });

  it('a node that was started again takes the place of its former self', async () => {
    const seed = randomBytes(32);
    const [a, b] = [await party(anybody), await party(anybody, seed)];
    await a.channels.channelTo(b.peerId, at(b));
    const again = await party(anybody, seed);
    echo(again);
    await again.channels.channelTo(a.peerId, at(a));
    const channel = a.channels.channel(b.peerId)!;
    assert.equal(text(await channel.request('echo', bytes('new'))), 'new');
  });

  it('a kept peer is dialled again after its connection ended', async () => {
    const [a, b] = [await party(anybody), await party(anybody)];
    echo(b);
    await a.channels.channelTo(b.peerId, at(b));
    const opened = new Promise((resolve) => {
      a.channels.listen((change) => change.type === 'open' && resolve(change.channel));
    });
    // It knows no address to dial again: the other end's greeting told it one, which the contact keeps.
    const release = a.channels.keep(b.peerId);
    b.channels.channel(a.peerId)!.close('for the test');
    await b.channels.channelTo(a.peerId, at(a));
    await opened;
    release();
  });
});
