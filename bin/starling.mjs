#!/usr/bin/env node
// Starts the command line: the built program where there is one, the source in a checkout. Plain JavaScript, so that an old Node gets a sentence, not a syntax error.
const major = Number(process.versions.node.split('.')[0]);
if (major < 26) {
  process.stderr.write(
    `starling needs Node 26 or newer, and this is Node ${process.versions.node}: install Node 26, or in a checkout use "npm start -- <arguments>", which brings its own.\n`,
  );
  process.exit(1);
}
const { existsSync, realpathSync } = await import('node:fs');
const { enableCompileCache } = await import('node:module');
enableCompileCache();
// npm starts scripts in the package's folder; relative paths are meant from where the person stands.
const { INIT_CWD: typedIn, npm_lifecycle_event: script } = process.env;
if (script === 'start' && typedIn !== undefined && existsSync(typedIn)) {
  const root = realpathSync(new URL('..', import.meta.url));
  if (realpathSync(process.cwd()) === root) process.chdir(typedIn);
}
// A checkout has src/, an installed package has only dist/: so a checkout never runs a stale build.
const source = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(existsSync(source) ? source.href : built.href);
await main(process.argv.slice(2));
