/**
 * `starling config`: shows settings with where each comes from, and changes them, by the running node or without one.
 * @module
 */
import path from 'node:path';
import type { Setting } from '../../contract/index.ts';
import type { Settings } from '../../node/api/settings.ts';
import { defaultHome } from '../../node/config.ts';
import { type CommandSpec, type OptionValues, switchOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { NodeClient } from '../node-client.ts';
import { outputOf } from '../options.ts';

/** The command. */
export const configCommand: CommandSpec = {
  name: 'config',
  argument: '[show | set | unset | path]',
  words: ['show', 'set', 'unset', 'path'],
  most: 3,
  summary: 'show settings and where each comes from, or change one',
  options: {
    changed: { help: 'show only those that are not as by default' },
    json: { help: 'print one JSON object a line on stdout' },
    quiet: { help: 'print results and problems only' },
  },
  run: ([action = 'show', name, value], options) => {
    if (action === 'show') return show(name, options);
    if (action === 'path') return showPath(options);
    if (action === 'set' && name !== undefined && value !== undefined) {
      return change({ [name]: value }, options);
    }
    if (action === 'unset' && name !== undefined) return change({ [name]: null }, options);
    throw usageError(
      `config: expected show, set NAME VALUE, unset NAME or path, got "${[action, name, value].filter((word) => word !== undefined).join(' ')}".`,
    );
  },
};

async function show(area: string | undefined, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const settings = await withSettings(
    async (client) => (await client.get<{ settings: Setting[] }>('/settings')).settings,
    async (own) => own.describe(),
  );
  const meant = settings.filter(
    ({ name, area: of }) => area === undefined || name === area || of === area,
  );
  if (meant.length === 0) {
    const areas = [...new Set(settings.map(({ area: of }) => of))].join(', ');
    throw usageError(
      `config show: expected the name of a setting, or an area (${areas}), got "${area}".`,
    );
  }
  for (const setting of meant) {
    if (switchOption(options, 'changed') && setting.source === 'default') continue;
    output.event({ ...setting, settingType: setting.type, type: 'setting' });
    const { name, value, source, help, isLive, unit } = setting;
    const shown = `${JSON.stringify(value)}${unit === null ? '' : ` ${unit}`}`;
    const when = isLive ? '' : ' Counts with the next start.';
    output.result(`${name.padEnd(28)} ${shown}  (${source})\n    ${help}${when}`);
  }
}

async function change(entries: Record<string, unknown>, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const settings = await withSettings(
    async (client) => (await client.patch<{ settings: Setting[] }>('/settings', entries)).settings,
    async (own) => {
      await own.change(entries);
      return own.describe();
    },
  );
  for (const { name, value, source, isLive } of settings) {
    if (!Object.hasOwn(entries, name)) continue;
    output.event({ type: 'changed', name, value, source });
    const when = isLive ? '' : '; it counts with the next start of the node';
    output.result(`${name} is ${JSON.stringify(value)} (${source})${when}.`);
  }
}

async function showPath(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const file = path.join(defaultHome(), 'config.json');
  output.event({ type: 'path', file });
  output.result(file);
}

/** By the running node, or with the database of the home. */
async function withSettings<T>(
  byNode: (client: NodeClient) => Promise<T>,
  alone: (settings: Settings) => Promise<T>,
): Promise<T> {
  const client = await NodeClient.find();
  if (client !== undefined) return await byNode(client);
  const { openSettings } = await import('../../node/api/settings.ts');
  await using opened = await openSettings(defaultHome());
  return await alone(opened.settings);
}
