/**
 * Extension messages: the handshake (BEP 10, 21), ut_metadata (BEP 9), ut_pex (BEP 11) and lt_donthave (BEP 54).
 * @module
 */
import {
  decodeExtendedHandshake,
  decodeMetadataMessage,
  encodeMetadataData,
  encodeMetadataReject,
  METADATA_EXTENSION,
  METADATA_PIECE_BYTES,
} from '../../peer-wire/index.ts';
import {
  dialMore,
  OUR_DONT_HAVE_ID,
  OUR_EXCHANGE_ID,
  OUR_METADATA_ID,
  openDoor,
} from '../connecting.ts';
import { RANK_INTERVAL_MS } from '../constants.ts';
import { handleDontHave } from '../lost-pieces.ts';
import type { Peer } from '../peer.ts';
import type { SwarmState } from '../state.ts';

/** The extension handshake; it may come again and only adds. */
export function handleExtendedHandshake(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  payload: Uint8Array,
): string | undefined {
  const decoded = decodeExtendedHandshake(payload);
  if (!decoded.ok) return decoded.message;
  const handshake = decoded.value;
  peer.extensions.apply(handshake.extensions);
  if (handshake.client !== undefined) peer.client = handshake.client;
  if (handshake.reqq !== undefined) peer.pipeline.setPeerReqq(handshake.reqq);
  if (handshake.metadataBytes !== undefined) peer.metadataBytes = handshake.metadataBytes;
  if (handshake.uploadOnly !== undefined) peer.isUploadOnly = handshake.uploadOnly;
  if (handshake.port !== undefined) {
    peer.listenPort = handshake.port;
    openDoor(state, peer, { host: peer.address.host, port: handshake.port });
  }
  const { yourIp } = handshake;
  if (yourIp !== undefined && state.ownAddresses.vote(peer.address.host, yourIp)) {
    state.nextRankMs = Math.max(nowMs, state.lastRankMs + RANK_INTERVAL_MS);
  }
  state.exchange.changed();
  state.metadata?.run(nowMs);
  state.dirty.add(peer);
  return peer.conduct.chatter(nowMs);
}

/** Any other extension message, under the ids that we gave out. */
export function handleExtended(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  id: number,
  payload: Uint8Array,
): string | undefined {
  switch (id) {
    case OUR_METADATA_ID:
      return handleMetadata(state, nowMs, peer, payload);
    case OUR_DONT_HAVE_ID:
      return handleDontHave(state, nowMs, peer, payload);
    case OUR_EXCHANGE_ID: {
      const fault = state.exchange.take(nowMs, peer, payload);
      if (fault === undefined) dialMore(state, nowMs);
      return fault;
    }
    default:
      return peer.conduct.chatter(nowMs);
  }
}

function handleMetadata(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  payload: Uint8Array,
): string | undefined {
  const decoded = decodeMetadataMessage(payload);
  if (!decoded.ok) return decoded.message;
  const message = decoded.value;
  if (message.type === 'request') {
    return serveMetadata(state, peer, message.piece) ? undefined : peer.conduct.refused(nowMs);
  }
  if (message.type === 'data') {
    state.metadata?.take(nowMs, peer, message.piece, message.totalBytes, message.data);
  } else if (message.type === 'reject') state.metadata?.reject(nowMs, peer, message.piece);
  return undefined;
}

/** @returns false when it was rejected. */
function serveMetadata(state: SwarmState, peer: Peer, piece: number): boolean {
  const id = peer.extensions.idOf(METADATA_EXTENSION);
  if (id === undefined) return false;
  const metadata = state.infoToServe;
  const isThere = metadata !== undefined && piece * METADATA_PIECE_BYTES < metadata.length;
  // One whole copy and a half for each connection is plenty: more is a way to make us work.
  const isGreedy = metadata !== undefined && peer.metadataServed > metadata.length * 1.5 + 65_536;
  if (!isThere || isGreedy) peer.out.extended(id, encodeMetadataReject(piece));
  else {
    peer.metadataServed += METADATA_PIECE_BYTES;
    peer.out.extended(id, encodeMetadataData(piece, metadata));
  }
  state.dirty.add(peer);
  return isThere && !isGreedy;
}
