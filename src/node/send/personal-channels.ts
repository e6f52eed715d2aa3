/**
 * The channels of a command that deals with people: under this installation's identity, with its contacts.
 * @module
 */

import type { ChannelService } from '../channel/channel-service.ts';
import { identityFile, openIdentity, showIdentity } from '../identity-store.ts';
import type { PeerNode } from '../peer-node.ts';

/** Opens them. @param passphrase of the identity; empty: none. @throws {AppError} ERR_CONFIG for an identity that cannot be opened. */
export function openPersonalChannels(node: PeerNode, passphrase: string): ChannelService {
  const file = identityFile(node.home);
  showIdentity(file, passphrase);
  const { seed } = openIdentity(file, passphrase);
  return node.openChannels({ seed, isKnown: () => false, finders: [] });
}
