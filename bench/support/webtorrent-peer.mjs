/**
 * One WebTorrent client for the benchmarks, over TCP alone, with everything that looks for peers off.
 *
 * webtorrent-peer.mjs MODULES_FOLDER seed|get TORRENT DIR PORT [PEER_PORT ...]
 * Prints "ready" when it listens (a seed: when it serves), and for get {"seconds": ...} from adding the torrent to having every piece.
 * @module
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, role, torrent, folder, port, ...peers] = process.argv.slice(2);
const entry = createRequire(path.join(modules, 'index.js')).resolve('webtorrent');
const { default: WebTorrent } = await import(pathToFileURL(entry).href);
const client = new WebTorrent({
  dht: false,
  lsd: false,
  tracker: false,
  utp: false,
  natUpnp: false,
  natPmp: false,
  utPex: false,
  secure: false,
  torrentPort: Number(port),
});
const say = (text) => process.stdout.write(`${text}\n`);
client.on('error', (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
const startedMs = performance.now();
const options = { path: folder, skipVerify: role === 'seed' };
const added = client.add(new Uint8Array(fs.readFileSync(torrent)), options, () => {
  if (role === 'seed') say('ready');
});
for (const peer of peers) {
  added.on('infoHash', () => added.addPeer(`127.0.0.1:${peer}`));
}
if (role === 'get') {
  added.on('done', () => {
    say(JSON.stringify({ seconds: (performance.now() - startedMs) / 1000 }));
  });
}
// Peers that still trade need us; the driver ends the process.
process.stdin.resume();
