/**
 * What `npm test` runs: every check of the house, one after another, one line each, stopping at the first that fails.
 *
 * `npm test`                    types, lint, dead code, then all tests that need nothing but loopback
 * `npm test -- <pattern>...`    only the test files that match, with their whole output
 * `npm run test:slow`           the end-to-end and simulation tests that take longest
 * `npm run test:interop`        against real clients (they have to be installed)
 * `npm run test:dashboard`     the dashboard in a browser, against a made-up node
 * `npm run test:package`        the npm package: packed, installed in an empty folder, run there
 * `npm run test:fuzz`           the fuzz targets, at length
 *
 * Children get STARLING_OFFLINE=1 and a STARLING_HOME of their own that is removed afterwards.
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'starling-test-'));
// Biome colours even a pipe when it thinks that it runs in CI.
const colors = process.stdout.isTTY ? 'force' : 'off';
// Two hundred test files and the commands that they start load the same modules, whose types are stripped once this way: a sixth of all work.
const compileCache = join(root, 'node_modules', '.cache', 'starling-test');
const baseEnv = {
  NODE_COMPILE_CACHE: compileCache,
  ...process.env,
  STARLING_OFFLINE: '1',
  STARLING_HOME: home,
};

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Show the output as it comes instead of only after a failure. */
  readonly isLive?: boolean;
}

/** A program of node_modules/.bin, started by this very Node where it is a script. */
function tool(name: string, ...args: string[]): string[] {
  const suffix = process.platform === 'win32' ? '.cmd' : '';
  return [join(root, 'node_modules', '.bin', name + suffix), ...args];
}

/** A step that runs test files, or nothing while there are none. */
function tests(
  name: string,
  patterns: readonly string[],
  { flags = [], ...more }: Partial<Step> & { readonly flags?: readonly string[] } = {},
): Step[] {
  const files = globSync(patterns, { cwd: root }).sort();
  if (files.length === 0) return [];
  // Node's own default leaves one processor to the runner, which hardly needs it: of two it would use one.
  const width = `--test-concurrency=${availableParallelism()}`;
  return [{ name, command: [process.execPath, '--test', width, ...flags, ...files], ...more }];
}

/** Tests that take longest, from seven seconds to a minute of a processor each: `npm run test:slow`, so that `npm test` stays under three minutes: with five of them it took 130 s on one machine and 340 s on another of half the speed, which takes 220 s without them. */
const SLOW = [
  'crowds',
  'dht-alone',
  'disk-faults',
  'forms',
  'going-on',
  'node',
  'peers-command',
  'publication',
  'send-words',
  'slow-peers',
];

function isSlow(file: string): boolean {
  return SLOW.includes(basename(file, '.test.ts'));
}

/** They wait for processes and timers half of the time: twice as many as processors keep those busy. */
function endToEnd(name: string, isMeant: (file: string) => boolean): Step[] {
  const files = globSync('test/e2e/**/*.test.ts', { cwd: root }).filter(isMeant);
  return tests(name, files, { flags: [`--test-concurrency=${2 * availableParallelism()}`] });
}

function simulations(name: string, isMeant: (file: string) => boolean): Step[] {
  return tests(name, globSync('test/simulation/**/*.test.ts', { cwd: root }).filter(isMeant));
}

function stepsOf(args: readonly string[]): Step[] {
  const [mode] = args;
  if (mode === 'interop') {
    const env = { STARLING_INTEROP: '1' };
    return tests('interop', ['test/interop/**/*.test.ts'], { isLive: true, env });
  }
  if (mode === 'dashboard') {
    const run = tests('dashboard', ['test/dashboard/*.test.ts'], {
      isLive: true,
      flags: ['--test-concurrency=1'],
    });
    return [{ name: 'types', command: tool('tsc', '-p', 'test/dashboard') }, ...run];
  }
  if (mode === 'slow') {
    return [...simulations('slow simulation', isSlow), ...endToEnd('slow end to end', isSlow)];
  }
  if (mode === 'package') return tests('package', ['test/package/*.test.ts'], { isLive: true });
  if (mode === 'fuzz') {
    return [
      {
        name: 'fuzz',
        command: [process.execPath, '--expose-gc', 'test/fuzz/run.ts', ...args.slice(1)],
        isLive: true,
      },
    ];
  }
  if (mode !== undefined) return tests('selected tests', args, { isLive: true });
  return [
    { name: 'types', command: tool('tsc', '-b') },
    { name: 'types of tests', command: tool('tsc', '-p', 'tsconfig.test.json') },
    { name: 'types of dashboard', command: tool('tsc', '-p', 'src/web') },
    {
      name: 'lint and format',
      command: tool('biome', 'ci', '--error-on-warnings', `--colors=${colors}`),
    },
    { name: 'dead code', command: tool('knip') },
    ...tests('house rules', ['tools/**/*.test.ts']),
    ...tests('unit and property', ['src/**/*.test.ts']),
    ...tests('conformance', ['test/conformance/**/*.test.ts']),
    ...simulations('simulation', (file) => !isSlow(file)),
    ...endToEnd('end to end', (file) => !isSlow(file)),
    ...tests('fuzz corpus', ['test/fuzz/**/*.test.ts']),
  ];
}

interface Outcome {
  readonly isOk: boolean;
  readonly output: string;
  readonly seconds: number;
}

function run(step: Step): Promise<Outcome> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const [program, ...args] = step.command;
    const child = spawn(program!, args, {
      cwd: root,
      env: { ...baseEnv, ...step.env },
      stdio: [
        'ignore',
        step.isLive === true ? 'inherit' : 'pipe',
        step.isLive === true ? 'inherit' : 'pipe',
      ],
      shell: process.platform === 'win32',
    });
    const parts: string[] = [];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => parts.push(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => parts.push(text));
    const end = (isOk: boolean): void => {
      resolve({
        isOk,
        output: parts.join(''),
        seconds: (performance.now() - startedAtMs) / 1000,
      });
    };
    child.on('error', (error) => {
      parts.push(`${error.message}\n`);
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

/** "123 tests" of the runner's summary, or nothing. */
function countOf(output: string): string {
  const count = /^\S+ pass (\d+)$/m.exec(output)?.[1];
  return count === undefined ? '' : `  ${count} tests`;
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const steps = stepsOf(args);
  if (steps.length === 0 || (args[0] === 'fuzz' && !existsSync(join(root, 'test/fuzz/run.ts')))) {
    console.error(`No tests match: ${args.join(' ')}`);
    return 1;
  }
  for (const step of steps) {
    const { isOk, output, seconds } = await run(step);
    const mark = isOk ? 'ok    ' : 'FAILED';
    if (!isOk) process.stdout.write(output);
    console.log(
      `${mark} ${step.name.padEnd(20)} ${seconds.toFixed(1).padStart(6)} s${countOf(output)}`,
    );
    if (!isOk) return 1;
  }
  return 0;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 3 });
}
