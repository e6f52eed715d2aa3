import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { type Info, planTorrent } from '../../protocol/metainfo/index.ts';
import { contentDisposition, respondMedia, vttHeaders } from './respond.ts';

function torrentOf(...names: string[]): Info {
  const files = names.map((name) => ({ path: [name], lengthBytes: 1_000 }));
  const options = { name: 'top', isSingleFile: false, version: 'v1', pieceLengthBytes: 16_384 };
  const plan = planTorrent(files, options as never) as unknown as Info;
  return { ...plan, infoHashV1: new Uint8Array(20).fill(0xab) };
}

const get = (name: string, headers: Record<string, string> = {}, isDownload = false) =>
  respondMedia({ method: 'GET', headers, isDownload }, torrentOf(name), 0);

test('a film is shown, in parts; its tag is the torrent and its place in it', () => {
  const { status, headers, offsetBytes, lengthBytes } = get('film.mp4', { range: 'bytes=10-19' });
  assert.equal(status, 206);
  assert.deepEqual([offsetBytes, lengthBytes], [10, 10]);
  assert.deepEqual(headers, {
    'accept-ranges': 'bytes',
    'content-type': 'video/mp4',
    'x-content-type-options': 'nosniff',
    etag: `"${'ab'.repeat(20)}-0"`,
    'content-length': '10',
    'content-range': 'bytes 10-19/1000',
    'content-disposition': 'inline; filename="film.mp4"',
    'cross-origin-resource-policy': 'same-origin',
  });
});

test('what could run, and what nobody knows, is bytes to save', () => {
  for (const name of ['a.html', 'a.svg', 'a.js', 'a.vtt', 'a.pdf', 'a.mp4.html', 'noext']) {
    const { headers } = get(name);
    assert.equal(headers['content-type'], 'application/octet-stream', name);
    assert.equal(headers['content-disposition'], `attachment; filename="${name}"`);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  assert.match(get('film.mp4', {}, true).headers['content-disposition']!, /^attachment;/);
});

test('subtitles that were made here are WebVTT of that length', () => {
  const headers = vttHeaders('WEBVTT\n\né');
  assert.equal(headers['content-type'], 'text/vtt; charset=utf-8');
  assert.equal(headers['content-length'], '10');
});

test('a name is told as it is where that is plain, and by RFC 8187 besides where it is not', () => {
  assert.equal(contentDisposition('attachment', 'a b.bin'), 'attachment; filename="a b.bin"');
  assert.equal(
    contentDisposition('inline', "naïve 'q' €.mp4"),
    `inline; filename="na_ve 'q' _.mp4"; filename*=UTF-8''na%C3%AFve%20%27q%27%20%E2%82%AC.mp4`,
  );
  assert.equal(
    contentDisposition('attachment', '100%".bin'),
    `attachment; filename="100__.bin"; filename*=UTF-8''100%25%22.bin`,
  );
  assert.match(
    contentDisposition('attachment', '../..\\c:evil\r\nx.exe'),
    /filename="_.._c_evilx\.exe"/,
  );
  assert.match(contentDisposition('attachment', 'gpj\u202eexe.bin'), /filename="gpjexe\.bin"$/);
  assert.match(contentDisposition('attachment', '...'), /filename="file"/);
});

test('any name makes a header that is one line, names one file, and reads back', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 300 }), (name) => {
      const header = contentDisposition('attachment', name);
      const found =
        /^attachment; filename="([\x20-\x7e]+)"(?:; filename\*=UTF-8''([\w!#$&+.^`|~%-]+))?$/.exec(
          header,
        );
      assert(found !== null, header);
      assert(!/["\\/%:]/.test(found[1]!), header);
      const real = decodeURIComponent(found[2] ?? found[1]!);
      assert(!/[/\\:\p{Cc}\p{Cf}]/u.test(real) && real.length <= 255, real);
    }),
  );
});
