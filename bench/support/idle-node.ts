/**
 * The node that bench/idle.ts measures: seeds every torrent of a folder until its input ends, and says when it has them all.
 * Arguments: the built library, the folder of torrent files, the folder of their content, the state folder.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [entry, torrents, dir, home] = process.argv.slice(2) as [string, string, string, string];
const { PeerNode, readSource } = (await import(
  pathToFileURL(entry).href
)) as typeof import('../../src/node/index.ts');
const openedMs = performance.now();
const node = await PeerNode.open({ listen: '127.0.0.1:0', home, usesLocalDiscovery: false });
let seeding = 0;
for (const name of fs.readdirSync(torrents)) {
  const source = await readSource(path.join(torrents, name));
  const torrent = await node.add({ source, dir, mode: 'seed', isDiscovering: false });
  if (torrent.state === 'seeding') seeding += 1;
}
const readyMs = performance.now();
const said = {
  seeding,
  port: node.endpoint.port,
  fromProcessMs: readyMs,
  fromOpenMs: readyMs - openedMs,
};
process.stdout.write(`${JSON.stringify(said)}\n`);
// Ends with its parent, and in order when told so: the first run has to leave its state behind.
process.stdin.resume();
process.stdin.on('end', () => void node.close().then(() => process.exit(0)));
