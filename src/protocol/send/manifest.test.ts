/**
 * Manifests: what is written is read again, what an honest sender cannot have written is refused, names never lead out of the folder.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { fromHex, fromLatin1, toHex } from '../../lib/bytes.ts';
import { type Encodable, encode } from '../bencode/index.ts';
import { VERSION_TRAITS } from '../metainfo/index.ts';
import {
  contentDigest,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type ManifestEntry,
  manifestInfo,
  placeEntries,
  transferHash,
} from './index.ts';
import { transferPieceBytes } from './manifest-info.ts';

interface Vector {
  readonly manifest: Manifest;
  readonly bytes: string;
  readonly nonce: string;
  readonly hash: string;
  readonly contents: Readonly<Record<string, string>>;
  readonly digest: string;
}

const FILE = { mode: 0o644, mtime: 1_700_000_000_123, size: 5 };
const FOLDER = { mode: 0o755, mtime: 0 };

function bytesOf(top: Encodable, more: Readonly<Record<string, Encodable>> = {}): Uint8Array {
  return encode({ kind: 'files', name: 'top', top, version: 1, ...more });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** The code of the fault, or 'ok'. */
function codeOf(bytes: Uint8Array): string {
  const decoded = decodeManifest(bytes);
  return decoded.ok ? 'ok' : decoded.code;
}

function folder(children: Readonly<Record<string, Encodable>> | Map<string, Encodable>): Encodable {
  return { ...FOLDER, children };
}

const nameOf = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');

/** Trees of any shape, their entries in depth-first order. */
const manifests: fc.Arbitrary<Manifest> = fc
  .letrec<{ folder: Tree; node: Tree | null }>((tie) => ({
    folder: fc.dictionary(nameOf, tie('node'), {
      maxKeys: 4,
    }) as fc.Arbitrary<Tree>,
    node: fc.oneof({ maxDepth: 3 }, fc.constant(null), tie('folder')),
  }))
  .folder.map((tree) => ({ kind: 'files', name: 'top', entries: entriesOf(tree, []) }));

interface Tree {
  [name: string]: Tree | null;
}

function entriesOf(tree: Tree, path: readonly string[]): ManifestEntry[] {
  const own: ManifestEntry = { kind: 'folder', path, mode: 0o700, mtimeMs: -5 };
  const below = Object.keys(tree).flatMap((name): ManifestEntry[] => {
    const child = tree[name]!;
    const at = [...path, name];
    if (child !== null) return entriesOf(child, at);
    return [{ kind: 'file', path: at, sizeBytes: name.length, mode: 0o600, mtimeMs: 1 }];
  });
  return [own, ...below];
}

describe('a manifest', () => {
  it('reads as what was written, and writes as what was read', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encodeManifest(manifest);
        const decoded = decodeManifest(bytes);
        assert(decoded.ok);
        assert.deepEqual(encodeManifest(decoded.value), bytes);
        const paths = (entries: readonly ManifestEntry[]): string[] =>
          entries.map((entry) => JSON.stringify(entry)).sort();
        assert.deepEqual(paths(decoded.value.entries), paths(manifest.entries));
      }),
    );
  });

  it('gives names on disk that are all different without regard to case, and below the top alone', () => {
    fc.assert(
      fc.property(manifests, fc.constantFrom('portable', 'windows'), (manifest, rules) => {
        const placed = placeEntries(manifest, rules);
        assert(placed.ok);
        const folded = placed.value.paths.map((path) =>
          path.join('/').normalize('NFC').toLowerCase(),
        );
        assert.equal(new Set(folded).size, folded.length);
        for (const [index, path] of placed.value.paths.entries()) {
          const entry = manifest.entries[index]!;
          assert.equal(path.length, entry.path.length + 1);
          assert.ok(path.every((name) => !/[/\\\0]/.test(name) && !/^\.{0,2}$/.test(name)));
          const above = manifest.entries.findIndex(
            ({ path: other }) => other.join('/') === entry.path.slice(0, -1).join('/'),
          );
          if (path.length > 1) assert.deepEqual(path.slice(0, -1), placed.value.paths[above]);
        }
      }),
    );
  });

  it('has its entries in the order of their names, each folder first', () => {
    const decoded = decodeManifest(
      bytesOf(folder({ b: FILE, a: folder({ z: FILE }), 'a.b': FILE })),
    );
    assert(decoded.ok);
    assert.deepEqual(
      decoded.value.entries.map(({ path }) => path.join('/')),
      ['', 'a', 'a/z', 'a.b', 'b'],
    );
  });

  it('holds empty folders, empty files, and times before 1970', () => {
    const top = folder({ empty: folder({}), nothing: { mode: 0, mtime: -1, size: 0 } });
    assert.equal(codeOf(bytesOf(top)), 'ok');
  });

  it('is one file as a text or a stream, and a text is small', () => {
    assert.equal(codeOf(bytesOf(FILE, { kind: 'text' })), 'ok');
    assert.equal(codeOf(bytesOf({ ...FILE, size: 65_537 }, { kind: 'stream' })), 'ok');
    assert.equal(codeOf(bytesOf({ ...FILE, size: 65_537 }, { kind: 'text' })), 'ERR_MANIFEST_FORM');
    assert.equal(codeOf(bytesOf(folder({}), { kind: 'text' })), 'ERR_MANIFEST_FORM');
  });
});

describe('a manifest of a hostile sender', () => {
  const names = [
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\0b',
    'x'.repeat(256),
    '\xff',
    '\xc0\xae',
    '\xed\xa0\x80',
  ];
  for (const name of names) {
    it(`is refused with the name ${JSON.stringify(name.slice(0, 12))}`, () => {
      const children = new Map<string, Encodable>([[name, FILE]]);
      assert.equal(codeOf(bytesOf(folder(children))), 'ERR_MANIFEST_NAME');
      const top = encode(
        new Map<string, Encodable>([
          ['kind', 'files'],
          ['name', fromLatin1(name)],
          ['top', FILE],
          ['version', 1],
        ]),
      );
      assert.equal(codeOf(top), 'ERR_MANIFEST_NAME');
      const link: Encodable = { target: [fromLatin1(name)] };
      assert.equal(codeOf(bytesOf(folder({ a: link }))), 'ERR_MANIFEST_NAME');
    });
  }

  const forms: readonly (readonly [string, Uint8Array])[] = [
    ['a key too many', bytesOf(FILE, { extra: 1 })],
    ['a key too many in an entry', bytesOf({ ...FILE, extra: 1 })],
    ['a size and children', bytesOf({ ...FILE, children: {} })],
    ['neither size nor children', bytesOf(FOLDER)],
    ['a negative size', bytesOf({ ...FILE, size: -1 })],
    ['a size beyond 2^44', bytesOf({ ...FILE, size: 2 ** 44 })],
    ['a size beyond 2^53', bytesOf({ ...FILE, size: 2n ** 60n })],
    ['set-user-id', bytesOf({ ...FILE, mode: 0o4755 })],
    ['a time out of range', bytesOf({ ...FILE, mtime: 9e15 })],
    ['a link as the top', bytesOf({ target: [] })],
    ['an entry that is a list', bytesOf(folder({ a: [] }))],
    ['another kind', bytesOf(FILE, { kind: 'program' })],
  ];
  for (const [what, bytes] of forms) {
    it(`is refused with ${what}`, () => assert.equal(codeOf(bytes), 'ERR_MANIFEST_FORM'));
  }

  it('is refused in another version', () => {
    assert.equal(codeOf(bytesOf(FILE, { version: 2 })), 'ERR_MANIFEST_VERSION');
  });

  it('is refused with keys or entries out of order or repeated', () => {
    const entry = 'd4:modei0e5:mtimei0e4:sizei0ee';
    const of = (children: string): Uint8Array =>
      fromLatin1(
        `d4:kind5:files4:name1:a3:topd8:childrend${children}e4:modei0e5:mtimei0ee7:versioni1ee`,
      );
    assert.equal(codeOf(of(`1:a${entry}1:b${entry}`)), 'ok');
    assert.equal(codeOf(of(`1:b${entry}1:a${entry}`)), 'ERR_BENCODE_UNSORTED_KEYS');
    assert.equal(codeOf(of(`1:a${entry}1:a${entry}`)), 'ERR_BENCODE_DUPLICATE_KEY');
  });

  it('is refused when it is too deep, or a path too long', () => {
    const deep = (levels: number, name: string): Encodable =>
      levels === 0 ? FILE : folder({ [name]: deep(levels - 1, name) });
    assert.equal(codeOf(bytesOf(deep(64, 'a'))), 'ok');
    assert.equal(codeOf(bytesOf(deep(65, 'a'))), 'ERR_MANIFEST_PATH');
    assert.equal(codeOf(bytesOf(deep(12, 'x'.repeat(250)))), 'ok');
    assert.equal(codeOf(bytesOf(deep(13, 'x'.repeat(250)))), 'ERR_MANIFEST_PATH');
    assert.notEqual(codeOf(bytesOf(deep(400, 'a'))), 'ok');
  });

  it('is refused with more than a million entries, or 64 MiB, or more bytes than can be numbered', () => {
    const file = { mode: 0, mtime: 0, size: 0 };
    const entry = latin1(encode(file));
    const entryOf = (name: number): string => `7:${name}${entry}`;
    // Put together as text: a million objects to encode take seconds.
    const [before, after] = latin1(bytesOf(folder({ 1000000: file }))).split(entryOf(1e6));
    const many = (count: number): Uint8Array => {
      const entries = Array.from({ length: count }, (_, i) => entryOf(1e6 + i));
      return Buffer.from(`${before}${entries.join('')}${after}`, 'latin1');
    };
    assert.equal(codeOf(many(9_999)), 'ok');
    assert.equal(codeOf(many(1_000_000)), 'ERR_MANIFEST_TOO_MANY_ENTRIES');
    assert.equal(codeOf(new Uint8Array(64 * 1024 * 1024 + 1)), 'ERR_MANIFEST_TOO_LARGE');
    const huge = Object.fromEntries(
      Array.from({ length: 65 }, (_, i) => [`${i}`, { ...FILE, size: 2 ** 44 - 1 }]),
    );
    assert.equal(codeOf(bytesOf(folder(huge))), 'ERR_MANIFEST_TOO_MANY_BYTES');
  });

  it('is refused with a link to nothing, to a link, or to a folder above it', () => {
    const link = (...target: string[]): Encodable => ({ target });
    const top = (target: Encodable): Uint8Array =>
      bytesOf(folder({ a: folder({ l: target, m: link('f') }), f: FILE }));
    assert.equal(codeOf(top(link('f'))), 'ok');
    for (const target of [link('g'), link('a', 'm'), link('a'), link(), link('a', 'l')]) {
      assert.equal(codeOf(top(target)), 'ERR_MANIFEST_LINK');
    }
  });
});

describe('names on disk', () => {
  const place = (names: readonly string[], rules: 'portable' | 'windows'): string[] => {
    const decoded = decodeManifest(
      bytesOf(folder(Object.fromEntries(names.map((name) => [name, FILE])))),
    );
    assert(decoded.ok);
    const placed = placeEntries(decoded.value, rules);
    assert(placed.ok);
    assert.equal(
      placed.value.renamed.length,
      placed.value.paths
        .slice(1)
        .filter((path, i) => path[1] !== decoded.value.entries[i + 1]!.path[0]).length,
    );
    return placed.value.paths.slice(1).map((path) => path[1]!);
  };

  it('lose what hides, mirrors or controls, and what other systems take for separators', () => {
    assert.deepEqual(place(['exe\u202egpj', 'a\\b', 'c\nd'], 'portable'), ['ab', 'c_d', 'exegpj']);
  });

  it('are no devices of Windows there', () => {
    assert.deepEqual(place(['aux.txt', 'b:c', 'd. '], 'windows'), ['_aux.txt', 'b_c', 'd']);
    assert.deepEqual(place(['aux.txt', 'b:c'], 'portable'), ['aux.txt', 'b:c']);
  });

  it('that differ in case alone get numbers, folders with all that is in them', () => {
    assert.deepEqual(place(['README', 'readme'], 'portable'), ['README', 'readme.1']);
    const decoded = decodeManifest(bytesOf(folder({ A: FILE, a: folder({ b: FILE }) })));
    assert(decoded.ok);
    const placed = placeEntries(decoded.value, 'portable');
    assert(placed.ok);
    assert.deepEqual(
      placed.value.paths.map((path) => path.join('/')),
      ['top', 'top/A', 'top/a.1', 'top/a.1/b'],
    );
  });
});

describe('the info of a manifest', () => {
  it('is dense, private, without hashes, and named by a nonce', () => {
    const bytes = bytesOf(
      folder({ a: FILE, b: folder({}), c: { ...FILE, size: 2 ** 20 }, d: { target: ['a'] } }),
    );
    const decoded = decodeManifest(bytes);
    assert(decoded.ok);
    const placed = placeEntries(decoded.value, 'portable');
    assert(placed.ok);
    const hash = transferHash(bytes, new Uint8Array(16), nodeCrypto);
    const info = manifestInfo(decoded.value, placed.value.paths, hash);
    assert.equal(VERSION_TRAITS[info.version].isUnhashed, true);
    assert.deepEqual(
      info.files.map(({ path, offsetBytes }) => [path.join('/'), offsetBytes]),
      [
        ['top/a', 0],
        ['top/c', 5],
      ],
    );
    assert.deepEqual(
      [info.pieceCount, info.pieceLengthBytes, info.isPrivate, info.infoBytes.length],
      [2, 2 ** 20, true, 0],
    );
    assert.notDeepEqual(transferHash(bytes, new Uint8Array(16).fill(1), nodeCrypto), hash);
    assert.throws(() => transferHash(bytes, new Uint8Array(15), nodeCrypto), RangeError);
  });

  it('has pieces of 1 MiB, longer ones beyond 16 GiB, never more than the engine can number', () => {
    assert.equal(transferPieceBytes(0), 2 ** 20);
    assert.equal(transferPieceBytes(2 ** 34), 2 ** 20);
    assert.equal(transferPieceBytes(2 ** 34 + 1), 2 ** 21);
    assert.equal(Math.ceil(2 ** 50 / transferPieceBytes(2 ** 50)), 2 ** 21);
  });
});

describe('the vectors in docs/protocol/vectors/manifest.json', () => {
  const page = new URL('../../../docs/protocol/vectors/manifest.json', import.meta.url);
  for (const vector of JSON.parse(readFileSync(page, 'utf8')) as Vector[]) {
    it(`are read as they were written: ${vector.manifest.name}`, () => {
      const bytes = fromHex(vector.bytes)!;
      const decoded = decodeManifest(bytes);
      assert(decoded.ok);
      const paths = (entries: readonly ManifestEntry[]): string[] =>
        entries.map((entry) => JSON.stringify(entry)).sort();
      assert.deepEqual(paths(decoded.value.entries), paths(vector.manifest.entries));
      assert.equal(toHex(transferHash(bytes, fromHex(vector.nonce)!, nodeCrypto)), vector.hash);
      const files = decoded.value.entries.flatMap((entry) => {
        if (entry.kind !== 'file') return [];
        const content = new TextEncoder().encode(vector.contents[entry.path.join('/')]);
        assert.equal(content.length, entry.sizeBytes);
        return [{ path: entry.path, sha256: nodeCrypto.sha256(content) }];
      });
      assert.equal(toHex(contentDigest(files, nodeCrypto)), vector.digest);
    });
  }
});

describe('the digest of a folder', () => {
  it('does not depend on the order, and escapes names as sha256sum does', () => {
    const files = ['b', 'a', 'a/c', 'a-b', 'q\\r', 'n\nl'].map((name) => ({
      path: name.split('/'),
      sha256: nodeCrypto.sha256(fromLatin1(name)),
    }));
    const digest = toHex(contentDigest(files, nodeCrypto));
    assert.equal(toHex(contentDigest(files.toReversed(), nodeCrypto)), digest);
    const hex = (name: string): string => toHex(nodeCrypto.sha256(fromLatin1(name)));
    const text = [
      `${hex('a')}  ./a\n`,
      `${hex('a-b')}  ./a-b\n`,
      `${hex('a/c')}  ./a/c\n`,
      `${hex('b')}  ./b\n`,
      `\\${hex('n\nl')}  ./n\\nl\n`,
      `\\${hex('q\\r')}  ./q\\\\r\n`,
    ].join('');
    assert.equal(digest, toHex(nodeCrypto.sha256(fromLatin1(text))));
  });
});
