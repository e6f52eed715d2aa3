/**
 * Finding a peer in the local network by its id: both are announced there as if they were torrents (BEP 14), under a hash that only who knows the id can make.
 *
 * Whoever is looked for hears it and comes; so it does not matter which of the two announced first. Not here: multicast (src/node/lsd-service.ts).
 * @module
 */
import { nodeCrypto } from '../../io/crypto.ts';
import type { Endpoint } from '../../io/tcp.ts';
import { lanHashOf } from '../../protocol/identity/index.ts';
import { formatEndpoint } from '../address.ts';
import type { LsdService } from '../lsd-service.ts';
import type { ChannelService, PeerFinder } from './channel-service.ts';
import { idBytes } from './peer-ids.ts';

// Implementation limits
/** How long somebody who looks for us is dialled. */
const MEET_TIMEOUT_MS = 10_000;
/** Addresses that are remembered. */
const MAX_MET = 256;

/** In the place of a peer id: it is being found out. */
const DIALLING = '';

/** Lets this node be found, until the returned function is called. */
export function beFoundInLan(lsd: LsdService, channels: ChannelService, port: number): () => void {
  /** Who was met at an address: who looks again while the channel is open needs no other one. */
  const met = new Map<string, string>();
  const meet = async (endpoint: Endpoint): Promise<void> => {
    const key = formatEndpoint(endpoint);
    const before = met.get(key);
    if (before === DIALLING || (before !== undefined && channels.channel(before) !== undefined)) {
      return;
    }
    if (met.size >= MAX_MET) met.clear();
    met.set(key, DIALLING);
    try {
      const { peerId } = await channels.channelAt(endpoint, AbortSignal.timeout(MEET_TIMEOUT_MS));
      met.set(key, peerId);
    } catch {
      met.delete(key);
    }
  };
  const hash = lanHashOf(nodeCrypto, idBytes(channels.peerId));
  return lsd.announce(hash, port, (endpoint) => void meet(endpoint));
}

/** Looks for others. @param port where this node listens. */
export function lanFinder(lsd: LsdService, port: number): PeerFinder {
  return (peerId, onFound, signal) =>
    new Promise((resolve) => {
      const hash = lanHashOf(nodeCrypto, idBytes(peerId));
      const end = lsd.announce(hash, port, (endpoint) => onFound({ addresses: [endpoint] }), {
        urgency: 'now',
      });
      const onAbort = (): void => {
        end();
        resolve();
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
}
