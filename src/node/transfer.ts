/**
 * A transfer of files between two people, on the swarm engine: who sends offers what a walk found, who receives gets it all and right, or nothing.
 *
 * How the two met, and the connection between them, are others' business: `admits` says which incoming connections may join, `join` takes one that was made elsewhere.
 *
 *   sender     walk ── manifest ──► (offered, accepted) ──► served ──► digest() ──► told ──► stop
 *   receiver   fetching ──► received(): digest ──► verify(the sender's) ─┬─► finish() ──► forget()
 *                  ▲                                     wrong, once ────┤
 *                  └──────── everything again ◄──────────────────────────┘ wrong twice: ERR_TRANSFER_DIGEST, nothing is kept
 *
 * A killed process goes on with the same manifest and nonce. Nothing is announced, remembered of peers, or shown to connections that are not admitted.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { nodeCrypto } from '../io/crypto.ts';
import type { ByteConnection } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import {
  contentDigest,
  decodeManifest,
  type Manifest,
  type ManifestFile,
  manifestInfo,
  type Placement,
  placeEntries,
  transferHash,
} from '../protocol/send/index.ts';
import { DigestFollower } from './digest-follower.ts';
import { nodeError } from './errors.ts';
import { ResumeStore, statFiles } from './resume.ts';
import type { Torrent } from './torrent.ts';
import type { AddOptions } from './torrent-types.ts';
import { TransferSink } from './transfer-sink.ts';
import type { TransferSource } from './transfer-source.ts';

// Implementation limits
/** How often a sender looks how far the receiver came, so that its digest follows. */
const FOLLOW_MS = 50;

const EMPTY_DIGEST: Uint8Array = nodeCrypto.sha256(new Uint8Array(0));

/** What both ends say. */
interface TransferOptions {
  /** 16 bytes that the sender drew. */
  readonly nonce: Uint8Array;
  /** Which incoming connections may join; default: all that name the transfer. */
  readonly admits?: (connection: ByteConnection) => boolean;
  /** Addresses to dial, "host:port"; default: none. */
  readonly peers?: readonly string[];
}

/** What a sender offers. */
export interface SendOptions extends TransferOptions {
  readonly source: TransferSource;
}

/** What a receiver accepted. */
export interface ReceiveOptions extends TransferOptions {
  /** As the sender told it. */
  readonly manifestBytes: Uint8Array;
  /** The folder that the top goes into. */
  readonly dir: string;
}

/** The node, as a transfer sees it. */
export interface TransferHost {
  readonly home: string;
  readonly disk: DiskPool;
  readonly prepare: (options: AddOptions) => Torrent;
}

/** A transfer at a glance. */
export interface TransferStatus {
  readonly name: string;
  readonly totalBytes: number;
  /** Bytes that the receiver has. */
  readonly doneBytes: number;
  readonly bytesPerSec: number;
  readonly fileCount: number;
  /** Files that the receiver has whole, as far as they came in order. */
  readonly doneFiles: number;
  /** The other end is connected. */
  readonly isConnected: boolean;
  readonly error?: string;
}

/** What both roles have in common. */
abstract class Transfer implements AsyncDisposable {
  readonly manifest: Manifest;
  /** Tells problems and pieces. */
  readonly torrent: Torrent;
  protected readonly follower: DigestFollower;
  protected readonly info: Info;
  /** Where each file ends in piece space. */
  readonly #ends: Float64Array;
  readonly #failed: Promise<never>;

  constructor(host: TransferHost, manifest: Manifest, info: Info, torrent: Torrent) {
    this.manifest = manifest;
    this.info = info;
    this.torrent = torrent;
    this.#ends = Float64Array.from(info.files, (file) => file.offsetBytes + file.lengthBytes);
    this.#failed = new Promise((_, reject) => {
      torrent.on('problem', ({ error, isFinal }) => {
        if (isFinal) reject(error);
      });
      torrent.on('state', ({ state }) => {
        if (state === 'stopped') reject(nodeError('ERR_STOPPED', { name: manifest.name }));
      });
    });
    this.#failed.catch(() => {});
    this.follower = new DigestFollower({
      disk: host.disk,
      // Without files nothing is left to be digested.
      storage: torrent.files?.spec.id ?? -1,
      files: info.files.map(({ lengthBytes }, index) => ({ index, lengthBytes })),
      emptyDigest: EMPTY_DIGEST,
      onFault: (fault) => torrent.service.reportFault(fault),
    });
  }

  /** After a fault of the disk the digest begins anew, as soon as there is a state to begin in. */
  protected refollow(follow: () => void): void {
    this.torrent.on('state', ({ state }) => {
      if (!this.follower.isStuck || state === 'error') return;
      this.follower.reset();
      follow();
    });
  }

  /** Takes a connection to the other end that was made elsewhere, as the end that speaks first on it. */
  join(connection: ByteConnection): void {
    this.torrent.service.join(connection);
  }

  /** Ends the connection to the other end, so that a new one can take its place: one that broke off without a word would stand in its way for minutes. */
  disconnect(): void {
    if (!this.status().isConnected) return;
    this.torrent.service.rest();
    this.torrent.service.wake();
  }

  /** A picture of the moment. */
  status(): TransferStatus {
    const { error, downloadBytesPerSec, uploadBytesPerSec, peers } = this.torrent.status();
    const doneBytes = Math.min(
      this.info.totalBytes,
      this.donePieces() * this.info.pieceLengthBytes,
    );
    return {
      name: this.manifest.name,
      totalBytes: this.info.totalBytes,
      doneBytes,
      bytesPerSec: Math.max(downloadBytesPerSec, uploadBytesPerSec),
      fileCount: this.#ends.length,
      doneFiles: countUpTo(this.#ends, doneBytes),
      isConnected: peers.length > 0,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Ends it. What a receiver has stays there, to go on with. */
  async stop(): Promise<void> {
    this.follower.close();
    await this.torrent.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Pieces that the receiver has. */
  protected abstract donePieces(): number;

  /** The digest of all files (docs/protocol/send-transfer.md), 32 bytes. @throws {AppError} the final problem, or ERR_STOPPED. */
  protected async contentDigest(): Promise<Uint8Array> {
    const digests = await this.unlessFailed(this.follower.digests());
    const files = this.manifest.entries
      .filter((entry): entry is ManifestFile => entry.kind === 'file')
      .map(({ path: names }, i) => ({
        path: names,
        sha256: digests.subarray(i * 32, i * 32 + 32),
      }));
    return contentDigest(files, nodeCrypto);
  }

  protected unlessFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }
}

/** The last index of what ends at or before a byte, plus one. */
function countUpTo(ends: Float64Array, bytes: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! <= bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The sender's end. */
export class OutgoingTransfer extends Transfer {
  readonly #source: TransferSource;
  #timer: NodeJS.Timeout | undefined;

  /** Begins to serve. @throws {AppError} ERR_DUPLICATE. */
  static async begin(host: TransferHost, options: SendOptions): Promise<OutgoingTransfer> {
    const { source, nonce } = options;
    const { manifest } = source;
    const paths = manifest.entries.map(({ path: names }) => [source.topName, ...names]);
    const info = manifestInfo(manifest, paths, transferHash(source.bytes, nonce, nodeCrypto));
    const torrent = host.prepare({
      mode: 'seed',
      ...addOptions(info, source.dir, options),
      isFresh: true,
      isRemembered: false,
      looks: source.looks,
    });
    await startOrStop(torrent);
    return new OutgoingTransfer(host, source, info, torrent);
  }

  private constructor(host: TransferHost, source: TransferSource, info: Info, torrent: Torrent) {
    super(host, source.manifest, info, torrent);
    this.#source = source;
    this.#timer = setInterval(() => this.#follow(), FOLLOW_MS).unref();
    this.refollow(() => this.#follow());
  }

  protected override donePieces(): number {
    return this.torrent.service.swarm.farthestPeerPieces;
  }

  #follow(): void {
    this.follower.advance(this.donePieces() * this.info.pieceLengthBytes);
  }

  /** Reads on to the end, wherever the receiver is. @returns 32 bytes. @throws {AppError} ERR_SOURCE_CHANGED and others; ERR_STOPPED. */
  async digest(): Promise<Uint8Array> {
    this.follower.advance(this.info.totalBytes);
    const digest = await this.contentDigest();
    this.#checkSource();
    return digest;
  }

  /** What changed when nobody read of it any more. */
  #checkSource(): void {
    const { dir, looks } = this.#source;
    const paths = this.info.files.map((file) => path.join(dir, ...file.path));
    const now = statFiles(paths);
    const changed = looks.findIndex(({ sizeBytes, mtimeMs }, index) => {
      return now[index]!.sizeBytes !== sizeBytes || now[index]!.mtimeMs !== mtimeMs;
    });
    if (changed >= 0) throw this.torrent.endChanged(paths[changed]!);
  }

  /** The digests differ: files are read anew, as the receiver fetches them anew. */
  again(): void {
    this.follower.reset();
  }

  override async stop(): Promise<void> {
    clearInterval(this.#timer);
    await super.stop();
  }
}

/** Where a transfer went. */
export interface Received {
  /** Absolute path of the top. */
  readonly path: string;
  /** True when the sender's name was taken or unsafe, and the top has another one. */
  readonly isRenamed: boolean;
  /** Entries below it that have another name than the sender's: their paths there and here. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
}

/** The receiver's end. */
export class IncomingTransfer extends Transfer {
  readonly #host: TransferHost;
  readonly #sink: TransferSink;
  readonly #placement: Placement;
  /** The first piece that is missing. */
  #prefix = 0;
  #isSecond = false;

  /**
   * Begins to fetch, or goes on.
   * @throws {AppError} ERR_MANIFEST, ERR_NO_SPACE, ERR_FILE, ERR_DUPLICATE; nothing is left then that was not there.
   */
  static async begin(host: TransferHost, options: ReceiveOptions): Promise<IncomingTransfer> {
    const decoded = decodeManifest(options.manifestBytes);
    if (!decoded.ok) throw nodeError('ERR_MANIFEST', { reason: decoded.message });
    const manifest = decoded.value;
    const placed = placeEntries(manifest, process.platform === 'win32' ? 'windows' : 'portable');
    if (!placed.ok) throw nodeError('ERR_MANIFEST', { reason: placed.message });
    const placement = placed.value;
    const hash = transferHash(options.manifestBytes, options.nonce, nodeCrypto);
    const { home, disk } = host;
    // A message is shown, not written: it comes by way of our own folder.
    const dir = manifest.kind === 'text' ? path.join(home, 'transfers') : path.resolve(options.dir);
    const sink = new TransferSink({ manifest, placement, hash, dir, home, disk });
    const info = manifestInfo(manifest, placement.paths, hash);
    const isSealed = sink.digest !== undefined;
    if (!isSealed) sink.open();
    const torrent = host.prepare({
      ...addOptions(info, sink.staging, options),
      isSequential: true,
      // All came in an earlier run, and files may forbid to be read now: nothing is asked for, nobody let in.
      ...(isSealed ? { mode: 'look', peers: [], admits: () => false } : {}),
    });
    await startOrStop(torrent);
    return new IncomingTransfer(host, manifest, info, torrent, sink, placement);
  }

  private constructor(
    host: TransferHost,
    manifest: Manifest,
    info: Info,
    torrent: Torrent,
    sink: TransferSink,
    placement: Placement,
  ) {
    super(host, manifest, info, torrent);
    this.#host = host;
    this.#sink = sink;
    this.#placement = placement;
    torrent.on('piece', () => this.#follow());
    torrent.on('pieces-lost', () => {
      this.#prefix = 0;
      this.follower.reset();
    });
    this.refollow(() => this.#follow());
    this.#follow();
  }

  protected override donePieces(): number {
    return this.torrent.service.swarm.have?.count ?? 0;
  }

  #follow(): void {
    const { have } = this.torrent.service.swarm;
    while (have?.has(this.#prefix) === true) this.#prefix += 1;
    const isAll = this.#prefix === this.info.pieceCount;
    const bytes = this.#prefix * this.info.pieceLengthBytes;
    this.follower.advance(isAll ? this.info.totalBytes : bytes);
  }

  /** Resolves when all came, or had come in an earlier run. @throws {AppError} the final problem; ERR_STOPPED. */
  async fetched(): Promise<void> {
    if (this.#sink.digest !== undefined || this.info.pieceCount === 0) return;
    await this.unlessFailed(this.torrent.completed());
  }

  /** Resolves with the digest of what came, when all did. @returns 32 bytes. @throws {AppError} the final problem; ERR_STOPPED. */
  async received(): Promise<Uint8Array> {
    if (this.#sink.digest !== undefined)
      return Uint8Array.from(Buffer.from(this.#sink.digest, 'hex'));
    await this.fetched();
    this.#follow();
    return await this.contentDigest();
  }

  /**
   * Compares. After the first difference everything is fetched again: wait for `received` again, and tell the sender.
   * @param theirs the sender's digest. @returns true when what came is right. @throws {AppError} ERR_TRANSFER_DIGEST after the second difference.
   */
  async verify(theirs: Uint8Array): Promise<boolean> {
    const got = toHex(await this.received());
    const expected = toHex(theirs);
    if (got === expected) {
      this.#sink.seal(got);
      return true;
    }
    if (this.#isSecond || this.#sink.digest !== undefined) {
      await this.discard();
      throw nodeError('ERR_TRANSFER_DIGEST', { name: this.manifest.name, expected, got });
    }
    this.#isSecond = true;
    this.torrent.fetchAgain();
    return false;
  }

  /**
   * All of it: fetches, compares, finishes.
   * @param askSender tells the sender our digest, and resolves with its own. @throws {AppError} as `received`, `verify` and `finish`.
   */
  async completed(askSender: (ours: Uint8Array) => Promise<Uint8Array>): Promise<Received> {
    for (;;) {
      const theirs = await askSender(await this.received());
      if (await this.verify(theirs)) return await this.finish();
    }
  }

  /** After `verify` said true: gives everything its name, mode and time, and ends. @throws {AppError} ERR_FILE. */
  async finish(): Promise<Received> {
    await this.stop();
    this.#forgetPieces();
    const where = await this.#sink.finish();
    const { entries, name } = this.manifest;
    const shown = (index: number): { from: string; to: string } => ({
      from: entries[index]!.path.join('/'),
      to: this.#placement.paths[index]!.slice(1).join('/'),
    });
    return {
      path: where,
      isRenamed: path.basename(where) !== name,
      renamed: this.#placement.renamed.filter((index) => index > 0).map(shown),
    };
  }

  /** A message: its text, after `verify` said true; nothing of it stays on disk. @throws {AppError} ERR_FILE. */
  async text(): Promise<string> {
    await this.stop();
    const where = path.join(this.#sink.staging, ...this.#placement.paths[0]!);
    const { sizeBytes = 0 } = this.manifest.entries[0] as ManifestFile;
    const text = sizeBytes === 0 ? '' : fs.readFileSync(where, 'utf8');
    await this.discard();
    return text;
  }

  /** Both ends know that it is over: nothing about it is remembered any more. */
  forget(): void {
    this.#sink.forget();
  }

  /** Ends it and removes what came. */
  async discard(): Promise<void> {
    await this.stop();
    this.#forgetPieces();
    this.#sink.discard();
  }

  #forgetPieces(): void {
    new ResumeStore(this.#host.home, this.info.infoHashV1!, this.#sink.staging).remove();
  }
}

/** How the engine runs a transfer: hidden from everybody but the other end. */
function addOptions(info: Info, dir: string, { admits, peers = [] }: TransferOptions): AddOptions {
  const metainfo = { info, pieceLayers: new Map(), trackers: [], webSeeds: [], nodes: [] };
  return {
    source: { kind: 'metainfo', metainfo },
    dir,
    peers,
    isDiscovering: false,
    usesPeerExchange: false,
    usesWebSeeds: false,
    usesQueue: false,
    // Names alone: there is nothing to swarm about.
    ...(info.pieceCount === 0 ? { mode: 'look' } : {}),
    ...(admits === undefined ? {} : { admits }),
  };
}

async function startOrStop(torrent: Torrent): Promise<void> {
  try {
    await torrent.start();
  } catch (error) {
    await torrent.stop();
    throw error;
  }
}
