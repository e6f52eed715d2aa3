/**
 * The services of a node, wired: the only place where one feature hears of another.
 * @module
 */
import os from 'node:os';
import path from 'node:path';
import { openPersonalChannels } from '../channel/personal-channels.ts';
import { NetworkService } from '../network/network-service.ts';
import type { PeerNode } from '../peer-node.ts';
import { ContactService } from '../people/contact-service.ts';
import { TransferService } from '../people/transfer-service.ts';
import type { Settings } from '../settings/settings.ts';
import type { Store } from '../store/store.ts';
import { ToolService } from '../tools/tool-service.ts';
import { TorrentService } from '../torrents/torrent-service.ts';
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
}

/** The wired services. */
export interface Composition extends Parts {
  readonly torrents: TorrentService;
  readonly services: readonly NodeService[];
  close(): Promise<void>;
}

/** Makes and wires them; nothing is started. @throws {AppError} of the identity's file. */
export async function composeServices(parts: Parts): Promise<Composition> {
  const { node, store, settings, log, feed, isOffline } = parts;
  const passphrase = process.env['STARLING_PASSPHRASE'] ?? '';
  const personal = openPersonalChannels(node, { passphrase, isFindable: true });
  const { channels, contacts } = personal;
  const nameOf = (peerId: string): string => contacts.byPeerId(peerId)?.name ?? peerId;
  const torrents = new TorrentService({
    node,
    table: store.torrents,
    log: log.area('torrents'),
    dirFor: () => downloadDir(settings),
    peersOf: (names) => names.map((name) => contacts.find(name).peerId),
    onChange: () => feed.touch('torrents'),
  });
  const people = new ContactService({
    node,
    channels,
    contacts,
    onChange: () => feed.touch('contacts'),
  });
  const transfers = new TransferService({
    node,
    channels,
    contacts,
    log: log.area('transfers'),
    dir: () => downloadDir(settings),
    onChange: () => feed.touch('transfers'),
  });
  const network = new NetworkService({
    node,
    channels,
    torrents,
    nameOf,
    isListenGiven: settings.get('listen') !== '',
  });
  const status = new StatusService({
    node,
    peerId: channels.peerId,
    isOffline,
    torrents,
    statistics: store.statistics,
    settings,
    log,
    limits: () => ({
      downloadBytesPerSec: settings.get('transfers.download-limit'),
      uploadBytesPerSec: settings.get('transfers.upload-limit'),
      isAlternative: false,
    }),
    warnings: () => [],
    downloadDir: () => downloadDir(settings),
    onStop: parts.onStop,
  });
  const tools = new ToolService(() => os.homedir());
  const { home, onStop } = parts;
  const rpc = new RpcService({ torrents, status, settings, home, onStop });
  return {
    ...parts,
    torrents,
    services: [torrents, people, transfers, network, tools, status, rpc],
    close: async () => personal.close(),
  };
}

function downloadDir(settings: Settings): string {
  const set = settings.get('download-dir');
  return set === '' ? path.join(os.homedir(), 'Downloads') : set;
}
