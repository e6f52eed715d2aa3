/**
 * The long-running node: one home, one engine, one database, the services on top of them and the HTTP server that shows them.
 *
 * Order of starting: lock of the home, database, settings, engine, services, server; of stopping: the other way round. Services are wired here and know nothing of each other.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../io/atomic-file.ts';
import { type ProcessLock, takeProcessLock } from '../../io/process-lock.ts';
import { systemCodeOf } from '../../io/sqlite-errors.ts';
import { AppError } from '../../lib/errors.ts';
import { parseEndpoint } from '../address.ts';
import { defaultHome, isOffline as offlineByEnvironment, VERSION } from '../config.ts';
import { nodeError } from '../errors.ts';
import { Auth, tokenOf } from '../http/auth.ts';
import { HttpServer } from '../http/server.ts';
import {
  CERT_FILE,
  isLoopback,
  isPassword,
  type TlsFiles,
  tlsFilesOf,
} from '../http/server-tls.ts';
import { PeerNode } from '../peer-node.ts';
import {
  PRIVACY_SWITCHES,
  type PrivacySettings,
  type PrivacySwitch,
  readPrivacy,
} from '../privacy-settings.ts';
import { Settings } from '../settings/settings.ts';
import { Store } from '../store/store.ts';
import { orInfinity } from '../torrents/limit-service.ts';
import { type Composition, composeServices } from './compose.ts';
import { Feed } from './feed.ts';
import { Log, type LogSink } from './log.ts';
import type { Metric } from './metric.ts';
import type { NodeService } from './service.ts';
import { NODE_FILE } from './whereabouts.ts';

/** Where the dashboard is built to, seen from the source and from dist. */
const WEB_ROOT = path.join(import.meta.dirname, '..', '..', '..', 'dist', 'web');

/** Options of `Daemon.open`. */
export interface DaemonOptions {
  /** Folder for state; default STARLING_HOME or the platform's data folder. */
  readonly home?: string;
  /** Settings by name, from the command line. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** DHT nodes to begin with. */
  readonly bootstrap?: readonly string[];
  /** Addresses whose subnets the user named, for the offline rule. */
  readonly given?: readonly string[];
  readonly isOffline?: boolean;
  /** Where log lines go; default: nowhere but to the dashboard. */
  readonly logSink?: LogSink;
  /** Folder of the built dashboard. */
  readonly webRoot?: string;
  /** Services of others, on top of the node's own. */
  readonly services?: (composition: Composition) => readonly NodeService[];
  /** Asked to end by the API. */
  readonly onStop?: () => void;
}

/** A running node. Dispose it to stop everything it does. */
export class Daemon implements AsyncDisposable {
  readonly composition: Composition;
  readonly server: HttpServer;
  readonly token: string;
  readonly #services: readonly NodeService[];
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(
    composition: Composition,
    services: readonly NodeService[],
    server: HttpServer,
    token: string,
    release: () => Promise<void>,
  ) {
    this.composition = composition;
    this.#services = services;
    this.server = server;
    this.token = token;
    this.#release = release;
  }

  /** @throws {AppError} ERR_HOME_IN_USE, ERR_CONFIG, ERR_LISTEN, ERR_DATABASE_*, ERR_HOME. */
  static async open(options: DaemonOptions = {}): Promise<Daemon> {
    const home = options.home ?? defaultHome();
    await using undo = new AsyncDisposableStack();
    const lock = lockHome(home);
    undo.defer(() => lock.release());
    const store = undo.use(await Store.open(home));
    const settings = await Settings.open({
      home,
      table: store.settings,
      ...(options.settings === undefined ? {} : { commandLine: options.settings }),
    });
    const log = new Log(settings.get('log.level'), options.logSink ?? (() => {}));
    for (const warning of settings.warnings) log.area('node').warn(warning);
    settings.onChange(['log.level'], () => {
      log.level = settings.get('log.level');
    });
    const isOffline = options.isOffline ?? offlineByEnvironment();
    const node = undo.use(await openEngine(settings, log, { ...options, home, isOffline }));
    const { token, file } = tokenOf(home);
    const auth = new Auth({
      token,
      file,
      hosts: () => settings.get('api.hosts'),
      takesAddresses: !isLoopback(parseEndpoint(settings.get('api.listen'), 'api.listen').host),
      checkPassword: (password) => isPassword(settings.get('api.password'), password),
    });
    const feed = new Feed();
    undo.defer(() => feed.close());
    const composition = composeServices({
      node,
      store,
      settings,
      log,
      feed,
      home,
      isOffline,
      onStop: options.onStop ?? (() => {}),
      ticketFor: (where) => auth.ticketFor(where),
    });
    undo.defer(() => composition.close());
    const services = [...composition.services, ...(options.services?.(composition) ?? [])];
    for (const service of services) {
      if (service.topics !== undefined) feed.add(service.topics);
      await service.start?.();
      undo.defer(() => service.stop?.());
    }
    const server = await openServer({ settings, feed, log, services, options, auth, home });
    undo.defer(() => server.close());
    tellWhere(home, server, settings);
    undo.defer(() => fs.rmSync(path.join(home, NODE_FILE), { force: true }));
    log.area('node').info(`Starling ${VERSION} runs at ${server.url}`);
    const kept = undo.move();
    return new Daemon(composition, services, server, token, () => kept.disposeAsync());
  }

  /** The address of the dashboard, with the token in the fragment, which browsers send to nobody. */
  get dashboardUrl(): string {
    return `${this.server.url}/#token=${this.token}`;
  }

  get services(): readonly NodeService[] {
    return this.#services;
  }

  /** Ends everything in good order: what came is kept, trackers are told. */
  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function lockHome(home: string): ProcessLock {
  const file = path.join(home, 'node.lock');
  let lock: ProcessLock | undefined;
  try {
    lock = takeProcessLock(file);
  } catch (error) {
    throw nodeError('ERR_HOME', { home, code: systemCodeOf(error) }, error);
  }
  if (lock === undefined) throw nodeError('ERR_HOME_IN_USE', { home });
  return lock;
}

function openEngine(
  settings: Settings,
  log: Log,
  options: DaemonOptions & { readonly home: string; readonly isOffline: boolean },
): Promise<PeerNode> {
  const { home, isOffline, bootstrap, given } = options;
  const listen = settings.get('listen');
  const gateway = settings.get('gateway');
  return PeerNode.open({
    home,
    isOffline,
    privacy: () => privacyOf(settings, home),
    ...(listen === '' ? {} : { listen }),
    ...(gateway === '' ? {} : { gateway }),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(given === undefined ? {} : { given }),
    maxActiveDownloads: orInfinity(settings.get('queue.active-downloads')),
    maxActiveSeeds: orInfinity(settings.get('queue.active-seeds')),
    downloadLimitBytesPerSec: settings.get('transfers.download-limit'),
    uploadLimitBytesPerSec: settings.get('transfers.upload-limit'),
    onNotice: (notice) => log.area('node').info(notice),
  });
}

/** What the command line, the environment or the file of settings decide; else what the home says at the moment, as for commands without a node. */
function privacyOf(settings: Settings, home: string): PrivacySettings {
  const kept = readPrivacy(home);
  const entries = PRIVACY_SWITCHES.map((name) => {
    const setting = `discovery.${name}` as const;
    const isOurs = ['default', 'saved'].includes(settings.source(setting));
    return [name, isOurs ? kept[name] : settings.get(setting)] as const;
  });
  return Object.fromEntries(entries) as Record<PrivacySwitch, boolean>;
}

async function openServer(needs: {
  readonly settings: Settings;
  readonly feed: Feed;
  readonly log: Log;
  readonly services: readonly NodeService[];
  readonly options: DaemonOptions;
  readonly auth: Auth;
  readonly home: string;
}): Promise<HttpServer> {
  const { settings, feed, log, services, options, auth } = needs;
  const listen = parseEndpoint(settings.get('api.listen'), 'api.listen');
  const tls = await tlsFor(listen.host, settings, needs.home);
  const open = (port: number): Promise<HttpServer> =>
    HttpServer.open({
      ...(tls === undefined ? {} : { tls }),
      listen: { host: listen.host, port },
      auth,
      feed,
      log: log.area('api'),
      services,
      metrics: () => [
        ...services.flatMap((service) => service.metrics?.() ?? []),
        listenersOf(feed),
      ],
      health: () => healthOf(services),
      webRoot: options.webRoot ?? WEB_ROOT,
    });
  try {
    return await open(listen.port);
  } catch (error) {
    // Nobody asked for this very port: a second node on the machine takes another one.
    const isDefault = settings.source('api.listen') === 'default';
    if (!isDefault || !(error instanceof AppError) || error.code !== 'ERR_LISTEN') throw error;
    return open(0);
  }
}

function listenersOf(feed: Feed): Metric {
  const help = 'Topics that open dashboards and other clients follow.';
  const value = [[{}, feed.listeners]] as const;
  return { name: 'starling_event_listeners', type: 'gauge', help, value };
}

/** Undefined: plain HTTP, which does for this machine alone. @throws {AppError} ERR_CONFIG without a password. */
async function tlsFor(
  host: string,
  settings: Settings,
  home: string,
): Promise<TlsFiles | undefined> {
  const given = { cert: settings.get('api.tls-cert'), key: settings.get('api.tls-key') };
  if (isLoopback(host) && given.cert === '') return undefined;
  if (!isLoopback(host) && settings.get('api.password') === '') {
    const expected = 'a password for other machines ("starling config set api.password …")';
    throw nodeError('ERR_CONFIG', { what: 'api.listen', expected, got: `${host} without one` });
  }
  return tlsFilesOf(home, given, settings.get('api.hosts'));
}

function healthOf(services: readonly NodeService[]): {
  ok: boolean;
  services: Record<string, { ok: boolean; detail?: string }>;
} {
  const found = services.map(
    (service) => [service.name, service.health?.() ?? { ok: true }] as const,
  );
  return { ok: found.every(([, { ok }]) => ok), services: Object.fromEntries(found) };
}

/** So that commands on the same home find the node. */
function tellWhere(home: string, server: HttpServer, settings: Settings): void {
  const { endpoint, isSecure } = server;
  const [named = 'localhost'] = settings.get('api.hosts');
  // A certificate is for names.
  const url = isSecure ? `https://${named}:${endpoint.port}` : server.url;
  const cert = isSecure ? settings.get('api.tls-cert') || path.join(home, CERT_FILE) : undefined;
  const text = JSON.stringify({ url, cert, pid: process.pid, version: VERSION });
  writeFileAtomic(path.join(home, NODE_FILE), Buffer.from(`${text}\n`), 0o600);
}
