/**
 * The digest of a whole torrent that is on disk, as `sha256sum` would say it: for people who were told it by the one they trust.
 *
 * Spec: docs/protocol/send-transfer.md, "Digest". Pad files and symbolic links are left out; names are those of the torrent, made safe.
 * @module
 */
import { nodeCrypto } from '../io/crypto.ts';
import { equalBytes, toHex } from '../lib/bytes.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import { contentDigest } from '../protocol/send/index.ts';
import { DigestFollower } from './digest-follower.ts';
import { nodeError } from './errors.ts';
import type { TorrentFiles } from './torrent-files.ts';

const EMPTY_DIGEST: Uint8Array = nodeCrypto.sha256(new Uint8Array(0));

/** Reads every file and compares. @throws {AppError} ERR_DIGEST, ERR_FILE; the signal's reason. */
export async function checkDigest(
  disk: DiskPool,
  { original: info, spec }: TorrentFiles,
  expected: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const kept = [...info.files.keys()].filter((index) => {
    const { isPad, symlinkTarget } = info.files[index]!;
    return !isPad && symlinkTarget === undefined;
  });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const follower = new DigestFollower({
    disk,
    storage: spec.id,
    files: kept.map((index) => ({ index, lengthBytes: info.files[index]!.lengthBytes })),
    emptyDigest: EMPTY_DIGEST,
    onFault: (fault) => reject(nodeError('ERR_FILE', fault)),
  });
  try {
    follower.advance(Number.POSITIVE_INFINITY);
    const digests = await Promise.race([follower.digests(), ended]);
    const files = kept.map((index, i) => ({
      path: info.files[index]!.path.slice(1),
      sha256: digests.subarray(i * 32, i * 32 + 32),
    }));
    const digest = contentDigest(files, nodeCrypto);
    if (equalBytes(digest, expected)) return;
    const words = { expected: toHex(expected), got: toHex(digest) };
    const fate = 'it is left where it is and not offered to others';
    throw nodeError('ERR_DIGEST', { name: info.name, ...words, fate });
  } finally {
    follower.close();
    signal.removeEventListener('abort', onAbort);
  }
}
