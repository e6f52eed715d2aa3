/**
 * How torrents come in by the API: a link, a torrent file, files of this machine.
 * @module
 */
import path from 'node:path';
import type { AddTorrent, ShareFiles } from '../../contract/index.ts';
import { createTorrent } from '../create.ts';
import { nodeError } from '../errors.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';
import { newestSource } from '../publication.ts';
import { shownPath } from '../selection.ts';
import {
  describeSource,
  fetchSource,
  isPublicationLink,
  sourceFromBytes,
  sourceFromLink,
} from '../source.ts';
import type { TorrentRecord } from '../store/torrent-table.ts';
import type { TorrentSource } from '../torrent-types.ts';
import { type Addition, expectAbsolute } from './addition.ts';
import { idOf, type TorrentEntry } from './torrent-entry.ts';

/** A torrent, and what is kept of it. */
interface Found {
  readonly source: TorrentSource;
  readonly kept: TorrentRecord['source'];
}

/** What a torrent is called before it runs. */
export interface Preview {
  readonly id: string;
  readonly name: string;
  readonly isKnown: boolean;
  readonly totalBytes: number | null;
  readonly files: { index: number; path: string; lengthBytes: number }[] | null;
}

/** The list that they lead to. */
export interface TorrentList {
  find(id: string): TorrentEntry | undefined;
  add(addition: Addition): Promise<TorrentEntry>;
}

/** The ways in. */
export class Additions {
  readonly #node: PeerNode;
  readonly #service: TorrentList;
  /** Peer ids of contacts by what a person calls them. @throws {AppError} */
  readonly #peersOf: (names: readonly string[]) => string[];

  constructor(
    node: PeerNode,
    service: TorrentList,
    peersOf: (names: readonly string[]) => string[],
  ) {
    this.#node = node;
    this.#service = service;
    this.#peersOf = peersOf;
  }

  /** @throws {AppError} ERR_SOURCE, ERR_DUPLICATE, ERR_API_INVALID. */
  async add(wish: AddTorrent, origin: Addition['origin'] = 'add'): Promise<TorrentEntry> {
    const { link: _, torrent: __, mode = 'download', contacts, ...choices } = wish;
    const secureContacts = contacts === undefined ? undefined : this.#peersOf(contacts);
    const found = await this.#find(wish);
    const extra = secureContacts === undefined ? {} : { extra: { secureContacts } };
    const name = nameOf(found.source);
    return this.#service.add({ ...found, name, mode, choices, origin, ...extra });
  }

  /** What a link or a torrent file leads to. @throws {AppError} ERR_SOURCE, ERR_API_INVALID. */
  async sourceOf(wish: Pick<AddTorrent, 'link' | 'torrent'>): Promise<TorrentSource> {
    return (await this.#find(wish)).source;
  }

  /** @throws {AppError} ERR_SOURCE, ERR_API_INVALID. */
  async preview(wish: AddTorrent): Promise<Preview> {
    const { source } = await this.#find(wish);
    const id = idOf(source);
    const isKnown = this.#service.find(id) !== undefined;
    const name = nameOf(source);
    if (source.kind === 'magnet') return { id, name, isKnown, totalBytes: null, files: null };
    const { info } = source.metainfo;
    const files = info.files.flatMap((file, index) =>
      file.isPad ? [] : [{ index, path: shownPath(info, index), lengthBytes: file.lengthBytes }],
    );
    return { id, name, isKnown, totalBytes: info.totalBytes, files };
  }

  /** @throws {AppError} ERR_FILE, ERR_CREATE_*, ERR_DUPLICATE. */
  async share(wish: ShareFiles): Promise<TorrentEntry> {
    const { path: target, trackers = [], webSeeds = [], category, tags, comment } = wish;
    expectAbsolute(target);
    const secureContacts = wish.contacts === undefined ? undefined : this.#peersOf(wish.contacts);
    const created = await createTorrent(target, {
      trackers: trackers.map((url) => [url]),
      webSeeds,
      ...(comment === undefined ? {} : { comment }),
      ...(wish.isPrivate === undefined ? {} : { isPrivate: wish.isPrivate }),
    });
    const { metainfo, bytes, dir } = created;
    return this.#service.add({
      source: { kind: 'metainfo', metainfo },
      kept: { kind: 'metainfo', bytes },
      name: metainfo.info.name,
      mode: 'seed',
      isFresh: true,
      origin: 'share',
      choices: {
        dir: path.resolve(dir),
        trackers,
        ...(category === undefined ? {} : { category }),
        ...(tags === undefined ? {} : { tags }),
      },
      ...(secureContacts === undefined ? {} : { extra: { secureContacts } }),
    });
  }

  async #find({ link, torrent }: Pick<AddTorrent, 'link' | 'torrent'>): Promise<Found> {
    if ((link === undefined) === (torrent === undefined)) {
      const mistakes = 'expected one of link and torrent';
      throw apiError('ERR_API_INVALID', { what: 'body', mistakes });
    }
    if (torrent !== undefined) {
      const bytes = Buffer.from(torrent, 'base64');
      return {
        source: sourceFromBytes(bytes, 'The file'),
        kept: { kind: 'metainfo', bytes },
      };
    }
    return this.#findLink(link!.trim());
  }

  async #findLink(link: string): Promise<Found> {
    if (isPublicationLink(link)) {
      const source = await newestSource(link, this.#node);
      return { source, kept: { kind: 'magnet', link: describeSource(source).magnet } };
    }
    if (/^magnet:/i.test(link)) {
      return { source: sourceFromLink(link), kept: { kind: 'magnet', link } };
    }
    if (/^https?:\/\//i.test(link)) {
      const { source, bytes } = await fetchSource(link, this.#node.policy);
      return { source, kept: { kind: 'metainfo', bytes } };
    }
    const reason = 'expected a link that begins with magnet:, http: or https:';
    throw nodeError('ERR_SOURCE', { what: 'What was given', reason });
  }
}

function nameOf(source: TorrentSource): string {
  if (source.kind === 'metainfo') return source.metainfo.info.name;
  return source.magnet.displayName ?? idOf(source);
}
