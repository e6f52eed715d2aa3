/** BEP 3, "bencoding", "metainfo files", "info dictionary": one test for each sentence that a parser or creator can obey or break. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import {
  BencodeDict,
  decode,
  type Encodable,
  encode,
  raw,
} from '../../src/protocol/bencode/index.ts';
import { type Info, PieceLayout, parseMetainfo } from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';

function decoded(text: string): unknown {
  const result = decode(fromLatin1(text));
  return result.ok ? result.value : result.code;
}

function parse(info: Encodable, around: Record<string, Encodable> = {}): string | Info {
  const result = parseMetainfo(encode({ info, ...around }), nodeCrypto);
  return result.ok ? result.value.info : result.code;
}

function info(value: string | Info): Info {
  assert.ok(typeof value !== 'string', String(value));
  return value;
}

const single = { name: 'n', 'piece length': 16_384, length: 20_000, pieces: new Uint8Array(40) };
const { length: _, ...multi } = {
  ...single,
  files: [
    { length: 3, path: ['dir', 'file.ext'] },
    { length: 16_382, path: ['b'] },
  ],
};

test('"Strings are length-prefixed base ten followed by a colon and the string. For example 4:spam corresponds to \'spam\'."', () => {
  assert.deepEqual(decoded('4:spam'), fromLatin1('spam'));
  assert.equal(toLatin1(encode('spam')), '4:spam');
});

test("\"Integers are represented by an 'i' followed by the number in base 10 followed by an 'e'. For example i3e corresponds to 3 and i-3e corresponds to -3.\"", () => {
  assert.equal(decoded('i3e'), 3);
  assert.equal(decoded('i-3e'), -3);
  assert.equal(toLatin1(encode([3, -3])), 'li3ei-3ee');
});

test('"Integers have no size limitation."', () => {
  assert.equal(decoded('i123456789012345678901234567890e'), 123456789012345678901234567890n);
});

test('"i-0e is invalid. All encodings with a leading zero, such as i03e, are invalid, other than i0e, which of course corresponds to 0."', () => {
  assert.equal(decoded('i-0e'), 'ERR_BENCODE_INTEGER');
  assert.equal(decoded('i03e'), 'ERR_BENCODE_INTEGER');
  assert.equal(decoded('i0e'), 0);
});

test("\"Lists are encoded as an 'l' followed by their elements (also bencoded) followed by an 'e'. For example l4:spam4:eggse corresponds to ['spam', 'eggs'].\"", () => {
  assert.deepEqual(decoded('l4:spam4:eggse'), ['spam', 'eggs'].map(fromLatin1));
  assert.equal(toLatin1(encode(['spam', 'eggs'])), 'l4:spam4:eggse');
});

test("\"Dictionaries are encoded as a 'd' followed by a list of alternating keys and their corresponding values followed by an 'e'.\"", () => {
  const dict = decoded('d3:cow3:moo4:spam4:eggse');
  assert.ok(dict instanceof BencodeDict);
  assert.deepEqual([...dict.keys()], ['cow', 'spam']);
  assert.equal(dict.text('spam'), 'eggs');
  assert.equal(toLatin1(encode({ spam: ['a', 'b'] })), 'd4:spaml1:a1:bee');
});

test('"Keys must be strings and appear in sorted order (sorted as raw strings, not alphanumerics)."', () => {
  assert.equal(decoded('di1ei2ee'), 'ERR_BENCODE_SYNTAX');
  const unsorted = decode(fromLatin1('d1:bi1e1:ai2ee'), { requireSortedKeys: true });
  assert.equal(unsorted.ok, false);
  assert.equal(
    toLatin1(encode({ a10: 1, a9: 2, B: 3, é: 4 })),
    'd1:Bi3e3:a10i1e2:a9i2e2:\xc3\xa9i4ee',
  );
});

test('"announce: The URL of the tracker."', () => {
  const result = parseMetainfo(encode({ announce: 'http://t/a', info: single }), nodeCrypto);
  assert.deepEqual(result.ok && result.value.trackers, [['http://t/a']]);
});

test('"All strings in a .torrent file that contains text must be UTF-8 encoded."', () => {
  assert.equal(info(parse({ ...single, name: 'é' })).name, 'é');
  assert.equal(info(parse({ ...single, name: Uint8Array.of(0x61, 0xff) })).name, 'a_');
});

test('"The name key maps to a UTF-8 encoded string which is the suggested name to save the file (or directory) as. It is purely advisory."', () => {
  assert.deepEqual(info(parse(single)).files[0]!.path, ['n']);
  assert.deepEqual(info(parse({ ...multi, name: '../x' })).files[1]!.path, ['..x', 'b']);
});

test('"All pieces are the same length except for the last one which may be truncated."', () => {
  const layout = new PieceLayout(info(parse(single)));
  assert.deepEqual([layout.pieceBytes(0), layout.pieceBytes(1)], [16_384, 3616]);
});

test('"pieces maps to a string whose length is a multiple of 20."', () => {
  assert.equal(parse({ ...single, pieces: new Uint8Array(39) }), 'ERR_METAINFO_PIECES');
});

test('"It is to be subdivided into strings of length 20, each of which is the SHA1 hash of the piece at the corresponding index."', () => {
  const pieces = Uint8Array.from({ length: 40 }, (_byte, i) => i);
  const layout = new PieceLayout(info(parse({ ...single, pieces })));
  assert.deepEqual(layout.expectedV1(1), pieces.subarray(20));
});

test('"There is also a key length or a key files, but not both or neither."', () => {
  assert.equal(info(parse(single)).isSingleFile, true);
  assert.equal(info(parse(multi)).isSingleFile, false);
  const { name, pieces } = single;
  assert.equal(parse({ name, pieces, 'piece length': 16_384 }), 'ERR_METAINFO_LENGTH');
});

test('"For the purposes of the other keys, the multi-file case is treated as only having a single file by concatenating the files in the order they appear in the files list."', () => {
  const torrent = info(parse({ ...multi, pieces: new Uint8Array(40) }));
  assert.deepEqual(
    torrent.files.map((file) => file.offsetBytes),
    [0, 3],
  );
  assert.deepEqual(
    new PieceLayout(torrent).segments(0).map((segment) => [segment.fileIndex, segment.lengthBytes]),
    [
      [0, 3],
      [1, 16_381],
    ],
  );
});

test('"path: A list of UTF-8 encoded strings corresponding to subdirectory names, the last of which is the actual file name (a zero length list is an error case)."', () => {
  assert.deepEqual(info(parse(multi)).files[0]!.path, ['n', 'dir', 'file.ext']);
  assert.equal(parse({ ...multi, files: [{ length: 20_000, path: [] }] }), 'ERR_METAINFO_PATH');
});

test('"The info-hash must be the hash of the encoded form as found in the .torrent file."', () => {
  const found =
    'd7:unknown1:x4:name1:n12:piece lengthi16384e6:lengthi1e6:pieces20:aaaaaaaaaaaaaaaaaaaae';
  const torrent = info(parse(raw(fromLatin1(found))));
  assert.deepEqual(torrent.infoHashV1, nodeCrypto.sha1(fromLatin1(found)));
});
