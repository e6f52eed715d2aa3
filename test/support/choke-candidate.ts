/**
 * Peers as a choker sees them.
 * @module
 */
import type { ChokeCandidate } from '../../src/protocol/swarm/choke-rules.ts';

/** An interested stranger that has waited for ever. */
export function candidate(peer: number, change: Partial<ChokeCandidate> = {}): ChokeCandidate {
  return {
    peer,
    isInterested: true,
    isUploadOnly: false,
    isSnubbed: false,
    isOverfed: false,
    downloadBytesPerSec: 0,
    uploadBytesPerSec: 0,
    connectedAtMs: -1e9,
    waitingSinceMs: -1e9,
    unchokedAtMs: undefined,
    progress: 0,
    standing: 0,
    ...change,
  };
}
