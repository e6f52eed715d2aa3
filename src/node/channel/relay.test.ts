import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { poll } from '../../../test/support/cli-child.ts';
import { dialTcp } from '../../io/tcp.ts';
import { encodePreface } from '../../protocol/relay/index.ts';
import { PeerNode } from '../peer-node.ts';
import type { ChannelChange, ChannelService, RelayHint } from './channel-service.ts';
import type { RelayServer } from './relay-server.ts';
import type { Channel } from './types.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'starling-relay-'));
const nodes: PeerNode[] = [];
after(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  rmSync(root, { recursive: true });
});

const anybody = (): boolean => true;
const bytes = (words: string): Uint8Array => new Uint8Array(Buffer.from(words));

async function party(): Promise<{ node: PeerNode; channels: ChannelService }> {
  const node = await PeerNode.open({
    home: path.join(root, String(nodes.length)),
    listen: '127.0.0.1:0',
    usesDht: false,
    usesLocalDiscovery: false,
    isOffline: true,
  });
  nodes.push(node);
  const seed = randomBytes(32);
  return { node, channels: node.openChannels({ seed, isKnown: anybody, finders: [] }) };
}

async function relay(
  options: { bytesPerPeerPerDay?: number } = {},
): Promise<{ hint: RelayHint; server: RelayServer; node: PeerNode }> {
  const { node, channels } = await party();
  const server = node.serveAsRelay({ serves: anybody, ...options });
  return { hint: { peerId: channels.peerId, addresses: [node.endpoint] }, server, node };
}

/** A peer that can be reached through a relay, and answers. */
async function reachable(hint: RelayHint): Promise<ChannelService> {
  const { node, channels } = await party();
  channels.handle('echo', { admits: anybody, onRequest: (_channel, { payload }) => payload });
  node.relays!.use(hint);
  await poll('a reservation', () => node.relays!.reserved.length > 0 || undefined);
  return channels;
}

function nextChange(channels: ChannelService, type: ChannelChange['type']): Promise<Channel> {
  const { promise, resolve } = Promise.withResolvers<Channel>();
  const end = channels.listen((change) => {
    if (change.type !== type) return;
    end();
    resolve(change.channel);
  });
  return promise;
}

describe('a relay', () => {
  it('lets two peers meet that know no address of each other, and a better path takes its place', async () => {
    const { hint, server } = await relay();
    const b = await reachable(hint);
    const { channels: a } = await party();
    const better = nextChange(a, 'path');
    const channel = await a.channelTo(b.peerId, { hints: { addresses: [], relays: [hint] } });
    assert.equal(channel.path.kind, 'relay');
    assert.equal(channel.path.relay, hint.peerId);
    assert.equal(b.channel(a.peerId)?.path.kind, 'relay');
    assert.equal(
      Buffer.from(await channel.request('echo', bytes('through'))).toString(),
      'through',
    );
    assert.ok(server.status.passedBytes > 0);
    assert.equal((await better).path.kind, 'lan');
    assert.equal(
      Buffer.from(await (await better).request('echo', bytes('direct'))).toString(),
      'direct',
    );
  });

  it('refuses to connect with a peer that has no reservation', async () => {
    const { hint } = await relay();
    const { channels: a } = await party();
    const { channels: b } = await party();
    await assert.rejects(
      a.channelTo(b.peerId, { hints: { addresses: [], relays: [hint] } }),
      /ERR_PEER_UNREACHABLE|No way to/,
    );
  });

  it('ends a connection when the bytes of a day are used up', async () => {
    const { hint, server } = await relay({ bytesPerPeerPerDay: 20_000 });
    const b = await reachable(hint);
    const { channels: a } = await party();
    const hints = { addresses: [], relays: [hint] };
    const channel = await a.channelTo(b.peerId, { hints });
    // The channel may find its better way meanwhile: what is asked through the relay ends all the same.
    await channel.request('echo', new Uint8Array(30_000)).catch(() => {});
    assert.ok(server.status.passedBytes < 200_000);
    assert.equal(server.status.connections, 0);
  });

  it('closes what shows a token that it never gave', async () => {
    const { node } = await relay();
    const connection = await dialTcp(node.endpoint);
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.attach({ onData: () => {}, onDrain: () => {}, onClose: () => resolve() });
    connection.write(encodePreface(new Uint8Array(32)));
    await promise;
  });
});
