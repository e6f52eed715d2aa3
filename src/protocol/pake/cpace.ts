/**
 * One run of CPace with explicit key confirmation: two parties who share a weak password get a strong key, and learn of each other only whether the passwords were equal.
 *
 * Spec: draft-irtf-cfrg-cpace-21, roles of initiator and responder, key confirmation as its section of that name. The initiator confirms first, so that the responder, who
 * keeps count of wrong guesses, knows the outcome before it tells anything.
 *
 *     initiator                     responder
 *       start()      ── share ──▶   handle()
 *       handle()     ◀── share ──
 *                    ── confirmation ──▶  handle(): its key
 *       handle(): its key  ◀── confirmation ──
 *
 * A share equal to our own is refused: its sender could answer our tag with itself, and would be believed without the password.
 * One object is one run. Its random bytes must come from a source that nobody can guess, and be used for nothing else. Not here: how many runs somebody may try, transport.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { HASH_BYTES, MAX_ASSOCIATED_BYTES } from './constants.ts';
import type { PakeErrorCode } from './errors.ts';
import {
  confirmationTag,
  equalTags,
  generatorOf,
  multiply,
  multiplyVerified,
  scalarOf,
  sessionKey,
} from './group.ts';
import { decodePakeMessage, encodePakeMessage, type ShareMessage } from './message.ts';

/** Who speaks first. */
export type PakeRole = 'initiator' | 'responder';

/** What a run is about; all but the role, the random bytes and the associated data must be the same on both sides. */
export interface PakeOptions {
  readonly role: PakeRole;
  /** PRS: the password, or what was made of it. Any length. */
  readonly password: Uint8Array;
  /** CI: names the channel and both parties with their roles. */
  readonly channel: Uint8Array;
  /** sid: names this session, never used again. */
  readonly session: Uint8Array;
  /** ADa or ADb: told to the other party, which gets a key only when it heard the same. Default: empty. @see MAX_ASSOCIATED_BYTES. */
  readonly associated?: Uint8Array;
  /** 32 bytes, secret, for this run alone. */
  readonly random: Uint8Array;
}

/** What a message led to. */
export interface PakeStep {
  /** To be sent. */
  readonly message?: Uint8Array;
  /** Set at the end: the other party proved to have the same. */
  readonly confirmed?: PakeOutcome;
}

/** What both parties have at the end. */
export interface PakeOutcome {
  /** ISK, 64 bytes: to be put through a key derivation function before use. */
  readonly key: Uint8Array;
  /** The other party's associated data. */
  readonly associated: Uint8Array;
}

type Phase = 'new' | 'share-sent' | 'confirmation-awaited' | 'over';

/** One party of one run. */
export class CpaceParty {
  readonly #role: PakeRole;
  readonly #session: Uint8Array;
  readonly #own: ShareMessage;
  #scalar: bigint;
  #phase: Phase = 'new';
  #key: Uint8Array = new Uint8Array(HASH_BYTES);
  #remote: ShareMessage | undefined;

  /** @throws RangeError for random bytes or associated data of another length. */
  constructor({ role, password, channel, session, associated, random }: PakeOptions) {
    const data = associated ?? new Uint8Array(0);
    if (data.length > MAX_ASSOCIATED_BYTES) {
      throw new RangeError(
        `associated data: expected at most ${MAX_ASSOCIATED_BYTES} bytes, got ${data.length}`,
      );
    }
    this.#role = role;
    this.#session = session.slice();
    this.#scalar = scalarOf(random);
    const share = multiply(this.#scalar, generatorOf(password, channel, session));
    this.#own = { type: 'share', share, associated: data.slice() };
  }

  /** True when no more is awaited: it ended, well or not. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** The first message. @throws RangeError: only an initiator begins, once. */
  start(): Uint8Array {
    if (this.#role !== 'initiator' || this.#phase !== 'new') {
      throw new RangeError(
        `start: expected a new initiator, got a ${this.#role} that is ${this.#phase}`,
      );
    }
    this.#phase = 'share-sent';
    return encodePakeMessage(this.#own);
  }

  /** A message of the other party. A failure ends the run. */
  handle(bytes: Uint8Array): Result<PakeStep, PakeErrorCode> {
    const step = this.#step(bytes);
    if (!step.ok) this.#end();
    return step;
  }

  #step(bytes: Uint8Array): Result<PakeStep, PakeErrorCode> {
    const message = decodePakeMessage(bytes);
    if (!message.ok) return message;
    const awaitsShare = this.#phase === (this.#role === 'initiator' ? 'share-sent' : 'new');
    const awaited = awaitsShare
      ? 'share'
      : this.#phase === 'confirmation-awaited'
        ? 'confirmation'
        : undefined;
    if (message.value.type !== awaited) {
      const expected = awaited === undefined ? 'no message' : `a ${awaited}`;
      return fail(
        'ERR_PAKE_ORDER',
        `key exchange: expected ${expected}, got a ${message.value.type}`,
      );
    }
    return message.value.type === 'share'
      ? this.#handleShare(message.value)
      : this.#handleConfirmation(message.value.tag);
  }

  #handleShare(remote: ShareMessage): Result<PakeStep, PakeErrorCode> {
    const secret = equalBytes(remote.share, this.#own.share)
      ? undefined
      : multiplyVerified(this.#scalar, remote.share);
    if (secret === undefined) {
      return fail(
        'ERR_PAKE_SHARE',
        'key exchange: expected an element of the group, neither the neutral one nor our own',
      );
    }
    const isInitiator = this.#role === 'initiator';
    const [a, b] = isInitiator ? [this.#own, remote] : [remote, this.#own];
    this.#key = sessionKey(this.#session, secret, a, b);
    secret.fill(0);
    this.#scalar = 0n;
    this.#remote = remote;
    this.#phase = 'confirmation-awaited';
    return ok({ message: isInitiator ? this.#confirmation() : encodePakeMessage(this.#own) });
  }

  #handleConfirmation(tag: Uint8Array): Result<PakeStep, PakeErrorCode> {
    const remote = this.#remote!;
    if (!equalTags(tag, confirmationTag(this.#session, this.#key, remote))) {
      return fail(
        'ERR_PAKE_UNEQUAL',
        'key exchange: expected the same password, session and names on both sides, got others',
      );
    }
    const confirmed = { key: this.#key.slice(), associated: remote.associated };
    const step = this.#role === 'initiator' ? {} : { message: this.#confirmation() };
    this.#end();
    return ok({ ...step, confirmed });
  }

  #confirmation(): Uint8Array {
    const tag = confirmationTag(this.#session, this.#key, this.#own);
    return encodePakeMessage({ type: 'confirmation', tag });
  }

  #end(): void {
    this.#phase = 'over';
    this.#scalar = 0n;
    this.#key.fill(0);
  }
}
