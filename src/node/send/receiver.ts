/**
 * One receiver, from three words or a contact's knock to files that are complete and right.
 *
 *     searching ──(found, code proven)──► offered ──(accepted)──► fetching ──(all there)──► comparing ──► complete
 *                                            └─(declined)─► over      ▲    └─ connection lost: found and connected again, as long as it takes
 *                                                                     └── the digest differs: everything once more
 *
 * The offer and its manifest come of a peer that proved the code, and are still not believed: bounds, paths and sizes are checked by those who read them.
 * Bounds: MAX_ENDS ends are tried with a code, one a second, since each can test one guess at it. Not here: what is shown to people, and their answer.
 * @module
 */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../io/clock.ts';
import { nodeCrypto } from '../../io/crypto.ts';
import type { DuplexConnection, Endpoint } from '../../io/tcp.ts';
import { untilAborted } from '../../io/until-aborted.ts';
import { equalBytes, toHex } from '../../lib/bytes.ts';
import type { AppError, Result } from '../../lib/errors.ts';
import { REFUSALS } from '../../protocol/channel/index.ts';
import {
  decodeDigest,
  decodeManifest,
  decodeOffer,
  encodeSendWord,
  type Manifest,
  type OfferWord,
  offerOf,
  SEND_SERVICE,
  type SendKeys,
  type SendWord,
} from '../../protocol/send/index.ts';
import type { ChannelService, Whereabouts } from '../channel/channel-service.ts';
import type { Channel, PeerPath } from '../channel/types.ts';
import { nodeError } from '../errors.ts';
import type { PeerNode } from '../peer-node.ts';
import type { IncomingTransfer, Received } from '../transfer.ts';
import { CodeSearch, type FoundSender } from './code-search.ts';
import { readBulk } from './manifest-bulk.ts';
import { proveCode } from './pairing.ts';
import { SendDesk } from './send-desk.ts';

const NO_CODES = REFUSALS.unknownService;

// Implementation limits
/** Ends that are tried with one code, and least time between two. */
const MAX_ENDS = 10;
const END_INTERVAL_MS = 1_000;
/** How long a sender is looked for. */
const PATIENCE_MS = 600_000;
/** Addresses that the user named are tried this often. */
const PEER_AGAIN_MS = 3_000;
/** A guess that came too soon for the sender is made again after this. */
const GUESS_AGAIN_MS = 1_200;
/** How often it is looked whether the data connection is there. */
const LOOK_MS = 200;
/** Wait before a lost sender is looked for again; doubles up to the second. */
const AGAIN_MS = 500;
const AGAIN_MAX_MS = 15_000;
/** A sender that is not so far is asked for its digest again after this. */
const DIGEST_AGAIN_MS = 200;
/** How long the sender may take to answer about a digest. */
const DIGEST_TIMEOUT_MS = 60_000;

/** An offer, before anything of it was fetched. */
export interface ShownOffer extends OfferWord {
  readonly peerId: string;
  readonly path: PeerPath;
}

/** What happens to a receiver. */
export interface ReceiverEvents {
  /** The keys are made: others can see that somebody looks. */
  searching: [];
  /** An end did not prove the code. */
  'wrong-code': [{ peerId: string; reason: string }];
  paired: [{ peerId: string; path: PeerPath }];
  path: [{ path: PeerPath }];
  lost: [{ reason: string }];
  /** All came; the digests are compared. */
  comparing: [];
  /** The digest was another one: all is fetched once more. */
  again: [];
}

/** Options of a Receiver. */
export interface ReceiverOptions {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  /** The folder for what comes. */
  readonly dir: string;
}

/** How a sender is looked for. */
export interface FindOptions {
  readonly signal: AbortSignal;
  /** Addresses to try besides those that are found. */
  readonly peers?: readonly Endpoint[];
  /** Default: PATIENCE_MS. */
  readonly patienceMs?: number;
  /** Keys that are being made already (`firstKeysOf`). */
  readonly firstKeys?: Promise<SendKeys> | undefined;
}

/** Tries to prove the code. @param isFound it was found by the code's keys, and did not come by itself. */
type Attempt = (channel: Channel, keys: SendKeys, isFound: boolean) => void;

/** What came. */
export interface ReceiveOutcome {
  /** Hex. */
  readonly sha256: string;
  /** Where it is; undefined for a message. */
  readonly received?: Received;
  readonly text?: string;
}

/** A receiver. */
export class Receiver extends EventEmitter<ReceiverEvents> {
  readonly #options: ReceiverOptions;
  readonly #desk: SendDesk;
  readonly #abort = new AbortController();
  #search: CodeSearch | undefined;
  /** Keys by which we can be found, newest last. */
  readonly #keys: SendKeys[] = [];
  /** Peer ids with the hour whose keys they were tried with. */
  readonly #tried = new Set<string>();
  #lastTryMs: number = Number.NEGATIVE_INFINITY;
  #endCount = 0;
  #peerId: string | undefined;
  #nonce: Uint8Array | undefined;
  #hints: Whereabouts = { addresses: [] };
  #wire: { readonly connection: DuplexConnection; readonly path: PeerPath } | undefined;
  #transfer: IncomingTransfer | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(options: ReceiverOptions) {
    super();
    this.#options = options;
    // While it looks for a sender, whoever comes may be the one; afterwards the one may come back.
    const admits = (peerId: string): boolean => peerId === (this.#peerId ?? peerId);
    this.#desk = SendDesk.of(options.channels);
    this.#ends.push(this.#desk.coming(admits));
  }

  /** Once the offer was accepted. */
  get transfer(): IncomingTransfer | undefined {
    return this.#transfer;
  }

  /** The way that data takes. */
  get path(): PeerPath | undefined {
    return this.#wire?.path;
  }

  /**
   * Finds the sender of a code and proves the code to it.
   * @throws the signal's reason; {AppError} ERR_CODE_NOT_FOUND; ERR_CODE when too many ends did not have the code.
   */
  async find(code: string, options: FindOptions): Promise<ShownOffer> {
    const { node, channels } = this.#options;
    const { signal, peers = [], patienceMs = PATIENCE_MS } = options;
    const found = Promise.withResolvers<Channel>();
    const met = new Map<Channel, boolean>();
    const attempt: Attempt = (channel, keys, isFound) => {
      met.set(channel, isFound || met.get(channel) === true);
      this.#prove(channel, keys, isFound).then(
        (isProven) => isProven && found.resolve(channel),
        (error: Error) => found.reject(error),
      );
    };
    const tryPeers = (): void => {
      const keys = this.#keys.at(0);
      for (const endpoint of keys === undefined ? [] : peers) {
        void this.#try({ keys: keys!, addresses: [endpoint], relays: [] }, attempt);
      }
    };
    this.#search = new CodeSearch({
      code,
      firstKeys: options.firstKeys,
      lsd: node.lsd,
      dht: node.dht,
      port: node.endpoint.port,
      onKeys: (keys) => {
        this.#keys.push(keys);
        if (this.#keys.length === 1) this.emit('searching');
        tryPeers();
        for (const [channel, isFound] of met) attempt(channel, keys, isFound);
      },
      onFound: (sender) => void this.#try(sender, attempt),
    });
    // The sender may have heard of us first, and come. Whoever was connected before is asked when it is found: it may have a code for somebody else, and a guess at it would count.
    const unlisten = channels.listen(({ type, channel }) => {
      if (type === 'closed') met.delete(channel);
      else if (!channel.isDialled) {
        met.set(channel, false);
        for (const keys of this.#keys) attempt(channel, keys, false);
      }
    });
    const again = setInterval(tryPeers, PEER_AGAIN_MS);
    const limit = setTimeout(() => found.reject(this.#notFound(patienceMs)), patienceMs);
    // A key takes 256 MiB, which may not be there.
    this.#search.run().catch((error: Error) => found.reject(error));
    try {
      const channel = await untilAborted(signal, found.promise);
      this.#search.settle();
      this.emit('paired', { peerId: channel.peerId, path: channel.path });
      return await this.#ask(channel);
    } finally {
      unlisten();
      clearInterval(again);
      clearTimeout(limit);
    }
  }

  #notFound(patienceMs: number): Error {
    const seen = this.#endCount === 0 ? '' : `; ${this.#endCount} that answered did not have it`;
    return nodeError('ERR_CODE_NOT_FOUND', { seconds: Math.round(patienceMs / 1000), seen });
  }

  /** Takes up the offer that a contact knocked with. */
  async take(channel: Channel, nonce: Uint8Array): Promise<ShownOffer> {
    this.#peerId = channel.peerId;
    this.#nonce = nonce;
    return await this.#ask(channel);
  }

  /** It is not wanted: the sender is told. */
  async decline(): Promise<void> {
    await this.#say('decline').catch(() => {});
  }

  /**
   * Fetches everything, however often the connection ends meanwhile, and compares digests. @param expected a digest somebody told, hex.
   * @throws {AppError} ERR_MANIFEST, ERR_NO_SPACE, ERR_FILE, ERR_TRANSFER_DIGEST, ERR_DIGEST; the signal's reason.
   */
  async fetch(offer: ShownOffer, signal: AbortSignal, expected?: string): Promise<ReceiveOutcome> {
    const { node, channels, dir } = this.#options;
    const both = AbortSignal.any([signal, this.#abort.signal]);
    const manifestBytes = await this.#persist(both, () => this.#readManifest(offer));
    const transfer = await node.receiveTransfer({
      manifestBytes,
      nonce: this.#nonce!,
      dir,
      admits: ({ provenId }) => provenId === this.#peerId,
    });
    this.#transfer = transfer;
    await this.#persist(both, () => this.#say('accept'));
    const unlisten = channels.listen((change) => {
      if (change.peerId !== this.#peerId) return;
      if (change.type === 'closed') {
        // Its data came the same way: where that broke off without a word, as with a change of address, nothing else would end it for minutes.
        transfer.disconnect();
        this.emit('lost', { reason: change.reason ?? '' });
      } else this.#improve(change.channel);
    });
    this.#ends.push(unlisten);
    const connecting = this.#keepConnected(both, transfer);
    connecting.catch(() => {});
    const release = channels.keep(this.#peerId!);
    try {
      return await untilAborted(both, this.#finish(transfer, both, expected));
    } finally {
      release();
    }
  }

  /** Ends it; what came stays, to go on with. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('stopped'));
    this.#search?.close();
    for (const end of this.#ends) end();
    await this.#transfer?.stop();
  }

  async #try(found: FoundSender, attempt: Attempt): Promise<void> {
    const { channels } = this.#options;
    const { keys, peerId, addresses, relays } = found;
    if (this.#peerId === undefined || peerId === undefined || peerId === this.#peerId) {
      this.#hints = { addresses, relays };
    }
    const { signal } = this.#abort;
    const sender = this.#peerId;
    if (sender !== undefined) {
      // The one that proved the code came back, perhaps at another address.
      const isOther = peerId !== undefined && peerId !== sender;
      if (!isOther) channels.channelTo(sender, { hints: this.#hints, signal }).catch(() => {});
      return;
    }
    try {
      if (peerId !== undefined) {
        const { signal } = this.#abort;
        attempt(await channels.channelTo(peerId, { hints: this.#hints, signal }), keys, true);
        return;
      }
      for (const endpoint of addresses) {
        const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(10_000)]);
        const open = channels.channels.find((channel) => listensAt(channel, endpoint));
        attempt(open ?? (await channels.channelAt(endpoint, signal)), keys, true);
      }
    } catch {
      // Found again, it is tried again.
    }
  }

  /** @returns true when the other end has the code; false when it knows nothing of codes, or was tried already. @throws {AppError} ERR_CODE after MAX_ENDS. */
  async #prove(channel: Channel, keys: SendKeys, isFound: boolean): Promise<boolean> {
    const key = `${channel.peerId} ${keys.hour}${isFound ? '' : ' came'}`;
    if (this.#peerId !== undefined || this.#tried.has(key) || this.#abort.signal.aborted) {
      return false;
    }
    this.#tried.add(key);
    const startMs = Math.max(monotonicMs(), this.#lastTryMs + END_INTERVAL_MS);
    this.#lastTryMs = startMs;
    if (startMs > monotonicMs()) await sleep(startMs - monotonicMs());
    try {
      // A key exchange on a channel ends the one before it: another receiver's, here.
      const nonce = await this.#desk.inTurn(`pair ${channel.peerId}`, async () => {
        if (this.#peerId !== undefined || this.#abort.signal.aborted) return undefined;
        return await proveCode(channel, this.#options.channels.peerId, keys);
      });
      if (nonce === undefined || this.#peerId !== undefined) return false;
      this.#peerId = channel.peerId;
      this.#nonce = nonce;
      return true;
    } catch (error) {
      return await this.#notProven(error as AppError, channel, keys, isFound);
    }
  }

  async #notProven(
    error: AppError,
    channel: Channel,
    keys: SendKeys,
    isFound: boolean,
  ): Promise<boolean> {
    const { peerId } = channel;
    const key = `${peerId} ${keys.hour}${isFound ? '' : ' came'}`;
    const refusal = refusalOf(error);
    if ((error.code !== 'ERR_CODE' && refusal === undefined) || refusal === NO_CODES) {
      // The connection ended, or it has no code yet: whoever is found again is tried again.
      this.#tried.delete(key);
      return false;
    }
    this.#endCount += 1;
    this.emit('wrong-code', { peerId, reason: error.message });
    if (this.#endCount >= MAX_ENDS) throw error;
    if (!isFound || refusal === undefined || channel.isClosed) return false;
    // It may have been too soon after another guess, or it has another code besides.
    await sleep(GUESS_AGAIN_MS);
    this.#tried.delete(key);
    return await this.#prove(channel, keys, isFound);
  }

  async #ask(channel: Channel): Promise<ShownOffer> {
    const answer = await this.#desk.inTurn(`offer ${channel.peerId}`, () =>
      channel.request(SEND_SERVICE, this.#word('offer')),
    );
    return { ...this.#read(decodeOffer(answer)), peerId: channel.peerId, path: channel.path };
  }

  async #readManifest(offer: ShownOffer): Promise<Uint8Array> {
    const { channels } = this.#options;
    const { peerId } = offer;
    // The connection does not say which offer it is for: it is the one that was asked about last.
    const bytes = await this.#desk.inTurn(`offer ${peerId}`, async () => {
      await this.#say('offer');
      const { connection } = await channels.openBulk(peerId, SEND_SERVICE, new Uint8Array());
      return await readBulk(connection, offer.manifestBytes, peerId);
    });
    const isSame = equalBytes(nodeCrypto.sha256(bytes), offer.manifestHash);
    const manifest = isSame ? decodeManifest(bytes) : undefined;
    if (manifest?.ok === false) throw nodeError('ERR_MANIFEST', { reason: manifest.message });
    // What the person, or their settings, said yes to is the offer.
    if (manifest !== undefined && isAsOffered(manifest.value, offer)) return bytes;
    const reason = 'its list of files is another one than was offered';
    throw nodeError('ERR_OFFER', { peer: offer.peerId, reason });
  }

  async #finish(
    transfer: IncomingTransfer,
    signal: AbortSignal,
    expected: string | undefined,
  ): Promise<ReceiveOutcome> {
    for (;;) {
      await transfer.fetched();
      this.emit('comparing');
      const sha256 = toHex(await transfer.received());
      if (expected !== undefined && expected !== sha256) {
        await transfer.discard();
        const fate = 'nothing of it was kept here, and the sender still waits';
        const { name } = transfer.manifest;
        throw nodeError('ERR_DIGEST', { name, expected, got: sha256, fate });
      }
      const theirs = await this.#persist(signal, () => this.#askDigest());
      if (await transfer.verify(theirs)) return await this.#keep(transfer, sha256, signal);
      this.emit('again');
      await this.#persist(signal, () => this.#say('again'));
    }
  }

  async #keep(
    transfer: IncomingTransfer,
    sha256: string,
    signal: AbortSignal,
  ): Promise<ReceiveOutcome> {
    const outcome: ReceiveOutcome =
      transfer.manifest.kind === 'text'
        ? { sha256, text: await transfer.text() }
        : { sha256, received: await transfer.finish() };
    // A sender that is gone by now finds out when it asks again, or never: what came is complete.
    const told = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
    await this.#persist(told, () => this.#say('done')).catch(() => {});
    transfer.forget();
    return outcome;
  }

  async #askDigest(): Promise<Uint8Array> {
    for (;;) {
      const answer = this.#read(decodeDigest(await this.#say('digest', DIGEST_TIMEOUT_MS)));
      if (answer.digest !== undefined) return answer.digest;
      await sleep(DIGEST_AGAIN_MS);
    }
  }

  #word(kind: SendWord['kind']): Uint8Array {
    return encodeSendWord({ kind, nonce: this.#nonce! });
  }

  async #say(kind: SendWord['kind'], timeoutMs?: number): Promise<Uint8Array> {
    const channel = await this.#options.channels.channelTo(this.#peerId!, { hints: this.#hints });
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    return await channel.request(SEND_SERVICE, this.#word(kind), options);
  }

  /** Tries until it works: connections end, machines sleep. What the sender refuses stays refused. */
  async #persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let waitMs = AGAIN_MS; ; waitMs = Math.min(waitMs * 2, AGAIN_MAX_MS)) {
      signal.throwIfAborted();
      try {
        return await untilAborted(signal, work());
      } catch (error) {
        const { code } = error as AppError;
        if (code !== 'ERR_CHANNEL' && code !== 'ERR_PEER_UNREACHABLE') throw error;
      }
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Opens the data connection whenever there is none and something is missing. */
  async #keepConnected(signal: AbortSignal, transfer: IncomingTransfer): Promise<void> {
    let waitMs = LOOK_MS;
    while (!signal.aborted) {
      const { isConnected, doneBytes, totalBytes } = transfer.status();
      if (!isConnected && doneBytes < totalBytes) {
        const isOpened = await this.#connect(signal, transfer).catch(() => false);
        waitMs = isOpened ? LOOK_MS : Math.min(waitMs * 2, AGAIN_MAX_MS);
      }
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  async #connect(signal: AbortSignal, transfer: IncomingTransfer): Promise<boolean> {
    const { channels } = this.#options;
    try {
      await this.#say('accept');
      const { connection, path } = await channels.openWire(this.#peerId!, signal);
      this.#wire = { connection, path };
      transfer.join(connection);
    } catch {
      // Perhaps the other direction is open.
      await this.#say('come');
    }
    return true;
  }

  /** A better way was found: data moves over to it. */
  #improve(channel: Channel): void {
    this.emit('path', { path: channel.path });
    if (this.#wire?.path.kind === 'relay' && channel.path.kind !== 'relay') {
      this.#wire.connection.destroy();
    }
  }

  #read<T>(result: Result<T>): T {
    if (result.ok) return result.value;
    throw nodeError('ERR_OFFER', { peer: this.#peerId!, reason: result.message });
  }
}

/** The other end says that it listens there. */
function listensAt({ addresses }: Channel, { host, port }: Endpoint): boolean {
  return addresses.some((address) => address.host === host && address.port === port);
}

/** Why the other end refused; undefined when it did not. */
function refusalOf(error: AppError): number | undefined {
  if (error.code !== 'ERR_PEER_REFUSED') return undefined;
  return (error.details as { readonly refusal: number }).refusal;
}

function isAsOffered(manifest: Manifest, offer: OfferWord): boolean {
  const { contentKind, name, totalBytes, fileCount } = offerOf(manifest);
  return (
    contentKind === offer.contentKind &&
    name === offer.name &&
    totalBytes === offer.totalBytes &&
    fileCount === offer.fileCount
  );
}
