/**
 * What can be done to torrents, from the list, its bar and the details alike.
 * @module
 */
import type { ChangeTorrent, TorrentAction } from '../../contract/index.ts';
import { request } from './api.ts';
import { attempt } from './notice.ts';

export function act(action: TorrentAction['action'], ids: readonly string[]): Promise<boolean> {
  return attempt(() => request('POST', '/torrents/actions', { action, ids }));
}

/** Changes every torrent alike. */
export function change(ids: readonly string[], changes: ChangeTorrent): Promise<boolean> {
  return attempt(() => Promise.all(ids.map((id) => request('PATCH', `/torrents/${id}`, changes))));
}
