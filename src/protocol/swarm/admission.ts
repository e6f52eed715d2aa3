/**
 * Who is let in, and who has to go for it.
 *
 * One peer id has one connection; of two made at the same time both ends keep the one that the larger id dialled. Incoming connections fill at most
 * INCOMING_SHARE of the table, one address and one network have their limits (`network-limits.ts`). When the table is full, a newcomer of higher
 * canonical priority (BEP 40) takes the place of the least one that is of no use at this moment: so all that an attacker can fill by connecting often
 * is the share of the priorities that its addresses happen to have.
 * @module
 */
import { compareBytes, equalBytes } from '../../lib/bytes.ts';
import { parseIp } from '../../lib/ip-address.ts';
import { INCOMING_SHARE } from './constants.ts';
import type { Peer } from './peer.ts';
import { hostKeyOf } from './peer-list.ts';
import { peerPriority } from './peer-priority.ts';
import type { SwarmState } from './state.ts';
import type { ConnectedPeer, PeerAddress } from './types.ts';

/** What becomes of a newcomer: why it is refused, or which connection gives way to it. */
export interface Admission {
  readonly refusal?: string;
  /** The same peer on another connection, when the newcomer is refused for it. */
  readonly twin?: Peer;
  readonly closes?: readonly { readonly peer: Peer; readonly reason: string }[];
}

/** Reason of a connection that ends for one of higher priority. */
export const GAVE_WAY = 'gave way to a peer of higher priority';

/** The canonical priority of a connection with this address; undefined while we don't know our own. */
export function priorityOf(state: SwarmState, address: PeerAddress): number | undefined {
  const ip = parseIp(address.host);
  const ownIp = ip === undefined ? undefined : state.ownAddresses.seenBy(ip);
  if (ip === undefined || ownIp === undefined) return undefined;
  const own = { ip: ownIp, port: state.options.listenPort ?? 0 };
  return peerPriority(own, { ip, port: address.port });
}

/** True when an incoming connection from here may be answered: it could have a place, and its host behaved so far. */
export function admits(state: SwarmState, nowMs: number, address: PeerAddress): boolean {
  if (state.list.isBanned(address) || state.shunned.isShunned(nowMs, hostKeyOf(address))) {
    return false;
  }
  if (state.limits.refusal(address.host) !== undefined) return false;
  return hasRoom(state, true) || whoGivesWay(state, nowMs, address, true) !== undefined;
}

/** Judges a connection whose handshakes were exchanged. */
export function judgeNewcomer(
  state: SwarmState,
  nowMs: number,
  connected: ConnectedPeer,
): Admission {
  const refusal = refusalOf(state, nowMs, connected);
  if (refusal !== undefined) return { refusal };
  const closes: { peer: Peer; reason: string }[] = [];
  const twin = findTwin(state, connected.peerId);
  if (twin !== undefined) {
    if (keepsTwin(state, connected, twin)) return { refusal: 'connected already', twin };
    closes.push({ peer: twin, reason: 'connected twice' });
    // The place of the twin is free for it, whatever the limits say.
    return { closes };
  }
  const crowded = state.limits.refusal(connected.address.host);
  if (crowded !== undefined) return { refusal: crowded };
  // Web seeds are few and were named by the torrent: a full table of peers does not keep them out.
  if (connected.isWebSeed === true || hasRoom(state, connected.isIncoming)) return {};
  const last = whoGivesWay(state, nowMs, connected.address, connected.isIncoming);
  if (last === undefined) return { refusal: 'too many connections' };
  return { closes: [{ peer: last, reason: GAVE_WAY }] };
}

function refusalOf(state: SwarmState, nowMs: number, connected: ConnectedPeer): string | undefined {
  const isForgotten = connected.dial !== undefined && !state.list.isDialling(connected.dial);
  if (isForgotten) return 'its address was forgotten meanwhile';
  if (state.list.isBanned(connected.address, connected.peerId)) return 'banned';
  const host = hostKeyOf(connected.address);
  if (state.shunned.isShunned(nowMs, host)) return 'misbehaved not long ago';
  if (connected.isIncoming && !state.shunned.arrive(nowMs, host)) return 'comes and goes too often';
  return equalBytes(connected.peerId, state.options.peerId) ? 'connected to itself' : undefined;
}

function findTwin(state: SwarmState, peerId: Uint8Array): Peer | undefined {
  for (const other of state.peers.values()) if (equalBytes(other.peerId, peerId)) return other;
  return undefined;
}

function keepsTwin(state: SwarmState, connected: ConnectedPeer, twin: Peer): boolean {
  if (twin.isIncoming === connected.isIncoming) return true;
  const weAreLarger = compareBytes(state.options.peerId, connected.peerId) > 0;
  return weAreLarger !== !connected.isIncoming;
}

/** Connections that incoming ones may fill; at least one. */
function incomingRoom(state: SwarmState): number {
  return Math.ceil(state.maxPeers * INCOMING_SHARE);
}

function hasRoom(state: SwarmState, isIncoming: boolean): boolean {
  if (state.peers.size >= state.maxPeers) return false;
  return !isIncoming || state.incomingCount < incomingRoom(state);
}

/** The connection that a newcomer takes the place of: useless, and of the least priority, which is less than its own. */
function whoGivesWay(
  state: SwarmState,
  nowMs: number,
  address: PeerAddress,
  isIncoming: boolean,
): Peer | undefined {
  const priority = priorityOf(state, address);
  if (priority === undefined) return undefined;
  const onlyIncoming = isIncoming && state.incomingCount >= incomingRoom(state);
  let last: Peer | undefined;
  let least = priority;
  for (const peer of state.peers.values()) {
    if ((onlyIncoming && !peer.isIncoming) || !isUseless(state, nowMs, peer)) continue;
    const own = priorityOf(state, peer.listenAddress ?? peer.address) ?? 0;
    if (own >= least) continue;
    last = peer;
    least = own;
  }
  return last;
}

/** Nothing goes either way and nothing is about to; whom a person named stays. */
function isUseless(state: SwarmState, nowMs: number, peer: Peer): boolean {
  if (peer.dial !== undefined && state.list.isGiven(peer.dial)) return false;
  const isGiving = peer.requests.liveCount > 0 && !peer.pipeline.isSnubbed;
  const isTaking = peer.uploads.length > 0 || (!peer.amChoking && peer.peerInterested);
  if (isGiving || isTaking) return false;
  return peer.pipeline.bytesPerSec(nowMs) === 0 && peer.uploadMeter.bytesPerSec(nowMs) === 0;
}
