import { test } from 'node:test';
import fc from 'fast-check';
import { target } from '../../../test/fuzz/metainfo.fuzz.ts';
import { type Encodable, encode } from '../bencode/index.ts';

/** Names that collide, escape, vanish or fold, as latin-1 texts of raw bytes. */
const name = fc.constantFrom(
  ...[
    'a',
    'A',
    'a.1',
    'b',
    '..',
    '.',
    '',
    '/',
    'a/',
    '\xff',
    '\xc3\xa9',
    'e\xcc\x81',
    'con',
    'x. ',
    '\xe2\x80\x8e',
  ],
  'l'.repeat(300),
);
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const path = fc.array(name.map(bytes), { minLength: 1, maxLength: 3 });
const length = fc.constantFrom(0, 1, 16_384, 16_385, 40_000);
const attr = fc.constantFrom('', 'p', 'l', 'x', 'lp');

const v1File = fc.record(
  { path, length, attr, 'symlink path': path },
  { requiredKeys: ['path', 'length'], noNullPrototype: true },
);

function v1Torrent(
  files: { length: number; attr?: string; 'symlink path'?: unknown }[],
): Uint8Array {
  let total = 0;
  for (const file of files) {
    const isLink = (file.attr ?? '').includes('l') && file['symlink path'] !== undefined;
    if (!isLink) total += file.length;
  }
  const pieces = new Uint8Array(20 * Math.ceil(total / 16_384));
  const info = { files: files as Encodable[], name: 'n', 'piece length': 16_384, pieces };
  return encode({ info });
}

const { tree } = fc.letrec<{ tree: Map<string, Encodable>; leaf: Map<string, Encodable> }>(
  (tie) => ({
    leaf: fc
      .tuple(length, fc.constantFrom('', 'x', 'l'), path)
      .map(([bytesLength, flags, target]) => {
        const properties = {
          length: bytesLength,
          attr: flags,
          'pieces root': new Uint8Array(32).fill(1),
        };
        const link = flags === 'l' ? { 'symlink path': target } : {};
        return new Map<string, Encodable>([['', { ...properties, ...link }]]);
      }),
    tree: fc
      .uniqueArray(
        fc.tuple(
          name.filter((text) => text !== ''),
          fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('tree')),
        ),
        {
          minLength: 1,
          maxLength: 6,
          selector: ([text]) => text,
        },
      )
      .map((entries) => new Map<string, Encodable>(entries)),
  }),
);

test('property: v1 lists of hostile names, pads and links parse to safe, distinct paths', () => {
  fc.assert(
    fc.property(fc.array(v1File, { minLength: 1, maxLength: 12 }), (files) => {
      target.run(v1Torrent(files));
    }),
    { numRuns: 400 },
  );
});

test('property: v2 trees of hostile names and links parse to safe, distinct paths', () => {
  fc.assert(
    fc.property(tree, (root) => {
      const info = { 'file tree': root, 'meta version': 2, name: 'n', 'piece length': 16_384 };
      target.run(encode({ info }));
    }),
    { numRuns: 400 },
  );
});
