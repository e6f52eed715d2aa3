/**
 * Finding a peer in the local network by its id: both are announced there as if they were torrents (BEP 14), under a hash that only who knows the id can make.
 *
 * Whoever is looked for hears it and comes; so it does not matter which of the two announced first. Not here: multicast (src/node/lsd-service.ts).
 * @module
 */
import { nodeCrypto } from '../../io/crypto.ts';
import { lanHashOf } from '../../protocol/identity/index.ts';
import type { LsdService } from '../lsd-service.ts';
import type { ChannelService, PeerFinder } from './channel-service.ts';
import { idBytes } from './peer-ids.ts';

// Implementation limits
/** How long somebody who looks for us is dialled. */
const MEET_TIMEOUT_MS = 10_000;

/** Lets this node be found, until the returned function is called. */
export function beFoundInLan(lsd: LsdService, channels: ChannelService, port: number): () => void {
  return lsd.announce(lanHashOf(nodeCrypto, idBytes(channels.peerId)), port, (endpoint) => {
    channels.channelAt(endpoint, AbortSignal.timeout(MEET_TIMEOUT_MS)).catch(() => {});
  });
}

/** Looks for others. @param port where this node listens. */
export function lanFinder(lsd: LsdService, port: number): PeerFinder {
  return (peerId, onFound, signal) =>
    new Promise((resolve) => {
      const hash = lanHashOf(nodeCrypto, idBytes(peerId));
      const end = lsd.announce(hash, port, (endpoint) => onFound({ addresses: [endpoint] }), {
        isUrgent: true,
      });
      const onAbort = (): void => {
        end();
        resolve();
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
}
