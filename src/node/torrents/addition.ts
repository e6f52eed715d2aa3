/**
 * What comes into the list of torrents.
 * @module
 */
import path from 'node:path';
import type { AddTorrent } from '../../contract/index.ts';
import { nodeError } from '../errors.ts';
import type { TorrentRecord, TorrentRecordOptions } from '../store/torrent-table.ts';
import type { TorrentSource } from '../torrent-types.ts';

/** How a torrent comes in. */
export interface Addition {
  readonly source: TorrentSource;
  /** The torrent file, or the link: what is kept. */
  readonly kept: TorrentRecord['source'];
  readonly name: string;
  readonly mode: TorrentRecord['mode'];
  /** Its files were hashed just now. */
  readonly isFresh?: boolean;
  readonly choices: Omit<AddTorrent, 'link' | 'torrent' | 'mode' | 'contacts'>;
  readonly origin: NonNullable<TorrentRecordOptions['origin']>;
  readonly extra?: Partial<TorrentRecordOptions>;
}

/** @throws {AppError} ERR_CONFIG. */
export function expectAbsolute(dir: string): void {
  if (path.isAbsolute(dir) && !dir.includes('\0')) return;
  throw nodeError('ERR_CONFIG', { what: 'dir', expected: 'an absolute path', got: dir });
}
