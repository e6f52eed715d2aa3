/**
 * Where a sender can be found by whoever has its code: announced in the local network, and written sealed into the DHT; both anew when the hour turns.
 *
 * The DHT's item lives about two hours; it is put again every PUT_MS, and when this node's addresses changed. Not here: what a receiver must prove.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { monotonicMs } from '../../io/clock.ts';
import type { Endpoint } from '../../io/tcp.ts';
import type { Argon2id } from '../../lib/ports.ts';
import {
  nextHourMs,
  RECORD_NONCE_BYTES,
  type SenderRecord,
  type SendKeys,
  sealRecord,
  servedHours,
} from '../../protocol/send/index.ts';
import { signDhtItem } from '../dht-client.ts';
import type { DhtService } from '../dht-service.ts';
import type { LsdService } from '../lsd-service.ts';
import { keysInTurn } from './stretching.ts';

// Implementation limits
/** The record is put again this often. */
const PUT_MS = 900_000;
/** After a put that nobody took, or before the first node answered. */
const PUT_AGAIN_MS = 5_000;
/** How often it is looked whether something is due. */
const LOOK_MS = 1_000;
/** A record says that it holds so much longer than the hour of its keys. */
const RECORD_LASTS_MS = 2 * 3_600_000;

const NO_SALT = new Uint8Array();

/** Options of a CodeHost. */
export interface CodeHostOptions {
  readonly code: string;
  readonly lsd: LsdService | undefined;
  readonly dht: DhtService | undefined;
  /** TCP port that receivers dial. */
  readonly port: number;
  /** Who and where this node is now. */
  readonly record: () => Omit<SenderRecord, 'expiresAtMs'>;
  /** Somebody in the local network looks for this code. */
  readonly onSeeker: (endpoint: Endpoint) => void;
  /** What stretches the code; default: OpenSSL's. */
  readonly argon2id?: Argon2id;
  /** How many DHT nodes hold the record; told when it changes. */
  readonly onStored?: (count: number) => void;
}

/** Keeps a code findable. */
export class CodeHost {
  readonly #options: CodeHostOptions;
  readonly #keys = new Map<number, SendKeys>();
  readonly #ends = new Map<number, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #putDueMs = 0;
  #shown = '';
  #seq = 0;
  #isBusy = false;
  #isClosed = false;

  constructor(options: CodeHostOptions) {
    this.#options = options;
  }

  /** Resolves when the keys of this hour are made, which takes a second. */
  async start(): Promise<void> {
    await this.#turn();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    void this.#look();
  }

  /** The keys of an hour that is served. */
  keysOf(hour: number): SendKeys | undefined {
    return servedHours(Date.now()).includes(hour) ? this.#keys.get(hour) : undefined;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }

  async #look(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      await this.#turn();
      await this.#put();
    } finally {
      this.#isBusy = false;
    }
  }

  /** Keys of this hour, when they are not there; those of earlier ones are given up. */
  async #turn(): Promise<void> {
    const [hour] = servedHours(Date.now());
    if (this.#keys.has(hour)) return;
    const keys = await keysInTurn(this.#options.code, hour, this.#options.argon2id);
    if (this.#isClosed) return;
    this.#keys.set(hour, keys);
    const { lsd, port, onSeeker } = this.#options;
    if (lsd !== undefined) this.#ends.set(hour, lsd.announce(keys.lanHash, port, onSeeker));
    this.#putDueMs = 0;
    for (const old of this.#keys.keys()) {
      if (servedHours(Date.now()).includes(old)) continue;
      this.#keys.delete(old);
      this.#ends.get(old)?.();
      this.#ends.delete(old);
    }
  }

  async #put(): Promise<void> {
    const { dht, record, onStored } = this.#options;
    const keys = this.#keys.get(servedHours(Date.now())[0]);
    if (dht === undefined || keys === undefined) return;
    const said = record();
    const shown = JSON.stringify([said.addresses, said.relays.length]);
    if (monotonicMs() < this.#putDueMs && shown === this.#shown) return;
    this.#putDueMs = monotonicMs() + PUT_AGAIN_MS;
    this.#shown = shown;
    if (!(await dht.ready(0))) return;
    const nonce = new Uint8Array(randomBytes(RECORD_NONCE_BYTES));
    const expiresAtMs = nextHourMs(Date.now()) + RECORD_LASTS_MS;
    const value = sealRecord(keys.recordKey, { ...said, expiresAtMs }, nonce);
    // A run before this one may have put its own within this second.
    this.#seq = Math.max(this.#seq + 1, Math.floor(Date.now() / 1000));
    const item = signDhtItem(keys.rendezvousSeed, this.#seq, value, NO_SALT);
    const { stored } = await dht.put(item);
    if (stored > 0) this.#putDueMs = monotonicMs() + PUT_MS;
    if (!this.#isClosed) onStored?.(stored);
  }
}
