/**
 * `starling follow`: fetches the newest version of a publication (BEP 46), seeds it, and fetches each that comes after.
 *
 * Version N goes to DIR/N; DIR/latest leads to the newest one that is complete. Earlier versions stay where they are.
 * @module
 */
import path from 'node:path';
import {
  type DhtService,
  type FoundVersion,
  findNewest,
  keepPublished,
  type PublicationLink,
  PublicationMemory,
  parsePublicationLink,
  pointToLatest,
  toHex,
} from '../../node/api/dht.ts';
import { type AppError, type PeerNode, type Torrent, untilAborted } from '../../node/api/index.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { usageError } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import type { Output } from '../output.ts';
import { followTorrent } from '../progress.ts';
import { waitUntil, withPeerNode } from '../session.ts';

// Implementation limits
/** Time between looks for a newer version. */
const LOOK_SECONDS = 600;
/** While there is none at all: it may have been published just now. */
const FIRST_LOOK_MS = 5_000;

/** The command. */
export const followCommand: CommandSpec = {
  name: 'follow',
  argument: 'link',
  summary: 'fetch the newest version behind a published link, and each that comes after',
  options: {
    dir: { value: 'dir', help: 'the folder for the versions; default: here' },
    interval: { value: 'seconds', help: `between looks; default ${LOOK_SECONDS}` },
    once: { help: 'end when the newest version is complete' },
    peer: { value: 'host:port', isRepeatable: true, help: 'a peer to connect to' },
    ...NODE_OPTIONS,
  },
  run: ([text], options) => follow(text!, options),
};

async function follow(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const link = parsePublicationLink(text);
  if (!link.ok) throw usageError(`follow: ${link.message}.`);
  const goOn = (): string => 'Stopped. Run the same command again to go on following.';
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const follower = new Follower(node, link.value, output, options, signal);
    await follower.run();
  });
}

/** Follows one publication. */
class Follower {
  readonly #node: PeerNode;
  readonly #link: PublicationLink;
  readonly #output: Output;
  readonly #options: OptionValues;
  readonly #signal: AbortSignal;
  readonly #dir: string;
  readonly #memory: PublicationMemory;
  #newest: FoundVersion | undefined;
  #current: Torrent | undefined;
  #complete: Torrent | undefined;
  #failure: Error | undefined;

  constructor(
    node: PeerNode,
    link: PublicationLink,
    output: Output,
    options: OptionValues,
    signal: AbortSignal,
  ) {
    this.#node = node;
    this.#link = link;
    this.#output = output;
    this.#options = options;
    this.#signal = signal;
    this.#dir = path.resolve(textOption(options, 'dir') ?? '.');
    this.#memory = new PublicationMemory(node.home);
  }

  /** Until the signal aborts, or with --once until the newest version is complete. */
  async run(): Promise<void> {
    const { dht } = this.#node;
    if (dht === undefined) throw usageError('follow: expected the DHT to be on.');
    void keepPublished(dht, () => this.#newest?.item, this.#signal);
    const everyMs = (numberOption(this.#options, 'interval', 1) ?? LOOK_SECONDS) * 1_000;
    for (;;) {
      const found = await this.#look(dht);
      if (found !== undefined && found.seq > (this.#newest?.seq ?? -1)) await this.#begin(found);
      if (this.#newest === undefined) this.#output.note('Nothing is published there yet.');
      const untilMs = performance.now() + (this.#newest === undefined ? FIRST_LOOK_MS : everyMs);
      await waitUntil(this.#signal, () => performance.now() >= untilMs || this.#isOver());
      if (this.#isOver()) return;
    }
  }

  /** Nobody who has a version gives up because the DHT does not answer for a while: it goes on seeding, and looks again. */
  async #look(dht: DhtService): Promise<FoundVersion | undefined> {
    try {
      return await untilAborted(this.#signal, findNewest(dht, this.#memory, this.#link));
    } catch (error) {
      const isAlone = (error as AppError).code === 'ERR_NO_DHT_NODES';
      if (this.#newest === undefined || !isAlone) throw error;
      this.#output.note(`${(error as AppError).message} It is looked again later.`);
      return undefined;
    }
  }

  #isOver(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return switchOption(this.#options, 'once') && this.#isComplete;
  }

  get #isComplete(): boolean {
    return this.#current !== undefined && this.#current === this.#complete;
  }

  async #begin(found: FoundVersion): Promise<void> {
    this.#newest = found;
    const { seq, infoHash } = found;
    this.#output.event({ type: 'version', seq, infoHash: toHex(infoHash) });
    this.#output.note(`Version ${seq} is out.`);
    // A publisher may count on without a change, or go back to what was there before.
    if (isTorrent(this.#current, infoHash)) return;
    // The last complete one is given until the next is complete, too; one that is half there is of no use any more.
    const halfDone = this.#isComplete ? undefined : this.#current;
    this.#current = isTorrent(this.#complete, infoHash) ? this.#complete : undefined;
    await halfDone?.stop();
    if (this.#current !== undefined) return;
    const { trackers, peers } = this.#link;
    const magnet = { infoHashV1: infoHash, trackers, peers, webSeeds: [] };
    const torrent = this.#node.prepare({
      source: { kind: 'magnet', magnet },
      dir: path.join(this.#dir, String(seq)),
      peers: listOption(this.#options, 'peer'),
    });
    this.#current = torrent;
    const unfollow = followTorrent(torrent, this.#output);
    torrent.on('state', ({ state }) => {
      if (state === 'stopped') unfollow();
    });
    void this.#fetch(torrent, seq);
  }

  async #fetch(torrent: Torrent, seq: number): Promise<void> {
    try {
      const completed = torrent.completed({ signal: this.#signal });
      completed.catch(() => {});
      await torrent.start();
      const summary = await completed;
      if (torrent !== this.#current) return;
      pointToLatest(this.#dir, String(seq));
      this.#output.event({ type: 'summary', seq, ...summary });
      this.#output.result(`Version ${seq}: ${summary.name}, in ${path.join(this.#dir, 'latest')}`);
      const before = this.#complete;
      this.#complete = torrent;
      await before?.stop();
    } catch (error) {
      // One that gave way to a newer one has not failed.
      if (torrent === this.#current && !this.#signal.aborted) this.#failure = error as Error;
    }
  }
}

function isTorrent(torrent: Torrent | undefined, infoHashV1: Uint8Array): boolean {
  const own = torrent?.infoHashes.infoHashV1;
  return own !== undefined && toHex(own) === toHex(infoHashV1);
}
