/**
 * The channels of a command that deals with people: under this installation's identity, with its contacts, found by every means that is switched on.
 *
 * Contacts may connect; whom else a service admits is its business. Where a contact was reached is remembered. Contacts that are marked as relays are used as such.
 * @module
 */
import { AddressPublisher, addressFinder } from '../address-publisher.ts';
import { Contacts } from '../contacts.ts';
import {
  identityFile,
  openIdentity,
  type SealedIdentityFile,
  sealIdentity,
  showIdentity,
} from '../identity-store.ts';
import type { PeerNode } from '../peer-node.ts';
import type { ChannelChange, ChannelService, PeerFinder } from './channel-service.ts';
import { beFoundInLan, lanFinder } from './lan-finder.ts';
import { idBytes } from './peer-ids.ts';

/** Options of `openPersonalChannels`. */
export interface PersonalChannelsOptions {
  /** Of the identity; empty: none. */
  readonly passphrase: string;
  /** Contacts can find this node: in the local network by its id, and by its record in the DHT where that is switched on. Default false. */
  readonly isFindable?: boolean;
  /** Peers that this node deals with besides its contacts. */
  readonly others?: ReadonlySet<string>;
  /** It relays for its contacts, and says so. */
  readonly isRelay?: boolean;
}

/** What they consist of. */
export interface PersonalChannels {
  readonly channels: ChannelService;
  readonly contacts: Contacts;
  /** A copy of the identity's file, sealed. @param passphrase not empty. */
  sealedIdentity(passphrase: string): Promise<SealedIdentityFile>;
  /** Ends what keeps this node findable; the channels end with their node. */
  close(): void;
}

/** Opens them. @throws {AppError} ERR_CONFIG for an identity or contacts that cannot be read. */
export function openPersonalChannels(
  node: PeerNode,
  options: PersonalChannelsOptions,
): PersonalChannels {
  const file = identityFile(node.home);
  showIdentity(file, options.passphrase);
  const { seed } = openIdentity(file, options.passphrase);
  const contacts = new Contacts(node.home);
  const known = contacts.list();
  const { policy, dht, lsd, endpoint } = node;
  const finders: PeerFinder[] = [addressFinder({ policy, dht, contacts })];
  if (lsd !== undefined) finders.push(lanFinder(lsd, endpoint.port));
  const channels = node.openChannels({
    seed,
    isKnown: (peerId) =>
      contacts.byPeerId(peerId) !== undefined || options.others?.has(peerId) === true,
    finders,
  });
  contacts.ownId = channels.peerId;
  const ends = [channels.listen((change) => noteAddress(contacts, change))];
  for (const { peerId, isRelay, addresses } of known) {
    if (isRelay) node.relays?.use({ peerId, addresses });
  }
  const publisher =
    options.isFindable === true ? publish(node, seed, options.isRelay === true) : undefined;
  if (options.isFindable === true && lsd !== undefined) {
    ends.push(beFoundInLan(lsd, channels, endpoint.port));
  }
  return {
    channels,
    contacts,
    sealedIdentity: (passphrase) => sealIdentity(seed, passphrase),
    close: () => {
      for (const end of ends) end();
      // It may wait for the first node of the DHT, which nobody else waits for.
      void publisher?.close();
    },
  };
}

function publish(node: PeerNode, seed: Uint8Array, isRelay: boolean): AddressPublisher | undefined {
  const { dht, home, policy } = node;
  if (dht === undefined) return undefined;
  const publisher = new AddressPublisher({
    dht,
    seed,
    home,
    isOffline: policy.isOffline,
    isOn: () => node.privacy()['address-record'],
    includesPrivate: policy.isOffline,
    current: () => ({
      addresses: node.dialableEndpoints,
      isRelay,
      relays: (node.relays?.reserved ?? []).flatMap(({ peerId, addresses: [address] }) =>
        address === undefined ? [] : [{ peerId: idBytes(peerId), address }],
      ),
    }),
  });
  publisher.start();
  return publisher;
}

/** Where it was dialled is where it can be dialled; what an incoming connection came from is not. */
function noteAddress(contacts: Contacts, { type, channel }: ChannelChange): void {
  if (type === 'closed' || !channel.isDialled || channel.path.kind === 'relay') return;
  try {
    contacts.noteAddress(channel.peerId, channel.path.remote);
  } catch {
    // A help for the next time, no more.
  }
}
