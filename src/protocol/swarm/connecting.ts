/**
 * Connections coming and going: who is let in, what is said first, who is dialled, what a parting peer leaves behind.
 *
 * One peer id has one connection; of two made at the same time both ends keep the one that the larger id dialled.
 * @module
 */
import { compareBytes, equalBytes } from '../../lib/bytes.ts';
import { parseIp } from '../../lib/ip-address.ts';
import {
  allowedFastSet,
  EXTENDED_HANDSHAKE_ID,
  encodeExtendedHandshake,
  METADATA_EXTENSION,
} from '../peer-wire/index.ts';
import { MAX_HALF_OPEN, MAX_QUEUED_UPLOADS, PEER_TIMEOUT_MS } from './constants.ts';
import { Peer } from './peer.ts';
import { hostKeyOf } from './peer-list.ts';
import { forgetHashRequests, releaseRequests } from './releasing.ts';
import type { SwarmState, Torrent } from './state.ts';
import { forgetGuest, hideFrom } from './super-seeding.ts';
import type { ConnectedPeer, PeerAddress } from './types.ts';
import { fillSlots, shownBytes } from './uploading.ts';

/** The id under which peers send us ut_metadata. */
export const OUR_METADATA_ID = 1;

/** True when an incoming connection from here may be answered: there is room, and its host behaved so far. */
export function admits(state: SwarmState, nowMs: number, address: PeerAddress): boolean {
  const host = hostKeyOf(address);
  return (
    state.peers.size < state.maxPeers &&
    !state.list.isBanned(address) &&
    !state.shunned.isShunned(nowMs, host)
  );
}

/** Adopts a connection whose handshakes were exchanged, or closes it. */
export function adoptPeer(state: SwarmState, nowMs: number, connected: ConnectedPeer): void {
  const refusal = refusalOf(state, nowMs, connected);
  if (refusal !== undefined) {
    state.outputs.push({ type: 'close', id: connected.id, reason: refusal });
    if (connected.dial !== undefined) state.list.closed(nowMs, connected.dial, false, false);
    return;
  }
  const peer = new Peer(nowMs, connected, speaksV2(state, connected));
  state.peers.set(peer.id, peer);
  state.torrent?.smartBan.arrive(peer.id);
  if (connected.dial !== undefined) state.list.connected(connected.dial);
  sendFirst(state, peer);
  state.dirty.add(peer);
  state.emit({ type: 'peer-connected', id: peer.id, address: peer.address });
}

function refusalOf(state: SwarmState, nowMs: number, connected: ConnectedPeer): string | undefined {
  const isForgotten = connected.dial !== undefined && !state.list.isDialling(connected.dial);
  if (isForgotten) return 'its address was forgotten meanwhile';
  if (state.list.isBanned(connected.address, connected.peerId)) return 'banned';
  const host = hostKeyOf(connected.address);
  if (state.shunned.isShunned(nowMs, host)) return 'misbehaved not long ago';
  if (connected.isIncoming && !state.shunned.arrive(nowMs, host)) return 'comes and goes too often';
  if (equalBytes(connected.peerId, state.options.peerId)) return 'connected to itself';
  for (const other of state.peers.values()) {
    if (!equalBytes(other.peerId, connected.peerId)) continue;
    if (keepsOther(state, connected, other)) return 'connected already';
    closePeer(state, nowMs, other, 'connected twice');
    break;
  }
  return state.peers.size >= state.maxPeers ? 'too many connections' : undefined;
}

function keepsOther(state: SwarmState, connected: ConnectedPeer, other: Peer): boolean {
  if (other.isIncoming === connected.isIncoming) return true;
  const weAreLarger = compareBytes(state.options.peerId, connected.peerId) > 0;
  return weAreLarger !== !connected.isIncoming;
}

/** BEP 52 "Upgrade Path": the v2 hash on the connection, or our answer with it to a peer that set the bit. */
function speaksV2(state: SwarmState, connected: ConnectedPeer): boolean {
  // A magnet may have named one of a hybrid's hashes; the metadata tells the other.
  const { infoHashV1, infoHashV2 } = state.torrent?.info ?? state.options;
  if (infoHashV2 === undefined) return false;
  if (equalBytes(connected.infoHash, infoHashV2.subarray(0, 20))) return true;
  const hasBit = (connected.reserved[7]! & 0x10) !== 0;
  return connected.isIncoming && hasBit && infoHashV1 !== undefined;
}

/** Bitfield and extension handshake: the first things said. */
function sendFirst(state: SwarmState, peer: Peer): void {
  const { torrent } = state;
  const { fast, extension } = peer.capabilities;
  if (state.superSeeding !== undefined) hideFrom(state, peer);
  if (torrent === undefined || torrent.have.count === 0 || !peer.isToldAll) {
    if (fast) peer.out.haveNone();
  } else if (fast && torrent.have.isFull) peer.out.haveAll();
  else peer.out.bitfield(torrent.have.bytes);
  if (extension) sendExtendedHandshake(state, peer);
}

/** Tells our extensions; again when completeness changes (BEP 21) or the metadata became known. */
export function sendExtendedHandshake(state: SwarmState, peer: Peer): void {
  const { torrent, options } = state;
  const address = parseIp(peer.address.host);
  peer.out.extended(
    EXTENDED_HANDSHAKE_ID,
    encodeExtendedHandshake({
      extensions: new Map([[METADATA_EXTENSION, OUR_METADATA_ID]]),
      client: options.clientName,
      reqq: MAX_QUEUED_UPLOADS,
      uploadOnly: state.isComplete && state.superSeeding === undefined,
      ...(options.listenPort === undefined ? {} : { port: options.listenPort }),
      ...(torrent === undefined ? {} : { metadataBytes: torrent.info.infoBytes.length }),
      ...(address === undefined ? {} : { yourIp: address }),
    }),
  );
  state.dirty.add(peer);
}

/** Offers a newcomer its allowed-fast pieces (BEP 6), once what it has is known. */
export function offerAllowedFast(state: SwarmState, torrent: Torrent, peer: Peer): void {
  if (!peer.capabilities.fast || peer.has === undefined || peer.has === 'seed') return;
  if (!peer.isToldAll) return;
  if (peer.has.count >= 10 || peer.allowedFastTo.size > 0) return;
  const address = parseIp(peer.address.host);
  const hash = torrent.info.infoHashV1 ?? torrent.info.infoHashV2?.subarray(0, 20);
  if (address?.length !== 4 || hash === undefined) return;
  for (const piece of allowedFastSet(state.crypto, address, hash, torrent.info.pieceCount)) {
    peer.allowedFastTo.add(piece);
    if (torrent.have.has(piece) && !peer.has.has(piece)) peer.out.allowedFast(piece);
  }
  state.dirty.add(peer);
}

/** Closes a connection from our side. */
export function closePeer(state: SwarmState, nowMs: number, peer: Peer, reason: string): void {
  if (!state.peers.has(peer.id)) return;
  state.outputs.push({ type: 'close', id: peer.id, reason });
  dropPeer(state, nowMs, peer, reason);
}

/** Forgets a connection that ended. */
export function dropPeer(state: SwarmState, nowMs: number, peer: Peer, reason: string): void {
  state.peers.delete(peer.id);
  state.dirty.delete(peer);
  state.hungry.delete(peer);
  state.lapsed.delete(peer);
  state.held.delete(peer);
  forgetGuest(state, peer);
  if (state.torrent !== undefined) {
    state.torrent.ledger.show(peer.hostKey, shownBytes(state.torrent, peer));
    state.torrent.ledger.leave(peer.hostKey, peer.pipeline.totalBytes);
  }
  releaseRequests(state, peer, false);
  state.choker.remove(peer.id);
  state.metadata?.forget(peer);
  forgetHashRequests(state, peer);
  if (peer.pipeline.totalBytes > 0) {
    const { id, address, peerId } = peer;
    state.torrent?.smartBan.depart({ id, address, peerId });
  }
  const picker = state.torrent?.picker;
  if (picker !== undefined) {
    if (peer.has === 'seed') picker.removeSeed();
    else if (peer.has !== undefined) picker.removeBitfield(peer.has);
    picker.forgetPeer(peer.id);
  }
  if (peer.dial !== undefined) {
    const wasUseful = peer.pipeline.totalBytes > 0 || peer.uploadMeter.totalBytes > 0;
    state.list.closed(nowMs, peer.dial, wasUseful, peer.isSeed);
  }
  const downloadedBytes = peer.pipeline.totalBytes;
  state.emit({ type: 'peer-closed', id: peer.id, address: peer.address, reason, downloadedBytes });
  if (!peer.amChoking) fillSlots(state, nowMs);
}

/** Dials while there is room and somebody to dial. */
export function dialMore(state: SwarmState, nowMs: number): void {
  state.nextDialMs = Number.POSITIVE_INFINITY;
  if (!state.isDialling) return;
  while (
    state.list.diallingCount - connectedDials(state) < MAX_HALF_OPEN &&
    state.peers.size < state.maxPeers
  ) {
    const chosen = state.list.take(nowMs, state.isComplete);
    if (chosen === undefined) {
      state.nextDialMs = state.list.nextDueMs(state.isComplete);
      return;
    }
    state.outputs.push({ type: 'dial', ...chosen });
  }
}

function connectedDials(state: SwarmState): number {
  let count = 0;
  for (const peer of state.peers.values()) if (peer.dial !== undefined) count += 1;
  return count;
}

/** Closes connections that are dead, or of no use to either end. */
export function weedPeers(state: SwarmState, nowMs: number): void {
  for (const peer of [...state.peers.values()]) {
    if (nowMs - peer.lastReceivedMs > PEER_TIMEOUT_MS) {
      closePeer(state, nowMs, peer, 'silent for too long');
    } else if (state.isComplete && !peer.peerInterested && (peer.isSeed || peer.isUploadOnly)) {
      // Two that only upload have nothing for each other (BEP 21); give its last messages a moment.
      if (nowMs - peer.connectedAtMs > 2_000) closePeer(state, nowMs, peer, 'both only upload');
    }
  }
}
