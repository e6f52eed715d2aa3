/**
 * Items that others put here.
 * Spec: BEP 44: what is refused and why; a mutable item never goes back to a lower number.
 * Bounds: MAX_ITEMS, MAX_ITEMS_PER_HOST, 1,000 bytes each; kept for ITEM_MS after the last put.
 * @module
 */
import { equalBytes, toHex } from '../../lib/bytes.ts';
import type { Crypto, Ed25519 } from '../../lib/ports.ts';
import {
  DHT_ERROR,
  ITEM_MS,
  MAX_ITEMS,
  MAX_ITEMS_PER_HOST,
  MAX_SALT_BYTES,
  MAX_VALUE_BYTES,
} from './constants.ts';
import { type DhtItem, isMutable, isRightSignature, targetOf } from './item.ts';

/** Why a put was refused: the code and text of the error that answers it. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

interface StoredItem {
  readonly item: DhtItem;
  readonly host: string;
  readonly atMs: number;
}

/** The store. */
export class ItemStore {
  readonly #crypto: Crypto;
  readonly #ed25519: Ed25519;
  readonly #items = new Map<string, StoredItem>();
  readonly #perHost = new Map<string, number>();

  constructor(crypto: Crypto, ed25519: Ed25519) {
    this.#crypto = crypto;
    this.#ed25519 = ed25519;
  }

  get size(): number {
    return this.#items.size;
  }

  get(nowMs: number, target: Uint8Array): DhtItem | undefined {
    const key = toHex(target);
    const stored = this.#items.get(key);
    if (stored === undefined) return undefined;
    if (nowMs - stored.atMs < ITEM_MS) return stored.item;
    this.#remove(key);
    return undefined;
  }

  /** @param cas the number that the item to be replaced must have. @returns why it was refused. */
  put(nowMs: number, host: string, item: DhtItem, cas: number | undefined): Refusal | undefined {
    if (item.value.length > MAX_VALUE_BYTES) {
      return refusal(DHT_ERROR.valueTooBig, `v: expected up to ${MAX_VALUE_BYTES} bytes`);
    }
    const target = targetOf(this.#crypto, item);
    const before = this.get(nowMs, target);
    if (isMutable(item)) {
      if (item.salt.length > MAX_SALT_BYTES) {
        return refusal(DHT_ERROR.saltTooBig, `salt: expected up to ${MAX_SALT_BYTES} bytes`);
      }
      // The signature last: it costs most.
      const refused =
        before !== undefined && isMutable(before) ? compare(before, item, cas) : undefined;
      if (refused !== undefined) return refused;
      if (!isRightSignature(this.#ed25519, item)) {
        return refusal(DHT_ERROR.badSignature, 'invalid signature');
      }
    }
    // Whoever puts again what is there, as anybody may, neither takes it over nor, with too many of their own, away.
    const owner = this.#items.get(toHex(target))?.host ?? host;
    return this.#keep(nowMs, toHex(target), owner, item);
  }

  #keep(nowMs: number, key: string, host: string, item: DhtItem): Refusal | undefined {
    this.#remove(key);
    if ((this.#perHost.get(host) ?? 0) >= MAX_ITEMS_PER_HOST) {
      return refusal(DHT_ERROR.server, 'too many items of this host');
    }
    while (this.#items.size >= MAX_ITEMS) this.#remove(this.#items.keys().next().value!);
    this.#items.set(key, { item, host, atMs: nowMs });
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
    return undefined;
  }

  #remove(key: string): void {
    const stored = this.#items.get(key);
    if (stored === undefined) return;
    this.#items.delete(key);
    const left = this.#perHost.get(stored.host)! - 1;
    if (left > 0) this.#perHost.set(stored.host, left);
    else this.#perHost.delete(stored.host);
  }
}

function compare(
  before: { readonly seq: number; readonly value: Uint8Array },
  item: { readonly seq: number; readonly value: Uint8Array },
  cas: number | undefined,
): Refusal | undefined {
  if (cas !== undefined && cas !== before.seq) {
    return refusal(DHT_ERROR.casMismatch, `cas: the stored number is ${before.seq}`);
  }
  const isSame = item.seq === before.seq && equalBytes(item.value, before.value);
  if (item.seq > before.seq || isSame) return undefined;
  return refusal(DHT_ERROR.seqTooLow, `seq: the stored number is ${before.seq}`);
}

function refusal(code: number, message: string): Refusal {
  return { code, message };
}
