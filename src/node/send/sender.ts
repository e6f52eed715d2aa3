/**
 * One offer of a sender, from a path to a receiver that has everything.
 *
 *     waiting ──(code proven, or a contact asks)──► paired ──(accepted)──► sending ──(done)──► complete
 *        ▲                                            │  ▲                    │
 *        └── a wrong guess is told, ten end the code  │  └── the receiver comes back after any interruption
 *                                                     └──(declined)──► over
 *
 * The offer is shown to whom it is for: whoever proved the code, or the contact. The data is served by the swarm engine (src/node/transfer.ts) on connections that
 * proved the same peer id. Not here: walking the path, what is shown to people.
 * @module
 */
import { EventEmitter } from 'node:events';
import { nodeCrypto } from '../../io/crypto.ts';
import type { DuplexConnection } from '../../io/tcp.ts';
import { fromHex, toHex } from '../../lib/bytes.ts';
import type { Argon2id } from '../../lib/ports.ts';
import { formatPeerId } from '../../protocol/identity/index.ts';
import {
  encodeDigest,
  encodeKnock,
  encodeOffer,
  GuessBudget,
  offerOf,
  RECEIVE_SERVICE,
  type SendWord,
} from '../../protocol/send/index.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import { RequestRefusal } from '../channel/control-link.ts';
import { idBytes } from '../channel/peer-ids.ts';
import type { Channel, PeerPath } from '../channel/types.ts';
import { nodeError } from '../errors.ts';
import type { PeerNode } from '../peer-node.ts';
import type { OutgoingTransfer } from '../transfer.ts';
import type { TransferSource } from '../transfer-source.ts';
import { CodeHost } from './code-host.ts';
import { CodeKeeper } from './pairing.ts';
import { SendDesk } from './send-desk.ts';
import { type KeptOffer, SendState } from './send-state.ts';

// Implementation limits
/** How long a receiver that asks for the digest is held before it is told to ask again. */
const DIGEST_WAIT_MS = 20_000;
/** How long a goodbye may take to reach the receiver, which closes the connection then. */
const GOODBYE_MS = 300;
/** A contact is knocked at this often until it comes. */
const KNOCK_MS = 5_000;

/** What happens to an offer. */
export interface SenderEvents {
  /** Somebody may take it now: proved the code, or is the contact and came. */
  paired: [{ peerId: string; path: PeerPath }];
  'wrong-guess': [{ peerId: string; left: number }];
  accepted: [{ peerId: string }];
  path: [{ path: PeerPath }];
  /** The receiver is connected no more; it may come back. */
  lost: [{ reason: string }];
  /** It got something else, and fetches everything once more. */
  again: [];
}

/** Options of `Sender.open`. */
export interface SenderOptions {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly source: TransferSource;
  /** Peer id of a contact; undefined: whoever has the code. */
  readonly to?: string;
  /** What stretches the code; default: OpenSSL's, which takes a second. */
  readonly argon2id?: Argon2id;
}

/** How an offer ended. */
export interface SendOutcome {
  readonly peerId: string;
  /** Hex. */
  readonly sha256: string;
}

/** An offer. */
export class Sender extends EventEmitter<SenderEvents> {
  readonly #options: SenderOptions;
  readonly #desk: SendDesk;
  readonly #state: SendState;
  readonly #offer: KeptOffer;
  readonly #budget: GuessBudget;
  readonly #outcome = Promise.withResolvers<SendOutcome>();
  readonly #ends: (() => void)[] = [];
  #host: CodeHost | undefined;
  #keeper: CodeKeeper | undefined;
  #transfer: Promise<OutgoingTransfer> | undefined;
  #running: OutgoingTransfer | undefined;
  #digest: Promise<Uint8Array> | undefined;
  /** Whom the offer is for. */
  #receiver: string | undefined;
  #isOver = false;
  /** The receiver has everything. */
  #isComplete = false;
  #toldWay = '';

  constructor(options: SenderOptions) {
    super();
    this.#options = options;
    const { source, to, node } = options;
    this.#desk = SendDesk.of(options.channels);
    // The same path may be sent to somebody else at the same time: that is an offer of its own.
    this.#state = new SendState(node.home, source, to, (file) => this.#desk.takeState(file));
    this.#offer = this.#state.open(to === undefined);
    this.#budget = new GuessBudget(this.#offer.guesses);
    this.#receiver = to ?? this.#boundPeer();
    this.#outcome.promise.catch(() => {});
  }

  /** Three words; undefined for an offer to a contact. */
  get code(): string | undefined {
    return this.#offer.code;
  }

  /** An earlier run began it. */
  get isResumed(): boolean {
    return this.#offer.isResumed;
  }

  /** Once it is accepted. */
  get transfer(): OutgoingTransfer | undefined {
    return this.#running;
  }

  /** Begins to wait for the receiver; resolves when it can be found. */
  async start(): Promise<void> {
    const { channels, to } = this.#options;
    this.#ends.push(
      this.#desk.offer({
        nonce: this.#offer.nonce,
        admits: (peerId) => peerId === this.#receiver,
        answer: (channel, kind) => this.#act(channel, kind),
        sendManifest: (connection) => this.#sendManifest(connection),
      }),
      channels.listen((change) => {
        if (change.peerId !== this.#receiver) {
          if (change.type === 'closed') this.#keeper?.forget(change.channel);
        } else if (change.type === 'path') this.#tellPath(change.channel.path);
        else if (change.type === 'closed' && !this.#isOver && !this.#isComplete) {
          this.#running?.disconnect();
          this.emit('lost', { reason: change.reason ?? '' });
        }
      }),
    );
    if (to === undefined) await this.#hostCode();
    else void this.#knock(to);
  }

  /** Resolves when the receiver has everything. @throws {AppError} ERR_SEND_CODE_DEAD, ERR_DECLINED, a problem of the files. */
  completed(): Promise<SendOutcome> {
    return this.#outcome.promise;
  }

  /** Ends it; what is not complete can be gone on with. */
  async close(): Promise<void> {
    this.#isOver = true;
    for (const end of this.#ends.splice(0)) end();
    this.#host?.close();
    this.#desk.releaseState(this.#state.file);
    await this.#running?.stop();
  }

  /** Who proved the code to an earlier run: it may come back without proving it again. */
  #boundPeer(): string | undefined {
    const { bound } = this.#budget.state;
    const id = bound === undefined ? undefined : fromHex(bound.peerId);
    return id !== undefined && this.#budget.isBoundTo(Date.now(), id)
      ? formatPeerId(id)
      : undefined;
  }

  async #hostCode(): Promise<void> {
    const { channels, node, argon2id } = this.#options;
    const { nonce, code } = this.#offer;
    this.#keeper = new CodeKeeper({
      ownId: channels.peerId,
      budget: this.#budget,
      nonce,
      keysOf: (hour) => this.#host?.keysOf(hour),
      onBudget: () => this.#drainBudget(),
      onPaired: (peerId) => this.#pair(peerId),
    });
    this.#host = new CodeHost({
      code: code!,
      ...(argon2id === undefined ? {} : { argon2id }),
      lsd: node.lsd,
      dht: node.dht,
      port: node.endpoint.port,
      record: () => ({
        peerId: idBytes(channels.peerId),
        addresses: node.dialableEndpoints.slice(0, 16),
        relays: (node.relays?.reserved ?? []).slice(0, 4).map(({ peerId, addresses }) => ({
          peerId: idBytes(peerId),
          addresses: addresses.slice(0, 4),
        })),
      }),
      // Whoever looks for the code in this network may be behind a wall that lets nobody in.
      onSeeker: (endpoint) => {
        const isHere =
          this.#receiver !== undefined && channels.channel(this.#receiver) !== undefined;
        if (!isHere) this.#meet(endpoint);
      },
    });
    this.#ends.push(
      this.#desk.code({
        keeper: this.#keeper,
        // Once somebody has the code, nobody else needs to connect.
        admits: (peerId) => !this.#budget.isDead && peerId === (this.#receiver ?? peerId),
      }),
    );
    await this.#host.start();
  }

  #tellPaired(peerId: string, path: PeerPath): void {
    this.#toldWay = wayOf(path);
    this.emit('paired', { peerId, path });
  }

  /** Another connection by the same way is no news. */
  #tellPath(path: PeerPath): void {
    const way = wayOf(path);
    if (way !== this.#toldWay) this.emit('path', { path });
    this.#toldWay = way;
  }

  #meet(endpoint: { host: string; port: number }): void {
    const signal = AbortSignal.timeout(10_000);
    this.#options.channels.channelAt(endpoint, signal).catch(() => {});
  }

  /** Asks a contact to come, until it does, and again when it left before it had everything: its program may be another one then. */
  async #knock(to: string): Promise<void> {
    const { channels } = this.#options;
    this.#ends.push(channels.keep(to));
    while (!this.#isOver && !this.#isComplete) {
      try {
        const channel = await channels.channelTo(to);
        await channel.request(RECEIVE_SERVICE, encodeKnock(this.#offer.nonce));
        this.#tellPaired(to, channel.path);
        await this.#untilGone(to);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, KNOCK_MS).unref());
      }
    }
  }

  async #untilGone(peerId: string): Promise<void> {
    const { channels } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = channels.listen((change) => {
      if (change.peerId === peerId && change.type === 'closed') resolve();
    });
    this.#ends.push(end, resolve);
    if (channels.channel(peerId) === undefined) resolve();
    await promise;
    end();
  }

  #pair(peerId: string): void {
    this.#receiver = peerId;
    // Whichever of the two moves to another network, it knows where the other one is.
    if (!this.#isOver) this.#ends.push(this.#options.channels.keep(peerId));
    const path = this.#options.channels.channel(peerId)?.path;
    if (path !== undefined) this.#tellPaired(peerId, path);
  }

  #drainBudget(): void {
    for (let output = this.#budget.poll(); output !== undefined; output = this.#budget.poll()) {
      if (output.type === 'save') this.#state.save({ ...this.#offer, guesses: output.state });
      else if (output.type === 'wrong-guess') {
        const peerId = formatPeerId(output.peerId);
        this.emit('wrong-guess', { peerId, left: output.left });
      } else if (output.type === 'dead') {
        this.#state.forget();
        this.#outcome.reject(nodeError('ERR_CODE_DEAD', { wrong: 10 }));
      }
    }
  }

  async #act(channel: Channel, kind: SendWord['kind']): Promise<Uint8Array> {
    const { channels, source } = this.#options;
    const nothing = new Uint8Array();
    switch (kind) {
      case 'offer': {
        const { manifest, bytes } = source;
        return encodeOffer({
          ...offerOf(manifest),
          manifestBytes: bytes.length,
          manifestHash: nodeCrypto.sha256(bytes),
        });
      }
      case 'accept':
        if (this.#transfer === undefined) this.emit('accepted', { peerId: channel.peerId });
        await this.#serve();
        return nothing;
      case 'decline':
        this.#state.forget();
        this.#outcome.reject(nodeError('ERR_DECLINED', { peer: channel.peerId }));
        return nothing;
      case 'come': {
        const transfer = await this.#serve();
        const signal = AbortSignal.timeout(30_000);
        const { connection } = await channels.openWire(channel.peerId, signal);
        transfer.join(connection);
        return nothing;
      }
      case 'digest':
        return encodeDigest(await this.#digestSoon());
      case 'again':
        this.#digest = undefined;
        this.#running?.again();
        this.emit('again');
        return nothing;
      case 'done':
        if (this.#digest === undefined) {
          throw new RequestRefusal('badRequest', 'nothing was compared yet');
        }
        this.#complete(channel.peerId, await this.#digest);
        return nothing;
    }
  }

  #serve(): Promise<OutgoingTransfer> {
    const { node, source } = this.#options;
    this.#transfer ??= node.sendTransfer({
      source,
      nonce: this.#offer.nonce,
      admits: ({ provenId }) => provenId !== undefined && provenId === this.#receiver,
    });
    this.#transfer.then(
      (transfer) => {
        this.#running = transfer;
        transfer.torrent.on('problem', ({ error, isFinal }) => {
          if (isFinal) this.#outcome.reject(error);
        });
      },
      (error: Error) => this.#outcome.reject(error),
    );
    return this.#transfer;
  }

  /** The digest, or undefined when it takes longer. A failure ends the offer. */
  async #digestSoon(): Promise<Uint8Array | undefined> {
    const transfer = await this.#serve();
    this.#digest ??= transfer.digest();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), DIGEST_WAIT_MS);
    try {
      return await Promise.race([this.#digest, promise]);
    } catch (error) {
      this.#outcome.reject(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #complete(peerId: string, digest: Uint8Array): void {
    const sha256 = toHex(digest);
    this.#isComplete = true;
    this.#budget.complete();
    this.#state.forget();
    // The receiver hears that we know before we go.
    const end = (): void => {
      clearTimeout(timer);
      this.#outcome.resolve({ peerId, sha256 });
    };
    const timer = setTimeout(end, GOODBYE_MS);
    const unlisten = this.#options.channels.listen((change) => {
      if (change.peerId === peerId && change.type === 'closed') end();
    });
    this.#ends.push(unlisten);
  }

  #sendManifest(connection: DuplexConnection): void {
    connection.attach({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    connection.write(this.#options.source.bytes);
    connection.end();
  }
}

function wayOf({ kind, remote, relay }: PeerPath): string {
  return `${kind} ${remote.host} ${relay ?? ''}`;
}
