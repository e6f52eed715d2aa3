/**
 * `starling id`: the peer id of this installation; `id export` and `id import` move its key to another one.
 *
 * A passphrase comes from STARLING_PASSPHRASE, never from the command line, where everybody on the machine could read it.
 * @module
 */
import {
  Contacts,
  cardLink,
  defaultHome,
  expectNoIdentity,
  fingerprintOfText,
  identityFile,
  openIdentity,
  relayHintOf,
  saveIdentity,
  showIdentity,
} from '../../node/api/identity.ts';
import { type CommandSpec, listOption, type OptionValues, textOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';
import { PASSPHRASE_VARIABLE, passphraseInEnv } from '../passphrase.ts';

/** The command. */
export const idCommand: CommandSpec = {
  name: 'id',
  argument: '[export FILE | import FILE …]',
  words: ['export', 'import'],
  summary: 'show the peer id of this installation; move its key',
  options: {
    name: { value: 'name', help: 'a name for the link' },
    address: { value: 'ip:port', isRepeatable: true, help: 'an address for the link' },
    relay: { value: 'contact', isRepeatable: true, help: 'a relay for the link, of your contacts' },
    ...COMMON_OPTIONS,
  },
  run: async ([action, file, ...rest], options) => {
    if (rest.length > 0) throw usageError(`id: expected one file, got also "${rest[0]}".`);
    if (action === undefined) show(options);
    else if (action !== 'export' && action !== 'import') {
      throw usageError(`id: expected export or import, got "${action}".`);
    } else if (file === undefined) throw usageError(`id ${action}: expected a file, got nothing.`);
    else if (action === 'export') copy(options, identityFile(defaultHome()), file);
    else copy(options, file, identityFile(defaultHome()));
  },
};

function show(options: OptionValues): void {
  const output = outputOf(options);
  const file = identityFile(defaultHome());
  const { peerId, isSealed } = showIdentity(file, passphraseInEnv());
  const fingerprint = fingerprintOfText(peerId);
  const link = linkOf(peerId, options);
  output.event({ peerId, type: 'identity', isSealed, file, fingerprint, link });
  output.result(`${peerId}\nfingerprint  ${fingerprint}\nlink         ${link}`);
  if (!isSealed)
    output.note(
      `Its key lies unsealed in ${file}; with ${PASSPHRASE_VARIABLE} set, a new one is sealed.`,
    );
}

/** Nothing is told of where this node is but what its user says. */
function linkOf(peerId: string, options: OptionValues): string {
  const name = textOption(options, 'name');
  const contacts = new Contacts(defaultHome());
  return cardLink(peerId, {
    addresses: listOption(options, 'address'),
    relays: listOption(options, 'relay').map((each) => relayHintOf(contacts.find(each))),
    ...(name === undefined ? {} : { name }),
  });
}

/** Opens one and writes it anew, sealed when there is a passphrase. */
function copy(options: OptionValues, from: string, to: string): void {
  const output = outputOf(options);
  // Before a passphrase is tried, which takes its time.
  expectNoIdentity(to);
  const { seed } = openIdentity(from, passphraseInEnv());
  const { peerId } = saveIdentity(to, seed, passphraseInEnv());
  output.event({ peerId, type: 'saved', file: to, isSealed: passphraseInEnv() !== '' });
  output.result(
    `${peerId}\nSaved in ${to}${passphraseInEnv() === '' ? ', unsealed: keep it where nobody else reads it' : ''}.`,
  );
}
