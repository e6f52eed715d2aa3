/**
 * Sending to people and receiving from them, as a service: by three words, or with contacts.
 *
 * What contacts send is offered to the user as it comes; of trusted ones it is taken at once. An offer by words is shown before anything of it is fetched.
 * All of them run side by side: an offer that nobody answers holds up no other (send-desk.ts).
 * Bounds: MAX_RUNNING transfers at a time, MAX_OFFERED of them because contacts knocked; MAX_KEPT that are over stay in the list. Transfers end with the node; the same path or words go on where they were.
 * @module
 */
import path from 'node:path';
import Type from 'typebox';
import { AnswerOffer, BeginReceive, BeginSend, Done, Transfer } from '../../contract/index.ts';
import { untilAborted } from '../../io/until-aborted.ts';
import { parseCode } from '../../protocol/send/index.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import type { Contacts } from '../contacts.ts';
import type { TopicSource } from '../daemon/feed.ts';
import type { Logger } from '../daemon/log.ts';
import type { NodeService } from '../daemon/service.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';
import { resolveEndpoints } from '../resolve-endpoints.ts';
import { firstKeysOf } from '../send/code-search.ts';
import { waitForKnocks } from '../send/knocks.ts';
import { Receiver, type ShownOffer } from '../send/receiver.ts';
import { Sender } from '../send/sender.ts';
import { textSource } from '../send/sources.ts';
import { expectAbsolute } from '../torrents/addition.ts';
import { type TransferSource, walkSource } from '../transfer-source.ts';
import { TransferEntry } from './transfer-entry.ts';

// Implementation limits
/** Transfers at a time; each has a search or keys of its own. */
const MAX_RUNNING = 32;
/** Of them, what contacts offered: their offers wait for each other, never for what the user begins. */
const MAX_OFFERED = 24;
/** Those that are over and still shown. */
const MAX_KEPT = 100;
/** How long a user may take to answer an offer. */
const ANSWER_MS = 3_600_000;

const Id = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{16}$' }) });
const tags = ['people'];

/** What is needed of the rest of the node. */
export interface TransferServiceOptions {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly contacts: Contacts;
  readonly log: Logger;
  readonly dir: () => string;
  readonly onChange: () => void;
}

interface Answer {
  readonly accept: boolean;
  readonly dir?: string;
}

/** The service. */
export class TransferService implements NodeService {
  readonly name = 'transfers';
  readonly #options: TransferServiceOptions;
  readonly #entries = new Map<string, TransferEntry>();
  readonly #answers = new Map<string, (answer: Answer) => void>();
  readonly #work = new Set<Promise<void>>();
  /** Transfers that contacts began. */
  readonly #offered = new Set<TransferEntry>();
  /** Resolves when another transfer is over. */
  #next = Promise.withResolvers<void>();
  readonly #abort = new AbortController();

  constructor(options: TransferServiceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    void this.#follow(this.#takeKnocks());
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    for (const entry of this.#entries.values()) entry.abort.abort();
    await Promise.allSettled([...this.#work]);
  }

  readonly topics: TopicSource = (name) =>
    name === 'transfers'
      ? { name, rows: () => this.#rows().map((row) => [row.id, row] as const) }
      : undefined;

  routes(api: Api): void {
    const list = (direction: Transfer['direction']) => () =>
      this.#rows().filter((row) => row.direction === direction);
    const response = { 200: Type.Array(Transfer) };
    api.get('/sends', { schema: { tags, summary: 'What is being sent', response } }, list('send'));
    api.get(
      '/receives',
      { schema: { tags, summary: 'What is being received', response } },
      list('receive'),
    );
    api.post(
      '/sends',
      {
        schema: {
          tags,
          summary: 'Send a file, a folder or a message: by three words, or to a contact',
          body: BeginSend,
          response: { 201: Transfer },
        },
      },
      async ({ body }, reply) => reply.status(201).send(await this.send(body)),
    );
    api.post(
      '/receives',
      {
        schema: {
          tags,
          summary: 'Receive what somebody sends with three words',
          body: BeginReceive,
          response: { 201: Transfer },
        },
      },
      async ({ body }, reply) => reply.status(201).send(await this.receive(body)),
    );
    this.#oneRoutes(api);
  }

  #oneRoutes(api: Api): void {
    api.post(
      '/receives/:id/answer',
      {
        schema: {
          tags,
          summary: 'Accept or decline what is offered',
          params: Id,
          body: AnswerOffer,
          response: { 200: Transfer },
        },
      },
      ({ params, body }) => this.answer(params.id, body),
    );
    for (const kind of ['sends', 'receives'] as const) {
      api.delete(
        `/${kind}/:id`,
        {
          schema: {
            tags,
            summary: 'End it, or take it from the list',
            params: Id,
            response: { 200: Done },
          },
        },
        ({ params }) => {
          const entry = this.#get(params.id);
          if (entry.isOver) this.#entries.delete(params.id);
          entry.abort.abort();
          this.#options.onChange();
          return { ok: true as const };
        },
      );
    }
  }

  /** Begins to send; resolves when it can be found, with its words. @throws {AppError} ERR_SOURCE_FILE, ERR_CONFIG, ERR_API_INVALID. */
  async send(wish: BeginSend): Promise<Transfer> {
    if ((wish.path === undefined) === (wish.text === undefined)) {
      const mistakes = 'expected one of path and text';
      throw apiError('ERR_API_INVALID', { what: 'body', mistakes });
    }
    const { node, channels, contacts } = this.#options;
    const to = wish.to === undefined ? undefined : contacts.find(wish.to);
    this.#expectPlace();
    const { source, remove } = await this.#sourceOf(wish);
    let entry: TransferEntry;
    try {
      entry = this.#enter('send', wish.name ?? source.manifest.name);
    } catch (error) {
      // Others came while the files were looked at.
      remove?.();
      throw error;
    }
    const sender = new Sender({ node, channels, source, ...(to && { to: to.peerId }) });
    entry.followSender(sender, (peerId) => this.#nameOf(peerId));
    try {
      await sender.start();
    } catch (error) {
      entry.end({ state: 'failed', error: (error as Error).message });
      await sender.close();
      remove?.();
      throw error;
    }
    entry.set({ state: 'waiting', words: sender.code ?? null, contact: to?.name ?? null });
    void this.#follow(this.#told(entry, this.#finishSend(entry, sender, remove)));
    return entry.row;
  }

  /** Begins to look for a sender. @throws {AppError} ERR_API_INVALID for what are no three words. */
  async receive(wish: BeginReceive): Promise<Transfer> {
    const code = parseCode(wish.words);
    if (!code.ok) throw apiError('ERR_API_INVALID', { what: 'words', mistakes: code.message });
    if (wish.dir !== undefined) expectAbsolute(wish.dir);
    const { policy } = this.#options.node;
    const peers = await resolveEndpoints(wish.peers ?? [], 'peers', policy);
    const entry = this.#enter('receive', 'three words');
    const firstKeys = firstKeysOf(code.value);
    void this.#follow(
      this.#told(
        entry,
        this.#take(entry, wish, (receiver) =>
          receiver.find(code.value, {
            peers,
            firstKeys,
            signal: entry.abort.signal,
            ...(wish.patienceSeconds && { patienceMs: wish.patienceSeconds * 1_000 }),
          }),
        ),
      ),
    );
    return entry.row;
  }

  /** @throws {AppError} ERR_API_NOT_FOUND, ERR_API_CONFLICT. */
  answer(id: string, answer: Answer): Transfer {
    const entry = this.#get(id);
    if (answer.dir !== undefined) expectAbsolute(answer.dir);
    const give = this.#answers.get(id);
    if (give === undefined) {
      const remedy = 'it is answered already, or nothing was offered yet';
      throw apiError('ERR_API_CONFLICT', { reason: 'Nothing waits for an answer', remedy });
    }
    this.#answers.delete(id);
    give(answer);
    return entry.row;
  }

  async #sourceOf(wish: BeginSend): Promise<{ source: TransferSource; remove?: () => void }> {
    if (wish.text !== undefined) return textSource(this.#options.node.home, wish.text);
    expectAbsolute(wish.path!);
    return { source: await walkSource(wish.path!) };
  }

  async #finishSend(
    entry: TransferEntry,
    sender: Sender,
    remove: (() => void) | undefined,
  ): Promise<void> {
    try {
      const { sha256 } = await untilAborted(entry.abort.signal, sender.completed());
      entry.end({ state: 'complete', sha256, doneBytes: entry.row.totalBytes });
    } catch (error) {
      this.#endWith(entry, error as Error);
    } finally {
      await sender.close();
      remove?.();
    }
  }

  async #takeKnocks(): Promise<void> {
    const { channels, contacts } = this.#options;
    const { signal } = this.#abort;
    for await (const { channel, nonce, done } of waitForKnocks(channels, contacts, signal)) {
      while (this.#offered.size >= MAX_OFFERED || this.#runningCount() >= MAX_RUNNING) {
        await untilAborted(signal, this.#next.promise).catch(() => {});
        if (signal.aborted) return;
      }
      const contact = contacts.byPeerId(channel.peerId);
      const entry = this.#enter('receive', contact?.name ?? channel.peerId);
      entry.set({ contact: contact?.name ?? channel.peerId });
      const isAccepted = contact?.isTrusted === true;
      const work = this.#take(entry, { isAccepted }, (receiver) => receiver.take(channel, nonce));
      this.#offered.add(entry);
      void this.#follow(
        this.#told(entry, work).finally(() => {
          done();
          this.#offered.delete(entry);
        }),
      );
    }
  }

  async #take(
    entry: TransferEntry,
    wish: Pick<BeginReceive, 'dir' | 'isAccepted' | 'sha256'>,
    begin: (receiver: Receiver) => Promise<ShownOffer>,
  ): Promise<void> {
    const { node, channels } = this.#options;
    const dir = wish.dir ?? this.#options.dir();
    const receiver = new Receiver({ node, channels, dir });
    entry.followReceiver(receiver, (peerId) => this.#nameOf(peerId));
    try {
      const offer = await begin(receiver);
      const { name, totalBytes, fileCount: files, contentKind } = offer;
      entry.set({ name, totalBytes, files, dir, contact: this.#nameOf(offer.peerId) });
      const isMessage = contentKind === 'text';
      const isTaken = isMessage || wish.isAccepted === true || (await this.#ask(entry));
      if (!isTaken) {
        // A node that stops has not answered: the contact knocks again.
        if (!this.#abort.signal.aborted) await receiver.decline();
        entry.end({ state: this.#abort.signal.aborted ? 'cancelled' : 'declined' });
        return;
      }
      entry.set({ state: 'transferring' });
      const outcome = await receiver.fetch(offer, entry.abort.signal, wish.sha256);
      entry.end({
        state: 'complete',
        sha256: outcome.sha256,
        doneBytes: totalBytes,
        text: outcome.text ?? null,
        dir: outcome.received === undefined ? dir : path.dirname(outcome.received.path),
      });
    } catch (error) {
      this.#endWith(entry, error as Error);
    } finally {
      this.#answers.delete(entry.id);
      await receiver.close();
    }
  }

  async #ask(entry: TransferEntry): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answers.set(entry.id, resolve);
    const timer = setTimeout(() => resolve({ accept: false }), ANSWER_MS).unref();
    const onAbort = (): void => resolve({ accept: false });
    entry.abort.signal.addEventListener('abort', onAbort, { once: true });
    entry.set({ state: 'offered' });
    const { accept } = await promise.finally(() => clearTimeout(timer));
    return accept && !entry.abort.signal.aborted;
  }

  #endWith(entry: TransferEntry, error: Error): void {
    if (entry.abort.signal.aborted) entry.end({ state: 'cancelled' });
    else {
      const isDeclined = (error as { code?: string }).code === 'ERR_DECLINED';
      entry.end({ state: isDeclined ? 'declined' : 'failed', error: error.message });
      this.#options.log.warn(error.message);
    }
  }

  /** @throws {AppError} ERR_API_TOO_MANY. */
  #expectPlace(): void {
    if (this.#runningCount() < MAX_RUNNING) return;
    throw apiError('ERR_API_TOO_MANY', { what: 'transfers', most: MAX_RUNNING });
  }

  #enter(direction: Transfer['direction'], name: string): TransferEntry {
    this.#expectPlace();
    const entry = new TransferEntry(direction, name, this.#options.onChange);
    this.#entries.set(entry.id, entry);
    const over = [...this.#entries.values()].filter(({ isOver }) => isOver);
    for (const each of over.slice(0, Math.max(0, over.length - MAX_KEPT))) {
      this.#entries.delete(each.id);
    }
    return entry;
  }

  #runningCount(): number {
    return [...this.#entries.values()].filter(({ isOver }) => !isOver).length;
  }

  #get(id: string): TransferEntry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    const hint = 'it may have been taken from the list';
    throw apiError('ERR_API_NOT_FOUND', { what: `transfer ${id}`, hint });
  }

  #rows(): Transfer[] {
    return [...this.#entries.values()].map((entry) => entry.row);
  }

  #nameOf(peerId: string): string {
    return this.#options.contacts.byPeerId(peerId)?.name ?? peerId;
  }

  /** Tells the log how it ended. */
  async #told(entry: TransferEntry, work: Promise<void>): Promise<void> {
    await work;
    const { direction, name, contact, state } = entry.row;
    const whose = contact === null ? '' : `${direction === 'send' ? ' to' : ' from'} ${contact}`;
    this.#options.log.info(`${direction} ${name}${whose}: ${state}`);
  }

  #follow(work: Promise<void>): Promise<void> {
    const settled = work
      .catch((error: Error) => this.#options.log.error(error.message))
      .finally(() => {
        this.#work.delete(settled);
        this.#next.resolve();
        this.#next = Promise.withResolvers();
      });
    this.#work.add(settled);
    return settled;
  }
}
