/**
 * Connections coming and going: what is said first, who is dialled, what a parting peer leaves behind. Who is let in: `admission.ts`.
 *
 * One peer through many doors is one peer: an address that led to a peer that is connected already, or where it says that it listens, is not dialled
 * while it is; one that led to ourselves never again.
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import { parseIp } from '../../lib/ip-address.ts';
import {
  allowedFastSet,
  DONT_HAVE_EXTENSION,
  EXTENDED_HANDSHAKE_ID,
  encodeExtendedHandshake,
  METADATA_EXTENSION,
  PEX_EXTENSION,
  PEX_FLAG,
} from '../peer-wire/index.ts';
import { GAVE_WAY, judgeNewcomer } from './admission.ts';
import {
  CROWDED_WAIT_MS,
  MAX_DOORS,
  MAX_HALF_OPEN,
  MAX_QUEUED_UPLOADS,
  PEER_TIMEOUT_MS,
  REFUSALS_PER_PROMISE,
} from './constants.ts';
import { Peer } from './peer.ts';
import { addressKeyOf } from './peer-list.ts';
import { forgetHashRequests, releaseRequests } from './releasing.ts';
import type { SwarmState, Torrent } from './state.ts';
import { forgetGuest, hideFrom } from './super-seeding.ts';
import type { ConnectedPeer, PeerAddress, PeerOrigin, PeerRecord, ProvenPeer } from './types.ts';
import { fillSlots, shownBytes } from './uploading.ts';

/** The ids under which peers send us ut_metadata, ut_pex and lt_donthave. */
export const OUR_METADATA_ID = 1;
export const OUR_EXCHANGE_ID = 2;
export const OUR_DONT_HAVE_ID = 3;

/** Reasons of ours to close a connection to a peer that is still good for others. */
const STILL_GOOD: ReadonlySet<string> = new Set([GAVE_WAY, 'both only upload', 'connected twice']);

/** Adopts a connection whose handshakes were exchanged, or closes it. */
export function adoptPeer(state: SwarmState, nowMs: number, connected: ConnectedPeer): void {
  if (connected.dial !== undefined) endDial(state, connected.dial);
  const source = originOf(state, connected);
  const { refusal, twin, closes = [] } = judgeNewcomer(state, nowMs, connected);
  if (refusal !== undefined) {
    refuse(state, nowMs, connected, refusal, twin);
    return;
  }
  const doors: PeerAddress[] = [];
  for (const { peer: other, reason } of closes) {
    if (equalBytes(other.peerId, connected.peerId)) doors.push(...other.doors, ...dialled(other));
    closePeer(state, nowMs, other, reason);
  }
  const peer = new Peer(nowMs, connected, speaksV2(state, connected), source);
  state.peers.set(peer.id, peer);
  state.limits.enter(peer.address.host);
  if (peer.isIncoming) state.incomingCount += 1;
  state.torrent?.smartBan.arrive(peer.id);
  if (connected.dial !== undefined) state.list.connected(connected.dial);
  for (const address of doors) openDoor(state, peer, address);
  state.exchange.changed();
  sendFirst(state, peer);
  state.dirty.add(peer);
  state.emit({ type: 'peer-connected', id: peer.id, address: peer.address, source });
}

function originOf({ list }: SwarmState, { dial, isWebSeed }: ConnectedPeer): PeerOrigin {
  if (isWebSeed === true) return 'web-seed';
  return (dial === undefined ? undefined : list.dialled(dial)?.source) ?? 'incoming';
}

function refuse(
  state: SwarmState,
  nowMs: number,
  connected: ConnectedPeer,
  reason: string,
  twin: Peer | undefined,
): void {
  const { id, dial, address } = connected;
  state.outputs.push({ type: 'close', id, reason });
  if (dial === undefined) return;
  if (equalBytes(connected.peerId, state.options.peerId)) {
    // No failure to tell of: the DHT and trackers name us, too.
    state.list.markOwn(address);
    state.list.closed(nowMs, dial, 0, false);
    return;
  }
  // Such a peer is still good for others (BEP 11, "Filling underpopulated lists").
  const isOtherFamily = twin !== undefined && isV6(twin.address) !== isV6(address);
  if (isOtherFamily || reason === 'too many connections') {
    state.exchange.remember({ ...address, flags: PEX_FLAG.reachable });
  }
  if (twin !== undefined) openDoor(state, twin, address);
  failDial(state, nowMs, dial, reason);
}

/** A dial came to nothing, or to a connection that we did not want. */
export function failDial(state: SwarmState, nowMs: number, dial: number, reason: string): void {
  const dialled = state.list.dialled(dial);
  state.list.closed(nowMs, dial, 0, false);
  if (dialled !== undefined) state.emit({ type: 'dial-failed', ...dialled, reason });
}

function isV6({ host }: PeerAddress): boolean {
  return host.includes(':');
}

function dialled(peer: Peer): PeerAddress[] {
  return peer.dial === undefined ? [] : [peer.address];
}

/** An address leads to a peer that is connected: it is not dialled meanwhile. */
export function openDoor(state: SwarmState, peer: Peer, address: PeerAddress): void {
  const isSame = (other: PeerAddress): boolean =>
    other.host === address.host && other.port === address.port;
  if (peer.doors.length >= MAX_DOORS || peer.doors.some(isSame)) return;
  if (dialled(peer).some(isSame)) return;
  peer.doors.push(address);
  state.list.cover(address);
}

/** A dial failed or became a connection: it no longer counts as under way. */
export function endDial(state: SwarmState, dial: number): void {
  const host = state.dialHosts.get(dial);
  if (host === undefined) return;
  state.dialHosts.delete(dial);
  state.limits.leave(host);
}

/** BEP 52 "Upgrade Path": the v2 hash on the connection, or our answer with it to a peer that set the bit. */
function speaksV2(state: SwarmState, connected: ConnectedPeer): boolean {
  if (connected.isWebSeed === true) return false;
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
  const { dhtPort } = state.options;
  if (peer.capabilities.dht && dhtPort !== undefined && !state.isPrivate) peer.out.port(dhtPort);
  if (extension) sendExtendedHandshake(state, peer);
}

/** Tells our extensions; again when completeness changes (BEP 21) or the metadata became known. */
export function sendExtendedHandshake(state: SwarmState, peer: Peer): void {
  const { infoToServe, options } = state;
  const address = parseIp(peer.address.host);
  peer.out.extended(
    EXTENDED_HANDSHAKE_ID,
    encodeExtendedHandshake({
      extensions: ourExtensions(state, peer),
      client: options.clientName,
      reqq: MAX_QUEUED_UPLOADS,
      uploadOnly: state.isComplete && state.superSeeding === undefined,
      ...(options.listenPort === undefined ? {} : { port: options.listenPort }),
      ...(infoToServe === undefined ? {} : { metadataBytes: infoToServe.length }),
      ...(address === undefined ? {} : { yourIp: address }),
    }),
  );
  state.dirty.add(peer);
}

function ourExtensions(state: SwarmState, peer: Peer): Map<string, number> {
  const extensions = new Map([[DONT_HAVE_EXTENSION, OUR_DONT_HAVE_ID]]);
  if (state.options.usesMetadataExchange !== false) {
    extensions.set(METADATA_EXTENSION, OUR_METADATA_ID);
  }
  if (state.exchange.isOn) extensions.set(PEX_EXTENSION, OUR_EXCHANGE_ID);
  // A magnet's metadata may say that the torrent is private: the offer is taken back (BEP 10: an id of 0).
  else if (peer.isOfferedExchange) extensions.set(PEX_EXTENSION, 0);
  peer.isOfferedExchange = state.exchange.isOn;
  return extensions;
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

/** What a connection came to. */
function recordOf(state: SwarmState, peer: Peer): PeerRecord {
  const { torrent } = state;
  const { pieceCount = 0, pieceLengthBytes = 0 } = torrent?.info ?? {};
  const grown = Math.max(0, peer.shownPieces(pieceCount) - peer.firstShown) * pieceLengthBytes;
  return {
    verifiedBytes: peer.verifiedBytes,
    confirmedBytes: Math.min(grown, peer.uploadMeter.totalBytes),
    brokenPromises: peer.snubs + Math.floor(peer.refusals / REFUSALS_PER_PROMISE),
  };
}

/** Forgets a connection that ended. */
export function dropPeer(state: SwarmState, nowMs: number, peer: Peer, reason: string): void {
  state.peers.delete(peer.id);
  state.limits.leave(peer.address.host);
  if (peer.isIncoming) state.incomingCount -= 1;
  state.exchange.forget(peer, STILL_GOOD.has(reason));
  for (const address of peer.doors) state.list.uncover(nowMs, address);
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
    const movedBytes = peer.pipeline.totalBytes + peer.uploadMeter.totalBytes;
    state.list.closed(nowMs, peer.dial, movedBytes, peer.isSeed);
  }
  const downloadedBytes = peer.pipeline.totalBytes;
  const { id, address } = peer;
  const record = recordOf(state, peer);
  state.emit({ type: 'peer-closed', id, address, reason, downloadedBytes, record });
  if (!peer.amChoking) fillSlots(state, nowMs);
}

/** Dials while there is room and somebody to dial. */
export function dialMore(state: SwarmState, nowMs: number): void {
  if (nowMs >= state.nextRankMs) {
    state.nextRankMs = Number.POSITIVE_INFINITY;
    state.lastRankMs = nowMs;
    state.list.rank();
  }
  state.nextDialMs = Number.POSITIVE_INFINITY;
  if (!state.isDialling) return;
  while (state.list.diallingCount < MAX_HALF_OPEN && state.peers.size < state.maxPeers) {
    const chosen = state.list.take(nowMs, state.isComplete);
    if (chosen === undefined) {
      state.nextDialMs = state.list.nextDueMs(state.isComplete);
      return;
    }
    const { dial, address } = chosen;
    if (state.limits.refusal(address.host) !== undefined) {
      state.list.postpone(dial, nowMs + CROWDED_WAIT_MS);
      continue;
    }
    state.limits.enter(address.host);
    state.dialHosts.set(dial, address.host);
    state.outputs.push({ type: 'dial', ...chosen });
  }
}

/** Listening addresses of peers that were met, the most useful first. */
export function provenPeers(state: SwarmState): ProvenPeer[] {
  const found = new Map<string, ProvenPeer>();
  for (const peer of state.list.proven()) found.set(addressKeyOf(peer), peer);
  for (const peer of state.peers.values()) {
    const address = peer.listenAddress;
    if (address === undefined || peer.isWebSeed) continue;
    const before = found.get(addressKeyOf(address))?.movedBytes ?? 0;
    const movedBytes = before + peer.pipeline.totalBytes + peer.uploadMeter.totalBytes;
    found.set(addressKeyOf(address), { ...address, movedBytes });
  }
  return [...found.values()].sort((a, b) => b.movedBytes - a.movedBytes);
}

/** BEP 27: the torrent is private, so what peers, the DHT and local discovery told is forgotten, and whoever was found that way left. */
export function forgetRumours(state: SwarmState, nowMs: number): void {
  const dials = new Set(state.list.forgetOpen());
  for (const peer of [...state.peers.values()]) {
    if (peer.dial === undefined || !dials.has(peer.dial)) continue;
    closePeer(state, nowMs, peer, 'not known from a tracker, as a private torrent demands');
  }
  state.isPrivate = true;
  state.exchange.clear();
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
