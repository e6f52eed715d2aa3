/**
 * `starling privacy`: what is revealed to whom, by which mechanism, and how to stop it; `privacy set` switches one for good.
 * @module
 */
import {
  defaultHome,
  isOffline,
  isPrivacySwitch,
  type Mechanism,
  PRIVACY_SWITCHES,
  privacyPicture,
  setPrivacy,
} from '../../node/api/privacy.ts';
import type { CommandSpec, OptionValues } from '../command.ts';
import { usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';

/** The command. */
export const privacyCommand: CommandSpec = {
  name: 'privacy',
  argument: '[set MECHANISM on|off …]',
  words: ['set'],
  summary: 'show what is revealed to whom; switch mechanisms on or off for good',
  options: { ...COMMON_OPTIONS },
  run: async ([action, name, value, ...rest], options) => {
    if (action === undefined) return show(options);
    if (action !== 'set') throw usageError(`privacy: expected set, got "${action}".`);
    if (rest.length > 0) throw usageError(`privacy set: expected no more, got "${rest[0]}".`);
    return change(options, name, value);
  },
};

function show(options: OptionValues): void {
  const output = outputOf(options);
  const { mechanisms, isOffline: offline } = privacyPicture(defaultHome(), isOffline());
  for (const mechanism of mechanisms) {
    output.event({ type: 'mechanism', ...mechanism, isOffline: offline });
  }
  output.result(mechanisms.map(describe).join('\n'));
  if (offline)
    output.note('STARLING_OFFLINE is set: only loopback and hosts that you name learn anything.');
}

function change(options: OptionValues, name: string | undefined, value: string | undefined): void {
  const known = PRIVACY_SWITCHES.join(', ');
  if (!isPrivacySwitch(name)) {
    throw usageError(`privacy set: expected one of ${known}, got ${quoted(name)}.`);
  }
  if (value !== 'on' && value !== 'off') {
    throw usageError(`privacy set ${name}: expected on or off, got ${quoted(value)}.`);
  }
  const output = outputOf(options);
  const settings = setPrivacy(defaultHome(), name, value === 'on');
  output.event({ type: 'changed', ...settings });
  output.result(`${name} is ${value} now, for every command that begins from here on.`);
}

function quoted(word: string | undefined): string {
  return word === undefined ? 'nothing' : `"${word}"`;
}

function describe({ name, state, reveals, to, when, offBy, ...rest }: Mechanism): string {
  const forGood = rest.switch === undefined ? '' : `, or "starling privacy set ${rest.switch} off"`;
  return [
    `${name}: ${state}`,
    `  reveals  ${reveals.join('; ')}`,
    `  to       ${to}`,
    `  when     ${when}`,
    `  off by   ${offBy}${forGood}`,
  ].join('\n');
}
