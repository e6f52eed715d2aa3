/**
 * Extension messages: the handshake (BEP 10, 21) and ut_metadata (BEP 9).
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
import { OUR_METADATA_ID } from '../connecting.ts';
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
  if (handshake.port !== undefined) peer.listenPort = handshake.port;
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
  if (id !== OUR_METADATA_ID) return peer.conduct.chatter(nowMs);
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
  const metadata = state.torrent?.info.infoBytes;
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
