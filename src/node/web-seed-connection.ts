/**
 * A web seed at the end of a peer connection: takes the messages that the core has for a peer, and answers with what an HTTP server sends.
 *
 * So a web seed is a peer that has everything, never chokes and never is interested, and all that holds for peers holds for it: the framer copies its
 * blocks to their slabs, limits and full disks stop it, silence snubs it, bad blocks are traced to it. Requests become ranges of files
 * (`range-queue.ts`); one range is read at a time, in order, and the next is asked for on a second connection when half of it is there.
 * Bounds: CONNECTIONS to a host, MAX_OWED_BLOCKS blocks, SILENCE_MS without a byte while it is read, MAX_TARGETS redirects remembered.
 * Not here: which web seeds there are and when one is tried again (web-seeds.ts).
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { HttpKeeper, type HttpOpenOptions, httpOpen } from '../io/http.ts';
import { retryAfterMs } from '../io/retry-after.ts';
import type { ByteConnection, Endpoint, TcpHandlers } from '../io/tcp.ts';
import { readU32 } from '../lib/bytes.ts';
import type { Info, Segment } from '../protocol/metainfo/index.ts';
import { MESSAGE_ID, MessageWriter } from '../protocol/peer-wire/index.ts';
import {
  type AskedRange,
  type BlockPart,
  type FileRange,
  judgeAnswer,
  RangeQueue,
  rangeHeader,
  type WebSeedFailure,
  webSeedUrl,
} from '../protocol/web-seed/index.ts';

// Implementation limits
/** Connections to one host of a web seed: one that is read, one that is asked ahead. */
const CONNECTIONS = 2;
/** A web seed that sends nothing for so long while a range is awaited is left. */
const SILENCE_MS = 20_000;
/** Files whose place after redirects is remembered. */
const MAX_TARGETS = 1_000;
/** Bytes of zeros for pads, sent as often as needed. */
const ZERO_BYTES = 16_384;

const zeros = Buffer.alloc(ZERO_BYTES);

/** Why it ended, when not from our side; `missingFile`: the server lacks this file. */
export type WebSeedEnd = WebSeedFailure & { readonly missingFile?: number };

/** Options of a WebSeedConnection. */
export interface WebSeedConnectionOptions {
  /** As in `url-list` or `ws`. */
  readonly url: string;
  /** What it is called towards people and in bans. */
  readonly name: string;
  readonly info: Info;
  readonly segmentsOf: (piece: number) => readonly Segment[];
  /** How to ask: policy, user agent and the like. */
  readonly http: Omit<HttpOpenOptions, 'signal' | 'headers' | 'keeper' | 'fromAddress'>;
  /** The first bytes that a peer would send: handshake, what it has, unchoke. */
  readonly greeting: Uint8Array;
  readonly onEnd: (end: WebSeedEnd | undefined, message: string, blocks: number) => void;
}

/** A range under way. */
interface Fetch {
  readonly range: FileRange;
  readonly abort: AbortController;
  response: IncomingMessage | undefined;
  /** To be thrown away before the range begins. */
  skipBytes: number;
  /** The part that comes next, and how much of it came. */
  at: number;
  partBytes: number;
  receivedBytes: number;
}

/** Where a file is after redirects. */
interface Target {
  readonly url: string;
  readonly fromAddress: string | undefined;
}

/** One connection with one web seed. */
export class WebSeedConnection implements ByteConnection {
  readonly remote: Endpoint;
  readonly queuedBytes = 0;
  readonly #options: WebSeedConnectionOptions;
  readonly #keeper = new HttpKeeper(CONNECTIONS);
  readonly #queue: RangeQueue;
  readonly #fetches: Fetch[] = [];
  /** Blocks of ranges under way that nobody needs any more, as "piece begin". */
  readonly #unneeded = new Set<string>();
  readonly #targets = new Map<number, Target>();
  #handlers: TcpHandlers | undefined;
  #isPaused = false;
  #isClosed = false;
  #isInBlock = false;
  #blocks = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: WebSeedConnectionOptions) {
    this.#options = options;
    this.remote = { host: options.name, port: 0 };
    this.#queue = new RangeQueue(options.segmentsOf);
  }

  /** Starts reading: the greeting comes at once. */
  attach(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    this.#later(() => this.#deliver(Buffer.from(this.#options.greeting)));
  }

  /** Takes whole messages of the peer wire. */
  write(bytes: Uint8Array, done?: () => void): void {
    const answer = new MessageWriter();
    let length = 0;
    for (let at = 0; at + 4 <= bytes.length && !this.#isClosed; at += 4 + length) {
      length = readU32(bytes, at);
      if (length === 0) answer.keepAlive();
      else this.#take(bytes.subarray(at + 4, at + 4 + length), answer);
    }
    if (answer.length > 0) this.#later(() => this.#deliver(Buffer.from(answer.take())));
    this.#pump();
    done?.();
  }

  pause(): void {
    this.#isPaused = true;
    this.#fetches[0]?.response?.pause();
    clearTimeout(this.#watch);
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#read();
    this.#pump();
  }

  destroy(): void {
    this.#end(undefined, 'closed');
  }

  #take(message: Uint8Array, answer: MessageWriter): void {
    const [id] = message;
    if (message.length !== 13 || (id !== MESSAGE_ID.request && id !== MESSAGE_ID.cancel)) return;
    const [piece, begin, lengthBytes] = [1, 5, 9].map((at) => readU32(message, at)) as [
      number,
      number,
      number,
    ];
    if (id === MESSAGE_ID.request) {
      if (!this.#queue.push({ piece, begin, lengthBytes }))
        answer.reject(piece, begin, lengthBytes);
    } else if (this.#queue.cancel(piece, begin)) answer.reject(piece, begin, lengthBytes);
    else this.#cancelOwed(piece, begin);
  }

  /** A block of a range under way is not needed: once that is true of all that is to come, the range is given up. */
  #cancelOwed(piece: number, begin: number): void {
    const isOwed = this.#fetches.some(({ range, at }) =>
      range.parts.some(({ block }, i) => i >= at && block.piece === piece && block.begin === begin),
    );
    if (!isOwed) return;
    this.#unneeded.add(`${piece} ${begin}`);
    this.#later(() => this.#dropUnneeded());
  }

  #dropUnneeded(): void {
    const head = this.#fetches[0];
    if (this.#unneeded.size === 0 || this.#isInBlock || head === undefined) return;
    const rest = head.range.parts.slice(head.at);
    const isVain = rest.every(({ block }) => this.#unneeded.has(`${block.piece} ${block.begin}`));
    // A block that goes on in the next range needs that one, too.
    if (!isVain || rest.at(-1)?.isLast === false) return;
    this.#fetches.shift();
    head.abort.abort();
    const answer = new MessageWriter();
    for (const { block, isLast } of rest) {
      this.#unneeded.delete(`${block.piece} ${block.begin}`);
      if (isLast) answer.reject(block.piece, block.begin, block.lengthBytes);
    }
    this.#deliver(Buffer.from(answer.take()));
    this.#read();
    this.#pump();
  }

  /** Asks for the next range when it is time. */
  #pump(): void {
    while (!this.#isClosed && !this.#isPaused && this.#fetches.length < CONNECTIONS) {
      const head = this.#fetches[0];
      if (head !== undefined && head.receivedBytes * 2 < head.range.lengthBytes) return;
      const range = this.#queue.take();
      if (range === undefined) return;
      const fetch: Fetch = {
        range,
        abort: new AbortController(),
        response: undefined,
        skipBytes: 0,
        at: 0,
        partBytes: 0,
        receivedBytes: 0,
      };
      this.#fetches.push(fetch);
      if (this.#fetches.length === 1) this.#expect();
      this.#open(fetch)
        .catch((error: Error) => {
          // The server may have closed a kept connection while the request was on its way.
          if (fetch.abort.signal.aborted || !isReset(error)) throw error;
          return this.#open(fetch);
        })
        .catch((error: Error) => {
          if (!fetch.abort.signal.aborted) this.#end({ kind: failureKind(error) }, error.message);
        });
    }
  }

  async #open(fetch: Fetch): Promise<void> {
    const { http, info, url } = this.#options;
    const { fileIndex, offsetBytes, lengthBytes } = fetch.range;
    const asked = { offsetBytes, lengthBytes, fileBytes: info.files[fileIndex]!.lengthBytes };
    const target = this.#targets.get(fileIndex);
    const { signal } = fetch.abort;
    const opened = await httpOpen(target?.url ?? webSeedUrl(url, info, fileIndex), {
      ...http,
      signal,
      headers: { range: rangeHeader(asked), 'accept-encoding': 'identity' },
      keeper: this.#keeper,
      ...(target?.fromAddress === undefined ? {} : { fromAddress: target.fromAddress }),
    });
    const { response } = opened;
    response.on('error', (error) => {
      if (!signal.aborted) this.#end({ kind: 'broken' }, error.message);
    });
    if (signal.aborted) return;
    const isTaken = this.#judge(fetch, response, asked, target !== undefined);
    // The place that a redirect once led to does not have it any more: ask where it was asked for first.
    if (isTaken === 'again') {
      this.#targets.delete(fileIndex);
      await this.#open(fetch);
    } else if (isTaken === 'yes' && opened.fromAddress !== undefined && target === undefined) {
      if (this.#targets.size >= MAX_TARGETS) this.#targets.clear();
      this.#targets.set(fileIndex, { url: opened.url, fromAddress: opened.fromAddress });
    }
  }

  #judge(
    fetch: Fetch,
    response: IncomingMessage,
    asked: AskedRange,
    isRemembered: boolean,
  ): 'yes' | 'no' | 'again' {
    const answer = judgeAnswer(response.statusCode ?? 0, response.headers, asked);
    if (answer.kind === 'body') {
      fetch.skipBytes = answer.skipBytes;
      fetch.response = response;
      if (this.#fetches[0] === fetch) this.#read();
      return 'yes';
    }
    response.destroy();
    if (isRemembered && answer.kind !== 'busy') return 'again';
    if (answer.kind === 'busy') {
      const waitMs = retryAfterMs(response.headers['retry-after'], Date.now());
      const wait = waitMs === undefined ? {} : { retryAfterMs: waitMs };
      this.#end({ kind: 'busy', ...wait }, answer.message);
    } else {
      const missing = answer.kind === 'missing' ? { missingFile: fetch.range.fileIndex } : {};
      this.#end({ kind: 'useless', ...missing }, answer.message);
    }
    return 'no';
  }

  /** Reads the range that is first in line, once it is there. */
  #read(): void {
    const [head] = this.#fetches;
    if (head === undefined || this.#isClosed || this.#isPaused) return;
    this.#expect();
    const { response } = head;
    if (response === undefined) return;
    if (response.listenerCount('data') > 0) {
      response.resume();
      return;
    }
    response.on('data', (bytes: Buffer) => this.#feed(head, bytes));
    response.on('end', () => this.#ended(head));
  }

  #ended(fetch: Fetch): void {
    if (this.#fetches[0] !== fetch) return;
    const message = `the answer ended early: expected ${fetch.range.lengthBytes} bytes, got ${fetch.receivedBytes}`;
    this.#end({ kind: 'broken' }, message);
  }

  #feed(fetch: Fetch, bytes: Buffer): void {
    if (this.#isClosed || fetch.abort.signal.aborted) return;
    this.#watch?.refresh();
    let at = Math.min(fetch.skipBytes, bytes.length);
    fetch.skipBytes -= at;
    while (at < bytes.length && !this.#isClosed) {
      const part = fetch.range.parts[fetch.at];
      if (part === undefined) {
        // A whole file instead of a range: the rest of it is not wanted.
        fetch.abort.abort();
        break;
      }
      if (part.isPad) {
        this.#sendPad(part);
        fetch.at += 1;
        continue;
      }
      const taken = Math.min(part.lengthBytes - fetch.partBytes, bytes.length - at);
      if (fetch.partBytes === 0) this.#beginPart(part);
      this.#deliver(bytes.subarray(at, at + taken));
      at += taken;
      fetch.partBytes += taken;
      fetch.receivedBytes += taken;
      if (fetch.partBytes === part.lengthBytes) {
        this.#endPart(part);
        fetch.at += 1;
        fetch.partBytes = 0;
        while (fetch.range.parts[fetch.at]?.isPad === true) {
          this.#sendPad(fetch.range.parts[fetch.at]!);
          fetch.at += 1;
        }
      }
    }
    if (this.#isClosed) return;
    if (fetch.at === fetch.range.parts.length && this.#fetches[0] === fetch) {
      this.#fetches.shift();
      clearTimeout(this.#watch);
      this.#read();
    }
    this.#dropUnneeded();
    this.#pump();
  }

  #sendPad(part: BlockPart): void {
    this.#beginPart(part);
    for (let left = part.lengthBytes; left > 0; left -= ZERO_BYTES) {
      this.#deliver(zeros.subarray(0, Math.min(left, ZERO_BYTES)));
    }
    this.#endPart(part);
  }

  #beginPart({ block, isFirst }: BlockPart): void {
    this.#isInBlock = true;
    if (!isFirst) return;
    const header = new MessageWriter(16);
    header.pieceHeader(block.piece, block.begin, block.lengthBytes);
    this.#deliver(Buffer.from(header.take()));
  }

  #endPart({ block, isLast }: BlockPart): void {
    if (!isLast) return;
    this.#isInBlock = false;
    this.#blocks += 1;
    if (this.#unneeded.size > 0) this.#unneeded.delete(`${block.piece} ${block.begin}`);
  }

  #deliver(bytes: Buffer): void {
    if (!this.#isClosed && bytes.length > 0) this.#handlers?.onData(bytes);
  }

  /** Silence from now on counts. */
  #expect(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.#end({ kind: 'broken' }, `sent nothing for ${SILENCE_MS / 1000} s`);
    }, SILENCE_MS);
  }

  /** Not within a call of our owner, which would not expect answers yet. */
  #later(act: () => void): void {
    queueMicrotask(() => {
      if (!this.#isClosed) act();
    });
  }

  #end(end: WebSeedEnd | undefined, message: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#watch);
    for (const { abort } of this.#fetches) abort.abort();
    this.#fetches.length = 0;
    this.#keeper.close();
    queueMicrotask(() => {
      this.#handlers?.onClose(end === undefined ? undefined : new Error(`web seed: ${message}`));
      this.#options.onEnd(end, message, this.#blocks);
    });
  }
}

function isReset(error: Error): boolean {
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** What the reach policy refuses, and redirects that lead nowhere, stay so. */
function failureKind(error: Error): 'broken' | 'useless' {
  const { code = '' } = error as { code?: string };
  const lasting = ['ERR_OFFLINE', 'ERR_HTTP_URL', 'ERR_HTTP_REDIRECT'];
  return lasting.includes(code) ? 'useless' : 'broken';
}
