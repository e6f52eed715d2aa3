import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { takeProcessLock } from './process-lock.ts';

function inFolder(work: (file: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'starling-lock-'));
    try {
      await work(path.join(folder, 'deep', 'node.lock'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

test(
  'one has it, in this process, too; whoever gives it back lets the next one',
  inFolder((file) => {
    const lock = takeProcessLock(file);
    assert.ok(lock !== undefined);
    assert.equal(takeProcessLock(file), undefined);
    assert.equal(takeProcessLock(file), undefined, 'asking does not take it away');
    lock.release();
    const next = takeProcessLock(file);
    assert.ok(next !== undefined);
    next.release();
  }),
);

test(
  'a process that is killed gives it back',
  inFolder(async (file) => {
    const module = path.join(import.meta.dirname, 'process-lock.ts');
    const script = `import { takeProcessLock } from ${JSON.stringify(module)};
      globalThis.lock = takeProcessLock(${JSON.stringify(file)});
      console.log(globalThis.lock === undefined ? 'no' : 'yes');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    assert.equal(String(said).trim(), 'yes');
    assert.equal(takeProcessLock(file), undefined);
    child.kill('SIGKILL');
    await once(child, 'close');
    const lock = takeProcessLock(file);
    assert.ok(lock !== undefined);
    lock.release();
  }),
);

test(
  'where no file can be the system says why',
  inFolder((file) => {
    const inFile = path.join(import.meta.filename, path.basename(file));
    assert.throws(() => takeProcessLock(inFile), { code: /^(?:ENOTDIR|EEXIST|ENOENT)$/ });
  }),
);
