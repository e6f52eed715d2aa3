/**
 * Offers of contacts that come by themselves, in the order in which they came.
 *
 * Bounds: MAX_WAITING knocks, of one contact MAX_OF_CONTACT together with those that are being taken. A contact that knocks again for an offer that waits, or that is being
 * taken, as after a connection was lost, is heard already.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { decodeKnock, RECEIVE_SERVICE } from '../../protocol/send/index.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import { RequestRefusal } from '../channel/control-link.ts';
import type { Channel } from '../channel/types.ts';
import type { Contacts } from '../contacts.ts';

// Implementation limits
const MAX_WAITING = 64;
/** Offers of one contact that wait for an answer or are being fetched; it knocks again later with others. */
const MAX_OF_CONTACT = 8;

/** A contact that has something for us. */
export interface Knock {
  readonly channel: Channel;
  /** 16 bytes: names its offer. */
  readonly nonce: Uint8Array;
  /** It has been dealt with: until then the same offer is not heard again. */
  readonly done: () => void;
}

/** The knocks of contacts, until the signal falls. */
export async function* waitForKnocks(
  channels: ChannelService,
  contacts: Contacts,
  signal: AbortSignal,
): AsyncGenerator<Knock> {
  /** By peer id and nonce; those that are being taken stand in the second. */
  const waiting = new Map<string, Knock>();
  const taken = new Map<string, Knock>();
  let wake = Promise.withResolvers<void>();
  const countOf = (peerId: string): number =>
    [...waiting.values(), ...taken.values()].filter(({ channel }) => channel.peerId === peerId)
      .length;
  const end = channels.handle(RECEIVE_SERVICE, {
    admits: (peerId) => contacts.byPeerId(peerId) !== undefined,
    onRequest: (channel, { payload }) => {
      const nonce = decodeKnock(payload);
      if (!nonce.ok) throw new RequestRefusal('badRequest', nonce.message);
      const key = `${channel.peerId} ${toHex(nonce.value)}`;
      if (taken.has(key)) return new Uint8Array();
      const isNew = !waiting.has(key);
      if (isNew && (waiting.size >= MAX_WAITING || countOf(channel.peerId) >= MAX_OF_CONTACT)) {
        throw new RequestRefusal('busy', 'too many offers wait already');
      }
      waiting.set(key, { channel, nonce: nonce.value, done: () => taken.delete(key) });
      wake.resolve();
      return new Uint8Array();
    },
  });
  const onAbort = (): void => wake.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const [next] = waiting;
      if (next === undefined) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
        continue;
      }
      waiting.delete(next[0]);
      taken.set(...next);
      yield next[1];
    }
  } finally {
    end();
    signal.removeEventListener('abort', onAbort);
  }
}
