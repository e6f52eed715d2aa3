/**
 * Peers that torrents met, kept between runs: the first contact after a restart needs nobody's help.
 *
 * Kept are listening addresses where a peer was met, those that moved most data first; one that was not met in MAX_ABSENCES runs is forgotten. Addresses
 * of this machine are kept too: they may be all there is.
 * File: `peers.json` in the node's home: an object of version and torrents, those used last at the end. Commands that share a home each replace the
 * entries of their own torrents only.
 * Bounds: MAX_TORRENTS, MAX_PEERS of each; a torrent that was not used for MAX_AGE_MS is forgotten. A file that is not ours or damaged counts as none.
 * @module
 */
import path from 'node:path';
import type { Endpoint } from '../io/tcp.ts';
import { parseIp } from '../lib/ip-address.ts';
import type { ProvenPeer } from '../protocol/swarm/index.ts';
import { readMemory, writeMemory } from './memory-file.ts';

// Implementation limits
/** Torrents whose peers are kept. */
const MAX_TORRENTS = 1_000;
/** Peers kept of a torrent. */
const MAX_PEERS = 50;
/** Runs in a row that a peer may be missing. */
const MAX_ABSENCES = 3;
/** A torrent that was not used for so long is forgotten: 90 days. */
const MAX_AGE_MS = 90 * 86_400_000;
/** What a peer moved in earlier runs counts half as much with each run. */
const FADING = 0.5;
const VERSION = 1;

interface Row {
  readonly host: string;
  readonly port: number;
  readonly score: number;
  readonly absences: number;
}

interface Entry {
  /** Milliseconds since 1970. */
  readonly usedMs: number;
  readonly peers: readonly Row[];
}

/** The book of one node. */
export class PeerMemory {
  readonly #file: string;
  readonly #nowMs: () => number;
  #entries: Map<string, Entry> | undefined;
  readonly #news = new Map<string, Entry>();
  /** How entries were before this run. */
  readonly #before = new Map<string, Entry | undefined>();

  /** @param nowMs the time of day, in milliseconds since 1970. */
  constructor(home: string, nowMs: () => number = Date.now) {
    this.#file = path.join(home, 'peers.json');
    this.#nowMs = nowMs;
  }

  /** Where peers of a torrent were met, the most useful first. @param infoHash in hex. */
  peersOf(infoHash: string): readonly Endpoint[] {
    return (
      this.#known()
        .get(infoHash)
        ?.peers.map(({ host, port }) => ({ host, port })) ?? []
    );
  }

  /** Who was met in this run so far; may be told again as the run goes on. @param met listening addresses of peers in it. */
  note(infoHash: string, met: readonly ProvenPeer[]): void {
    const rows = new Map<string, Row>();
    if (!this.#before.has(infoHash)) this.#before.set(infoHash, this.#known().get(infoHash));
    for (const old of this.#before.get(infoHash)?.peers ?? []) {
      const row = { ...old, score: old.score * FADING, absences: old.absences + 1 };
      if (row.absences < MAX_ABSENCES) rows.set(keyOf(row), row);
    }
    for (const { host, port, movedBytes } of met) {
      const score = (rows.get(keyOf({ host, port }))?.score ?? 0) + movedBytes;
      rows.set(keyOf({ host, port }), { host, port, score, absences: 0 });
    }
    if (rows.size === 0) return;
    const peers = [...rows.values()].sort((a, b) => b.score - a.score).slice(0, MAX_PEERS);
    const entry = { usedMs: this.#nowMs(), peers };
    this.#known().set(infoHash, entry);
    this.#news.set(infoHash, entry);
  }

  /** Writes what is new, beside what others wrote meanwhile. @throws the system's error. */
  save(): void {
    if (this.#news.size === 0) return;
    const entries = this.#read();
    for (const [infoHash, entry] of this.#news) {
      entries.delete(infoHash);
      entries.set(infoHash, entry);
    }
    for (const oldest of entries.keys()) {
      if (entries.size <= MAX_TORRENTS) break;
      entries.delete(oldest);
    }
    const torrents = [...entries].map(([infoHash, { usedMs, peers }]) => ({
      infoHash,
      usedMs,
      peers: peers.map(({ host, port, score, absences }) => [host, port, score, absences]),
    }));
    writeMemory(this.#file, VERSION, { torrents });
    this.#news.clear();
    this.#entries = entries;
  }

  #known(): Map<string, Entry> {
    this.#entries ??= this.#read();
    return this.#entries;
  }

  #read(): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const { torrents } = readMemory(this.#file, VERSION);
    if (!Array.isArray(torrents)) return entries;
    const oldestMs = this.#nowMs() - MAX_AGE_MS;
    for (const each of torrents.slice(-MAX_TORRENTS) as unknown[]) {
      const { infoHash, usedMs, peers } = (each ?? {}) as Record<string, unknown>;
      if (typeof infoHash !== 'string' || !Array.isArray(peers)) continue;
      if (typeof usedMs !== 'number' || !(usedMs >= oldestMs)) continue;
      entries.set(infoHash, { usedMs, peers: peers.slice(0, MAX_PEERS).flatMap(rowOf) });
    }
    return entries;
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

function rowOf(value: unknown): Row[] {
  const [host, port, score, absences] = Array.isArray(value) ? value : [];
  if (typeof host !== 'string' || parseIp(host) === undefined) return [];
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return [];
  if (!Number.isFinite(score) || score < 0 || !Number.isInteger(absences)) return [];
  return absences < 0 ? [] : [{ host, port, score, absences }];
}
