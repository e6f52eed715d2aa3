/**
 * Publications: a mutable item whose value names the newest torrent of its owner.
 * Spec: BEP 46. Not here: links (src/protocol/metainfo), when to look and to put again.
 * @module
 */
import { decodeDict, encode } from '../bencode/index.ts';
import { ID_BYTES } from './constants.ts';
import type { DhtItem } from './item.ts';

/** The value of an item that names a torrent. @param infoHash 20 bytes; of v2 the first 20. */
export function publicationValue(infoHash: Uint8Array): Uint8Array {
  return encode({ ih: infoHash });
}

/** The torrent that an item names, 20 bytes; undefined when it names none. */
export function publishedInfoHash({ value }: DhtItem): Uint8Array | undefined {
  const decoded = decodeDict(value);
  const infoHash = decoded.ok ? decoded.value.bytes('ih') : undefined;
  return infoHash?.length === ID_BYTES ? infoHash.slice() : undefined;
}
