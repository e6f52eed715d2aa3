import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { MAX_SUBTITLE_BYTES, srtToVtt } from './srt.ts';

const convert = (text: string): string => srtToVtt(Buffer.from(text))!;

/** Everything that may stand in the result: a header, times, and text without anything that means something but <b>, <i>, <u> and entities. */
const VTT =
  /^WEBVTT\n(?:\n\d{2,}:[0-5]\d:[0-5]\d\.\d{3} --> \d{2,}:[0-5]\d:[0-5]\d\.\d{3}\n(?:(?:[^\n\r&<>]|<\/?[biu]>|&(?:amp|lt|gt|nbsp|lrm|rlm);)+\n)+)*$/;

test('cues keep their times and lines; numbers, styles and settings go', () => {
  const text =
    '1\r\n00:00:01,5 --> 00:00:03,250 X1:3\r\n<i>Hello</i>\r\n<font color="red">there</font>\r\n\r\n2\r\n1:00:00.000 --> 1:00:02.000\r\n{\\an8}Above\r\n';
  assert.equal(
    convert(text),
    'WEBVTT\n\n00:00:01.500 --> 00:00:03.250\n<i>Hello</i>\nthere\n\n01:00:00.000 --> 01:00:02.000\nAbove\n',
  );
});

test('WebVTT comes out as WebVTT, without its styles, notes and voices', () => {
  const text =
    'WEBVTT - a title\n\nSTYLE\n::cue { background: url(x) }\n\nNOTE nobody\n\nid\n01:02.000 --> 01:03.000 line:0\n<v Bob>Hi &amp; <c.big>bye</c>\n';
  assert.equal(convert(text), 'WEBVTT\n\n00:01:02.000 --> 00:01:03.000\nHi &amp; bye\n');
});

test('cues that end before they begin, or have no text, are left out', () => {
  assert.equal(
    convert('00:00:02,000 --> 00:00:01,000\nno\n\n00:00:01,000 --> 00:00:02,000\n\n'),
    'WEBVTT\n',
  );
});

test('UTF-8 and UTF-16 are read by their marks, what is no UTF-8 as windows-1252', () => {
  const cue = '00:00:01,000 --> 00:00:02,000\né ‘ж’\n';
  const expected = 'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\né ‘ж’\n';
  const little = Buffer.from(`\ufeff${cue}`, 'utf16le');
  assert.equal(convert(cue), expected);
  assert.equal(convert(`\ufeff${cue}`), expected);
  assert.equal(srtToVtt(little), expected);
  assert.equal(srtToVtt(Buffer.from(little).swap16()), expected);
  const western = Buffer.from(cue.replace(' ‘ж’', '\u0091'), 'latin1');
  assert.equal(srtToVtt(western), expected.replace(' ‘ж’', '‘'));
});

test('more than the limit is not read', () => {
  assert.equal(srtToVtt(new Uint8Array(MAX_SUBTITLE_BYTES + 1)), undefined);
  assert.equal(srtToVtt(new Uint8Array(MAX_SUBTITLE_BYTES).fill(60)), 'WEBVTT\n');
});

test('whatever comes in, text without tags comes out', () => {
  const parts = fc.constantFrom(
    '00:00:01,000 --> 00:00:02,000\n',
    '<script>',
    '</',
    '<b',
    '<i>',
    '>',
    '<',
    '&',
    '&lt;',
    '&#60;',
    '<img src=x onerror=y>',
    '\n',
    '\r',
    '-->',
    'STYLE\n',
    '{\\an8}',
    '\0',
    '\u2028',
    'text',
    '<<b>script>',
    '<1:2>',
    '99:99:99,999 --> 100:00:00,000\n',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, anyText()), { maxLength: 40 }), (all) => {
      const vtt = convert(all.join(''));
      assert.match(vtt, VTT);
      assert.equal(convert(vtt), vtt, 'it is stable');
    }),
    { numRuns: 300 },
  );
});
