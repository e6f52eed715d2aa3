/**
 * What an answer to a range request means.
 *
 * Specs: RFC 9110 sections 14 (ranges) and 15 (statuses), RFC 6585 (429), BEP 19 ("busy").
 * 206 must name exactly the range that was asked for, and the length that the torrent says. A server without ranges answers 200 with the whole file:
 * that is taken when no more than MAX_SKIP_BYTES have to be thrown away for it. What has another length is another file.
 * Not here: redirects (io/http.ts), what is done about a fault (back-off.ts).
 * @module
 */
import { MAX_SKIP_BYTES } from './constants.ts';

/** Headers as Node gives them. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What to make of an answer. */
export type Answer =
  /** The body: `skipBytes` to throw away, then the range. */
  | { readonly kind: 'body'; readonly skipBytes: number }
  /** Ask again later. */
  | { readonly kind: 'busy'; readonly message: string }
  /** This file is not there; others may be. */
  | { readonly kind: 'missing'; readonly message: string }
  /** It cannot be used. `isLasting`: asking again soon is in vain. */
  | { readonly kind: 'fault'; readonly message: string; readonly isLasting: boolean };

/** A range as it was asked for. */
export interface AskedRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Of the whole file, as the torrent says. */
  readonly fileBytes: number;
}

const BUSY_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const MISSING_STATUSES: ReadonlySet<number> = new Set([403, 404, 410, 451]);

/** The Range header for a range: `bytes=first-last`. */
export function rangeHeader({ offsetBytes, lengthBytes }: AskedRange): string {
  return `bytes=${offsetBytes}-${offsetBytes + lengthBytes - 1}`;
}

/** Judges an answer by its status and headers. */
export function judgeAnswer(status: number, headers: AnswerHeaders, asked: AskedRange): Answer {
  if (BUSY_STATUSES.has(status)) return { kind: 'busy', message: `answered ${status}` };
  if (MISSING_STATUSES.has(status)) return { kind: 'missing', message: `answered ${status}` };
  if (status === 416) return lasting(`has a shorter file: expected ${asked.fileBytes} bytes`);
  if (status !== 200 && status !== 206) return lasting(`answered ${status}, expected 206`);
  const coding = textOf(headers, 'content-encoding') ?? 'identity';
  if (coding !== 'identity' && coding !== '') {
    return lasting(`answered in the coding ${JSON.stringify(coding.slice(0, 40))}`);
  }
  return status === 206 ? judgePartial(headers, asked) : judgeWhole(headers, asked);
}

function judgePartial(headers: AnswerHeaders, asked: AskedRange): Answer {
  const { offsetBytes, lengthBytes, fileBytes } = asked;
  const text = textOf(headers, 'content-range') ?? '';
  const found = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(text.trim());
  if (found === null) {
    return lasting(`answered 206 with the range ${JSON.stringify(text.slice(0, 60))}`);
  }
  const [first, last] = [Number(found[1]), Number(found[2])];
  const total = found[3] === '*' ? fileBytes : Number(found[3]);
  if (total !== fileBytes) {
    return lasting(`has another file: expected ${fileBytes} bytes, got ${total}`);
  }
  const length = lengthOf(headers) ?? lengthBytes;
  if (first !== offsetBytes || last !== offsetBytes + lengthBytes - 1 || length !== lengthBytes) {
    const expected = `${offsetBytes}-${offsetBytes + lengthBytes - 1}`;
    return lasting(`answered another range: expected ${expected}, got ${first}-${last}`);
  }
  return { kind: 'body', skipBytes: 0 };
}

function judgeWhole(headers: AnswerHeaders, asked: AskedRange): Answer {
  const length = lengthOf(headers) ?? asked.fileBytes;
  if (length !== asked.fileBytes) {
    return lasting(`has another file: expected ${asked.fileBytes} bytes, got ${length}`);
  }
  if (asked.offsetBytes > MAX_SKIP_BYTES) {
    return lasting('does not answer ranges, and the file is too long to do without');
  }
  return { kind: 'body', skipBytes: asked.offsetBytes };
}

function lasting(message: string): Answer {
  return { kind: 'fault', message, isLasting: true };
}

function lengthOf(headers: AnswerHeaders): number | undefined {
  const text = textOf(headers, 'content-length');
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

function textOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}
