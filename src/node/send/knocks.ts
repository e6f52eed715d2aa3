/**
 * Offers of contacts that come by themselves, one after the other.
 *
 * Bounds: MAX_WAITING knocks; a contact that knocks again takes the place of its former knock. One that knocks for the offer that is being taken, as after a
 * connection was lost, is heard already.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import { decodeKnock, RECEIVE_SERVICE } from '../../protocol/send/index.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import { RequestRefusal } from '../channel/control-link.ts';
import type { Channel } from '../channel/types.ts';
import type { Contacts } from '../contacts.ts';

// Implementation limits
const MAX_WAITING = 64;

/** A contact that has something for us. */
export interface Knock {
  readonly channel: Channel;
  /** 16 bytes: names its offer. */
  readonly nonce: Uint8Array;
}

/** The knocks of contacts, until the signal falls. */
export async function* waitForKnocks(
  channels: ChannelService,
  contacts: Contacts,
  signal: AbortSignal,
): AsyncGenerator<Knock> {
  const waiting = new Map<string, Knock>();
  let current: Knock | undefined;
  let wake = Promise.withResolvers<void>();
  const end = channels.handle(RECEIVE_SERVICE, {
    admits: (peerId) => contacts.byPeerId(peerId) !== undefined,
    onRequest: (channel, { payload }) => {
      const nonce = decodeKnock(payload);
      if (!nonce.ok) throw new RequestRefusal('badRequest', nonce.message);
      if (waiting.size >= MAX_WAITING && !waiting.has(channel.peerId)) {
        throw new RequestRefusal('busy', 'too many offers wait already');
      }
      const isCurrent =
        current?.channel.peerId === channel.peerId && equalBytes(current.nonce, nonce.value);
      if (isCurrent) return new Uint8Array();
      waiting.set(channel.peerId, { channel, nonce: nonce.value });
      wake.resolve();
      return new Uint8Array();
    },
  });
  const onAbort = (): void => wake.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const [next] = waiting.values();
      if (next === undefined) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
        continue;
      }
      waiting.delete(next.channel.peerId);
      current = next;
      yield next;
      current = undefined;
    }
  } finally {
    end();
    signal.removeEventListener('abort', onAbort);
  }
}
