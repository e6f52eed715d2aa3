/** RFC 9110 section 14, ranges, and 13.1.5, If-Range, as files of torrents are served: a test for each sentence that concerns a server of one range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFile } from '../../src/protocol/web-seed/index.ts';

const FILE = { lengthBytes: 10_000, etag: '"tag-0"' };

function ask(range: string, headers: Record<string, string> = {}, method = 'GET', file = FILE) {
  return answerFile({ method, headers: { range, ...headers } }, file);
}

function bytesOf(range: string, file = FILE): string {
  const { status, headers, offsetBytes, lengthBytes } = ask(range, {}, 'GET', file);
  if (status !== 206) return String(status);
  const last = offsetBytes + lengthBytes - 1;
  assert.equal(headers['content-range'], `bytes ${offsetBytes}-${last}/${file.lengthBytes}`);
  assert.equal(headers['content-length'], String(lengthBytes));
  return `${offsetBytes}-${last}`;
}

test('14.1: names of range units are compared without regard to case', () => {
  assert.equal(bytesOf('BYTES=0-0'), '0-0');
  assert.equal(bytesOf('Bytes=5-'), '5-9999');
});

test('14.1.1: "An int-range is invalid if the last-pos value is present and less than first-pos."', () => {
  assert.equal(bytesOf('bytes=5-4'), '200');
});

test('14.2: a Range header field with an invalid ranges-specifier is ignored', () => {
  for (const invalid of [
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=--1',
    'bytes=1-2-3',
    'bytes=0x1-2',
  ]) {
    assert.equal(bytesOf(invalid), '200', invalid);
  }
});

test('14.2: "An origin server MUST ignore a Range header field that contains a range unit it does not understand."', () => {
  assert.equal(bytesOf('seconds=1-2'), '200');
});

test('14.1.2: the first 500 bytes are bytes=0-499', () => {
  assert.equal(bytesOf('bytes=0-499'), '0-499');
});

test('14.1.2: the second 500 bytes are bytes=500-999', () => {
  assert.equal(bytesOf('bytes=500-999'), '500-999');
});

test('14.1.2: the final 500 bytes are bytes=-500, or bytes=9500-', () => {
  assert.equal(bytesOf('bytes=-500'), '9500-9999');
  assert.equal(bytesOf('bytes=9500-'), '9500-9999');
});

test('14.1.2: a last-pos that is missing, or not below the length, means the rest of the representation', () => {
  assert.equal(bytesOf('bytes=9999-10000'), '9999-9999');
  assert.equal(bytesOf(`bytes=1-${'9'.repeat(400)}`), '1-9999');
});

test('14.1.2: "If the selected representation is shorter than the specified suffix-length, the entire representation is used."', () => {
  assert.equal(bytesOf('bytes=-10001'), '0-9999');
});

test('14.1.2: a range is satisfiable when its first-pos is below the length, or its suffix-length is not zero', () => {
  assert.equal(bytesOf('bytes=9999-'), '9999-9999');
  assert.equal(bytesOf('bytes=10000-'), '416');
  assert.equal(bytesOf('bytes=-0'), '416');
  assert.equal(bytesOf('bytes=-1'), '9999-9999');
  assert.equal(bytesOf('bytes=0-', { ...FILE, lengthBytes: 0 }), '416');
});

test('14.2: "A server MAY ignore the Range header field." Of several ranges the whole is sent', () => {
  assert.equal(bytesOf('bytes=0-0,-1'), '200');
  assert.equal(bytesOf('bytes=0-499, 500-999'), '200');
});

test('14.2: GET is the only method with ranges, in all others the field is ignored; 9.3.2: HEAD has the fields of a GET and no content', () => {
  const head = ask('bytes=0-499', {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], '10000');
  assert.equal(head.lengthBytes, 0);
});

test('14.2: a satisfiable range is answered by 206 (Partial Content), a request without one by 200', () => {
  assert.equal(ask('bytes=0-0').status, 206);
  const whole = answerFile({ method: 'GET', headers: {} }, FILE);
  assert.deepEqual([whole.status, whole.offsetBytes, whole.lengthBytes], [200, 0, 10_000]);
  assert.equal(whole.headers['content-range'], undefined);
});

test('14.2: an unsatisfiable range is answered by 416 (Range Not Satisfiable); 15.5.17: with a Content-Range that tells the length', () => {
  const answer = ask('bytes=10000-');
  assert.equal(answer.status, 416);
  assert.equal(answer.headers['content-range'], 'bytes */10000');
  assert.equal(answer.lengthBytes, 0);
});

test('14.3: a server that takes byte ranges may say Accept-Ranges: bytes', () => {
  assert.equal(answerFile({ method: 'GET', headers: {} }, FILE).headers['accept-ranges'], 'bytes');
  assert.equal(answerFile({ method: 'HEAD', headers: {} }, FILE).headers['accept-ranges'], 'bytes');
});

test('13.1.5: "A recipient of an If-Range header field MUST ignore the Range header field if the If-Range condition evaluates as false."', () => {
  assert.equal(ask('bytes=0-0', { 'if-range': '"tag-0"' }).status, 206);
  assert.equal(ask('bytes=0-0', { 'if-range': '"other"' }).status, 200);
});

test('13.1.5: a weak tag in If-Range never holds: the comparison is strong', () => {
  assert.equal(ask('bytes=0-0', { 'if-range': 'W/"tag-0"' }).status, 200);
});

test('13.1.5: a date that is no strong validator here never holds', () => {
  assert.equal(ask('bytes=0-0', { 'if-range': 'Tue, 01 Jan 2030 00:00:00 GMT' }).status, 200);
});

test('13.2.2: If-None-Match is looked at before Range', () => {
  assert.equal(ask('bytes=0-0', { 'if-none-match': '"tag-0"' }).status, 304);
});
