/**
 * `starling contacts`: the identities that this user knows, by names of their own choosing, and what each is allowed.
 * @module
 */
import {
  type Contact,
  Contacts,
  defaultHome,
  fingerprintOfText,
  formatEndpoint,
} from '../../node/api/contacts.ts';
import { type CommandSpec, type OptionValues, switchOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';

type Action = (contacts: Contacts, words: readonly string[], options: OptionValues) => void;

/** Each action, with the words that it takes. */
const ACTIONS: Readonly<Record<string, readonly [words: readonly string[], run: Action]>> = {
  list: [[], list],
  add: [['NAME', 'ID-or-link'], add],
  remove: [['NAME'], remove],
  rename: [['NAME', 'NEW'], rename],
  trust: [['NAME'], trust],
  relay: [['NAME'], relay],
};

/** The command. */
export const contactsCommand: CommandSpec = {
  name: 'contacts',
  argument:
    '[list | add NAME ID-or-link | remove NAME | rename NAME NEW | trust NAME | relay NAME …]',
  words: Object.keys(ACTIONS),
  summary: 'list and change the peers you know, and what each is allowed',
  options: {
    off: { help: 'trust, relay: not any more; relay --off alone: neither --use nor --serve' },
    use: { help: 'relay: it may be a relay for this node' },
    serve: { help: 'relay: this node relays for it' },
    ...COMMON_OPTIONS,
  },
  run: async ([action = 'list', ...words], options) => {
    if (!Object.hasOwn(ACTIONS, action)) {
      const known = Object.keys(ACTIONS).join(', ');
      throw usageError(`contacts: expected one of ${known}, got "${action}".`);
    }
    const [expected, run] = ACTIONS[action]!;
    if (words.length !== expected.length) {
      const wanted = expected.length === 0 ? 'nothing' : expected.join(' and ');
      const got = words.length === 0 ? 'nothing' : words.map((word) => `"${word}"`).join(' ');
      throw usageError(`contacts ${action}: expected ${wanted}, got ${got}.`);
    }
    run(new Contacts(defaultHome()), words, options);
  },
};

function list(contacts: Contacts, _: readonly string[], options: OptionValues): void {
  const output = outputOf(options);
  const all = contacts.list();
  for (const contact of all) output.event({ type: 'contact', ...factsOf(contact) });
  if (all.length > 0) output.result(all.map(describe).join('\n'));
  else output.result('No contacts yet: "starling contacts add NAME ID-or-link" adds one.');
}

function add(contacts: Contacts, [name, idOrCard]: readonly string[], options: OptionValues): void {
  const contact = contacts.add(name!, idOrCard!);
  const says = `Added ${contact.name}. Compare the fingerprint with theirs, by a way that nobody else can change: they see it with "starling id".`;
  tell(options, 'added', contact, `${describe(contact)}\n${says}`);
}

function remove(contacts: Contacts, [name]: readonly string[], options: OptionValues): void {
  const contact = contacts.remove(name!);
  tell(options, 'removed', contact, `Removed ${contact.name}.`);
}

function rename(contacts: Contacts, [name, next]: readonly string[], options: OptionValues): void {
  const contact = contacts.rename(name!, next!);
  tell(options, 'changed', contact, `${contact.peerId} is called ${contact.name} now.`);
}

function trust(contacts: Contacts, [name]: readonly string[], options: OptionValues): void {
  const isTrusted = !switchOption(options, 'off');
  const contact = contacts.setFlags(name!, { isTrusted });
  const says = isTrusted ? 'is accepted without asking' : 'is asked about each time';
  tell(options, 'changed', contact, `What ${contact.name} sends ${says}.`);
}

function relay(contacts: Contacts, [name]: readonly string[], options: OptionValues): void {
  const isOn = !switchOption(options, 'off');
  const [use, serve] = [switchOption(options, 'use'), switchOption(options, 'serve')];
  // --off alone ends both.
  const isBoth = !isOn && !use && !serve;
  const [uses, serves] = [use || isBoth, serve || isBoth];
  if (!uses && !serves) throw usageError('contacts relay: expected --use or --serve, got neither.');
  const contact = contacts.setFlags(name!, {
    ...(uses ? { isRelay: isOn } : {}),
    ...(serves ? { mayRelay: isOn } : {}),
  });
  const lines = [
    ...(uses ? [`${contact.name} is ${isOn ? '' : 'not '}used as a relay.`] : []),
    ...(serves
      ? [
          `This node ${isOn ? 'relays' : 'does not relay'} for ${contact.name}${isOn ? ', while "starling relay" runs' : ''}.`,
        ]
      : []),
  ];
  tell(options, 'changed', contact, lines.join('\n'));
}

function tell(options: OptionValues, type: string, contact: Contact, text: string): void {
  const output = outputOf(options);
  output.event({ type, ...factsOf(contact) });
  output.result(text);
}

function factsOf(contact: Contact): Record<string, unknown> {
  return { ...contact, fingerprint: fingerprintOfText(contact.peerId) };
}

function describe(contact: Contact): string {
  const { name, peerId, addresses, isTrusted, mayRelay, isRelay } = contact;
  const allowed = [
    ...(isTrusted ? ['accepted without asking'] : []),
    ...(mayRelay ? ['this node relays for it'] : []),
    ...(isRelay ? ['used as a relay'] : []),
  ];
  const places = addresses.map(({ host, port, lastMs }) => {
    const when = lastMs === 0 ? 'told' : new Date(lastMs).toISOString().slice(0, 16);
    return `${formatEndpoint({ host, port })} (${when.replace('T', ' ')})`;
  });
  return [
    name,
    `  peer id      ${peerId}`,
    `  fingerprint  ${fingerprintOfText(peerId)}`,
    ...(places.length === 0 ? [] : [`  addresses    ${places.join(', ')}`]),
    ...(allowed.length === 0 ? [] : [`  allowed      ${allowed.join(', ')}`]),
  ].join('\n');
}
