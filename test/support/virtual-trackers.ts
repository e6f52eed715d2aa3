/**
 * Trackers in virtual time around one Announcer: what it sends is recorded and answered as each tracker's script says.
 * @module
 */
import { readU16, readU32, toHex, writeU32 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { encode } from '../../src/protocol/bencode/index.ts';
import {
  Announcer,
  type AnnouncerOptions,
  type AnnouncerOutput,
} from '../../src/protocol/tracker/index.ts';

/** One announce that a virtual tracker received. */
export interface VirtualAnnounce {
  readonly atMs: number;
  readonly url: string;
  readonly infoHash: string;
  readonly event: string;
  readonly left: number;
  readonly key: string;
  readonly numWant: number;
  readonly port: number;
  /** The query of HTTP, the URL data of UDP. */
  readonly query: string;
}

/** What a tracker does with an announce. */
export type Answer =
  | 'silence'
  | 'unreachable'
  | {
      readonly interval?: number;
      readonly minInterval?: number;
      readonly failure?: string;
      readonly retryIn?: string;
      readonly warning?: string;
      readonly trackerId?: string;
      readonly peers?: readonly (readonly [host: string, port: number])[];
    };

const EVENTS = ['none', 'completed', 'started', 'stopped'];

/** An Announcer with its trackers; URLs that have no script answer with an interval of 30 minutes. */
export class VirtualTrackers {
  nowMs = 1_000_000;
  readonly announcer: Announcer;
  readonly announces: VirtualAnnounce[] = [];
  /** Outputs that are not requests. */
  readonly events: AnnouncerOutput[] = [];
  /** Every datagram, with the time and the action (0 connect, 1 announce). */
  readonly datagrams: { atMs: number; url: string; action: number; id: number }[] = [];
  readonly scripts = new Map<string, Answer | ((announce: VirtualAnnounce) => Answer)>();
  #connections = 0;

  constructor(options: Partial<AnnouncerOptions> & Pick<AnnouncerOptions, 'tiers'>) {
    this.announcer = new Announcer({
      hashes: [new Uint8Array(20).fill(1)],
      peerId: new Uint8Array(20).fill(65),
      port: 6881,
      rng: new Rng(1),
      ...options,
    });
    this.stats(0);
  }

  /** Sets the bytes left. */
  stats(leftBytes: number | undefined, isPartialSeed = false): void {
    this.announcer.updateStats({ uploadedBytes: 5, downloadedBytes: 7, leftBytes, isPartialSeed });
  }

  script(url: string, answer: Answer | ((announce: VirtualAnnounce) => Answer)): void {
    this.scripts.set(url, answer);
  }

  start(): void {
    this.announcer.start(this.nowMs);
    this.drain();
  }

  complete(): void {
    this.announcer.complete(this.nowMs);
    this.drain();
  }

  stop(): void {
    this.announcer.stop(this.nowMs);
    this.drain();
  }

  needPeers(): void {
    this.announcer.needPeers(this.nowMs);
    this.drain();
  }

  /** Lets time pass, timer by timer. */
  advance(durationMs: number): void {
    const end = this.nowMs + durationMs;
    for (;;) {
      const next = this.announcer.nextTimeoutMs();
      if (next > end) break;
      this.nowMs = Math.max(this.nowMs, next);
      this.announcer.handleTimeout(this.nowMs);
      this.drain();
    }
    this.nowMs = end;
  }

  /** "event" or "url event" of all announces so far; the names of trackers are the first label of their hosts. */
  get log(): string[] {
    return this.announces.map(({ url, event }) => `${nameOf(url)} ${event}`);
  }

  drain(): void {
    for (let output = this.announcer.poll(); output; output = this.announcer.poll()) {
      if (output.type === 'http') this.#serveHttp(output);
      else if (output.type === 'udp') this.#serveUdp(output);
      else this.events.push(output);
    }
  }

  #answer(announce: VirtualAnnounce): Answer {
    this.announces.push(announce);
    return this.#scriptOf(announce);
  }

  #scriptOf(announce: VirtualAnnounce): Answer {
    const script = this.scripts.get(announce.url) ?? { interval: 1800 };
    return typeof script === 'function' ? script(announce) : script;
  }

  #serveHttp({ requestId, url, trackerUrl }: AnnouncerOutput & { type: 'http' }): void {
    const query = url.slice(url.indexOf('?') + 1);
    const field = (name: string): string | undefined =>
      new RegExp(`(?:^|&)${name}=([^&]*)`).exec(query)?.[1];
    const answer = this.#answer({
      atMs: this.nowMs,
      url: trackerUrl,
      infoHash: unescapeToHex(field('info_hash') ?? ''),
      event: field('event') ?? 'none',
      left: Number(field('left')),
      key: (field('key') ?? '').toLowerCase(),
      numWant: Number(field('numwant')),
      port: Number(field('port')),
      query,
    });
    if (answer === 'silence') return;
    if (answer === 'unreachable') {
      this.announcer.handleFailure(this.nowMs, requestId, 'connection refused');
      return;
    }
    const body = encode({
      interval: answer.interval,
      'min interval': answer.minInterval,
      'failure reason': answer.failure,
      'retry in': answer.retryIn,
      'warning message': answer.warning,
      'tracker id': answer.trackerId,
      peers: compact(answer.peers ?? []),
    });
    this.announcer.handleHttpReply(this.nowMs, requestId, { status: 200, body });
  }

  #serveUdp({ requestId, trackerUrl, bytes }: AnnouncerOutput & { type: 'udp' }): void {
    const action = readU32(bytes, 8);
    this.datagrams.push({ atMs: this.nowMs, url: trackerUrl, action, id: readU32(bytes, 12) });
    const blank = { atMs: this.nowMs, url: trackerUrl, infoHash: '', event: 'connect', left: 0 };
    if (action === 0) {
      const answer = this.#scriptOf({ ...blank, key: '', numWant: 0, port: 0, query: '' });
      if (answer === 'silence') return;
      if (answer === 'unreachable') {
        this.announcer.handleFailure(this.nowMs, requestId, 'no route');
        return;
      }
      this.#connections += 1;
      this.reply(requestId, [0, requestId, 0, this.#connections]);
      return;
    }
    const answer = this.#answer({
      atMs: this.nowMs,
      url: trackerUrl,
      infoHash: toHex(bytes.subarray(16, 36)),
      event: EVENTS[readU32(bytes, 80)]!,
      left: readU32(bytes, 64) * 2 ** 32 + readU32(bytes, 68),
      key: toHex(bytes.subarray(88, 92)),
      numWant: readU32(bytes, 92),
      port: readU16(bytes, 96),
      query: String.fromCharCode(...bytes.subarray(98)),
    });
    if (answer === 'silence') return;
    if (answer === 'unreachable') this.announcer.handleFailure(this.nowMs, requestId, 'no route');
    else if (answer.failure !== undefined) this.reply(requestId, [3, requestId]);
    else {
      const peers = compact(answer.peers ?? []);
      this.reply(requestId, [1, requestId, answer.interval ?? 1800, 3, 4], peers);
    }
  }

  /** Delivers a datagram of 32-bit words and a tail. */
  reply(requestId: number, words: readonly number[], tail: Uint8Array = new Uint8Array()): void {
    const bytes = new Uint8Array(words.length * 4 + tail.length);
    for (const [index, word] of words.entries()) writeU32(bytes, index * 4, word);
    bytes.set(tail, words.length * 4);
    this.announcer.handleUdpReply(this.nowMs, requestId, bytes);
  }
}

function nameOf(url: string): string {
  return /\/\/([^./:]*)/.exec(url)?.[1] ?? url;
}

function compact(peers: readonly (readonly [string, number])[]): Uint8Array {
  return Uint8Array.from(
    peers.flatMap(([host, port]) => [...host.split('.').map(Number), port >> 8, port & 0xff]),
  );
}

function unescapeToHex(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '%') {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(text.charCodeAt(at));
  }
  return toHex(Uint8Array.from(bytes));
}
