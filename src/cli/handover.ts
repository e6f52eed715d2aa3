/**
 * What `share`, `seed` and `get` do when a node runs on the same home: they hand over to it.
 *
 * Options of a node (where it listens, which ways to peers it uses) are that node's own; a command that needs others runs by itself. What the node has already is no mistake: the command goes on with that.
 * @module
 */
import path from 'node:path';
import type { AddTorrent, ShareLimits, TorrentDetails, TorrentRow } from '../contract/index.ts';
import {
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from './command.ts';
import { wishOf } from './commands/torrents.ts';
import { CommandEnd, EXIT } from './exit.ts';
import { NodeClient, NodeRefusal } from './node-client.ts';
import { formatBar, formatBytes, formatSeconds, type Output } from './output.ts';

/** Options that only a process of its own can follow. */
const OWN = ['listen', 'web', 'gateway'] as const;
/** Switches that the running node decides. */
const NODES = ['no-dht', 'no-lsd', 'no-pex', 'no-port-mapping'] as const;

/** The node to hand over to; undefined: the command runs by itself. @param own switches of the command that a node cannot follow, either. */
export async function nodeToUse(
  options: OptionValues,
  output: Output,
  own: readonly string[] = [],
): Promise<NodeClient | undefined> {
  if (OWN.some((name) => textOption(options, name) !== undefined)) return undefined;
  if (own.some((name) => switchOption(options, name))) return undefined;
  const client = await NodeClient.find();
  if (client === undefined) return undefined;
  const passed = NODES.filter((name) => switchOption(options, name));
  if (passed.length > 0) {
    const names = passed.map((name) => `--${name}`).join(', ');
    output.note(`${names}: the running node has its own settings; see "starling config show".`);
  }
  return client;
}

/** Shares paths by the node, tells their links, and returns. */
export async function shareByNode(
  client: NodeClient,
  paths: readonly string[],
  options: OptionValues,
  output: Output,
): Promise<void> {
  for (const target of paths) {
    const wish = {
      path: path.resolve(target),
      trackers: [...listOption(options, 'tracker')],
      webSeeds: [...listOption(options, 'web-seed')],
      ...(switchOption(options, 'secure') ? { contacts: [...listOption(options, 'peer')] } : {}),
    };
    tellSeeding(output, await addedOrThere(client, '/shares', wish, output));
  }
  output.note('The running node seeds from now on; "starling list" shows it.');
}

/** Lets the node seed a torrent whose files are here, and returns. */
export async function seedByNode(
  client: NodeClient,
  text: string,
  options: OptionValues,
  output: Output,
): Promise<void> {
  const wish: AddTorrent = {
    ...wishOf(text),
    mode: 'seed',
    isPaused: false,
    dir: path.resolve(textOption(options, 'dir')!),
    peers: [...listOption(options, 'peer')],
    usesDiscovery: !switchOption(options, 'no-discovery'),
    ...limitsOf(options),
  };
  tellSeeding(output, await addedOrThere(client, '/torrents', wish, output));
  output.note('The running node seeds from now on; "starling list" shows it.');
}

/** What the node makes of a wish, or has of it since earlier: that goes on if it was paused. @throws {CommandEnd} when it is in another folder than the one that is wished. */
async function addedOrThere(
  client: NodeClient,
  where: '/shares' | '/torrents',
  wish: AddTorrent | Readonly<Record<string, unknown>>,
  output: Output,
): Promise<TorrentDetails> {
  try {
    return await client.post<TorrentDetails>(where, wish);
  } catch (error) {
    const id = error instanceof NodeRefusal ? error.problem.torrent : undefined;
    if (id === undefined) throw error;
    const there = await client.get<TorrentDetails>(`/torrents/${id}`).catch(() => undefined);
    if (there === undefined) throw error;
    const dir = 'path' in wish ? path.dirname(String(wish['path'])) : wish.dir;
    if (dir !== undefined && dir !== there.dir) {
      throw failed(
        `The node has ${there.name} already, in ${there.dir}, and ${dir} was expected: leave it there, or "starling remove ${id.slice(0, 10)}" first.`,
      );
    }
    output.note(`The node has ${there.name} already.`);
    if (there.state === 'paused')
      await client.post('/torrents/actions', { action: 'resume', ids: [id] });
    return there;
  }
}

function tellSeeding(output: Output, { id, name, magnet, infoHashV1, infoHashV2 }: TorrentDetails) {
  output.event({ type: 'seeding', id, name, magnet, infoHashV1, infoHashV2, isByNode: true });
  output.result(magnet);
}

/** Downloads by the node, and returns when it is complete. */
export async function getByNode(
  client: NodeClient,
  text: string,
  options: OptionValues,
  output: Output,
  shareLimits?: ShareLimits,
): Promise<void> {
  const dir = path.resolve(textOption(options, 'dir') ?? '.');
  const sha256 = textOption(options, 'sha256');
  const startedMs = performance.now();
  const wish = {
    isPaused: false,
    ...wishOf(text),
    dir,
    peers: [...listOption(options, 'peer')],
    select: [...listOption(options, 'select')],
    webSeeds: [...listOption(options, 'web-seed')],
    isSequential: switchOption(options, 'sequential'),
    usesDiscovery: !switchOption(options, 'no-discovery'),
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
    ...limitsOf(options),
    ...(shareLimits === undefined ? {} : { shareLimits }),
  } satisfies AddTorrent;
  const added = await addedOrThere(client, '/torrents', wish, output);
  output.event({ type: 'added', id: added.id, name: added.name });
  const row = await untilComplete(client, added.id, output);
  const seconds = (performance.now() - startedMs) / 1000;
  const { name, wantedBytes: bytes } = row;
  output.lastEvent({ type: 'summary', name, bytes, seconds, id: added.id, isByNode: true });
  output.result(
    `${name}: ${formatBytes(bytes)} in ${formatSeconds(seconds)}, in ${dir}; the node seeds it.`,
  );
}

function limitsOf(options: OptionValues): Partial<AddTorrent> {
  const down = numberOption(options, 'download-limit', 0);
  const up = numberOption(options, 'upload-limit', 0);
  return {
    ...(down === undefined ? {} : { downloadLimitBytesPerSec: down }),
    ...(up === undefined ? {} : { uploadLimitBytesPerSec: up }),
  };
}

/** Follows one torrent. @throws {CommandEnd} when it fails, is removed, or the command is interrupted. */
async function untilComplete(client: NodeClient, id: string, output: Output): Promise<TorrentRow> {
  const abort = new AbortController();
  const message = 'Interrupted; the running node goes on. "starling list" shows how it does.';
  const onSignal = (): void => abort.abort(new CommandEnd(message, { exitCode: EXIT.interrupted }));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    let row: TorrentRow | undefined;
    for await (const { type, data } of client.events(`torrent:${id}`, abort.signal)) {
      if (type === 'gone') throw failed('It was removed from the node.');
      const rows = (data['rows'] ?? data['set']) as { details?: Partial<TorrentRow> };
      row = { ...row, ...rows.details } as TorrentRow;
      if (row.error !== null) throw failed(row.error);
      if (row.state === 'seeding' || (row.progress === 1 && row.completedAtMs !== null)) return row;
      show(output, row);
    }
    throw failed('The node ended. Start it again with "starling node", and it goes on.');
  } finally {
    abort.abort();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function failed(message: string): CommandEnd {
  return new CommandEnd(message, { exitCode: EXIT.failed });
}

function show(output: Output, row: TorrentRow): void {
  const { progress, state, downloadBytesPerSec, etaSeconds, connectedPeers } = row;
  output.event({ type: 'progress', state, progress, downloadBytesPerSec, peers: connectedPeers });
  output.status((columns) => {
    const left = etaSeconds === null ? '–' : formatSeconds(etaSeconds);
    const words = `${(progress * 100).toFixed(1)} %  ${formatBytes(downloadBytesPerSec)}/s  ${left}  ${connectedPeers} peers  ${state}`;
    return `${formatBar(progress, Math.max(10, columns - words.length - 4))} ${words}`;
  });
}
