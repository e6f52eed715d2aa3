/**
 * Lives of a relay's grants against a model that knows only what the protocol promises: who has a place, which tokens are good once, and bounds that hold whatever
 * is asked in whatever order.
 * @module
 */
import { Rng } from '../../src/lib/rng.ts';
import { type Pipe, RelayTable } from '../../src/protocol/relay/index.ts';
import { Choices } from './peer-connection/choices.ts';

const MOST_RESERVATIONS = 512;
const RESERVATION_MS = 3_600_000;
const MOST_TOKENS = 256;
const TOKEN_MS = 15_000;
const MOST_PIPES = 256;
const MOST_PIPES_OF_PEER = 8;
const MOST_CONNECTS = 30;
const CONNECT_MS = 2_000;
const DAY_MS = 86_400_000;
const DAY_BYTES = 10_000;
const PIPE_MS = 600_000;
const PEERS = 80;
const WAITS_MS = [1, 500, 2_000, 14_999, 60_000, 3_599_999, DAY_MS];

interface Token {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly dueMs: number;
  /** Of both tokens of a connection. */
  readonly meeting: { readonly shown: string[] };
}

class Life {
  readonly #choices: Choices;
  readonly #table: RelayTable;
  readonly #places = new Map<string, number>();
  #tokens: Token[] = [];
  readonly #spent: Uint8Array[] = [];
  readonly #ready: { readonly from: string; readonly to: string }[] = [];
  #pipes: Pipe[] = [];
  readonly #passed = new Map<string, number>();
  readonly #granted = new Map<string, number>();
  #crowdCount = 0;
  #nowMs = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
    const rng = new Rng(9);
    this.#table = new RelayTable({
      randomBytes: (length) => rng.bytes(length),
      bytesPerPeerPerDay: DAY_BYTES,
      pipeMs: PIPE_MS,
    });
  }

  run(): void {
    for (let steps = 0; !this.#choices.isDone && steps < 800; steps += 1) {
      this.#move();
      this.#check();
    }
    for (const pipe of this.#pipes.splice(0)) this.#table.end(this.#nowMs, pipe);
    if (this.#table.pipeCount !== 0) throw new Error('expected no connection at the end');
  }

  #move(): void {
    const move = this.#choices.below(16);
    if (move < 2) this.#reserve(this.#peer());
    else if (move === 2) this.#leave(this.#peer());
    else if (move < 6) this.#meet();
    else if (move < 8) this.#connect();
    else if (move < 10) this.#redeem();
    else if (move === 10) this.#begin();
    else if (move < 13) this.#pass();
    else if (move === 13) this.#end(this.#choices.below(Math.max(1, this.#pipes.length)));
    else if (move === 14) this.#nowMs += this.#choices.of(WAITS_MS)!;
    else if (this.#choices.oneIn(32)) this.#crowd();
  }

  /** Others that want all places. */
  #crowd(): void {
    for (let i = 0; i < 40; i += 1) {
      this.#crowdCount += 1;
      this.#reserve(`crowd ${this.#crowdCount}`);
    }
  }

  #peer(): string {
    // Few are met often.
    return `peer ${this.#choices.below(this.#choices.oneIn(3) ? PEERS : 4)}`;
  }

  #reserve(peer: string): void {
    this.#expire();
    const isRoom = this.#places.has(peer) || this.#places.size < MOST_RESERVATIONS;
    const granted = this.#table.reserve(this.#nowMs, peer);
    if (granted.ok !== isRoom) throw new Error(`expected a place: ${isRoom}, got ${granted.ok}`);
    if (granted.ok) this.#places.set(peer, this.#nowMs + RESERVATION_MS);
  }

  #leave(peer: string): void {
    this.#table.cancel(peer);
    this.#places.delete(peer);
  }

  /** The usual way from a place to a connection. */
  #meet(): void {
    const to = this.#peer();
    this.#reserve(to);
    const before = this.#tokens.length;
    this.#connect(to);
    for (const token of this.#tokens.slice(before)) this.#redeem(token);
    if (this.#ready.length > 0) this.#begin();
  }

  #connect(to: string = this.#peer()): void {
    this.#expire();
    const from = this.#peer();
    const granted = this.#table.connect(this.#nowMs, from, to);
    if (!granted.ok) {
      if (granted.code === 'ERR_RELAY_NO_RESERVATION' && this.#places.has(to)) {
        throw new Error('expected one with a place to be found');
      }
      return;
    }
    if (!this.#places.has(to)) throw new Error('expected nobody without a place to be reached');
    const count = (this.#granted.get(from) ?? 0) + 1;
    this.#granted.set(from, count);
    if (count > MOST_CONNECTS + this.#nowMs / CONNECT_MS) throw new Error(`${count} connections`);
    const meeting = { shown: [] };
    const dueMs = this.#nowMs + TOKEN_MS;
    for (const bytes of [granted.value.from, granted.value.to]) {
      if (bytes.length !== 32) throw new Error('expected tokens of 32 bytes');
      this.#tokens.push({ bytes, from, to, dueMs, meeting });
    }
  }

  #redeem(chosen?: Token): void {
    this.#expire();
    const token = chosen ?? this.#tokens[this.#choices.below(Math.max(1, this.#tokens.length))];
    for (const bytes of [this.#spent.at(-1) ?? new Uint8Array(32), new Uint8Array(31)]) {
      if (this.#table.redeem(this.#nowMs, bytes).ok) throw new Error('expected no second use');
    }
    if (token === undefined) return;
    const redeemed = this.#table.redeem(this.#nowMs, token.bytes);
    if (!redeemed.ok) throw new Error(`expected a good token to be taken: ${redeemed.message}`);
    this.#tokens = this.#tokens.filter((one) => one !== token);
    this.#spent.push(token.bytes);
    const { ends, key, dueMs } = redeemed.value;
    const { from, to, meeting } = token;
    if (ends.from !== from || ends.to !== to || dueMs !== token.dueMs) throw new Error('others');
    const [first] = meeting.shown;
    if (first !== undefined && first !== key) throw new Error('expected one name at both ends');
    meeting.shown.push(key);
    if (meeting.shown.length === 2) this.#ready.push({ from, to });
  }

  #begin(): void {
    const ends = this.#ready.shift();
    if (ends === undefined) return;
    const pipe = this.#table.begin(this.#nowMs, ends);
    const most = Math.max(this.#pipesOf(ends.from), this.#pipesOf(ends.to));
    const isFull = most >= MOST_PIPES_OF_PEER || this.#pipes.length >= MOST_PIPES;
    if (pipe === undefined) {
      const isSpent = [ends.from, ends.to].some(
        (peer) => this.#table.leftBytes(this.#nowMs, peer) === 0,
      );
      if (!isFull && !isSpent) throw new Error('expected a connection that nothing forbids');
      return;
    }
    if (isFull) throw new Error(`expected no more than ${MOST_PIPES_OF_PEER} of one peer`);
    this.#pipes.push(pipe);
  }

  #pass(): void {
    const at = this.#choices.below(Math.max(1, this.#pipes.length));
    const pipe = this.#pipes[at];
    if (pipe === undefined) return;
    const bytes = [0, 1, 500, 3_000, DAY_BYTES, DAY_BYTES + 1][this.#choices.below(6)]!;
    if (!this.#table.pass(this.#nowMs, pipe, bytes)) {
      this.#end(at);
      return;
    }
    if (this.#nowMs >= pipe.dueMs) throw new Error('expected an end in time');
    for (const peer of new Set([pipe.from, pipe.to])) {
      const passed = (this.#passed.get(peer) ?? 0) + bytes;
      this.#passed.set(peer, passed);
      const days = Math.floor(this.#nowMs / DAY_MS) + 1;
      if (passed > days * DAY_BYTES) throw new Error(`${passed} bytes within ${days} days`);
    }
  }

  #end(at: number): void {
    const [pipe] = this.#pipes.splice(at, 1);
    if (pipe !== undefined) this.#table.end(this.#nowMs, pipe);
  }

  #pipesOf(peer: string): number {
    return this.#pipes.filter(({ from, to }) => from === peer || to === peer).length;
  }

  #expire(): void {
    for (const [peer, dueMs] of this.#places) {
      if (dueMs <= this.#nowMs) this.#places.delete(peer);
    }
    this.#tokens = this.#tokens.filter(({ dueMs }) => dueMs > this.#nowMs);
  }

  #check(): void {
    const { pipeCount, reservationCount, usage } = this.#table;
    if (pipeCount !== this.#pipes.length) throw new Error(`${pipeCount} connections`);
    if (reservationCount > MOST_RESERVATIONS) throw new Error(`${reservationCount} places`);
    if (this.#tokens.length > MOST_TOKENS) throw new Error(`${this.#tokens.length} tokens`);
    const left = this.#table.leftBytes(this.#nowMs, 'peer 0');
    if (!(left >= 0 && left <= DAY_BYTES)) throw new Error(`${left} bytes are left`);
    for (const { bytes } of usage) if (bytes <= 0) throw new Error('expected who used something');
  }
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'relay-table',
  seeds: [
    new Uint8Array(0),
    // Connections one after another, each passing a little.
    Uint8Array.from({ length: 400 }, (_, i) => [3, 0, 1, 0, 2, 11, 0, 1][i % 8]!),
    // A crowd for all places.
    new Uint8Array(60).fill(31),
  ],
  run: (bytes) => new Life(new Choices(bytes)).run(),
  generate: (rng) => rng.bytes(rng.below(rng.below(16) === 0 ? 1_000 : 120)),
};
