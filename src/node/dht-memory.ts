/**
 * What a DHT node keeps between runs: its ids, and nodes that answered lately.
 *
 * A node that runs takes its ids out of the file: two programs of one home with the same id would take each other for themselves, and never meet.
 * Bounds: MAX_SAVED nodes of a family; a file that is not ours or damaged counts as none, since bootstrap mends it.
 * @module
 */
import path from 'node:path';
import { fromHex, toHex } from '../lib/bytes.ts';
import { parseIp } from '../lib/ip-address.ts';
import type { Endpoint } from '../protocol/dht/index.ts';
import { readMemory, writeMemory } from './memory-file.ts';

// Implementation limits
const MAX_SAVED = 200;
const VERSION = 1;
/** Nobody's secret: as the system's umask has it. */
const FILE_MODE = 0o666;
const ID_BYTES = 20;

/** Of one address family. */
export interface DhtRecord {
  /** 20 bytes; undefined while a node uses it. */
  readonly id?: Uint8Array;
  /** Those seen last first. */
  readonly nodes: readonly Endpoint[];
}

function fileIn(home: string): string {
  return path.join(home, 'dht.json');
}

/** What was kept, by family. */
export function loadDht(home: string): Map<4 | 6, DhtRecord> {
  const records = new Map<4 | 6, DhtRecord>();
  const kept = readMemory(fileIn(home), VERSION);
  for (const family of [4, 6] as const) {
    const record = readRecord(kept[`ipv${family}`], family);
    if (record !== undefined) records.set(family, record);
  }
  return records;
}

function readRecord(entry: unknown, family: 4 | 6): DhtRecord | undefined {
  const { id, nodes } = (entry ?? {}) as { id?: unknown; nodes?: unknown };
  if (!Array.isArray(nodes)) return undefined;
  const idBytes = typeof id === 'string' ? fromHex(id) : undefined;
  return {
    ...(idBytes?.length === ID_BYTES ? { id: idBytes } : {}),
    nodes: nodes.slice(0, MAX_SAVED).flatMap((node) => readNode(node, family)),
  };
}

function readNode(node: unknown, family: 4 | 6): Endpoint[] {
  const [host, port] = Array.isArray(node) ? node : [];
  if (typeof host !== 'string' || !Number.isInteger(port) || port < 1 || port > 65_535) return [];
  return parseIp(host)?.length === (family === 4 ? 4 : 16) ? [{ host, port }] : [];
}

/** Keeps it. @throws the system's error. */
export function saveDht(home: string, records: ReadonlyMap<4 | 6, DhtRecord>): void {
  const entries = [...records].map(([family, { id, nodes }]) => [
    `ipv${family}`,
    {
      ...(id === undefined ? {} : { id: toHex(id) }),
      nodes: nodes.slice(0, MAX_SAVED).map(({ host, port }) => [host, port]),
    },
  ]);
  writeMemory(fileIn(home), VERSION, Object.fromEntries(entries), FILE_MODE);
}
