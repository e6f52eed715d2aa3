/** The rules of the house that no other tool checks: pages agree with the source, names are the glossary's, files say what they are. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generatedPages, limitsOf, readSource, sourceFiles } from './gen-docs.ts';

const root = join(import.meta.dirname, '..');
const MAX_FILE_LINES = 600;
/** Table files that may be longer, each with its reason. */
const LONG_FILES: ReadonlySet<string> = new Set();

function files(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

const source = sourceFiles();
const scripts = files(
  'src/**/*.{ts,tsx}',
  'test/**/*.ts',
  'bench/**/*.ts',
  'tools/**/*.{ts,mjs}',
  'bin/*.mjs',
);
const pages = files('*.md', 'docs/**/*.md');

/** "path:line: what" for every match of a pattern. */
function matches(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readSource(path)
      .split('\n')
      .flatMap((line, at) => {
        const found = pattern.exec(line);
        return found === null ? [] : [`${path}:${at + 1}: ${found[0]}`];
      }),
  );
}

describe('source files', () => {
  it('open with a header comment that says what they decide, marked @module', () => {
    const without = source.filter((path) => {
      const header = /^(?:#![^\n]*\n)?\/\*\*[\s\S]*?\*\//.exec(readSource(path))?.[0];
      return header === undefined || !header.includes('@module');
    });
    assert.deepEqual(without, []);
  });

  it(`have at most ${MAX_FILE_LINES} lines`, () => {
    const tooLong = source.filter(
      (path) =>
        !LONG_FILES.has(path) && readSource(path).trimEnd().split('\n').length > MAX_FILE_LINES,
    );
    assert.deepEqual(tooLong, []);
  });

  it('have functions of at most 70 lines, because the linter refuses longer ones everywhere in src', () => {
    const biome = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    const rule = biome.linter.rules.complexity.noExcessiveLinesPerFunction;
    assert.equal(rule.level, 'error');
    assert.ok(rule.options.maxLines <= 70);
    for (const { includes, linter } of biome.overrides) {
      if (linter?.rules?.complexity?.noExcessiveLinesPerFunction === undefined) continue;
      const inSource = includes.filter(
        (glob: string) => glob.startsWith('src') && !glob.includes('.test.'),
      );
      assert.deepEqual(inSource, [], 'no part of src is exempt');
    }
  });

  it('have no folder or file called utils, helpers or common', () => {
    assert.deepEqual(
      scripts.filter((path) => /(^|[/-])(utils?|helpers?|common)([./-]|$)/.test(path)),
      [],
    );
  });

  it('hold no notes to ourselves', () => {
    assert.deepEqual(
      matches(
        [...scripts, ...pages],
        new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X:'].join('|')),
      ),
      [],
    );
  });

  it("name no path of somebody's machine", () => {
    const pattern = /(?<![\w.$}~])\/(?:work|home|Users|root)\/[\w.-]+/;
    const checked = [...scripts, ...pages].filter((path) => path !== 'tools/tidy.test.ts');
    assert.deepEqual(matches(checked, pattern), []);
  });

  it('use the words of the glossary', () => {
    const glossary = readFileSync(join(root, 'docs/glossary.md'), 'utf8');
    const refused = [...glossary.matchAll(/^\|[^|]*\|[^|]*\|([^|]*)\|$/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!),
    );
    assert.ok(refused.length > 10, 'the last column of the tables was read');
    const forms = refused.flatMap((word) => [word, word.charAt(0).toUpperCase() + word.slice(1)]);
    // As a word of its own, in the plural, or as a part of a camelCase name.
    const pattern = new RegExp(
      `(?<![A-Za-z])(?:${forms.join('|')})(?:s|es)?(?![a-z])|(?<=[a-z])(?:${forms
        .filter((form) => /^[A-Z]/.test(form))
        .join('|')})(?![a-z])`,
    );
    // The words of another program's interface are its own.
    const rooms = source.filter((path) =>
      /^src\/(?:protocol|plane|cli|node(?!\/transmission))\//.test(path),
    );
    assert.deepEqual(matches(rooms, pattern), []);
  });
});

describe('pages', () => {
  it('name only paths that exist', () => {
    const missing = pages.flatMap((page) =>
      [
        ...readSource(page).matchAll(
          /(?:`|\]\()((?:\.\/)?(?:src|test|docs|tools|bench|bin|\.ci)\/[^`)\s#]*)/g,
        ),
      ]
        .map(([, path]) => path!.replace(/^\.\//, ''))
        .filter((path) => !/[<>…]|\*|\{/.test(path))
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${page}: ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  it('link only to files that exist', () => {
    const missing = pages.flatMap((page) =>
      [...readSource(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(root, page, '..', target)))
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name only npm scripts that exist', () => {
    const { scripts: known } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const missing = pages.flatMap((page) => {
      const text = readSource(page);
      const named = [
        ...[...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!),
        ...[...text.matchAll(/npm (test|start)\b/g)].map(([, name]) => name!),
      ];
      return named.filter((name) => known[name] === undefined).map((name) => `${page}: ${name}`);
    });
    assert.deepEqual(missing, []);
  });

  for (const [path, text] of generatedPages()) {
    it(`${path} says what the source says; if not, run "node tools/gen-docs.ts"`, () => {
      const written = new Set(readSource(path).split('\n'));
      const missing = text.split('\n').filter((line) => !written.has(line));
      // The lines alone: two whole pages would bury them.
      assert.deepEqual(missing, []);
      assert.ok(readSource(path) === text, 'it has lines that the source does not say any more');
    });
  }
});

describe('the package', () => {
  it("is locked without the host of anybody's registry", () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const hosts = Object.entries<{ resolved?: string }>(lock.packages).flatMap(([name, entry]) =>
      entry.resolved === undefined ? [] : [`${name}: ${entry.resolved}`],
    );
    assert.deepEqual(hosts, []);
  });

  it('is locked for every platform: "npm ci" refuses a lock without the optional dependencies of the others', () => {
    // npm leaves them out when it writes the lock where the registry does not have them.
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const missing = Object.values<{ optionalDependencies?: Record<string, string> }>(
      lock.packages,
    ).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies).filter(
        (name) => lock.packages[`node_modules/${name}`] === undefined,
      ),
    );
    assert.deepEqual(missing, []);
  });

  it('has no .npmrc that names a registry', () => {
    const config = join(root, '.npmrc');
    if (existsSync(config)) assert.doesNotMatch(readFileSync(config, 'utf8'), /registry/);
  });
});

describe('limitsOf', () => {
  it('reads the constants of the group, with values over several lines, until other code begins', () => {
    const text = [
      '// Specification constants',
      'const A = 1;',
      '// Implementation limits',
      '/** Most things. */',
      'export const MAX_B: number =',
      '  2 * 1_000;',
      '',
      'const C_MS = 3;',
      'export function f(): void {}',
      'const D = 4;',
    ].join('\n');
    assert.deepEqual(limitsOf(text), [
      { name: 'MAX_B', value: '2 * 1,000', meaning: 'Most things.' },
      { name: 'C_MS', value: '3', meaning: '' },
    ]);
  });
});
