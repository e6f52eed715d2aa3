/**
 * Pieces that are wanted no more while blocks of them are asked for or there.
 *
 * Left as they are, they would hold the memory and the places of pieces that may be open, and with enough of them nothing else could be opened.
 * A piece whose blocks all came is left to its verdict. Not here: what the data plane has of them (`PieceStore.giveUpOpen`).
 * @module
 */
import { cancelAt } from './downloading.ts';
import type { SwarmState, Torrent } from './state.ts';
import { giveUpPiece } from './verdict.ts';

/** Takes the requests for them back and forgets what came. @returns the pieces. */
export function cancelUnwanted(state: SwarmState, torrent: Torrent): number[] {
  const { picker, digesting } = torrent;
  const pieces = picker.openPieces().filter((piece) => {
    return !picker.isWanted(piece) && !picker.isPieceComplete(piece) && !digesting.has(piece);
  });
  for (const piece of pieces) {
    for (const peer of state.peers.values()) {
      for (const block of peer.requests.liveBlocks(piece)) {
        cancelAt(state, torrent, peer, piece, block);
      }
    }
    giveUpPiece(state, torrent, piece);
  }
  return pieces;
}
