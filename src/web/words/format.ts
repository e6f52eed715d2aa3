/**
 * Numbers, sizes, rates, times and states in words. Sizes are binary (1 KiB is 1,024 bytes), as the command line writes them.
 * @module
 */
import type { TorrentState } from '../../contract/index.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** "1.4 GiB": three digits at most. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** "3.2 MiB/s", or nothing for standing still. */
export function rateText(bytesPerSec: number, nothing = ''): string {
  return bytesPerSec < 1 ? nothing : `${bytesText(bytesPerSec)}/s`;
}

/** "12.3 %": never 100 % before it is whole. */
export function percentText(share: number): string {
  if (share >= 1) return '100 %';
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** "3 min", "2 h 5 min", "4 d 3 h". */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  if (days > 365) return '> 1 year';
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** Made once: `toLocaleString` makes one at each call. */
const COUNTS = new Intl.NumberFormat('en');

export function countText(count: number): string {
  return COUNTS.format(count);
}

/** "1 torrent", "2 torrents". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

export function ratioText(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2);
}

/** Day and time in the reader's own form. */
export function timeText(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

export const STATE_WORDS: Readonly<Record<TorrentState, string>> = {
  metadata: 'Getting metadata',
  checking: 'Checking',
  downloading: 'Downloading',
  seeding: 'Seeding',
  queued: 'Queued',
  paused: 'Paused',
  moving: 'Moving',
  error: 'Problem',
  stopped: 'Stopped',
};

/** Limits as people type them: "500 K", "2.5 MiB", "0" for none. @returns bytes, or undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*(?:([kmgt])i?)?b?(?:\/s)?\s*$/i.exec(text);
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : 'kmgt'.indexOf(match[2].toLowerCase()) + 1;
  const bytes = Math.round(Number(match[1]!.replace(',', '.')) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
