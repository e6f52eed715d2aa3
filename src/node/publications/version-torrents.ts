/**
 * The torrents of publications' versions, in the list of all torrents.
 * @module
 */
import type { AppError } from '../../lib/errors.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import type { TorrentService } from '../torrents/torrent-service.ts';

/** A torrent, as a publication sees it. */
export interface VersionTorrent {
  readonly name: string;
  readonly dir: string;
  readonly isComplete: boolean;
  /** Nobody but its tracker may tell of it (BEP 27). */
  readonly isPrivate: boolean;
  /** 20 bytes; undefined for one of v2 alone, which no publication can name. */
  readonly infoHashV1: Uint8Array | undefined;
}

/** What is shared to be published. */
export interface VersionWish {
  readonly path: string;
  readonly trackers: string[];
  readonly webSeeds: string[];
}

/** The list. */
export class VersionTorrents {
  readonly #torrents: TorrentService;

  constructor(torrents: TorrentService) {
    this.#torrents = torrents;
  }

  find(id: string | undefined): VersionTorrent | undefined {
    const entry = id === undefined ? undefined : this.#torrents.find(id);
    if (entry === undefined) return undefined;
    const { record, torrent, metainfo } = entry;
    return {
      name: entry.ownName,
      dir: record.dir,
      isComplete:
        record.mode === 'seed' ||
        (torrent?.service.swarm.isComplete ?? record.completedAt !== undefined),
      isPrivate: (torrent?.info ?? metainfo?.info)?.isPrivate === true,
      infoHashV1: metainfo?.info.infoHashV1 ?? torrent?.infoHashes.infoHashV1,
    };
  }

  /** Seeds files. @returns its id; of the one that is there, when nothing of them changed. @throws {AppError} ERR_FILE, ERR_CREATE_*. */
  share(wish: VersionWish): Promise<string> {
    return idOf(this.#torrents.additions.share({ ...wish }));
  }

  /** Fetches a version. @returns its id; of the one that is there, wherever its files are. @throws {AppError} ERR_SOURCE. */
  fetch(link: string, dir: string): Promise<string> {
    return idOf(this.#torrents.additions.add({ link, dir }, 'follow'));
  }

  /** Ends one and leaves its files; one that is not there is passed over. */
  async remove(id: string): Promise<void> {
    if (this.#torrents.find(id) !== undefined) await this.#torrents.remove(id, false);
  }
}

async function idOf(adding: Promise<TorrentEntry>): Promise<string> {
  try {
    return (await adding).id;
  } catch (error) {
    const { code, details } = error as AppError<string, { readonly infoHash: string }>;
    if (code === 'ERR_DUPLICATE') return details.infoHash;
    throw error;
  }
}
