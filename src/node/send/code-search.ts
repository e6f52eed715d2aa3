/**
 * Looking for the sender of a code: in the local network and in the DHT, by the keys of this hour first, then of its neighbours, since clocks differ.
 *
 * Not here: dialling them, proving the code.
 * @module
 */
import type { Endpoint } from '../../io/tcp.ts';
import { isMutable } from '../../protocol/dht/index.ts';
import { formatPeerId } from '../../protocol/identity/index.ts';
import { hoursToTry, openRecord, type SendKeys } from '../../protocol/send/index.ts';
import type { RelayHint } from '../channel/channel-service.ts';
import { publicKeyOf } from '../dht-client.ts';
import type { DhtService } from '../dht-service.ts';
import type { LsdService } from '../lsd-service.ts';
import { keysInTurn } from './stretching.ts';

// Implementation limits
/** The DHT is asked again after this while nothing was found; it grows by half each time. */
const ASK_MS = 1_500;
const ASK_MAX_MS = 15_000;
/** The keys of a neighbour of this hour are made when nobody was found for so long. */
const NEIGHBOUR_MS = 4_000;
/** How often it is looked whether another hour has begun. */
const NEXT_HOUR_LOOK_MS = 10_000;

const NO_SALT = new Uint8Array();

/** Somebody who may have the code. */
export interface FoundSender {
  /** The keys by which it was found. */
  readonly keys: SendKeys;
  /** Known from the DHT: who it must be. */
  readonly peerId?: string;
  readonly addresses: readonly Endpoint[];
  readonly relays: readonly RelayHint[];
}

/** Options of a CodeSearch. */
export interface CodeSearchOptions {
  readonly code: string;
  /** What `firstKeysOf` gave, when it was called before there was a node. */
  readonly firstKeys?: Promise<SendKeys> | undefined;
  readonly lsd: LsdService | undefined;
  readonly dht: DhtService | undefined;
  readonly port: number;
  /** Keys are there, and others may find us by them. */
  readonly onKeys: (keys: SendKeys) => void;
  readonly onFound: (found: FoundSender) => void;
}

/** The keys of a code in this hour: they take a second, in which a node can be opened. */
export function firstKeysOf(code: string): Promise<SendKeys> {
  const keys = keysInTurn(code, hoursToTry(Date.now())[0]);
  keys.catch(() => {});
  return keys;
}

/** A search for the sender of a code. */
export class CodeSearch {
  readonly #options: CodeSearchOptions;
  readonly #abort = new AbortController();
  readonly #ends: (() => void)[] = [];
  #isSettled = false;

  constructor(options: CodeSearchOptions) {
    this.#options = options;
  }

  /** Searches until `close`. */
  async run(): Promise<void> {
    const hours = [...hoursToTry(Date.now())];
    const searched = new Set<number>();
    while (!this.#abort.signal.aborted) {
      // A sender that is found serves the keys of this hour, also when it is started again later.
      const next = this.#isSettled ? undefined : hours.shift();
      const hour = next ?? hoursToTry(Date.now())[0];
      if (!searched.has(hour)) await this.#searchHour(hour);
      searched.add(hour);
      await this.#pause(next === undefined ? NEXT_HOUR_LOOK_MS : NEIGHBOUR_MS);
    }
  }

  async #searchHour(hour: number): Promise<void> {
    const { code, onKeys, firstKeys } = this.#options;
    const early = await firstKeys;
    const keys = early?.hour === hour ? early : await keysInTurn(code, hour);
    if (this.#abort.signal.aborted) return;
    onKeys(keys);
    this.#searchLan(keys);
    void this.#searchDht(keys);
  }

  /** The sender was found: where it is goes on being looked for, by the keys that are there. Others would take a core for a second each. */
  settle(): void {
    this.#isSettled = true;
  }

  close(): void {
    this.#abort.abort();
    for (const end of this.#ends) end();
  }

  #searchLan(keys: SendKeys): void {
    const { lsd, port } = this.#options;
    if (lsd === undefined) return;
    const onPeer = (endpoint: Endpoint): void =>
      this.#tell({ keys, addresses: [endpoint], relays: [] });
    this.#ends.push(lsd.announce(keys.lanHash, port, onPeer, { urgency: 'now' }));
  }

  async #searchDht(keys: SendKeys): Promise<void> {
    const { dht } = this.#options;
    if (dht === undefined) return;
    const publicKey = publicKeyOf(keys.rendezvousSeed);
    for (
      let waitMs = ASK_MS;
      !this.#abort.signal.aborted;
      waitMs = Math.min(waitMs * 1.5, ASK_MAX_MS)
    ) {
      if (await dht.ready(waitMs)) {
        const { item } = await dht.getMutable(publicKey, NO_SALT);
        if (item !== undefined && isMutable(item)) this.#take(keys, item.value);
      }
      await this.#pause(waitMs);
    }
  }

  #take(keys: SendKeys, value: Uint8Array): void {
    const opened = openRecord(keys.recordKey, value, Date.now());
    // Whoever knows the item's name but not the code could not have written it.
    if (!opened.ok) return;
    const { peerId, addresses, relays } = opened.value;
    this.#tell({
      keys,
      peerId: formatPeerId(peerId),
      addresses,
      relays: relays.map((relay) => ({ ...relay, peerId: formatPeerId(relay.peerId) })),
    });
  }

  /** What failed may work now: it is told again, as often as it is found. */
  #tell(found: FoundSender): void {
    if (!this.#abort.signal.aborted) this.#options.onFound(found);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#abort;
      // A timer that nobody ends any more held a receiver that was done for 1.5 s.
      if (signal.aborted) {
        resolve();
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, signal.aborted ? 0 : ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
