/**
 * Info-hashes as people see them.
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
