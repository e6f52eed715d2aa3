/**
 * `starling status`, `stop`, `logs` and `token`: the running node itself.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine, NodeStatus } from '../../contract/index.ts';
import { type CommandSpec, type OptionValues, switchOption } from '../command.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { NodeClient } from '../node-client.ts';
import { NODE_OUTPUT_OPTIONS, outputOf } from '../options.ts';
import { countOf, formatBytes, formatSeconds } from '../output.ts';

// Implementation limits
/** How long a node may take to end in good order. */
const STOP_MS = 60_000;
/** How often it is looked whether it has. */
const LOOK_MS = 100;

/** `starling status`. */
export const statusCommand: CommandSpec = {
  name: 'status',
  argument: '',
  summary: 'show how the running node does',
  options: NODE_OUTPUT_OPTIONS,
  run: (_, options) => showStatus(options),
};

/** `starling stop`. */
export const stopCommand: CommandSpec = {
  name: 'stop',
  argument: '',
  summary: 'end the running node in good order',
  options: NODE_OUTPUT_OPTIONS,
  run: (_, options) => stopNode(options),
};

/** `starling logs`. */
export const logsCommand: CommandSpec = {
  name: 'logs',
  argument: '',
  summary: 'show the newest lines of the running node’s log',
  options: {
    follow: { short: 'f', help: 'go on with what comes, until Ctrl-C' },
    ...NODE_OUTPUT_OPTIONS,
  },
  run: (_, options) => showLogs(options),
};

/** `starling token`. */
export const tokenCommand: CommandSpec = {
  name: 'token',
  argument: '',
  summary: 'print the token of the running node’s API and the address of its dashboard',
  options: NODE_OUTPUT_OPTIONS,
  run: async (_, options) => {
    const { url, token } = await NodeClient.need();
    const output = outputOf(options);
    output.event({ type: 'token', url, token, dashboard: `${url}/#token=${token}` });
    output.result(token);
    output.note(`Dashboard: ${url}/#token=${token}`);
  },
};

async function showStatus(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const client = await NodeClient.need();
  const status = await client.get<NodeStatus>('/status');
  output.event({ type: 'status', url: client.url, ...status });
  const { torrents } = status;
  const rate = (bytes: number): string => `${formatBytes(bytes)}/s`;
  const limitOf = (bytes: number): string => (bytes === 0 ? '' : ` (at most ${rate(bytes)})`);
  output.result(
    [
      `Starling ${status.version} at ${client.url}, for ${formatSeconds((Date.now() - status.startedAtMs) / 1000)}`,
      `  peers        ${status.connectedPeers} connected, listening on ${status.listen.join(', ')}`,
      `  down         ${rate(status.downloadBytesPerSec)}${limitOf(status.downloadLimitBytesPerSec)}, ${formatBytes(status.downloadedBytes)} since the start`,
      `  up           ${rate(status.uploadBytesPerSec)}${limitOf(status.uploadLimitBytesPerSec)}, ${formatBytes(status.uploadedBytes)} since the start`,
      `  torrents     ${torrents.total}: ${torrents.downloading} downloading, ${torrents.seeding} seeding, ${torrents.queued} queued, ${torrents.paused} paused, ${torrents.checking} checking, ${torrents.error} with errors`,
      `  DHT          ${countOf(status.dhtNodes, 'node')}`,
      `  free         ${status.freeBytes === null ? 'unknown' : formatBytes(status.freeBytes)}`,
      `  home         ${status.home}`,
      ...status.warnings.map((warning) => `  !            ${warning}`),
    ].join('\n'),
  );
}

async function stopNode(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const client = await NodeClient.need();
  await client.post('/stop');
  const endMs = performance.now() + STOP_MS;
  while ((await NodeClient.find()) !== undefined) {
    if (performance.now() > endMs) {
      const message = 'The node was asked to end and still runs: look at "starling logs".';
      throw new CommandEnd(message, { exitCode: EXIT.failed });
    }
    await sleep(LOOK_MS);
  }
  output.event({ type: 'stopped' });
  output.result('The node has ended.');
}

async function showLogs(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const client = await NodeClient.need();
  const show = (line: LogLine): void => {
    output.event({ type: 'log', ...line });
    const { atMs, level, area, message } = line;
    output.result(`${new Date(atMs).toISOString()} ${level.padEnd(5)} ${area}: ${message}`);
  };
  let last = 0;
  const { lines } = await client.get<{ lines: LogLine[] }>('/log');
  for (const line of lines) show(line);
  last = lines.at(-1)?.seq ?? 0;
  if (!switchOption(options, 'follow')) return;
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new CommandEnd('', { exitCode: EXIT.done }));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for await (const { data } of client.events('log', abort.signal)) {
      const rows = Object.values((data['rows'] ?? data['set'] ?? {}) as Record<string, LogLine>);
      for (const line of rows.filter(({ seq }) => seq > last)) show(line);
      last = Math.max(last, ...rows.map(({ seq }) => seq));
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
}
