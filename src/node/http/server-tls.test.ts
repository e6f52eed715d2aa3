import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { isLoopback, isPassword, passwordDigest, tlsFilesOf } from './server-tls.ts';

const NONE = { cert: '', key: '' };

function homeOf(t: TestContext): string {
  const home = mkdtempSync(path.join(tmpdir(), 'starling-tls-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

test('a certificate is made once, for all names of the machine, with a key of its owner alone', async (t) => {
  const home = homeOf(t);
  const made = await tlsFilesOf(home, NONE, ['node.lan', '192.0.2.7']);
  const certificate = new X509Certificate(made.cert);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(made.key)), true);
  for (const name of ['localhost', 'node.lan', hostname().toLowerCase()]) {
    assert.ok(certificate.checkHost(name) !== undefined, name);
  }
  for (const ip of ['127.0.0.1', '192.0.2.7']) assert.equal(certificate.checkIP(ip), ip);
  assert.equal(certificate.checkHost('other.lan'), undefined);
  assert.equal(statSync(path.join(home, 'api-key.pem')).mode & 0o777, 0o600);
  assert.deepEqual(await tlsFilesOf(home, NONE, []), made);
});

test('one file of two, or a file that is not there, is refused', async (t) => {
  const home = homeOf(t);
  await assert.rejects(tlsFilesOf(home, { cert: '/a', key: '' }, []), { code: 'ERR_CONFIG' });
  const gone = path.join(home, 'gone');
  await assert.rejects(tlsFilesOf(home, { cert: gone, key: gone }, []), { code: 'ERR_FILE' });
});

test('the right password opens a digest and a plain text, a wrong one and none open nothing', async () => {
  const kept = await passwordDigest('correct horse battery');
  assert.equal(await isPassword(kept, 'correct horse battery'), true);
  assert.equal(await isPassword(kept, 'correct horse batterx'), false);
  assert.equal(await isPassword('of a config.json', 'of a config.json'), true);
  assert.equal(await isPassword('', ''), false);
});

test('only names that never leave the machine are loopback', () => {
  for (const host of ['localhost', '::1', '127.0.0.1', '127.9.9.9']) assert.ok(isLoopback(host));
  for (const host of ['0.0.0.0', '::', '128.0.0.1', 'localhost.example', '127.0.0.1.example']) {
    assert.ok(!isLoopback(host), host);
  }
});
