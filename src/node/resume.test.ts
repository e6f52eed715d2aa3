import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ResumeStore } from './resume.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'resume-'));
after(() => fs.rmSync(home, { recursive: true, force: true }));

test('a journal that was torn in the middle of an entry goes on at the entry before', () => {
  const hash = new Uint8Array(20);
  const first = new ResumeStore(home, hash, home);
  first.append([1, 258]);
  first.close();
  const [name] = fs.readdirSync(path.join(home, 'resume'));
  fs.appendFileSync(path.join(home, 'resume', name!), Buffer.of(0, 0));
  const second = new ResumeStore(home, hash, home);
  second.append([3]);
  second.append([4]);
  second.close();
  assert.deepEqual(second.loadJournal(1000).pieces, [1, 258, 3, 4]);
  assert.deepEqual(second.loadJournal(4).pieces, [1, 3], 'entries beyond the count are ignored');
});
