/**
 * `starling tracker`: peers find each other through this machine, until interrupted.
 * @module
 */
import { readAllowList, TrackerServer } from '../../node/api/tracker.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
  type OptionValues,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';

/** The command. */
export const trackerCommand: CommandSpec = {
  name: 'tracker',
  argument: '',
  summary: 'run a tracker, through which peers find each other',
  options: {
    listen: { value: 'host:port', help: 'for TCP and UDP; default: port 6969 of all addresses' },
    interval: { value: 'seconds', help: 'between announces of a peer; default 1800' },
    allow: {
      value: 'file',
      help: 'serve only the info-hashes of this file; SIGHUP reads it again',
    },
    key: { value: 'key', isRepeatable: true, help: 'serve only /KEY/announce' },
    ...COMMON_OPTIONS,
  },
  run: async (_, options) => run(options),
};

async function run(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const allow = textOption(options, 'allow');
  const listen = textOption(options, 'listen');
  const intervalSec = numberOption(options, 'interval', 1);
  const keys = listOption(options, 'key');
  const server = new TrackerServer({
    ...(listen === undefined ? {} : { listen }),
    ...(intervalSec === undefined ? {} : { intervalSec }),
    ...(allow === undefined ? {} : { allowed: await readAllowList(allow) }),
    keys,
    onProblem: (message) => output.problem(message),
  });
  const { promise: interrupted, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(EXIT.interrupted);
    isStopping = true;
    resolve();
  };
  const onHangUp = (): void => {
    if (allow === undefined) return;
    readAllowList(allow).then(
      (allowed) => {
        server.setAllowed(allowed);
        output.event({ type: 'allowed', torrents: allowed.length });
        output.note(`Read ${allow} again: ${allowed.length} torrents.`);
      },
      (error: Error) => output.problem(`${error.message} The list before stays in force.`),
    );
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onHangUp);
  await server.start();
  try {
    const { listening } = server.health();
    const urls = server.urls(keys[0]);
    output.event({ type: 'tracking', listen: listening, urls });
    output.result(urls.join('\n'));
    output.note(`Tracking on ${listening.join(', ')}, TCP and UDP; Ctrl-C stops.`);
    output.note(`Numbers: ${server.statsUrl}, for Prometheus at /metrics`);
    await interrupted;
    output.note('Stopping …');
  } finally {
    await server.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onHangUp);
  }
  const message = 'Stopped. Peers come back by themselves when it runs again.';
  throw new CommandEnd(message, { exitCode: EXIT.interrupted });
}
