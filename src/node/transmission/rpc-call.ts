/**
 * What all calls of Transmission's RPC share.
 * @module
 */
import type { StatusService } from '../daemon/status-service.ts';
import type { Settings } from '../settings/settings.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';

/** What is needed of the rest of the node. */
export interface RpcServiceOptions {
  readonly torrents: TorrentService;
  readonly status: StatusService;
  readonly settings: Settings;
  readonly home: string;
  readonly onStop: () => void;
}

/** Arguments of a call: whatever somebody sent. */
export type RpcArguments = Readonly<Record<string, unknown>>;

/** A wrong call: the text is the answer's `result`. */
export class RpcError extends Error {}

/** What calls that change torrents need. */
export interface RpcContext {
  readonly options: RpcServiceOptions;
  meant(values: RpcArguments): readonly TorrentEntry[];
  idOf(entry: TorrentEntry): number;
}

/** True for an object of JSON. */
export function isObject(value: unknown): value is RpcArguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The strings of a list. */
export function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
