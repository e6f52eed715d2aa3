// Installs the dependencies when they are missing or older than the lock file, and builds the dashboard when it is missing or older than its source. Runs on Node 20, before anything else is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
const isWindows = process.platform === 'win32';

/** When something in a folder changed last, in milliseconds. */
function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** Runs a program whose failure ends the set-up. */
function run(what, program, args, advice) {
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], shell: isWindows });
  if (result.status === 0) return;
  process.stderr.write(
    `Set-up failed: "${what}" ended with ${result.status ?? result.signal}. ${advice}\n`,
  );
  process.exit(1);
}

const isFresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
if (!isFresh) {
  process.stderr.write('Installing dependencies (once) …\n');
  run(
    'npm ci',
    isWindows ? 'npm.cmd' : 'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'Check the network and run the command again.',
  );
}

const page = join(root, 'dist', 'web', 'index.html');
const sources = ['src/web', 'src/contract', 'tools/build-web.mjs'];
const sourceMs = Math.max(
  ...sources.map((path) => newestMs(join(root, path))),
  statSync(lock).mtimeMs,
);
if (!existsSync(page) || statSync(page).mtimeMs < sourceMs) {
  process.stderr.write('Building the dashboard …\n');
  run(
    'build-web',
    join(root, 'node_modules', '.bin', isWindows ? 'node.exe' : 'node'),
    [join('tools', 'build-web.mjs')],
    'Run "npm run build" to see it alone.',
  );
}
