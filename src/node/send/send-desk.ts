/**
 * Where the offers and receivers of one node meet those of others: services of channels have one name each (`pair`, `send`, `coming`), and a node may send and receive
 * several things at a time.
 *
 * A request about an offer goes by its nonce. The manifest's connection names none: it is for the offer that its peer asked about last, so receivers here ask again right before they
 * connect, one after the other for each sender (`inTurn`). A key exchange names its code by a hint; where none fits, as of an older receiver that gives none, codes are taken in
 * turn, the newest first.
 * Bounds: offers and codes are the user's own; what is kept of peers is one entry for each that an offer is for. Not here: what an offer answers, who guessed how often.
 * @module
 */
import type { DuplexConnection } from '../../io/tcp.ts';
import { equalBytes } from '../../lib/bytes.ts';
import {
  decodePairWord,
  decodeSendWord,
  PAIR_SERVICE,
  SEND_SERVICE,
  type SendWord,
} from '../../protocol/send/index.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import { RequestRefusal } from '../channel/control-link.ts';
import type { Channel, ServiceHandler } from '../channel/types.ts';
import type { CodeKeeper, PairShare } from './pairing.ts';

/** Nobody is asked anything under this name; it says who may connect. */
const COMING_SERVICE = 'coming';

type Admission = (peerId: string) => boolean;

/** An offer, as the desk sees it. */
export interface DeskOffer {
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** Is it for this peer? */
  readonly admits: Admission;
  readonly answer: (channel: Channel, kind: SendWord['kind']) => Promise<Uint8Array>;
  readonly sendManifest: (connection: DuplexConnection) => void;
}

/** A code that somebody may prove. */
export interface DeskCode {
  readonly keeper: CodeKeeper;
  /** May this peer try it? */
  readonly admits: Admission;
}

/** The desk of a node's channels. */
export class SendDesk {
  static readonly #desks = new WeakMap<ChannelService, SendDesk>();

  readonly #channels: ChannelService;
  readonly #offers = new Set<DeskOffer>();
  readonly #codes = new Set<DeskCode>();
  readonly #coming = new Set<Admission>();
  /** Which offer a peer asked about last; of peers that one is for. */
  readonly #asked = new Map<string, DeskOffer>();
  /** Key exchanges under way. */
  readonly #runs = new WeakMap<Channel, DeskCode>();
  /** How many codes a channel has tried. */
  readonly #tries = new WeakMap<Channel, number>();
  /** Files of offers that are in use (send-state.ts). */
  readonly #states = new Set<string>();
  /** The last of the work that is done one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #handled = new Map<string, () => void>();

  /** The one of these channels. */
  static of(channels: ChannelService): SendDesk {
    const desk = SendDesk.#desks.get(channels) ?? new SendDesk(channels);
    SendDesk.#desks.set(channels, desk);
    return desk;
  }

  private constructor(channels: ChannelService) {
    this.#channels = channels;
  }

  /** Answers for an offer until the returned function is called. */
  offer(offer: DeskOffer): () => void {
    const leave = this.#join(this.#offers, offer, SEND_SERVICE, {
      admits: (peerId) => [...this.#offers].some((each) => each.admits(peerId)),
      onRequest: (channel, { payload }) => this.#answer(channel, payload),
      onBulk: ({ connection, peerId }) => {
        const asked = this.#asked.get(peerId);
        const one = asked ?? [...this.#offers].find((each) => each.admits(peerId));
        if (one?.admits(peerId) === true) one.sendManifest(connection);
        else connection.destroy();
      },
    });
    return () => {
      leave();
      for (const [peerId, asked] of this.#asked) {
        if (asked === offer) this.#asked.delete(peerId);
      }
    };
  }

  /** Lets a code be proven until the returned function is called. */
  code(code: DeskCode): () => void {
    return this.#join(this.#codes, code, PAIR_SERVICE, {
      admits: (peerId) => [...this.#codes].some((each) => each.admits(peerId)),
      onRequest: (channel, { payload }) => this.#pair(channel, payload),
    });
  }

  /** Lets those connect whom a receiver waits for, until the returned function is called. */
  coming(admits: Admission): () => void {
    return this.#join(this.#coming, admits, COMING_SERVICE, {
      admits: (peerId) => [...this.#coming].some((each) => each(peerId)),
    });
  }

  /** Whether an offer's file is in use here; it is from now on, until `releaseState`. */
  takeState(file: string): boolean {
    if (this.#states.has(file)) return false;
    this.#states.add(file);
    return true;
  }

  releaseState(file: string): void {
    this.#states.delete(file);
  }

  /** Does what only one of a node may do at a time: when all that was asked for before under the same key is over. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    const over = turn.catch(() => {});
    this.#turns.set(key, over);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === over) this.#turns.delete(key);
    }
  }

  /** One more in a list; its service is there as long as the list has any. */
  #join<T>(list: Set<T>, one: T, service: string, handler: ServiceHandler): () => void {
    list.add(one);
    if (!this.#handled.has(service)) {
      this.#handled.set(service, this.#channels.handle(service, handler));
    }
    return () => {
      list.delete(one);
      if (list.size > 0) return;
      this.#handled.get(service)?.();
      this.#handled.delete(service);
    };
  }

  #answer(channel: Channel, payload: Uint8Array): Promise<Uint8Array> {
    const word = decodeSendWord(payload);
    if (!word.ok) throw new RequestRefusal('badRequest', word.message);
    const { kind, nonce } = word.value;
    const offer = [...this.#offers].find((each) => equalBytes(each.nonce, nonce));
    if (offer?.admits(channel.peerId) !== true) {
      throw new RequestRefusal('failed', 'this offer is over');
    }
    if (kind === 'offer') this.#asked.set(channel.peerId, offer);
    return offer.answer(channel, kind);
  }

  #pair(channel: Channel, payload: Uint8Array): Uint8Array {
    const word = decodePairWord(payload);
    if (!word.ok) throw new RequestRefusal('badRequest', word.message);
    const running = this.#runs.get(channel);
    if (word.value.kind === 'confirm') {
      this.#runs.delete(channel);
      if (running === undefined || !this.#codes.has(running)) {
        throw new RequestRefusal('badRequest', 'no key exchange is under way');
      }
      return running.keeper.confirm(channel, word.value.message);
    }
    // A new one ends the one that was under way.
    running?.keeper.forget(channel);
    const code = this.#codeFor(channel, word.value);
    this.#runs.set(channel, code);
    return code.keeper.share(channel, word.value);
  }

  /** A hint that fits none is no reason to refuse: whoever learns which codes there are not has guessed for nothing. */
  #codeFor(channel: Channel, { hour, hint }: PairShare): DeskCode {
    const open = [...this.#codes].filter(({ admits }) => admits(channel.peerId)).toReversed();
    const meant = open.filter(({ keeper }) => {
      const its = keeper.hintOf(hour);
      return hint !== undefined && its !== undefined && equalBytes(its, hint);
    });
    const choice = meant.length > 0 ? meant : open;
    const tries = this.#tries.get(channel) ?? 0;
    this.#tries.set(channel, tries + 1);
    const code = choice[tries % choice.length];
    if (code === undefined) throw new RequestRefusal('forbidden', 'no code is open to this peer');
    return code;
  }
}
