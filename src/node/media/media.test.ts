import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Info, planTorrent } from '../../protocol/metainfo/index.ts';
import {
  browserSupportOf,
  isPlayable,
  mediaKindOf,
  mediaTypeOf,
  subtitleFormatOf,
  subtitlesOf,
} from './media.ts';

function torrentOf(paths: readonly string[]): Info {
  const files = paths.map((path) => ({ path: path.split('/'), lengthBytes: 5 }));
  const options = { name: 'top', isSingleFile: false, version: 'v1', pieceLengthBytes: 16_384 };
  return planTorrent(files, options as never) as unknown as Info;
}

function subtitles(video: string, ...others: string[]): string[] {
  const info = torrentOf([video, ...others]);
  const index = (path: string): number =>
    info.files.findIndex((file) => file.path.slice(1).join('/') === path);
  return subtitlesOf(info, index(video)).map(({ file, format, label, language }) => {
    const path = info.files[file]!.path.slice(1).join('/');
    return `${path} | ${format} | ${label} | ${language ?? '-'}`;
  });
}

test('a type goes by the extension in either case; what could run is none', () => {
  assert.equal(mediaTypeOf('A.Film.MKV'), 'video/x-matroska');
  assert.equal(mediaTypeOf('folder.mp4/notes'), undefined);
  for (const name of [
    'a.html',
    'a.svg',
    'a.xhtml',
    'a.js',
    'a.pdf',
    'a.xml',
    'mp4',
    'a.mp4.',
    'a',
  ]) {
    assert.equal(mediaTypeOf(name), undefined, name);
  }
  assert.equal(mediaKindOf('x.png'), 'image');
  assert.equal(mediaKindOf('x.opus'), 'audio');
  assert.equal(browserSupportOf('x.avi'), 'none');
});

test('what some browser plays is playable; images are looked at', () => {
  assert.deepEqual(
    ['a.mp4', 'a.mkv', 'a.mp3', 'a.flac', 'a.avi', 'a.jpg', 'a.txt'].map(isPlayable),
    [true, true, true, true, false, false, false],
  );
  assert.equal(subtitleFormatOf('a.SRT'), 'srt');
  assert.equal(subtitleFormatOf('a.ssa'), 'ass');
  assert.equal(subtitleFormatOf('a.mp4'), undefined);
});

test('subtitles beside a video have its name, and a language behind it', () => {
  const found = subtitles(
    'Film 2020.mkv',
    'Film 2020.srt',
    'Film 2020.en.srt',
    'Film 2020.pt-forced.vtt',
    'Film 2020.ger.ass',
    'Film 2021.srt',
    'Film 2020x.srt',
    'other/Film 2020.srt',
  );
  assert.deepEqual(found, [
    'Film 2020.en.srt | srt | English | en',
    'Film 2020.ger.ass | ass | German | de',
    'Film 2020.pt-forced.vtt | vtt | Portuguese (forced) | pt',
    'Film 2020.srt | srt | Subtitles | -',
  ]);
});

test('a folder of subtitles belongs to the only video beside it, or to the videos that it names', () => {
  assert.deepEqual(
    subtitles('a/film.mp4', 'a/Subs/2_English.srt', 'a/Subs/x/3_French.srt', 'Subs/4_Dutch.srt'),
    ['a/Subs/2_English.srt | srt | English | en'],
  );
  assert.deepEqual(
    subtitles(
      'e1.mp4',
      'e2.mp4',
      'subs/e1/2_English.srt',
      'subs/e2/2_English.srt',
      'subs/e1.fr.srt',
      'subs/en.srt',
    ),
    ['subs/e1/2_English.srt | srt | English | en', 'subs/e1.fr.srt | srt | French | fr'],
  );
});

test('no more subtitles are listed than a person could choose from', () => {
  const many = Array.from({ length: 100 }, (_, index) => `film.${index}.srt`);
  assert.equal(subtitles('film.mp4', ...many).length, 64);
});
