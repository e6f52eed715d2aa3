/**
 * One end of a transfer as a process of its own, so that a test can kill it: `send PORT FOLDER NAME` or `receive PORT FOLDER MANIFEST DIGEST`.
 * It prints a line for each step.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerNode } from '../../src/node/peer-node.ts';
import { walkSource } from '../../src/node/transfer-source.ts';

const NONCE = new Uint8Array(16).fill(3);
/** Slow enough to be killed on the way. */
const UPLOAD_BYTES_PER_SEC = 60_000_000;

const [role, port = '', folder = '', name = '', digest = ''] = process.argv.slice(2);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const quiet = { isOffline: true, usesLocalDiscovery: false, usesDht: false };

async function send(): Promise<void> {
  const listen = `127.0.0.1:${port}`;
  const limits = { uploadLimitBytesPerSec: UPLOAD_BYTES_PER_SEC };
  const node = await PeerNode.open({ ...quiet, listen, ...limits });
  const source = await walkSource(join(folder, name));
  await node.sendTransfer({ source, nonce: NONCE });
  writeFileSync(join(folder, 'manifest'), source.bytes);
  say('serving');
}

async function receive(): Promise<void> {
  const node = await PeerNode.open({ ...quiet, listen: '127.0.0.1:0' });
  const into = await node.receiveTransfer({
    manifestBytes: readFileSync(name),
    nonce: NONCE,
    dir: folder,
    peers: [`127.0.0.1:${port}`],
  });
  into.torrent.on('piece', () => say('piece'));
  say(`had ${into.torrent.service.swarm.have?.count ?? 'all'}`);
  say(`digest ${Buffer.from(await into.received()).toString('hex')}`);
  if (!(await into.verify(Uint8Array.from(Buffer.from(digest, 'hex'))))) throw new Error('wrong');
  say('finishing');
  const { path } = await into.finish();
  say(`finished ${path}`);
  await node.close();
  into.forget();
}

if (role === 'send') await send();
else await receive();
