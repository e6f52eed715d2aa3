/**
 * Subtitles as browsers take them: SubRip (and WebVTT that somebody else wrote) become WebVTT that holds times and plain text alone.
 *
 * Spec: WebVTT (W3C) sections 4.1 and 4.2. Of the text, bold, italic and underline stay; all other tags go, every other character that means
 * something is escaped. Styles, regions, notes, settings and identifiers of cues are left out, so that nothing of the source can act.
 * Encodings: a byte order mark of UTF-8 or UTF-16, else UTF-8 where it is that, else windows-1252.
 * Bounds: MAX_SUBTITLE_BYTES read; the time is linear in them.
 * @module
 */

// Specification constants
const TIME = String.raw`(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})`;
const TIMING = new RegExp(String.raw`^\s*${TIME}\s*-->\s*${TIME}(?:\s|$)`);
/** Tags, the times within karaoke lines, and the overrides of Advanced SubStation that SubRip files often hold. */
const TAG = /<\/?[a-z][^<>]*>|<\d[^<>]*>|\{\\[^{}]*\}/gi;
const KEPT_TAG = /^<\/?[biu]>$/i;
const ENTITY = /&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)/g;
/** No line, no tab: what must not be in a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff]/g;

// Implementation limits
/** Bytes of a subtitle file that is converted. */
export const MAX_SUBTITLE_BYTES: number = 2 * 1024 * 1024;

/** @returns WebVTT; undefined for more than MAX_SUBTITLE_BYTES. Without a cue that can be read it has none. */
export function srtToVtt(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_SUBTITLE_BYTES) return undefined;
  const cues = ['WEBVTT\n'];
  let text: string[] | undefined;
  let timing = '';
  const end = (): void => {
    if (text !== undefined && text.length > 0) cues.push(`${timing}\n${text.join('\n')}\n`);
    text = undefined;
  };
  for (const line of decodeText(bytes).split(/\r\n|\r|\n/)) {
    const found = TIMING.exec(line);
    if (found !== null) {
      end();
      timing = timingOf(found) ?? '';
      if (timing !== '') text = [];
    } else if (line.trim() === '') end();
    else if (text !== undefined) {
      const clean = cleanText(line);
      if (clean.trim() !== '') text.push(clean);
    }
  }
  end();
  return cues.join('\n');
}

/** The times of a cue; undefined when it ends before it begins. */
function timingOf(found: RegExpExecArray): string | undefined {
  const parts = found
    .slice(1)
    .map((part = '0', index) => Number(index % 4 === 3 ? part.padEnd(3, '0') : part));
  const [begin, end] = [parts.slice(0, 4), parts.slice(4)].map(
    ([hours = 0, minutes = 0, seconds = 0, ms = 0]) =>
      ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms,
  ) as [number, number];
  return end > begin ? `${formatTime(begin)} --> ${formatTime(end)}` : undefined;
}

function formatTime(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const rest = String(ms % 1000).padStart(3, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${rest}`;
}

/** One line of a cue's text. */
function cleanText(line: string): string {
  let plain = line.replace(CONTROL, '');
  // What is left of one that is taken out may make another one with what stands around it.
  for (let before = ''; before !== plain; ) {
    before = plain;
    plain = plain.replaceAll(/\{\\[^{}]*\}/g, '');
  }
  let clean = '';
  let at = 0;
  for (const { index, 0: tag } of plain.matchAll(TAG)) {
    clean += escapeText(plain.slice(at, index));
    if (KEPT_TAG.test(tag)) clean += tag.toLowerCase();
    at = index + tag.length;
  }
  return clean + escapeText(plain.slice(at));
}

function escapeText(text: string): string {
  return text.replace(ENTITY, '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
