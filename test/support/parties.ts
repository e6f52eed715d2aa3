/**
 * Nodes with channels in one process, on loopback, each under an identity of its own; none finds another unless told where it is.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { ChannelService } from '../../src/node/channel/channel-service.ts';
import type { Channel } from '../../src/node/channel/types.ts';
import { type NodeOptions, PeerNode } from '../../src/node/peer-node.ts';
import { hourOf, type SendKeys } from '../../src/protocol/send/index.ts';
import type { TestBed } from './cli-child.ts';

/** A node and its channels. */
export interface Party {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly peerId: string;
}

/** What a party is like. */
export interface PartyOptions extends NodeOptions {
  /** Whom it deals with; default: everybody. */
  readonly isKnown?: (peerId: string) => boolean;
}

/** Opens one; it is closed with the test. */
export async function openParty(
  bed: TestBed,
  { isKnown = () => true, ...more }: PartyOptions = {},
): Promise<Party> {
  const node = await PeerNode.open({
    home: bed.home(),
    listen: '127.0.0.1:0',
    usesDht: false,
    usesLocalDiscovery: false,
    isOffline: true,
    ...more,
  });
  bed.onEnd(() => node.close());
  const channels = node.openChannels({ seed: randomBytes(32), isKnown, finders: [] });
  return { node, channels, peerId: channels.peerId };
}

/** Connects two. */
export function meet(from: Party, to: Party): Promise<Channel> {
  return from.channels.channelTo(to.peerId, { hints: { addresses: [to.node.endpoint] } });
}

/** Keys as some code would give them: what it is does not matter here. */
export function someKeys(): SendKeys {
  return {
    hour: hourOf(Date.now()),
    rendezvousSeed: randomBytes(32),
    lanHash: randomBytes(20),
    recordKey: randomBytes(32),
    pakePassword: randomBytes(32),
  };
}
