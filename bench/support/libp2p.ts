/**
 * js-libp2p as a rival: installed from npm into a folder outside the checkout, since it is no dependency of anything here.
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const VERSIONS = {
  libp2p: '3.3.11',
  '@libp2p/noise': '17.0.3',
  '@libp2p/tcp': '11.0.28',
  '@libp2p/tls': '3.1.10',
  '@libp2p/yamux': '8.0.3',
};

/** What the ends import: nodes without services, whose limits are no part of what is measured. */
const ENTRY = `import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
export { multiaddr } from '@multiformats/multiaddr';
export const makeNode = (encrypter, listen) =>
  createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [encrypter === 'tls' ? tls() : noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      maxConnections: 10_000,
      inboundConnectionThreshold: 100_000,
      maxIncomingPendingConnections: 1_000,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
  });
`;

/** Installs js-libp2p in a folder, unless it is there. @returns its versions, for the table. */
export function installLibp2p(folder: string): string {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'entry.mjs'), ENTRY);
  if (!fs.existsSync(path.join(folder, 'node_modules', 'libp2p'))) {
    const wanted = { private: true, type: 'module', dependencies: VERSIONS };
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(wanted));
    const options = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--silent'];
    execFileSync('npm', ['install', ...options], { cwd: folder, stdio: 'inherit' });
  }
  const file = path.join(folder, 'node_modules', 'libp2p', 'package.json');
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
}
