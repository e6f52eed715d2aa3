/**
 * What a sender remembers of an offer, so that running `send` again on the same path goes on with it: the code, who has it, how often it was guessed.
 *
 * One file an offer in the folder `sends` of the node's home, readable by its owner alone, written atomically before anything is answered. An offer is of one path, as its
 * files looked; when they changed it is another. It is forgotten when it is complete, and after LASTS_MS.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../../io/atomic-file.ts';
import { fromHex, toHex } from '../../lib/bytes.ts';
import {
  CODE_RANDOM_BYTES,
  GuessBudget,
  type GuessState,
  makeCode,
  readGuessState,
  TRANSFER_NONCE_BYTES,
} from '../../protocol/send/index.ts';
import type { TransferSource } from '../transfer-source.ts';

// Implementation limits
const VERSION = 1;
/** An offer that nobody completed is forgotten after this. */
const LASTS_MS = 24 * 3_600_000;
const FILE_MODE = 0o600;
const MAX_FILE_BYTES = 16_384;

/** An offer as it is kept. */
export interface KeptOffer {
  /** Absent for one to a contact. */
  readonly code?: string;
  /** 16 bytes: names the transfer. */
  readonly nonce: Uint8Array;
  readonly guesses?: GuessState;
  readonly isResumed: boolean;
}

/** The file of one offer. */
export class SendState {
  /** Its path. */
  readonly file: string;
  readonly #manifestHash: string;

  /**
   * @param to peer id of the contact it is for; undefined: whoever has the code.
   * @param take whether a file is free, which is taken then: the second offer of a path at the same time has another one. Default: all are.
   */
  constructor(
    home: string,
    source: TransferSource,
    to: string | undefined,
    take: (file: string) => boolean = () => true,
  ) {
    const fileOf = (count: number): string => {
      const what = [path.join(source.dir, source.topName), to ?? '', ...(count > 0 ? [count] : [])];
      const name = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
      return path.join(home, 'sends', `${name}.json`);
    };
    let count = 0;
    while (!take(fileOf(count))) count += 1;
    this.file = fileOf(count);
    this.#manifestHash = createHash('sha256').update(source.bytes).digest('hex');
  }

  /** What an earlier run left, or a new offer, which is written down. @param hasCode false for a contact. */
  open(hasCode: boolean): KeptOffer {
    const kept = this.#read(hasCode);
    if (kept !== undefined) return { ...kept, isResumed: true };
    const fresh = {
      nonce: new Uint8Array(randomBytes(TRANSFER_NONCE_BYTES)),
      ...(hasCode ? { code: makeCode(new Uint8Array(randomBytes(CODE_RANDOM_BYTES))) } : {}),
    };
    this.save(fresh);
    return { ...fresh, isResumed: false };
  }

  /** Writes it down. @throws the system's error. */
  save({ code, nonce, guesses }: Omit<KeptOffer, 'isResumed'>): void {
    const text = JSON.stringify({
      version: VERSION,
      atMs: Date.now(),
      manifest: this.#manifestHash,
      nonce: toHex(nonce),
      code,
      guesses,
    });
    writeFileAtomic(this.file, Buffer.from(`${text}\n`), FILE_MODE);
  }

  /** It is complete, or given up. */
  forget(): void {
    fs.rmSync(this.file, { force: true });
  }

  /** @returns undefined for none, another's, an old or a damaged one, and one whose code is of no use any more. */
  #read(hasCode: boolean): Omit<KeptOffer, 'isResumed'> | undefined {
    const bytes = readFileIfThere(this.file);
    if (bytes === undefined || bytes.length > MAX_FILE_BYTES) return undefined;
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(Buffer.from(bytes).toString()) ?? {};
    } catch {
      return undefined;
    }
    const { version, atMs, manifest, nonce, code, guesses } = value;
    const isOurs = version === VERSION && manifest === this.#manifestHash;
    const ageMs = Date.now() - Number(atMs);
    const nonceBytes = typeof nonce === 'string' ? fromHex(nonce) : undefined;
    if (!isOurs || !(ageMs < LASTS_MS) || nonceBytes?.length !== TRANSFER_NONCE_BYTES)
      return undefined;
    if (!hasCode) return { nonce: nonceBytes };
    const state = guesses === undefined ? undefined : readGuessState(guesses);
    if (typeof code !== 'string' || state?.ok === false) return undefined;
    // Killed between its tenth wrong guess and the end, it would wait for nobody for ever.
    if (state !== undefined && new GuessBudget(state.value).isDead) return undefined;
    return { code, nonce: nonceBytes, ...(state === undefined ? {} : { guesses: state.value }) };
  }
}
