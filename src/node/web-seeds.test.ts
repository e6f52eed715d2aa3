import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { poll, TestBed } from '../../test/support/cli-child.ts';
import { readTree, type TreeSpec, writeTree } from '../../test/support/content.ts';
import {
  sendFile,
  startWebServer,
  type WebMood,
  type WebServer,
} from '../../test/support/web-server.ts';
import { nodeCrypto } from '../io/crypto.ts';
import { contentDigest } from '../protocol/send/index.ts';
import { createTorrent } from './create.ts';
import { PeerNode } from './peer-node.ts';
import type { Torrent } from './torrent.ts';
import type { AddOptions } from './torrent-types.ts';
import { WebSeedGate } from './web-seeds.ts';

const LIMITS = { timeout: 60_000 };
const SMALL: TreeSpec = { 'a file.bin': 300_001, 'ü/b.bin': 200_000, 'empty.txt': 0, 'c.txt': 5 };

interface Rig {
  readonly server: WebServer;
  readonly torrent: Torrent;
  /** Waits for the end, and compares. */
  readonly complete: () => Promise<void>;
}

/** A web server with a tree and a torrent of it that is being fetched. */
async function rig(
  bed: TestBed,
  options: {
    readonly mood?: WebMood;
    readonly version?: 'v1' | 'v2' | 'hybrid';
    readonly tree?: TreeSpec;
    readonly urls?: (url: string) => string[];
    readonly add?: Partial<AddOptions>;
    readonly isFromPublic?: boolean;
  } = {},
): Promise<Rig> {
  const path = writeTree(join(bed.dir('original'), 'tree'), options.tree ?? SMALL);
  const server = await startWebServer(bed, bed.dir('original'), options.mood);
  const { metainfo } = await createTorrent(path, {
    version: options.version ?? 'v1',
    pieceLengthBytes: 32_768,
    webSeeds: options.urls?.(server.url) ?? [server.url],
  });
  const home = bed.home();
  const node = await PeerNode.open({
    listen: '127.0.0.1:0',
    home,
    isOffline: true,
    usesLocalDiscovery: false,
  });
  bed.onEnd(() => node.close());
  const { isFromPublic = false, add } = options;
  const source = { kind: 'metainfo', metainfo, isFromPublic } as const;
  const torrent = await node.add({ source, dir: bed.dir('copy'), ...add });
  return {
    server,
    torrent,
    complete: async () => {
      await torrent.completed({ signal: AbortSignal.timeout(30_000) });
      assert.deepEqual(readTree(join(bed.dir('copy'), 'tree')), readTree(path));
    },
  };
}

/** Resolves when the web seed has failed. */
function failure(torrent: Torrent): Promise<string> {
  return poll('a failure', () => torrent.status().webSeeds[0]?.failure);
}

describe('a web seed alone', { concurrency: 4 }, () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    it(
      `${version}: is asked for the torrent's names, and so is a digest, when the disk has others`,
      LIMITS,
      async () => {
        await using bed = new TestBed();
        const path = writeTree(join(bed.dir('original'), 'tree'), SMALL);
        const tree = readTree(path);
        const files = Object.keys(tree).map((name) => ({
          path: name.split('/'),
          sha256: nodeCrypto.sha256(readFileSync(join(path, name))),
        }));
        const { torrent } = await rig(bed, {
          version,
          add: {
            renames: [
              { path: ['tree', 'ü', 'b.bin'], name: 'bee.bin' },
              { path: ['tree', 'ü'], name: 'u' },
              { path: ['tree'], name: 'mine' },
            ],
            sha256: contentDigest(files, nodeCrypto),
          },
        });
        await torrent.completed({ signal: AbortSignal.timeout(30_000) });
        const { 'ü/b.bin': b, ...rest } = tree;
        assert.deepEqual(readTree(join(bed.dir('copy'), 'mine')), { ...rest, 'u/bee.bin': b });
        assert.ok(!existsSync(join(bed.dir('copy'), 'tree')));
      },
    );
  }

  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    it(`${version}: brings every file, and pads are never asked for`, LIMITS, async () => {
      await using bed = new TestBed();
      const { server, complete } = await rig(bed, { version });
      await complete();
      assert(server.requests.every(({ range }) => range !== undefined));
      const asked = new Set(server.requests.map(({ url }) => decodeURIComponent(url)));
      assert.deepEqual([...asked].sort(), ['/tree/a file.bin', '/tree/c.txt', '/tree/ü/b.bin']);
    });
  }

  it('is asked for long ranges on kept connections', LIMITS, async () => {
    await using bed = new TestBed();
    const { server, complete } = await rig(bed, { tree: { 'a.bin': 12_000_000 } });
    await complete();
    // 733 blocks in 367 pieces.
    assert(server.requests.length < 40, `${server.requests.length} requests`);
    assert(server.connections() <= 2, `${server.connections()} connections`);
  });

  it('may answer with whole files instead of ranges', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (request, response) => {
      sendFile(join(bed.dir('original'), decodeURIComponent(request.url!)), undefined, response);
      return true;
    };
    const { complete } = await rig(bed, { mood });
    await complete();
  });

  it('may break off in the middle', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (request, response, count) => {
      if (count !== 2) return false;
      const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
      response.on('finish', () => request.socket.destroy());
      response.strictContentLength = false;
      sendFile(
        join(bed.dir('original'), decodeURIComponent(request.url!)),
        undefined,
        response,
        half,
      );
      return true;
    };
    const { complete } = await rig(bed, { mood });
    await complete();
  });

  it('may be busy, and is asked again when it said so', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (_request, response, count) => {
      if (count > 1) return false;
      response.writeHead(503, { 'retry-after': '1' });
      response.end();
      return true;
    };
    const { server, torrent, complete } = await rig(bed, { mood });
    assert.equal(await failure(torrent), 'answered 503');
    await complete();
    assert(server.requests.length > 1);
  });

  it('may redirect, which is remembered', LIMITS, async () => {
    await using bed = new TestBed();
    const target = await startWebServer(bed, bed.dir('original'));
    const mood: WebMood = (request, response) => {
      response.writeHead(302, { location: new URL(request.url!, target.url).href });
      response.end();
      return true;
    };
    const { server, complete } = await rig(bed, { mood, tree: { 'a.bin': 3_000_000 } });
    await complete();
    assert(server.requests.length <= 2, 'one for each of the first two ranges at most');
    assert(target.requests.length > server.requests.length);
  });

  it('that redirects in circles is left', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (request, response) => {
      response.writeHead(302, { location: request.url });
      response.end();
      return true;
    };
    const { server, torrent } = await rig(bed, { mood });
    assert.match(await failure(torrent), /at most 5 redirects/);
    assert(server.requests.length <= 12);
  });
});

describe('web seeds that are wrong', { concurrency: 4 }, () => {
  it(
    'one whose data fails its hash is banned, and the other one brings the rest',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const mood: WebMood = (request, response) => {
        if (!request.url!.startsWith('/liar/')) return false;
        const path = join(bed.dir('original'), decodeURIComponent(request.url!.slice(5)));
        sendFile(path, request.headers.range, response, (bytes) => bytes.fill(1));
        return true;
      };
      const { torrent, complete } = await rig(bed, { mood, urls: (url) => [`${url}liar/`, url] });
      await complete();
      assert.deepEqual(
        torrent.status().webSeeds.map(({ isBanned }) => isBanned),
        [true, false],
      );
    },
  );

  it('one with a file of another length is left', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-9/10', 'content-length': 10 });
      response.end(Buffer.alloc(10));
      return true;
    };
    const { torrent } = await rig(bed, { mood });
    assert.match(await failure(torrent), /has another file: expected \d+ bytes, got 10/);
  });

  it('one that lacks a file brings the others', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (request, response) => {
      if (!request.url!.endsWith('a%20file.bin')) return false;
      response.writeHead(404);
      response.end();
      return true;
    };
    const { torrent } = await rig(bed, { mood, version: 'hybrid' });
    // 300,001 bytes are 10 pieces, 200,000 bytes 7, and 5 bytes one.
    await new Promise<void>((resolve) => {
      torrent.on('piece', () => {
        if (torrent.status().havePieces === 8) resolve();
      });
      if (torrent.status().havePieces === 8) resolve();
    });
    assert.equal(torrent.status().pieceCount, 18);
  });
});

describe('what a web seed may be asked for', { concurrency: 4 }, () => {
  it('nothing with a query at an address that is not public', LIMITS, async () => {
    await using bed = new TestBed();
    const tree = { 'a.bin': 5 };
    const { server, torrent } = await rig(bed, { tree, urls: (url) => [`${url}run?x=/`] });
    assert.match(await failure(torrent), /not allowed at its address/);
    assert.equal(server.requests.length, 0);
  });

  it('nothing but public addresses when the torrent came from one', LIMITS, async () => {
    await using bed = new TestBed();
    const { server, torrent } = await rig(bed, { isFromPublic: true });
    assert.match(await failure(torrent), /not allowed at its address/);
    assert.equal(server.requests.length, 0);
  });

  it('anything that the user gave', LIMITS, async () => {
    await using bed = new TestBed();
    const mood: WebMood = (request, response) => {
      const path = decodeURIComponent(request.url!.replace('/run?x=', ''));
      sendFile(join(bed.dir('original'), path), request.headers.range, response);
      return true;
    };
    const urls: string[] = [];
    const add = { webSeeds: urls };
    const { complete } = await rig(bed, {
      mood,
      isFromPublic: true,
      add,
      urls: (url) => {
        urls.push(`${url}run?x=/`);
        return [];
      },
    });
    await complete();
  });

  it('nothing when web seeds are not wanted', LIMITS, async () => {
    await using bed = new TestBed();
    const { torrent } = await rig(bed, { add: { usesWebSeeds: false } });
    assert.deepEqual(torrent.status().webSeeds, []);
  });

  it('by four connections to a host and 64 of a node at most', () => {
    const gate = new WebSeedGate();
    const leaves = Array.from({ length: 4 }, () => gate.enter('a'));
    assert.equal(gate.enter('a'), undefined);
    leaves[0]!();
    assert(gate.enter('a') !== undefined);
    for (let i = 0; i < 60; i += 1) assert(gate.enter(`b${i}`) !== undefined);
    assert.equal(gate.enter('c'), undefined);
  });
});
