/**
 * What the pictures of the dashboard show: a node among friends on loopback, that downloads, gives and sends.
 * @module
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestBed } from '../test/support/cli-child.ts';
import { ok, openTestNode, type TestNode } from '../test/support/daemon.ts';

const MIB = 1024 * 1024;
/** Files of a folder in MiB. */
type Folder = Readonly<Record<string, number>>;

/** What friends share: name, category, files, bytes a second that we take. */
const SHARED: readonly (readonly [string, string, Folder, number])[] = [
  [
    'Field recordings, volume 3',
    'sound',
    { 'dawn.flac': 18, 'reeds.flac': 24, 'notes.txt': 0.01 },
    0,
  ],
  ['Night sky over the fjord.webm', 'films', { 'Night sky over the fjord.webm': 96 }, 900_000],
  [
    'Open textbooks',
    'library',
    { 'algebra.epub': 22, 'geometry.epub': 31, 'optics.epub': 27 },
    700_000,
  ],
  ['Satellite images of the delta', 'library', { 'tile-1.tif': 60, 'tile-2.tif': 60 }, 1_200_000],
  ['Lectures on graph theory', 'films', { '01.webm': 40, '02.webm': 44, '03.webm': 42 }, 0],
];

/** What the node in the pictures shares itself. */
const OWN: readonly (readonly [string, Folder])[] = [
  ['Photos of the harbour', { 'quay.jpg': 6, 'crane.jpg': 7, 'ferry.jpg': 5 }],
  ['Survey of the reed beds 2026', { 'survey.csv': 3, 'map.png': 9 }],
];

/** A node whose files lie in a folder of its own. */
interface SceneNode {
  readonly node: TestNode;
  readonly dir: string;
}

async function open(
  bed: TestBed,
  name: string,
  bootstrap: readonly string[] = [],
): Promise<SceneNode> {
  const dir = bed.dir(name);
  const settings = { 'download-dir': join(dir, 'downloads') };
  const node = await openTestNode(bed, { home: join(dir, 'home'), bootstrap, settings });
  return { node, dir };
}

function addressOf({ node }: SceneNode): string {
  const { host, port } = node.daemon.composition.node.endpoint;
  return `${host}:${port}`;
}

/** Writes a folder, or a file of that name, and shares it. @returns the link. */
async function share({ node, dir }: SceneNode, name: string, folder: Folder): Promise<string> {
  const isFile = Object.keys(folder).join() === name;
  for (const [file, mib] of Object.entries(folder)) {
    const where = join(dir, 'shared', ...(isFile ? [file] : [name, file]));
    mkdirSync(dirname(where), { recursive: true });
    writeFileSync(where, randomFillSync(Buffer.alloc(Math.round(mib * MIB))));
  }
  const { magnet } = await ok(node, 'POST', '/shares', { path: join(dir, 'shared', name) });
  return magnet;
}

async function addContact(of: SceneNode, name: string, other: SceneNode): Promise<void> {
  const { link } = await ok(other.node, 'GET', '/identity?address=true');
  await ok(of.node, 'POST', '/contacts', { name, id: link });
}

/** Opens all of it in the bed. @returns the address of the dashboard to look at, as a start prints it. */
export async function openScene(bed: TestBed): Promise<string> {
  const friend = await open(bed, 'friend');
  const known = [addressOf(friend)];
  const [main, ...takers] = await Promise.all(
    ['main', 'noor', 'studio', 'third', 'fourth'].map((name) => open(bed, name, known)),
  );
  await befriend(main!, [
    ['Ada’s laptop', friend],
    ['Noor', takers[0]!],
    ['Studio', takers[1]!],
  ]);
  for (const [name, category, folder, limit] of SHARED) {
    const link = await share(friend, name, folder);
    await ok(main!.node, 'PUT', `/categories/${category}`, {});
    const more = limit === 0 ? {} : { downloadLimitBytesPerSec: limit };
    await ok(main!.node, 'POST', '/torrents', { link, category, peers: known, ...more });
  }
  for (const [name, folder] of OWN) {
    const link = await share(main!, name, folder);
    for (const taker of takers) {
      const wish = { link, peers: [addressOf(main!)], downloadLimitBytesPerSec: 120_000 };
      await ok(taker.node, 'POST', '/torrents', wish);
    }
  }
  const path = join(main!.dir, 'shared', 'Photos of the harbour');
  await ok(main!.node, 'POST', '/sends', { path });
  await ok(main!.node, 'POST', '/sends', { path, to: 'Noor' });
  // Until rates are steady, the DHT is known, and a plot has something to show.
  await sleep(25_000);
  const { url, daemon } = main!.node;
  return `${url}/#token=${daemon.token}`;
}

/** Contacts of each other. */
async function befriend(
  main: SceneNode,
  people: readonly (readonly [string, SceneNode])[],
): Promise<void> {
  for (const [name, node] of people) {
    await addContact(main, name, node);
    await addContact(node, 'Me', main);
  }
}
