/**
 * Manifests of a hostile sender: any bytes; what is accepted writes as it was read, and its names stay below the top.
 * @module
 */
import { equalBytes, fromLatin1 } from '../../src/lib/bytes.ts';
import {
  decodeManifest,
  encodeManifest,
  manifestInfo,
  placeEntries,
} from '../../src/protocol/send/index.ts';

const HASH = new Uint8Array(20);

function fuzz(bytes: Uint8Array): void {
  const decoded = decodeManifest(bytes);
  if (!decoded.ok) return;
  const manifest = decoded.value;
  if (!equalBytes(encodeManifest(manifest), bytes)) throw new Error('expected one form');
  const placed = placeEntries(manifest, 'portable');
  if (!placed.ok) return;
  const seen = new Set<string>();
  for (const path of placed.value.paths) {
    if (path.some((name) => /^\.{0,2}$|[/\\\p{Cc}\u202e]/u.test(name))) {
      throw new Error(`unsafe path ${JSON.stringify(path)}`);
    }
    const folded = path.join('/').normalize('NFC').toLowerCase();
    if (seen.has(folded)) throw new Error(`twice ${folded}`);
    seen.add(folded);
  }
  const info = manifestInfo(manifest, placed.value.paths, HASH);
  let at = 0;
  for (const file of info.files) {
    if (file.offsetBytes !== at) throw new Error(`a gap before ${file.path.join('/')}`);
    at += file.lengthBytes;
  }
  if (info.totalBytes !== at || info.pieceCount > 2 ** 21) throw new Error(`${at} bytes`);
}

const FILE = 'd4:modei420e5:mtimei1700000000123e4:sizei5ee';
const folder = (children: string): string => `d8:childrend${children}e4:modei493e5:mtimei-1ee`;
const manifest = (top: string, kind = '5:files'): Uint8Array =>
  fromLatin1(`d4:kind${kind}4:name3:top3:top${top}7:versioni1ee`);

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'manifest',
  seeds: [
    manifest(FILE),
    manifest(FILE, '4:text'),
    manifest(FILE, '6:stream'),
    manifest(folder('')),
    manifest(folder(`1:A${FILE}1:a${folder(`1:b${FILE}`)}`)),
    manifest(folder(`1:a${folder(`1:b${FILE}1:ld6:targetl1:cee`)}1:c${FILE}`)),
    manifest(folder(`3:\xe6\x97\xa5${FILE}4:a\xe2\x80\xae${FILE}`)),
  ],
  run: fuzz,
};
