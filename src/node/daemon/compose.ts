/**
 * The services of a node, wired: the only place where one feature hears of another.
 * @module
 */
import os from 'node:os';
import path from 'node:path';
import { openPersonalChannels } from '../channel/personal-channels.ts';
import type { RelayServer } from '../channel/relay-server.ts';
import type { Contacts } from '../contacts.ts';
import { MediaService } from '../media/media-service.ts';
import { NetworkService } from '../network/network-service.ts';
import type { PeerNode } from '../peer-node.ts';
import { ContactService } from '../people/contact-service.ts';
import { TransferService } from '../people/transfer-service.ts';
import { PublicationService } from '../publications/publication-service.ts';
import { VersionTorrents } from '../publications/version-torrents.ts';
import type { Settings } from '../settings/settings.ts';
import type { Store } from '../store/store.ts';
import type { TorrentRecord } from '../store/torrent-table.ts';
import { ToolService } from '../tools/tool-service.ts';
import type { AddOptions } from '../torrent-types.ts';
import { CategoryService } from '../torrents/category-service.ts';
import { LimitService } from '../torrents/limit-service.ts';
import { shareLimitsFor } from '../torrents/seeding-rules.ts';
import { SpaceGuard } from '../torrents/space-guard.ts';
import type { TorrentEntry } from '../torrents/torrent-entry.ts';
import { TorrentService } from '../torrents/torrent-service.ts';
import { WatchFolders } from '../torrents/watch-folders.ts';
import { TrackerNodeService } from '../tracker-node-service.ts';
import { RpcService } from '../transmission/rpc-service.ts';
import type { Feed } from './feed.ts';
import type { Log } from './log.ts';
import type { NodeService } from './service.ts';
import { StatusService } from './status-service.ts';

/** What services are made of. */
export interface Parts {
  readonly node: PeerNode;
  readonly store: Store;
  readonly settings: Settings;
  readonly log: Log;
  readonly feed: Feed;
  readonly home: string;
  readonly isOffline: boolean;
  readonly onStop: () => void;
  /** Makes a secret for reading one path of the API. */
  readonly ticketFor: (path: string) => string;
}

/** The wired services. */
export interface Composition extends Parts {
  readonly torrents: TorrentService;
  readonly services: readonly NodeService[];
  close(): Promise<void>;
}

/** Makes and wires them; nothing is started. @throws {AppError} of the identity's file. */
export function composeServices(parts: Parts): Composition {
  const { node, store, settings, log, feed, isOffline, home, onStop } = parts;
  const passphrase = process.env['STARLING_PASSPHRASE'] ?? '';
  const isRelay = settings.get('relay.enabled');
  const personal = openPersonalChannels(node, { passphrase, isFindable: true, isRelay });
  const { channels, contacts } = personal;
  const relay = isRelay ? serveAsRelay(node, contacts, settings) : undefined;
  const [torrents, ...rules] = composeTorrents(parts, contacts, (id) =>
    publications.noteComplete(id),
  );
  const [categories, ...others] = rules;
  const [limits, , space] = others;
  const dir = (): string => downloadDir(settings);
  const touch = (topic: string) => () => feed.touch(topic);
  const people = new ContactService({
    node,
    channels,
    contacts,
    sealedIdentity: personal.sealedIdentity,
    onChange: touch('contacts'),
  });
  const transfers = new TransferService({
    node,
    channels,
    contacts,
    log: log.area('transfers'),
    dir,
    onChange: touch('transfers'),
  });
  const publications: PublicationService = new PublicationService({
    node,
    table: store.publications,
    torrents: new VersionTorrents(torrents),
    log: log.area('publications'),
    dir,
    onChange: touch('publications'),
  });
  const network = new NetworkService({
    node,
    channels,
    torrents,
    contacts,
    isListenGiven: settings.get('listen') !== '',
    relay: () => relay?.status,
  });
  const status = new StatusService({
    node,
    peerId: channels.peerId,
    isOffline,
    torrents,
    statistics: store.statistics,
    settings,
    log,
    limits: () => limits.now,
    warnings: () => space.warnings(),
    downloadDir: dir,
    onStop,
  });
  const media = new MediaService(torrents, parts.ticketFor);
  const tools = new ToolService({
    node,
    start: () => os.homedir(),
    sourceOf: (wish) => torrents.additions.sourceOf(wish),
    isKnown: (id) => torrents.find(id) !== undefined,
  });
  const rpc = new RpcService({ torrents, status, settings, home, onStop });
  const own = [categories, torrents, ...others, people, transfers, publications, network];
  return {
    ...parts,
    torrents,
    services: [...own, tools, media, status, rpc, ...trackerService(settings, log)],
    close: async () => personal.close(),
  };
}

function composeTorrents(
  { node, store, settings, log, feed }: Parts,
  contacts: Contacts,
  onComplete: (id: string) => void,
): [TorrentService, CategoryService, LimitService, WatchFolders, SpaceGuard] {
  const categories = new CategoryService(store.categories, () => torrents.applyRules());
  const torrents: TorrentService = new TorrentService({
    node,
    table: store.torrents,
    log: log.area('torrents'),
    dirFor: (category) => categories.find(category)?.dir ?? downloadDir(settings),
    startsAdded: () => settings.get('queue.start-added'),
    rulesFor: (record) => rulesFor(record, categories, settings, contacts),
    peersOf: (names) => names.map((name) => contacts.find(name).peerId),
    onChange: () => feed.touch('torrents'),
    onComplete: (entry, isFirst) => {
      // A category with a folder of its own has its complete torrents there, too.
      if (isFirst && categories.find(entry.record.category)?.dir === undefined) {
        moveWhenComplete(torrents, entry, settings, log);
      }
      onComplete(entry.id);
    },
  });
  settings.onChange(['seeding'], () => torrents.applyRules());
  const limits = new LimitService(node, settings, log.area('limits'));
  const watch = new WatchFolders(settings, torrents.additions, log.area('watch'));
  const space = new SpaceGuard(settings, () => torrents.entries, log.area('space'));
  return [torrents, categories, limits, watch, space];
}

/** What the node's rules make of a torrent, besides what it has of its own. */
function rulesFor(
  { category, options }: TorrentRecord,
  categories: CategoryService,
  settings: Settings,
  contacts: Contacts,
): Partial<AddOptions> {
  const limits = categories.find(category)?.limits ?? {};
  const shareLimits = shareLimitsFor(options.shareLimits, limits.shareLimits, {
    ratio: settings.get('seeding.ratio'),
    seconds: settings.get('seeding.time'),
    idleSeconds: settings.get('seeding.idle'),
    action: settings.get('seeding.action'),
  });
  const pick = (name: 'downloadLimitBytesPerSec' | 'uploadLimitBytesPerSec'): number =>
    options[name] || limits[name] || 0;
  const { secureContacts: peers } = options;
  return {
    downloadLimitBytesPerSec: pick('downloadLimitBytesPerSec'),
    uploadLimitBytesPerSec: pick('uploadLimitBytesPerSec'),
    ...(shareLimits === undefined ? {} : { shareLimits }),
    ...(peers === undefined
      ? {}
      : {
          secure: {
            peers,
            admits: (peerId: string) =>
              peers.includes(peerId) || contacts.byPeerId(peerId) !== undefined,
          },
        }),
  };
}

/** For a torrent that completed for the first time: downloads go to the folder for what is complete, where there is one; what was shared from its own place stays, and versions of what is followed stay side by side. */
function moveWhenComplete(
  torrents: TorrentService,
  entry: TorrentEntry,
  settings: Settings,
  log: Log,
): void {
  const dir = settings.get('completed-dir');
  const { mode, options } = entry.record;
  if (dir === '' || mode === 'seed') return;
  if (options.origin === 'follow') return;
  torrents.moveTo(entry.id, dir).catch((error: Error) => log.area('torrents').warn(error.message));
}

function serveAsRelay(node: PeerNode, contacts: Contacts, settings: Settings): RelayServer {
  return node.serveAsRelay({
    serves: (peerId) => {
      const contact = contacts.byPeerId(peerId);
      return contact !== undefined && (contact.mayRelay || settings.get('relay.all-contacts'));
    },
    bytesPerPeerPerDay: settings.get('relay.bytes-per-day'),
  });
}

function trackerService(settings: Settings, log: Log): NodeService[] {
  const listen = settings.get('tracker.listen');
  if (listen === '') return [];
  const options = {
    listen,
    intervalSec: settings.get('tracker.interval'),
    keys: settings.get('tracker.keys'),
    allowFile: settings.get('tracker.allow'),
  };
  return [new TrackerNodeService(options, log.area('tracker'))];
}

function downloadDir(settings: Settings): string {
  const set = settings.get('download-dir');
  return set === '' ? path.join(os.homedir(), 'Downloads') : set;
}
