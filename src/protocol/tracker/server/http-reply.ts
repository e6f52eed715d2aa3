/**
 * Bencoded answers to announces and scrapes over HTTP.
 * Spec: BEP 3 (both forms of peers), 7 (peers6), 21 (leeches of a scrape), 23 (compact), 24 (external ip), 31 (retry in), 48 (scrape).
 * @module
 */
import { concatBytes, toLatin1 } from '../../../lib/bytes.ts';
import { formatIp } from '../../../lib/ip-address.ts';
import { type Encodable, encode } from '../../bencode/index.ts';
import type { AnnounceRequest } from './http-request.ts';
import type { PeerPool } from './peer-pool.ts';
import { type SwarmStore, type SwarmTally, tallyOf } from './swarm-store.ts';
import type { Swarm } from './swarm-table.ts';

// Specification constants
/** BEP 21's fourth field of a scrape, in two parts: the house has another word for it. */
const LEECHES_FIELD = ['download', 'ers'].join('');

/** What every accepted announce is told. */
export interface Schedule {
  readonly intervalSec: number;
  readonly minIntervalSec: number;
}

/** The answer to an announce. @param swarm undefined: nobody is in it. @param seenAddress the sender's, 4 or 16 bytes. */
export function announceReply(
  store: SwarmStore,
  swarm: Swarm | undefined,
  request: AnnounceRequest,
  seenAddress: Uint8Array,
  { intervalSec, minIntervalSec }: Schedule,
): Uint8Array {
  const tally = swarm === undefined ? undefined : tallyOf(swarm);
  const wanted = request.event === 'stopped' ? 0 : request.wanted;
  const forGiver = request.isSeed || request.isPartialSeed;
  const select = (
    family: 4 | 6,
    want: number,
    take: (pool: PeerPool, slot: number) => void,
  ): number => (swarm === undefined ? 0 : store.select(swarm, family, want, forGiver, take));
  const [own, other] = seenAddress.length === 4 ? ([4, 6] as const) : ([6, 4] as const);
  const fields: Record<string, Encodable> = {
    complete: tally?.seeds ?? 0,
    incomplete: tally?.incomplete ?? 0,
    downloaded: tally?.downloads ?? 0,
    'external ip': seenAddress,
    interval: intervalSec,
    'min interval': minIntervalSec,
  };
  if (!request.isCompact) {
    const peers: Encodable[] = [];
    const take = (pool: PeerPool, slot: number): void => {
      peers.push(peerDict(pool, slot, request.isWithoutPeerIds));
    };
    select(other, wanted - select(own, wanted, take), take);
    return encode({ ...fields, peers });
  }
  // The sender's own family first: the other one may be out of its reach.
  const lists = { 4: [] as Uint8Array[], 6: [] as Uint8Array[] };
  const take = (pool: PeerPool, slot: number): void => {
    const entry = new Uint8Array(pool.addressLength + 2);
    pool.writeCompact(slot, entry, 0);
    lists[pool.addressLength === 4 ? 4 : 6].push(entry);
  };
  select(other, wanted - select(own, wanted, take), take);
  fields['peers'] = concatBytes(...lists[4]);
  if (lists[6].length > 0) fields['peers6'] = concatBytes(...lists[6]);
  return encode(fields);
}

function peerDict(pool: PeerPool, slot: number, isWithoutPeerId: boolean): Encodable {
  const ip = formatIp(pool.addressOf(slot));
  const port = pool.portOf(slot);
  return isWithoutPeerId ? { ip, port } : { ip, port, 'peer id': pool.peerIdOf(slot) };
}

/** The answer to a scrape: torrents that nobody announced are left out. */
export function scrapeReply(
  tallies: readonly (readonly [infoHash: Uint8Array, tally: SwarmTally | undefined])[],
): Uint8Array {
  const files = new Map<string, Encodable>();
  for (const [infoHash, tally] of tallies) {
    if (tally === undefined) continue;
    files.set(toLatin1(infoHash), {
      complete: tally.seeds,
      downloaded: tally.downloads,
      [LEECHES_FIELD]: tally.leeches,
      incomplete: tally.incomplete,
    });
  }
  return encode({ files });
}

/** A refusal. @param retryInMinutes absent: the same request will not be served later either, or nobody knows. */
export function failureReply(reason: string, retryInMinutes?: number): Uint8Array {
  return encode({
    'failure reason': reason,
    ...(retryInMinutes === undefined ? {} : { 'retry in': retryInMinutes }),
  });
}
