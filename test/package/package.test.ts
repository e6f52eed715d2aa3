/**
 * The npm package as a stranger gets it: packed, installed in an empty folder, run there. `npm run test:package`.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
};
const modules = Object.keys(manifest.exports).filter((path) => path !== './package.json');
const TIMEOUT_MS = 300_000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
function run(cwd: string, program: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, STARLING_HOME: join(bed, 'home') },
    shell: process.platform === 'win32' && !program.endsWith('.exe'),
  });
  return { code: status, stdout, stderr: error === undefined ? stderr : error.message };
}

/** Runs a program that must succeed. @returns its stdout. */
function ask(cwd: string, program: string, ...args: readonly string[]): string {
  const { code, stdout, stderr } = run(cwd, program, ...args);
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Runs a script of the checkout's node_modules/.bin with this very Node. */
function tool(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

let bed: string;
let place: string;
let tarball: string;
let packed: readonly string[];

before(() => {
  bed = mkdtempSync(join(tmpdir(), 'starling-package-'));
  place = join(bed, 'empty');
  mkdirSync(place);
  // What an earlier build left behind must not be packed.
  mkdirSync(join(root, 'dist', 'lib'), { recursive: true });
  writeFileSync(join(root, 'dist', 'lib', 'stale.js'), '');
  const report = ask(root, 'npm', 'pack', '--json', '--pack-destination', bed);
  const [made] = JSON.parse(report.slice(report.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = join(bed, made.filename);
  packed = made.files.map(({ path }) => path);
  ask(place, 'npm', 'install', tarball, '--no-audit', '--no-fund', '--loglevel=error');
});
after(() => rmSync(bed, { recursive: true, force: true, maxRetries: 3 }));

describe('the tarball', () => {
  it('has the program, its pages and every file that the exports name', () => {
    const named = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : [target.types, target.default],
    );
    const expected = [
      'README.md',
      'LICENSE',
      'bin/starling.mjs',
      'dist/cli/main.js',
      'dist/plane/disk-worker.js',
      'dist/web/index.html',
      ...named.map((path) => path.replace(/^\.\//, '')),
    ];
    assert.deepEqual(
      expected.filter((path) => !packed.includes(path)),
      [],
    );
  });

  it('has no sources, tests, source maps, build state or stale files', () => {
    const allowed =
      /^(?:README\.md|LICENSE|package\.json|bin\/[\w.-]+|dist\/.*\.(?:js|d\.ts)|dist\/web\/(?:index\.html|assets\/[\w-]+\.(?:css|svg)))$/;
    const unwanted = /\.test\.|\.fuzz\.|\/stale\./;
    assert.deepEqual(
      packed.filter((path) => !allowed.test(path) || unwanted.test(path)),
      [],
    );
  });

  it('passes publint without a warning', () => {
    ask(root, tool('publint'), 'run', tarball, '--strict');
  });
});

describe('installed in an empty folder', () => {
  const starling = (...args: readonly string[]): Ran =>
    run(place, join(place, 'node_modules', '.bin', 'starling'), ...args);

  it('says its version', () => {
    const { code, stdout } = starling('--version');
    assert.deepEqual([code, stdout], [0, `${manifest.version}\n`]);
  });

  it('shows help without arguments', () => {
    const { code, stdout } = starling();
    assert.equal(code, 0);
    assert.match(stdout, /^Starling: [\s\S]*^Commands:$/m);
  });

  it('creates a torrent, describes it and verifies the files', () => {
    mkdirSync(join(place, 'photos'));
    writeFileSync(join(place, 'photos', 'one.txt'), 'one');
    assert.equal(starling('create', 'photos', '-o', 'photos.torrent').code, 0);
    const info = JSON.parse(starling('info', 'photos.torrent', '--json').stdout) as {
      name: string;
      infoHashV1: string;
      infoHashV2: string;
    };
    assert.equal(info.name, 'photos');
    assert.match(info.infoHashV1, /^[0-9a-f]{40}$/);
    assert.match(info.infoHashV2, /^[0-9a-f]{64}$/);
    assert.equal(starling('verify', 'photos.torrent', '--dir', '.').code, 0);
  });

  for (const path of modules) {
    const name = join(manifest.name, path).replaceAll('\\', '/');
    it(`gives ${name} to import`, () => {
      const code = `console.log(Object.keys(await import('${name}')).length)`;
      const names = ask(place, process.execPath, '--input-type=module', '--eval', code);
      assert.ok(Number(names) > 0, `expected exports, got ${names}`);
    });
  }

  it('has types that a strict consumer accepts, libraries included', () => {
    const imports = modules.map((path, at) => {
      const name = join(manifest.name, path).replaceAll('\\', '/');
      return `export * as m${at} from '${name}';`;
    });
    writeFileSync(join(place, 'consumer.ts'), imports.join('\n'));
    writeFileSync(join(place, 'example.ts'), exampleOf('README.md'));
    writeFileSync(
      join(place, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2024',
          lib: ['es2024', 'esnext.disposable'],
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
          typeRoots: [join(root, 'node_modules', '@types')],
        },
        files: ['consumer.ts', 'example.ts'],
      }),
    );
    writeFileSync(
      join(place, 'package.json'),
      JSON.stringify({
        ...JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')),
        type: 'module',
      }),
    );
    ask(place, tool('tsc'), '-p', '.');
  });

  it('runs the example of README.md', () => {
    writeFileSync(join(place, 'example.ts'), exampleOf('README.md'));
    const said = ask(place, process.execPath, 'example.ts');
    assert.match(said, /^photos: 3 bytes in [\d.]+ s$/m);
    assert.equal(readFileSync(join(place, 'downloads', 'photos', 'one.txt'), 'utf8'), 'one');
  });

  it('tells an older Node in one sentence what it needs', (test) => {
    const older = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, 'node'))
      .filter((path) => existsSync(path))
      .find((path) => Number(/^v(\d+)/.exec(run(place, path, '--version').stdout)?.[1]) < 26);
    if (older === undefined) {
      test.skip('there is no older Node on this machine');
      return;
    }
    const launcher = join(place, 'node_modules', manifest.name, 'bin', 'starling.mjs');
    const { code, stdout, stderr } = run(place, older, launcher, 'info', 'photos.torrent');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^starling needs Node 26 or newer, and this is Node [\d.]+: [^\n]*\.\n$/);
  });
});

describe('the checkout', () => {
  it('runs as "npx --no starling", unbuilt', () => {
    // Without "--" npm takes an option that follows the name at once for its own.
    const said = ask(root, 'npx', '--no', '--', 'starling', '--version');
    assert.equal(said, `${manifest.version}\n`);
  });
});

/** The first TypeScript block of a page. */
function exampleOf(page: string): string {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, page), 'utf8'))?.[1];
  assert.ok(code !== undefined, `${page}: expected a block of TypeScript`);
  return code;
}
