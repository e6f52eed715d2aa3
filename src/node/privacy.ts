/**
 * A picture of what this program reveals, to whom, by which mechanism; whether it does so with the settings of a home; and how to stop it.
 *
 * It is derived from the same settings that a node reads (privacy-settings.ts) and from the contacts; what depends on a torrent or a command is said in words.
 * Not here: what others find out by watching the line, who run the networks.
 * @module
 */
import { Contacts } from './contacts.ts';
import { type PrivacySettings, type PrivacySwitch, readPrivacy } from './privacy-settings.ts';

/** How a mechanism stands in a home. */
export type MechanismState =
  /** It works whenever a command has use for it. */
  | 'on'
  | 'off'
  /** It cannot be switched off by itself: what it reveals is what the use of a torrent or a contact consists of. */
  | 'always';

/** One way in which others learn something. */
export interface Mechanism {
  readonly name: string;
  readonly state: MechanismState;
  /** What they learn. */
  readonly reveals: readonly string[];
  /** Who they are. */
  readonly to: string;
  /** When it happens. */
  readonly when: string;
  /** The switch that turns it off for good. */
  readonly switch?: PrivacySwitch;
  /** What turns it off, or keeps it small. */
  readonly offBy: string;
}

type Entry = Omit<Mechanism, 'state'>;

/** Everything that reveals something. */
export interface PrivacyPicture {
  readonly mechanisms: readonly Mechanism[];
  /** STARLING_OFFLINE: only hosts that were named are contacted. */
  readonly isOffline: boolean;
}

const TORRENTS = 'share, seed, get, publish, follow';
const PEOPLE = 'send, receive, relay';

const SWITCHED: readonly (Entry & { readonly switch: PrivacySwitch })[] = [
  {
    name: 'dht-node',
    switch: 'dht',
    reveals: ['address and UDP port', 'that a DHT node runs there'],
    to: 'nodes of the DHT: strangers anywhere, who may tell anybody',
    when: `${TORRENTS}, doctor, peers, ${PEOPLE}`,
    offBy: '--no-dht',
  },
  {
    name: 'dht-announces',
    switch: 'dht',
    reveals: ['address and port', 'info-hashes of torrents that are not private'],
    to: 'the nodes nearest to each info-hash, and whoever asks them for it',
    when: `${TORRENTS}; peers and dht peers ask without announcing`,
    offBy: '--no-dht',
  },
  {
    name: 'address-record',
    switch: 'address-record',
    reveals: ['peer id', 'public addresses and ports', 'relays'],
    to: 'whoever knows the peer id, and the nodes of the DHT that keep the record',
    when: 'receive without a code, send --to, relay, --secure; never for torrents or codes alone',
    offBy: 'the switch, also in a program that runs; contacts then need an address from you',
  },
  {
    name: 'lan',
    switch: 'lan',
    reveals: [
      'address and port',
      'info-hashes of torrents that are not private',
      'a hash of the peer id',
      'a hash of a code, of use to nobody without the words',
    ],
    to: 'everybody in the local network',
    when: `${TORRENTS}, peers, ${PEOPLE}; the peer id's hash where the address record is told, too`,
    offBy: '--no-lsd',
  },
  {
    name: 'pex',
    switch: 'pex',
    reveals: ['addresses of peers that are connected', 'by what they tell, your own'],
    to: 'peers of the same torrent, unless it is private',
    when: TORRENTS,
    offBy: '--no-pex',
  },
  {
    name: 'port-mapping',
    switch: 'port-mapping',
    reveals: ['port numbers', 'that Starling runs on this machine'],
    to: 'the router, and whoever in the local network asks it',
    when: `${TORRENTS}, doctor, ${PEOPLE}`,
    offBy: '--no-port-mapping',
  },
];

const UNSWITCHED: readonly Entry[] = [
  {
    name: 'codes',
    reveals: [
      'that somebody sends, and from which address',
      'to who has the words: peer id, addresses, relays, what is offered',
    ],
    to: 'nodes of the DHT that keep the sealed record, the local network, and who has the words',
    when: 'send and receive with a code',
    offBy: '--no-dht and --no-lsd; "receive --peer HOST:PORT" then finds the sender',
  },
  {
    name: 'handshakes',
    reveals: ['peer id'],
    to: 'whoever opens a TLS connection to the listening port',
    when: `${PEOPLE}, --secure`,
    offBy: 'listening where only those can come who may know it: --listen',
  },
  {
    name: 'trackers',
    reveals: ['address and port', 'info-hash', 'amounts that were sent and received'],
    to: 'the trackers that a torrent, a link or you name',
    when: TORRENTS,
    offBy: '--no-discovery, which leaves only peers that you name',
  },
  {
    name: 'web-seeds',
    reveals: ['address', 'which parts of which files are fetched, and when'],
    to: 'the HTTP servers that a torrent, a link or you name',
    when: 'get, follow',
    offBy: '--no-web-seeds',
  },
  {
    name: 'peers',
    reveals: ['address and port', 'info-hash', 'pieces that are here', 'name of this program'],
    to: 'every peer of the same torrent that is met',
    when: TORRENTS,
    offBy: 'not using the torrent; --no-discovery with --peer chooses the peers',
  },
];

/** What a home reveals. @param known and `settings` of a node that runs; default: what the home says. @throws {AppError} ERR_CONFIG, ERR_FILE for settings or contacts that cannot be read. */
export function privacyPicture(
  home: string,
  isOffline: boolean,
  settings: PrivacySettings = readPrivacy(home),
  known: Contacts = new Contacts(home),
): PrivacyPicture {
  const contacts = known.list();
  const used = contacts.filter(({ isRelay }) => isRelay).map(({ name }) => name);
  const served = contacts.filter(({ mayRelay }) => mayRelay).map(({ name }) => name);
  const own: Mechanism[] = [
    {
      name: 'contacts',
      state: contacts.length > 0 ? 'always' : 'off',
      reveals: ['peer id', 'address', 'when you are connected'],
      to: counted(contacts.length, 'contact', 'whom you connect with, and who connect with you'),
      when: 'when a channel to one is opened, by either side',
      offBy: '"starling contacts remove NAME"',
    },
    {
      name: 'relay-use',
      state: used.length > 0 ? 'on' : 'off',
      reveals: ['address', 'both peer ids', 'sizes and times; nothing of what is inside'],
      to: used.length > 0 ? used.join(', ') : 'nobody: no contact is used as a relay',
      when: 'when a peer cannot be reached directly',
      offBy: '"starling contacts relay NAME --use --off"',
    },
    {
      name: 'relay-service',
      state: served.length > 0 ? 'on' : 'off',
      reveals: ['address', 'that you relay'],
      to:
        served.length > 0 ? `${served.join(', ')}, and whoever reaches them through you` : 'nobody',
      when: 'while this node relays for contacts',
      offBy: '"starling contacts relay NAME --serve --off"',
    },
  ];
  const switched = SWITCHED.map((entry): Mechanism => {
    return { ...entry, state: settings[entry.switch] ? 'on' : 'off' };
  });
  const unswitched = UNSWITCHED.map((entry): Mechanism => ({ ...entry, state: 'always' }));
  return { mechanisms: [...switched, ...unswitched, ...own], isOffline };
}

function counted(count: number, what: string, who: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}, ${who}`;
}
