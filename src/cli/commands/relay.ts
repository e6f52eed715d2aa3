/**
 * `starling relay`: passes sealed bytes on for contacts who cannot reach each other.
 * @module
 */
import { formatEndpoint } from '../../node/api/contacts.ts';
import { cardLink } from '../../node/api/identity.ts';
import { openPersonalChannels, type RelayStatus } from '../../node/api/send.ts';
import { type CommandSpec, numberOption, type OptionValues, switchOption } from '../command.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import { formatBytes } from '../output.ts';
import { passphraseInEnv } from '../passphrase.ts';
import { waitUntil, withPeerNode } from '../session.ts';

// Implementation limits
/** How often the picture is told. */
const TELL_MS = 10_000;

/** The command. */
export const relayCommand: CommandSpec = {
  name: 'relay',
  argument: '',
  summary: 'pass sealed bytes on for contacts who cannot reach each other',
  options: {
    'all-contacts': {
      help: 'serve every contact; default: those of "starling contacts relay NAME --serve"',
    },
    'bytes-per-day': { value: 'bytes', help: 'of one peer within a day; default: 20 GiB' },
    ...NODE_OPTIONS,
  },
  run: (_, options) => relay(options),
};

async function relay(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const bytesPerPeerPerDay = numberOption(options, 'bytes-per-day', 1);
  const servesAll = switchOption(options, 'all-contacts');
  const goOn = (): string => 'Stopped.';
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const passphrase = passphraseInEnv();
    const personal = openPersonalChannels(node, { passphrase, isFindable: true, isRelay: true });
    const { channels, contacts } = personal;
    const server = node.serveAsRelay({
      serves: (peerId) => {
        const contact = contacts.byPeerId(peerId);
        return contact !== undefined && (servesAll || contact.mayRelay);
      },
      ...(bytesPerPeerPerDay === undefined ? {} : { bytesPerPeerPerDay }),
    });
    const addresses = node.dialableEndpoints.slice(0, 8).map(formatEndpoint);
    const link = cardLink(channels.peerId, { addresses, relays: [] });
    output.event({ type: 'relaying', peer: channels.peerId, addresses, link });
    output.result(
      `Relaying as ${channels.peerId} at ${addresses.join(', ')}\nA contact adds it by: starling contacts add NAME '${link}', then starling contacts relay NAME --use`,
    );
    const timer = setInterval(() => {
      output.event({ type: 'status', ...server.status });
      output.status(() => inWords(server.status));
    }, TELL_MS);
    try {
      await waitUntil(signal, () => false);
    } finally {
      clearInterval(timer);
      personal.close();
    }
  });
}

function inWords({ reservations, connections, passedBytes }: RelayStatus): string {
  return `${reservations} peer(s) can be reached, ${connections} connection(s), ${formatBytes(passedBytes)} passed on`;
}
