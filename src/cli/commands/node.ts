/**
 * `starling node`: runs the node that stays up, with its dashboard.
 * @module
 */
import { Daemon, jsonLine, textLine } from '../../node/api/run-daemon.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { EXIT } from '../exit.ts';
import { outputOf } from '../options.ts';

/** The command. */
export const nodeCommand: CommandSpec = {
  name: 'node',
  argument: '',
  summary: 'run the node that stays up, with its dashboard in the browser',
  options: {
    api: {
      value: 'host:port',
      help: 'address of API and dashboard; default: 127.0.0.1:7070, or a free port',
    },
    listen: { value: 'host:port', help: 'address for peers; default: port 6881, or a free one' },
    bootstrap: { value: 'host:port', isRepeatable: true, help: 'a DHT node to begin with' },
    'no-dht': { help: 'do not take part in the DHT' },
    'no-lsd': { help: 'do not look for peers in the local network' },
    'no-port-mapping': { help: 'do not ask the router to let the port through' },
    gateway: { value: 'ip', help: 'the router to ask; default: the one of the default route' },
    dir: { value: 'dir', help: 'where downloads go' },
    'download-limit': { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
    'upload-limit': { value: 'bytes', help: 'bytes a second at most; 0: no limit' },
    'log-level': { value: 'level', help: 'error, warn, info or debug' },
    set: { value: 'name=value', isRepeatable: true, help: 'any setting of "starling config show"' },
    json: { help: 'print the log and what happens as one JSON object a line' },
    quiet: { help: 'print the address of the dashboard and problems only' },
  },
  run: (_, options) => runNode(options),
};

async function runNode(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const isQuiet = switchOption(options, 'quiet');
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const onSignal = (): void => {
    process.on('SIGINT', () => process.exit(EXIT.interrupted));
    output.note('Stopping …');
    end();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const daemon = await Daemon.open({
    settings: settingsOf(options),
    bootstrap: listOption(options, 'bootstrap'),
    logSink: (line) => {
      if (output.isJson) process.stdout.write(jsonLine(line));
      else if (!isQuiet || line.level === 'error' || line.level === 'warn') {
        process.stderr.write(textLine(line));
      }
    },
    onStop: end,
  });
  try {
    output.event({ type: 'ready', url: daemon.server.url, dashboard: daemon.dashboardUrl });
    output.result(`Dashboard: ${daemon.dashboardUrl}`);
    output.note('Ctrl-C stops the node. What it does is kept, and goes on with the next start.');
    await ended;
  } finally {
    await daemon.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Settings that options of the command stand for. */
function settingsOf(options: OptionValues): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  const texts = {
    api: 'api.listen',
    listen: 'listen',
    gateway: 'gateway',
    dir: 'download-dir',
    'log-level': 'log.level',
  };
  for (const [option, name] of Object.entries(texts)) {
    const value = textOption(options, option);
    if (value !== undefined) settings[name] = value;
  }
  for (const way of ['download', 'upload']) {
    const limit = numberOption(options, `${way}-limit`, 0);
    if (limit !== undefined) settings[`transfers.${way}-limit`] = limit;
  }
  const switches = { 'no-dht': 'dht', 'no-lsd': 'lan', 'no-port-mapping': 'port-mapping' };
  for (const [option, name] of Object.entries(switches)) {
    if (switchOption(options, option)) settings[`discovery.${name}`] = false;
  }
  for (const text of listOption(options, 'set')) {
    const at = text.indexOf('=');
    settings[at < 0 ? text : text.slice(0, at)] = at < 0 ? '' : text.slice(at + 1);
  }
  return settings;
}
