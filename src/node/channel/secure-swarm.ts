/**
 * Swarms among peers who know each other's ids: who may join, and whom to dial.
 * @module
 */
import { formatPeerId } from '../../protocol/identity/index.ts';
import { Contacts, cardOf } from '../contacts.ts';
import type { PeerNode } from '../peer-node.ts';
import type { SecureSwarm } from '../torrent-types.ts';
import { openPersonalChannels } from './personal-channels.ts';
import type { PeerPath } from './types.ts';

/**
 * Opens channels for a swarm with all contacts and with the peers named. @param named names of contacts, peer ids, or links of identities.
 * @param onPath hears of the way to each peer, by the name of a contact or by peer id, whenever it changes.
 * @throws {AppError} ERR_CONFIG for a name that is none of these.
 */
export function openSecureSwarm(
  node: PeerNode,
  named: readonly string[],
  passphrase: string,
  onPath: (who: string, path: PeerPath) => void,
): { readonly secure: SecureSwarm; readonly close: () => void } {
  const known = new Contacts(node.home);
  const cards = named.map((text) => {
    const contact = known.list().find(({ name }) => name.toLowerCase() === text.toLowerCase());
    if (contact !== undefined) return { peerId: contact.peerId, addresses: contact.addresses };
    const { peerId, addresses } = cardOf(text);
    return { peerId: formatPeerId(peerId), addresses };
  });
  const others = new Set(cards.map(({ peerId }) => peerId));
  const { channels, contacts, close } = openPersonalChannels(node, {
    passphrase,
    others,
    isFindable: true,
  });
  const unlisten = channels.listen(({ type, peerId, channel }) => {
    if (type !== 'closed') onPath(contacts.byPeerId(peerId)?.name ?? peerId, channel.path);
  });
  // What a link says of addresses is used at once; the swarm then dials by id alone.
  for (const { peerId, addresses } of cards) {
    channels.channelTo(peerId, { hints: { addresses } }).catch(() => {});
  }
  const isOurs = (peerId: string): boolean =>
    others.has(peerId) || contacts.byPeerId(peerId) !== undefined;
  const dialled = named.length > 0 ? others : known.list().map(({ peerId }) => peerId);
  return {
    secure: { admits: isOurs, peers: [...dialled] },
    close: () => {
      unlisten();
      close();
    },
  };
}
