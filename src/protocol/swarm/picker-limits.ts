/**
 * Numbers of the piece picker.
 * @module
 */

// Implementation limits

/** Most pieces of a torrent. */
export const MAX_PIECES = 2_097_152;
/** Peers are numbered below this. */
export const MAX_PEER_NUMBER = 65_536;
/** Pieces taken at random before rarest first begins: a newcomer needs something to trade soon, and rare pieces come slowly. */
export const RANDOM_FIRST_PIECES = 4;
/** Random tries to find a first piece that the peer has. */
export const RANDOM_TRIES = 8;
/** A bitfield with more than one in this many pieces is cheaper to count in bulk than piece by piece. */
export const BULK_SHARE = 4;
/** A peer with fewer than one in this many pieces is searched through its own bitfield. */
export const SPARSE_SHARE = 64;

/** Priority of a piece nobody spoke about; 0 is unwanted, 7 comes first. */
export const DEFAULT_PRIORITY = 4;
