/**
 * One sending or receiving of a long-running node: a Sender or Receiver, and the row that the API shows of it.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Transfer } from '../../contract/index.ts';
import { printableLine } from '../../lib/printable.ts';
import type { PeerPath } from '../channel/types.ts';
import type { Receiver } from '../send/receiver.ts';
import type { Sender } from '../send/sender.ts';
import { pathText } from './contact-service.ts';

/** States after which nothing happens any more. */
const OVER = new Set<Transfer['state']>(['complete', 'declined', 'failed', 'cancelled']);

/** A transfer in the list. */
export class TransferEntry {
  readonly id: string = randomBytes(8).toString('hex');
  readonly abort: AbortController = new AbortController();
  readonly #onChange: () => void;
  #row: Transfer;
  #engine: (() => { status(): TransferNumbers } | undefined) | undefined;

  constructor(direction: Transfer['direction'], name: string, onChange: () => void) {
    this.#onChange = onChange;
    this.#row = {
      id: this.id,
      direction,
      state: direction === 'send' ? 'preparing' : 'searching',
      name: printableLine(name),
      words: null,
      contact: null,
      path: null,
      totalBytes: 0,
      doneBytes: 0,
      bytesPerSec: 0,
      files: null,
      guesses: 0,
      text: null,
      sha256: null,
      dir: null,
      error: null,
      startedAtMs: Date.now(),
    };
  }

  get isOver(): boolean {
    return OVER.has(this.#row.state);
  }

  get state(): Transfer['state'] {
    return this.#row.state;
  }

  /** The row of the moment. */
  get row(): Transfer {
    const status = this.isOver ? undefined : this.#engine?.()?.status();
    if (status !== undefined) {
      const { totalBytes, doneBytes, bytesPerSec, fileCount: files } = status;
      this.#row = {
        ...this.#row,
        totalBytes,
        doneBytes,
        files,
        bytesPerSec: Math.round(bytesPerSec),
      };
    }
    return this.#row;
  }

  set(fields: Partial<Transfer>): void {
    if (this.isOver) return;
    this.#row = { ...this.row, ...fields };
    this.#onChange();
  }

  /** The end; without an error it was cancelled or is complete. */
  end(fields: Partial<Transfer>): void {
    this.set({ bytesPerSec: 0, ...fields });
    this.#engine = undefined;
  }

  followSender(sender: Sender, nameOf: (peerId: string) => string): void {
    this.#engine = () => sender.transfer;
    sender.on('paired', ({ peerId, path }) => this.#paired(nameOf(peerId), path));
    sender.on('wrong-guess', () => this.set({ guesses: this.#row.guesses + 1 }));
    sender.on('accepted', () => this.set({ state: 'transferring' }));
    sender.on('path', ({ path }) => this.set({ path: pathText(path) }));
    sender.on('lost', () => this.set({ state: 'waiting', path: null }));
  }

  followReceiver(receiver: Receiver, nameOf: (peerId: string) => string): void {
    this.#engine = () => receiver.transfer;
    receiver.on('paired', ({ peerId, path }) => this.#paired(nameOf(peerId), path));
    receiver.on('wrong-code', () => this.set({ guesses: this.#row.guesses + 1 }));
    receiver.on('path', ({ path }) => this.set({ path: pathText(path) }));
    receiver.on('lost', () => this.set({ path: null }));
    receiver.on('comparing', () => this.set({ state: 'verifying' }));
  }

  #paired(contact: string, path: PeerPath): void {
    this.set({ contact, path: pathText(path) });
  }
}

interface TransferNumbers {
  readonly totalBytes: number;
  readonly doneBytes: number;
  readonly bytesPerSec: number;
  readonly fileCount: number;
}
