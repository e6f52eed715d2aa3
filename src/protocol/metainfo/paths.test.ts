import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { toLatin1 } from '../../lib/bytes.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { type NameRules, safeComponent, safePath } from './index.ts';
import { PathSet } from './paths.ts';

/** The raw name as the parsers see it. */
function latin1(text: string): string {
  return toLatin1(encodeUtf8(text));
}

const portable: [name: string, safe: string][] = [
  ['plain.txt', 'plain.txt'],
  ['ümläut 日本.txt', 'ümläut 日本.txt'],
  ['', ''],
  ['.', ''],
  ['..', '_'],
  ['...', '...'],
  ['.hidden', '.hidden'],
  ['/', ''],
  ['/abs', 'abs'],
  ['a/b', 'ab'],
  ['a\\b', 'ab'],
  ['..\\..\\x', '....x'],
  ['../..', '....'],
  ['./.', '_'],
  ['a\0b', 'a_b'],
  ['a\nb\x7f', 'a_b_'],
  ['a\u0085b', 'a_b'],
  ['exe\u202egpj.txt', 'exegpj.txt'],
  ['\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2069\ufeff', ''],
  ['.\u200e.', '_'],
  ['\u200d', '\u200d'],
  ['a:b*c?"<>|', 'a:b*c?"<>|'],
  ['trailing. ', 'trailing. '],
  ['con', 'con'],
];

test('names are safe on every system', () => {
  for (const [name, safe] of portable) {
    assert.equal(safeComponent(latin1(name), 'portable'), safe, JSON.stringify(name));
  }
});

test('ill-formed UTF-8 becomes one underscore for each ill-formed part', () => {
  const cases: [raw: string, safe: string][] = [
    ['a\xff', 'a_'],
    ['\xc3', '_'],
    ['\xc3\x28', '_('],
    ['\xe2\x82', '_'],
    ['\xf0\x9f\x98', '_'],
    ['\xc0\xae\xc0\xae', '____'],
    ['\xc0\xafx', '__x'],
    ['\xed\xa0\x80', '___'],
    ['\xf5\x80\x80\x80', '____'],
  ];
  for (const [name, safe] of cases) {
    assert.equal(safeComponent(name, 'portable'), safe, JSON.stringify(name));
  }
});

test('Windows rules also take what Windows refuses', () => {
  const cases: [name: string, safe: string][] = [
    ['a:b*c?"<>|d', 'a_b_c_____d'],
    ['trailing. ', 'trailing'],
    ['foobar ', 'foobar'],
    ['. .', ''],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['Com1', '_Com1'],
    ['lpt9.tar.gz', '_lpt9.tar.gz'],
    ['com¹', '_com¹'],
    ['console', 'console'],
    ['com10', 'com10'],
  ];
  for (const [name, safe] of cases) {
    assert.equal(safeComponent(latin1(name), 'windows'), safe, JSON.stringify(name));
  }
});

test('verbatim rules change only what is unsafe', () => {
  for (const name of ['a\nb', 'exe\u202egpj', 'a:b', 'x'.repeat(255)]) {
    assert.equal(safeComponent(latin1(name), 'verbatim'), name);
  }
  assert.equal(safeComponent(latin1('a/b\0'), 'verbatim'), 'ab_');
  assert.equal(safeComponent('..', 'verbatim'), '_');
});

test('long names are cut to 240 bytes with a short extension kept, never inside a character', () => {
  const long = safeComponent(`${'x'.repeat(300)}.txt`, 'portable');
  assert.equal(long, `${'x'.repeat(236)}.txt`);
  assert.equal(safeComponent('y'.repeat(300), 'portable'), 'y'.repeat(240));
  const wide = safeComponent(latin1(`${'é'.repeat(200)}.tar`), 'portable');
  assert.equal(wide, `${'é'.repeat(118)}.tar`);
  const noExtension = safeComponent(`${'z'.repeat(100)}.${'w'.repeat(200)}`, 'portable');
  assert.equal(noExtension.length, 240);
  assert.equal(safeComponent('x'.repeat(240), 'portable').length, 240);
});

test('paths drop dots, keep a place for what vanishes, and are never empty', () => {
  const cases: [path: string[], safe: string[]][] = [
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['.', 'a'], ['a']],
    [
      ['/', '/', 'bar'],
      ['_', '_', 'bar'],
    ],
    [
      ['abc/../../def', '/', 'bar'],
      ['abc....def', '_', 'bar'],
    ],
    [
      ['..', '..', 'etc', 'passwd'],
      ['_', '_', 'etc', 'passwd'],
    ],
    [
      ['', ''],
      ['_', '_'],
    ],
    [['.'], ['_']],
    [[], ['_']],
  ];
  for (const [path, safe] of cases) {
    assert.deepEqual(safePath(path, 'portable', 'top'), ['top', ...safe]);
  }
});

function resolve(paths: string[], rules: NameRules = 'portable'): string[] {
  const names = new PathSet(rules);
  const split = paths.map((path) => path.split('/'));
  for (const path of split) names.addDirectories(path);
  return split.map((path) => names.addFile(path)?.join('/') ?? 'too many');
}

test('names that a file system cannot tell apart are numbered', () => {
  const cases: [paths: string[], resolved: string[]][] = [
    [
      ['t/a', 't/b'],
      ['t/a', 't/b'],
    ],
    [
      ['t/bar.txt', 't/bar.txt'],
      ['t/bar.txt', 't/bar.1.txt'],
    ],
    [
      ['t/BAR.txt', 't/bar.TXT'],
      ['t/BAR.txt', 't/bar.1.TXT'],
    ],
    [
      ['t/a', 't/a', 't/a'],
      ['t/a', 't/a.1', 't/a.2'],
    ],
    [
      ['t/a', 't/a.1', 't/a'],
      ['t/a', 't/a.1', 't/a.2'],
    ],
    [
      ['t/.x', 't/.X'],
      ['t/.x', 't/.X.1'],
    ],
    [
      ['t/D/x', 't/d/X'],
      ['t/D/x', 't/d/X.1'],
    ],
    [
      ['t/D/x', 't/d/y'],
      ['t/D/x', 't/d/y'],
    ],
    [
      ['t/e\u0301', 't/\u00e9'],
      ['t/e\u0301', 't/\u00e9.1'],
    ],
  ];
  for (const [paths, resolved] of cases) assert.deepEqual(resolve(paths), resolved);
});

test('a directory keeps its name whatever comes first', () => {
  assert.deepEqual(resolve(['t/a', 't/a/b']), ['t/a.1', 't/a/b']);
  assert.deepEqual(resolve(['t/a/b', 't/A']), ['t/a/b', 't/A.1']);
  assert.deepEqual(resolve(['t/a', 't/a/b/c', 't/a/b']), ['t/a.1', 't/a/b/c', 't/a/b.1']);
  assert.deepEqual(resolve(['t/a', 't/a.1/x', 't/a/y']), ['t/a.2', 't/a.1/x', 't/a/y']);
});

test('verbatim rules tell letter case apart', () => {
  assert.deepEqual(resolve(['t/a', 't/A', 't/a'], 'verbatim'), ['t/a', 't/A', 't/a.1']);
});

test('renames are bounded and do not slow down', () => {
  const resolved = resolve(Array<string>(10_002).fill('t/a'));
  assert.equal(resolved[10_000], 't/a.10000');
  assert.equal(resolved[10_001], 'too many');
});

test('property: whatever bytes a name has, the result is a safe component and stays as it is', () => {
  const name = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(toLatin1),
    anyText({ maxLength: 300 }).map(latin1),
    fc
      .array(fc.constantFrom('.', '/', '\\', ' ', ':', '\0', '\xe2\x80\x8e', 'con', 'a'), {
        maxLength: 8,
      })
      .map((parts) => parts.join('')),
  );
  const rules = fc.constantFrom<NameRules>('portable', 'windows', 'verbatim');
  fc.assert(
    fc.property(name, rules, (raw, rule) => {
      const safe = safeComponent(raw, rule);
      assert.ok(safe !== '.' && safe !== '..' && !/[/\\\0]/.test(safe));
      assert.ok(encodeUtf8(safe).length <= (rule === 'verbatim' ? 255 : 241));
      if (rule === 'windows') assert.ok(!/[. ]$|[:*?"<>|]/.test(safe), safe);
      if (safe !== '') assert.equal(safeComponent(latin1(safe), rule), safe);
    }),
    { numRuns: 2000 },
  );
});
