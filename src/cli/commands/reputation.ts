/**
 * `starling reputation`: what this node knows of others from its own dealings with them; with --clear it forgets them.
 * @module
 */
import { type Acquaintance, defaultHome, Reputation } from '../../node/api/reputation.ts';
import { type CommandSpec, type OptionValues, switchOption } from '../command.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';
import { formatBytes } from '../output.ts';

/** The command. */
export const reputationCommand: CommandSpec = {
  name: 'reputation',
  argument: '',
  summary: 'show what this node remembers of other hosts',
  options: { clear: { help: 'forget all of them' }, ...COMMON_OPTIONS },
  run: async (_, options) => show(options),
};

function show(options: OptionValues): void {
  const output = outputOf(options);
  const reputation = new Reputation(defaultHome());
  if (switchOption(options, 'clear')) {
    const count = reputation.list().length;
    reputation.clear();
    output.event({ type: 'cleared', hosts: count });
    output.result(`Forgot ${count} host${count === 1 ? '' : 's'}.`);
    return;
  }
  const hosts = reputation.list();
  for (const host of hosts) output.event({ type: 'host', ...host });
  if (hosts.length === 0) output.result('No dealings with anybody so far.');
  else output.result([row(HEADINGS), ...hosts.map((host) => row(cellsOf(host)))].join('\n'));
}

const HEADINGS = ['Host', 'Standing', 'Gave', 'Took', 'Bad data', 'Broken', 'Met', 'Last'];

function cellsOf(host: Acquaintance): string[] {
  return [
    host.host,
    host.standing.toFixed(2),
    formatBytes(host.receivedBytes),
    formatBytes(host.givenBytes),
    `${host.badData}`,
    `${host.brokenPromises}`,
    `${host.meetings}`,
    new Date(host.lastMetMs).toISOString().slice(0, 16).replace('T', ' '),
  ];
}

function row(cells: readonly string[]): string {
  const [host = '', ...rest] = cells;
  return [host.padEnd(24), ...rest.map((cell) => cell.padStart(10))].join(' ').trimEnd();
}
