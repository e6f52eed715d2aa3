/**
 * Subtitles as a torrent brings them: what comes out holds times and text, no tag that could act, and comes out of itself unchanged.
 * @module
 */
import { fromLatin1 } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { srtToVtt } from '../../src/node/media/srt.ts';

const PARTS = [
  '1\n',
  '00:00:01,000 --> 00:00:02,000\n',
  '1:00.0 --> 2:00.0\n',
  '<script>',
  '</b>',
  '<i>',
  '<',
  '>',
  '&',
  '&amp;',
  '&#x3c;',
  '-->',
  '\n',
  '\r\n',
  '\0',
  '{\\pos(1,2)}',
  'STYLE\n',
  'words',
  '\xe9',
];

function fuzz(bytes: Uint8Array): void {
  const vtt = srtToVtt(bytes);
  if (vtt === undefined) throw new Error('expected short input to be read');
  const text = vtt.replaceAll(/^[\d:.]+ --> [\d:.]+$/gm, '').replaceAll(/<\/?[biu]>/g, '');
  if (!vtt.startsWith('WEBVTT\n') || /[<>\0\r]/.test(text)) throw new Error(`it acts: ${vtt}`);
  if (vtt.length > 40 + 12 * bytes.length) throw new Error(`${bytes.length} → ${vtt.length}`);
  if (srtToVtt(Buffer.from(vtt)) !== vtt) throw new Error(`read otherwise: ${vtt}`);
}

function generate(rng: Rng): Uint8Array {
  const count = rng.below(60);
  return fromLatin1(Array.from({ length: count }, () => PARTS[rng.below(PARTS.length)]!).join(''));
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'subtitles',
  seeds: [
    '1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> & <b>you</b>\n\n2\n00:00:03,000 --> 00:00:04,000\nthere\n',
    'WEBVTT\n\nSTYLE\n::cue{}\n\n01:02.000 --> 01:03.000 line:0\n<v Bob>Hi\n',
    '\xff\xfe1\x000\x00',
    '',
  ].map(fromLatin1),
  run: fuzz,
  generate,
};
