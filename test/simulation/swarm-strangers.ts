/**
 * Peers of a crowd that are not honest: some break things, others only want more than they give.
 *
 * Models after the literature: free riders and the large-view exploit (Sirivianos et al., "Free-riding in BitTorrent networks with the large view
 * exploit", IPTPS 2007), strategic peers (Piatek et al., "Do incentives build robustness in BitTorrent?", NSDI 2007), and hiding of pieces.
 * @module
 */
import { MESSAGE_ID } from '../../src/protocol/peer-wire/index.ts';
import type { ChokeRule } from '../../src/protocol/swarm/index.ts';
import type { Stranger } from './swarm-crowd.ts';

/** Swallows every unchoke: nobody can ask it for anything. */
function neverUnchokes(message: Uint8Array): Uint8Array | undefined {
  return message[0] === MESSAGE_ID.unchoke ? undefined : message;
}

/** Shows no piece, ever, and gives nothing. */
function showsNothing(message: Uint8Array): Uint8Array | undefined {
  const id = message[0];
  if (id === MESSAGE_ID.have || id === MESSAGE_ID.unchoke) return undefined;
  if (id === MESSAGE_ID.bitfield || id === MESSAGE_ID.haveAll) {
    return Uint8Array.of(MESSAGE_ID.haveNone);
  }
  return message;
}

/** Claims to have everything. */
function claimsAll(message: Uint8Array): Uint8Array | undefined {
  const id = message[0];
  if (id === MESSAGE_ID.have) return undefined;
  if (id === MESSAGE_ID.bitfield || id === MESSAGE_ID.haveNone) {
    return Uint8Array.of(MESSAGE_ID.haveAll);
  }
  return message;
}

/** Gives to those who return most for a byte, as a strategic client would find out. */
const tyrantRule: ChokeRule = {
  name: 'tyrant',
  rank: ({ downloadBytesPerSec, uploadBytesPerSec }) =>
    downloadBytesPerSec / (uploadBytesPerSec + 2_000),
};

/** Takes, and never gives. */
export const freeRider: Stranger = { name: 'free rider', mischief: { bend: neverUnchokes } };

/** A free rider that knows everybody, for as many optimistic slots as there are. */
export const largeView: Stranger = {
  name: 'large view',
  mischief: { bend: neverUnchokes },
  neighbours: 1_000,
  maxPeers: 1_000,
};

/** A free rider that knows everybody, looks like a beginner for ever, and comes back under another name every two minutes. */
export const fakeBeginner: Stranger = {
  name: 'fake beginner',
  mischief: { bend: showsNothing },
  neighbours: 1_000,
  maxPeers: 1_000,
  returnsEveryMs: 120_000,
};

/** Lives on allowed-fast pieces: is never unchoked as far as it knows, and comes back under another name every twenty seconds. */
export const harvester: Stranger = {
  name: 'harvester',
  mischief: { bend: showsNothing, isDeafTo: MESSAGE_ID.unchoke },
  neighbours: 1_000,
  maxPeers: 1_000,
  returnsEveryMs: 20_000,
};

/** Gives a quarter of its line to those who return most. */
export const strategist: Stranger = {
  name: 'strategist',
  mischief: {},
  choking: { rules: { leech: tyrantRule } },
  uplinkShare: 0.25,
  neighbours: 1_000,
  maxPeers: 1_000,
};

/** Every third block is wrong. */
const vandal: Stranger = { name: 'vandal', mischief: { corruptShare: 0.3 } };
/** Takes requests and never answers. */
const silent: Stranger = { name: 'silent', mischief: { isSilent: true } };
/** Claims all pieces and sends none. */
const boaster: Stranger = { name: 'boaster', mischief: { bend: claimsAll, isSilent: true } };

/** As many hostile peers as wanted, of every kind in turn. */
export function hostileMix(count: number): Stranger[] {
  const kinds = [vandal, silent, boaster, freeRider, fakeBeginner];
  return Array.from({ length: count }, (_, i) => kinds[i % kinds.length]!);
}
