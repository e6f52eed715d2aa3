/**
 * What this node knows of others from its own dealings with them, kept between runs: who gave good data, who took, who lied, who broke promises.
 *
 * First-hand only: nobody's word about others counts. Kept by host, since peers of the BitTorrent network choose a new id at will; hosts of this machine
 * are not kept. It decides who waits for an optimistic slot and which address is dialled first, never who is banned.
 * File: `reputation.json` in the node's home: an object of version and rows. Commands that share a home each add what they saw.
 * Bounds: MAX_HOSTS hosts, those met last; a host that was not met for MAX_AGE_MS is forgotten.
 * @module
 */
import path from 'node:path';
import { addressScope, parseIp } from '../lib/ip-address.ts';
import type { SwarmEvent } from '../protocol/swarm/index.ts';
import { readMemory, writeMemory } from './memory-file.ts';

// Implementation limits
/** Hosts remembered. */
const MAX_HOSTS = 4_096;
/** A host that was not met for so long is forgotten: 90 days. */
const MAX_AGE_MS = 90 * 86_400_000;
/** Less than this, given or taken, says little. */
const DOUBT_BYTES = 4_194_304;
/** What a broken promise counts as, in bytes that were taken. */
const PROMISE_BYTES = 1_048_576;
const VERSION = 1;

/** What came of dealings with a host. */
export interface Dealings {
  /** Block data from it that passed its hash. */
  readonly receivedBytes: number;
  /** Block data for it that it showed to have, by HAVEs. */
  readonly givenBytes: number;
  /** Bans for data that failed its hash. */
  readonly badData: number;
  /** Requests it let time out or refused while it allowed them. */
  readonly brokenPromises: number;
}

/** A host and all dealings with it. */
export interface Acquaintance extends Dealings {
  readonly host: string;
  readonly meetings: number;
  /** Milliseconds since 1970. */
  readonly lastMetMs: number;
  /** -1 (bad) … 1 (good). */
  readonly standing: number;
}

type Row = Omit<Acquaintance, 'standing'>;

/** -1 for a liar, else what it gave against what it took and owed. */
export function standingOf(dealings: Dealings): number {
  if (dealings.badData > 0) return -1;
  const { receivedBytes } = dealings;
  const taken = dealings.givenBytes + dealings.brokenPromises * PROMISE_BYTES;
  return (receivedBytes - taken) / (receivedBytes + taken + DOUBT_BYTES);
}

/** The book of one node. */
export class Reputation {
  readonly #file: string;
  readonly #nowMs: () => number;
  #rows: Map<string, Row> | undefined;
  /** Since the last save. */
  #news = new Map<string, Row>();

  /** @param nowMs the time of day, in milliseconds since 1970. */
  constructor(home: string, nowMs: () => number = Date.now) {
    this.#file = path.join(home, 'reputation.json');
    this.#nowMs = nowMs;
  }

  /** 0 for a stranger. */
  standing(host: string): number {
    const row = this.#known().get(host);
    return row === undefined ? 0 : standingOf(row);
  }

  /** Notes what came of a connection. Nothing is kept of this machine's own addresses. */
  note(host: string, dealings: Partial<Dealings>): void {
    const ip = parseIp(host);
    if (ip === undefined || addressScope(ip) === 'loopback') return;
    const { receivedBytes = 0, givenBytes = 0, badData = 0, brokenPromises = 0 } = dealings;
    if (receivedBytes + givenBytes + badData + brokenPromises === 0) return;
    const row: Row = {
      host,
      receivedBytes,
      givenBytes,
      badData,
      brokenPromises,
      meetings: 1,
      lastMetMs: this.#nowMs(),
    };
    for (const rows of [this.#known(), this.#news]) add(rows, row);
  }

  /** Everybody, those met last first. */
  list(): Acquaintance[] {
    return [...this.#known().values()]
      .reverse()
      .map((row) => ({ ...row, standing: standingOf(row) }));
  }

  /** Writes what is new, added to what others wrote meanwhile. @throws the system's error. */
  save(): void {
    if (this.#news.size === 0) return;
    const rows = this.#read();
    for (const row of this.#news.values()) add(rows, row);
    this.#news = new Map();
    this.#rows = rows;
    this.#write(rows);
  }

  /** Forgets everybody. @throws the system's error. */
  clear(): void {
    this.#rows = new Map();
    this.#news = new Map();
    this.#write(this.#rows);
  }

  #known(): Map<string, Row> {
    this.#rows ??= this.#read();
    return this.#rows;
  }

  #write(rows: ReadonlyMap<string, Row>): void {
    writeMemory(this.#file, VERSION, { hosts: [...rows.values()] });
  }

  #read(): Map<string, Row> {
    const rows = new Map<string, Row>();
    const { hosts } = readMemory(this.#file, VERSION);
    if (!Array.isArray(hosts)) return rows;
    const oldestMs = this.#nowMs() - MAX_AGE_MS;
    for (const each of hosts.slice(-MAX_HOSTS) as unknown[]) {
      const row = rowOf(each);
      if (row !== undefined && row.lastMetMs >= oldestMs) rows.set(row.host, row);
    }
    return rows;
  }
}

/** Notes what a core tells of a peer: the end of a connection, or a ban. */
export function noteEvent(reputation: Reputation, event: SwarmEvent): void {
  // Web seeds are no hosts that come back.
  if ('address' in event && event.address.port === 0) return;
  if (event.type === 'peer-banned') reputation.note(event.address.host, { badData: 1 });
  if (event.type !== 'peer-closed') return;
  const { verifiedBytes, confirmedBytes, brokenPromises } = event.record;
  const dealings = { receivedBytes: verifiedBytes, givenBytes: confirmedBytes, brokenPromises };
  reputation.note(event.address.host, dealings);
}

/** Adds dealings to what is known of a host, which becomes the one met last. */
function add(rows: Map<string, Row>, row: Row): void {
  const known = rows.get(row.host);
  rows.delete(row.host);
  rows.set(
    row.host,
    known === undefined
      ? row
      : {
          host: row.host,
          receivedBytes: known.receivedBytes + row.receivedBytes,
          givenBytes: known.givenBytes + row.givenBytes,
          badData: known.badData + row.badData,
          brokenPromises: known.brokenPromises + row.brokenPromises,
          meetings: known.meetings + row.meetings,
          lastMetMs: Math.max(known.lastMetMs, row.lastMetMs),
        },
  );
  for (const oldest of rows.keys()) {
    if (rows.size <= MAX_HOSTS) break;
    rows.delete(oldest);
  }
}

const COUNTS = [
  'receivedBytes',
  'givenBytes',
  'badData',
  'brokenPromises',
  'meetings',
  'lastMetMs',
] as const;

function rowOf(value: unknown): Row | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const row = value as Row;
  if (typeof row.host !== 'string' || parseIp(row.host) === undefined) return undefined;
  const isWhole = COUNTS.every((key) => Number.isSafeInteger(row[key]) && row[key] >= 0);
  if (!isWhole) return undefined;
  const { host, receivedBytes, givenBytes, badData, brokenPromises, meetings, lastMetMs } = row;
  return { host, receivedBytes, givenBytes, badData, brokenPromises, meetings, lastMetMs };
}
