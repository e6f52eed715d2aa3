/**
 * What changes of a torrent make of its record.
 * @module
 */
import type { ChangeTorrent } from '../../contract/index.ts';
import { apiError } from '../http/errors.ts';
import type { TorrentRecord } from '../store/torrent-table.ts';
import type { TorrentEntry } from './torrent-entry.ts';
import { judgedTiers } from './tracker-lists.ts';

/** What is asked needs the metadata. */
export function filesUnknown(): Error {
  const mistakes = 'its files are not known yet: wait for the metadata';
  return apiError('ERR_API_INVALID', { what: 'files', mistakes });
}

/** The record with these changes; the same object when nothing of it changes. @throws {AppError} ERR_API_INVALID. */
export function changedRecord(entry: TorrentEntry, changes: ChangeTorrent): TorrentRecord {
  const { record } = entry;
  const { files, shareLimits } = changes;
  const options: Record<string, unknown> = {};
  for (const name of [
    'isSequential',
    'downloadLimitBytesPerSec',
    'uploadLimitBytesPerSec',
  ] as const) {
    if (changes[name] !== undefined) options[name] = changes[name];
  }
  if (shareLimits !== undefined) {
    options['shareLimits'] = { ...record.options.shareLimits, ...shareLimits };
  }
  if (changes.trackers !== undefined) options['tiers'] = judgedTiers(changes.trackers);
  if (files !== undefined) options['priorities'] = prioritiesOf(entry, files);
  const fields: Partial<TorrentRecord> = {
    ...(changes.isPaused === undefined ? {} : { isPaused: changes.isPaused }),
    ...(changes.category === undefined ? {} : { category: changes.category ?? undefined }),
    ...(changes.tags === undefined ? {} : { tags: [...new Set(changes.tags)] }),
    ...(Object.keys(options).length === 0 ? {} : { options: { ...record.options, ...options } }),
  };
  return Object.keys(fields).length === 0 ? record : { ...record, ...fields };
}

function prioritiesOf(
  { torrent }: TorrentEntry,
  files: NonNullable<ChangeTorrent['files']>,
): number[] {
  const count = torrent?.info?.files.length;
  if (torrent === undefined || count === undefined) throw filesUnknown();
  const priorities = [...torrent.filePriorities];
  for (const { index, priority } of files) {
    if (index >= count) {
      const mistakes = `expected an index below ${count}, got ${index}`;
      throw apiError('ERR_API_INVALID', { what: 'files', mistakes });
    }
    priorities[index] = priority;
  }
  return priorities;
}
