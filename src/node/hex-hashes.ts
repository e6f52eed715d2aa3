/**
 * Info-hashes as people see them, and as swarms are known by.
 * @module
 */
import { toHex } from '../lib/bytes.ts';
import type { InfoHashes } from './torrent-types.ts';

/** Lower-case hex of what there is. */
export function hexHashes(hashes: InfoHashes): { infoHashV1?: string; infoHashV2?: string } {
  const { infoHashV1, infoHashV2 } = hashes;
  return {
    ...(infoHashV1 === undefined ? {} : { infoHashV1: toHex(infoHashV1) }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2: toHex(infoHashV2) }),
  };
}

/** Under which a torrent is announced, 20 bytes each: a hybrid has two swarms, and of v2 the first bytes count (BEP 52). */
export function swarmHashes({ infoHashV1, infoHashV2 }: InfoHashes): Uint8Array[] {
  return [infoHashV1, infoHashV2?.subarray(0, 20)].filter((hash) => hash !== undefined);
}
