import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { makeTorrent } from '../../../test/support/torrents.ts';
import { parseMetainfo } from '../metainfo/index.ts';
import { judgeAnswer, rangeHeader } from './answer.ts';
import { answerFile, entityTag, requestedPath, servedPaths } from './serve.ts';
import { webSeedUrl } from './web-seed-url.ts';

const FILE = { lengthBytes: 1_000, etag: '"abc-0"' };

function ask(headers: Record<string, string> = {}, method = 'GET', file = FILE) {
  return answerFile({ method, headers }, file);
}

/** "first-last/total" of a 206. */
function rangeIn(range: string): string | undefined {
  const answer = ask({ range });
  return answer.status === 206 ? answer.headers['content-range'] : String(answer.status);
}

function hybrid() {
  const files = [
    { path: ['a b.bin'], bytes: new Uint8Array(20_000).fill(1) },
    { path: ['ü', '100%.txt'], bytes: new Uint8Array(5).fill(2) },
    { path: ['empty'], bytes: new Uint8Array(0) },
    { path: ['link'], bytes: new Uint8Array(0), symlinkTarget: ['empty'] },
  ];
  const plan = { name: 'top', isSingleFile: false, version: 'hybrid', pieceLengthBytes: 16_384 };
  const parsed = parseMetainfo(makeTorrent(files, plan as never).bytes, nodeCrypto);
  assert(parsed.ok);
  return parsed.value.info;
}

describe('which file a request means', () => {
  it('every file by the URL that a client makes of it, pads and links never', () => {
    const info = hybrid();
    const paths = servedPaths(info);
    const pads = info.files.filter(({ isPad }) => isPad);
    assert(pads.length > 0);
    assert.equal(paths.size, 3);
    for (const [path, index] of paths) {
      const url = new URL(webSeedUrl('http://host:1/', info, index));
      assert.equal(requestedPath(url.pathname), path);
      assert.equal(requestedPath(url.href), path, 'a whole URL too');
      assert.equal(info.files[index]!.isPad, false);
    }
  });

  it('has no way to name anything but the components of a path', () => {
    for (const target of ['', '*', 'top', '/%', '/%ff', '/a%2Fb', `/${'a'.repeat(5_000)}`]) {
      assert.equal(requestedPath(target), undefined, target);
    }
    assert.equal(requestedPath('/top/../x?y#z'), 'top/../x', 'nothing is resolved');
    assert.equal(requestedPath('/top/..%5Cx'), 'top/..\\x');
    assert.equal(servedPaths(hybrid()).get('top/ü/../a b.bin'), undefined);
  });

  it('tags are strong, and differ by file and torrent', () => {
    const info = hybrid();
    assert.match(entityTag(info, 0), /^"[0-9a-f]{40}-0"$/);
    assert.notEqual(entityTag(info, 0), entityTag(info, 2));
  });
});

describe('what is answered', () => {
  it('the whole file', () => {
    const answer = ask();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '1000');
    assert.equal(answer.headers['accept-ranges'], 'bytes');
    assert.deepEqual([answer.offsetBytes, answer.lengthBytes], [0, 1_000]);
  });

  it('one range, open to either side, cut to the file', () => {
    assert.equal(rangeIn('bytes=0-0'), 'bytes 0-0/1000');
    assert.equal(rangeIn('Bytes=10-19'), 'bytes 10-19/1000');
    assert.equal(rangeIn('bytes=990-'), 'bytes 990-999/1000');
    assert.equal(rangeIn('bytes=-10'), 'bytes 990-999/1000');
    assert.equal(rangeIn('bytes=-5000'), 'bytes 0-999/1000');
    assert.equal(rangeIn('bytes=900-99999999999999999999'), 'bytes 900-999/1000');
  });

  it('416 for a range that the file has nothing of', () => {
    for (const range of [
      'bytes=1000-',
      'bytes=1000-2000',
      'bytes=-0',
      'bytes=99999999999999999-',
    ]) {
      const answer = ask({ range });
      assert.equal(answer.status, 416, range);
      assert.equal(answer.headers['content-range'], 'bytes */1000');
      assert.equal(answer.lengthBytes, 0);
    }
    assert.equal(ask({ range: 'bytes=0-' }, 'GET', { ...FILE, lengthBytes: 0 }).status, 416);
  });

  it('the whole file for several ranges, other units and nonsense', () => {
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=9-3', 'bytes=-', 'bytes=a-b', '']) {
      assert.equal(ask({ range }).status, 200, range);
    }
  });

  it('HEAD as GET without ranges, and without a body', () => {
    const answer = ask({ range: 'bytes=5-6' }, 'HEAD');
    assert.deepEqual([answer.status, answer.lengthBytes], [200, 0]);
    assert.equal(answer.headers['content-length'], '1000');
  });

  it('If-Range: the range for our own tag only', () => {
    const range = 'bytes=1-2';
    assert.equal(ask({ range, 'if-range': FILE.etag }).status, 206);
    for (const other of ['"other"', `W/${FILE.etag}`, 'Tue, 01 Jan 2030 00:00:00 GMT']) {
      assert.equal(ask({ range, 'if-range': other }).status, 200, other);
    }
  });

  it('If-None-Match: 304 for our own tag', () => {
    for (const tags of [FILE.etag, `"x", W/${FILE.etag}`, '*']) {
      const answer = ask({ 'if-none-match': tags });
      assert.deepEqual([answer.status, answer.lengthBytes], [304, 0], tags);
    }
    assert.equal(ask({ 'if-none-match': '"x"' }).status, 200);
  });

  it('405 for other methods', () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get']) {
      assert.equal(ask({}, method).status, 405);
    }
  });

  it('what our own client asks for, so that it takes the answer', () => {
    const sizes = fc.integer({ min: 1, max: 2 ** 50 });
    fc.assert(
      fc.property(
        sizes,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        sizes,
        (lengthBytes, at, want) => {
          const offsetBytes = Math.floor(at * lengthBytes);
          const asked = {
            offsetBytes,
            lengthBytes: Math.min(want, lengthBytes - offsetBytes),
            fileBytes: lengthBytes,
          };
          const answer = ask({ range: rangeHeader(asked) }, 'GET', { ...FILE, lengthBytes });
          const judged = judgeAnswer(answer.status, answer.headers, asked);
          assert.deepEqual(judged, { kind: 'body', skipBytes: 0 });
          assert.equal(answer.offsetBytes, asked.offsetBytes);
          assert.equal(answer.lengthBytes, asked.lengthBytes);
        },
      ),
    );
  });
});
