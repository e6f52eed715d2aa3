/**
 * The addresses that peers see us at, by their vote: BEP 40 ranks a connection by them, and nobody alone may say what they are.
 *
 * One vote for each network (/24, IPv6 /64) and kind of address; the last one counts. A peer's word is taken for addresses of its own kind only:
 * what a neighbour in a private network sees says nothing about what the Internet sees.
 * Bounds: MAX_VOTES votes for each of the eight kinds, the oldest are forgotten first.
 * @module
 */
import { fromHex, toHex } from '../../lib/bytes.ts';
import { addressScope, parseIp } from '../../lib/ip-address.ts';

// Implementation limits
/** Votes remembered for each kind of address. */
const MAX_VOTES = 32;

interface Votes {
  /** Network of the voter → address in hex. */
  readonly byNetwork: Map<string, string>;
  winner: string | undefined;
  ip: Uint8Array | undefined;
}

/** What our addresses are taken for. */
export class OwnAddresses {
  readonly #kinds = new Map<string, Votes>();

  /** A peer told where it sees us (BEP 10 `yourip`). @returns true when this changed what an address of ours is taken for. */
  vote(voterHost: string, seenAt: Uint8Array): boolean {
    const voter = parseIp(voterHost);
    if (voter === undefined || kindOf(voter) !== kindOf(seenAt)) return false;
    const votes = this.#of(kindOf(voter));
    const network = toHex(voter.subarray(0, voter.length === 4 ? 3 : 8));
    votes.byNetwork.delete(network);
    votes.byNetwork.set(network, toHex(seenAt));
    for (const oldest of votes.byNetwork.keys()) {
      if (votes.byNetwork.size <= MAX_VOTES) break;
      votes.byNetwork.delete(oldest);
    }
    const winner = mostVoted(votes);
    if (winner === votes.winner) return false;
    votes.winner = winner;
    votes.ip = fromHex(winner);
    return true;
  }

  /** What a peer at this address is taken to see us at; undefined while nobody said. */
  seenBy(ip: Uint8Array): Uint8Array | undefined {
    return this.#kinds.get(kindOf(ip))?.ip;
  }

  #of(kind: string): Votes {
    let votes = this.#kinds.get(kind);
    if (votes === undefined) {
      votes = { byNetwork: new Map(), winner: undefined, ip: undefined };
      this.#kinds.set(kind, votes);
    }
    return votes;
  }
}

function kindOf(ip: Uint8Array): string {
  return `${ip.length} ${addressScope(ip)}`;
}

/** The address with most votes; of several the one that won before, else the one with the older vote. */
function mostVoted(votes: Votes): string {
  const counts = new Map<string, number>();
  for (const address of votes.byNetwork.values()) {
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  let best = votes.winner ?? '';
  let most = counts.get(best) ?? 0;
  for (const [address, count] of counts) {
    if (count <= most) continue;
    best = address;
    most = count;
  }
  return best;
}
