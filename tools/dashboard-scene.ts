/**
 * What the pictures of the dashboard show: a node among friends on loopback, that downloads, gives and sends.
 * @module
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon } from '../src/node/daemon/daemon.ts';

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

/** A node, and the calls of its API. */
export class SceneNode {
  readonly daemon: Daemon;
  readonly dir: string;

  constructor(daemon: Daemon, dir: string) {
    this.daemon = daemon;
    this.dir = dir;
  }

  static async open(dir: string, bootstrap: readonly string[] = []): Promise<SceneNode> {
    const daemon = await Daemon.open({
      home: join(dir, 'home'),
      isOffline: true,
      bootstrap,
      settings: {
        'api.listen': '127.0.0.1:0',
        listen: '127.0.0.1:0',
        'discovery.lan': false,
        'download-dir': join(dir, 'downloads'),
      },
    });
    return new SceneNode(daemon, dir);
  }

  get address(): string {
    const { host, port } = this.daemon.composition.node.endpoint;
    return `${host}:${port}`;
  }

  /** The address of the dashboard, as a start prints it. */
  get page(): string {
    return `${this.daemon.server.url}/#token=${this.daemon.token}`;
  }

  // biome-ignore lint/suspicious/noExplicitAny: an answer is JSON.
  async ask(method: string, where: string, body?: unknown): Promise<any> {
    const response = await fetch(`${this.daemon.server.url}/api/v1${where}`, {
      method,
      headers: {
        authorization: `Bearer ${this.daemon.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${where}: ${text}`);
    return JSON.parse(text);
  }

  /** Writes a folder, or a file of that name, and shares it. @returns the link. */
  async share(name: string, folder: Folder): Promise<string> {
    const isFile = Object.keys(folder).join() === name;
    for (const [file, mib] of Object.entries(folder)) {
      const where = join(this.dir, 'shared', ...(isFile ? [file] : [name, file]));
      mkdirSync(dirname(where), { recursive: true });
      writeFileSync(where, randomFillSync(Buffer.alloc(Math.round(mib * MIB))));
    }
    const { id } = await this.ask('POST', '/shares', { path: join(this.dir, 'shared', name) });
    return (await this.ask('GET', `/torrents/${id}`)).magnet;
  }

  async contact(name: string, other: SceneNode): Promise<void> {
    const { link } = await other.ask('GET', '/identity?address=true');
    await this.ask('POST', '/contacts', { name, id: link });
  }
}

/** Opens all of it below `dir`. @returns the node to look at. */
export async function openScene(dir: string, stack: AsyncDisposableStack): Promise<SceneNode> {
  const open = async (name: string, bootstrap?: readonly string[]): Promise<SceneNode> => {
    const node = await SceneNode.open(join(dir, name), bootstrap);
    stack.use(node.daemon);
    return node;
  };
  const friend = await open('friend');
  const known = [friend.address];
  const [main, ...takers] = await Promise.all(
    ['main', 'noor', 'studio', 'third', 'fourth'].map((name) => open(name, known)),
  );
  await befriend(main!, [
    ['Ada’s laptop', friend],
    ['Noor', takers[0]!],
    ['Studio', takers[1]!],
  ]);
  for (const [name, category, folder, limit] of SHARED) {
    const link = await friend.share(name, folder);
    await main!.ask('PUT', `/categories/${category}`, {});
    const more = limit === 0 ? {} : { downloadLimitBytesPerSec: limit };
    await main!.ask('POST', '/torrents', { link, category, peers: known, ...more });
  }
  for (const [name, folder] of OWN) {
    const link = await main!.share(name, folder);
    for (const taker of takers) {
      const wish = { link, peers: [main!.address], downloadLimitBytesPerSec: 120_000 };
      await taker.ask('POST', '/torrents', wish);
    }
  }
  const path = join(main!.dir, 'shared', 'Photos of the harbour');
  await main!.ask('POST', '/sends', { path });
  await main!.ask('POST', '/sends', { path, to: 'Noor' });
  // Until rates are steady, the DHT is known, and a plot has something to show.
  await sleep(25_000);
  return main!;
}

/** Contacts of each other. */
async function befriend(
  main: SceneNode,
  people: readonly (readonly [string, SceneNode])[],
): Promise<void> {
  for (const [name, node] of people) {
    await main.contact(name, node);
    await node.contact('Me', main);
  }
}
