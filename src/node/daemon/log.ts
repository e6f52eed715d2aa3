/**
 * The log of a long-running node: structured lines for a terminal, a file or a collector, the newest kept for the dashboard, all on `diagnostics_channel` "starling:log".
 *
 * Levels: error: a feature is down; warn: somebody should look; info: rare changes of state; debug: a peer's story.
 * Bounds: MAX_LINES are kept; a warning that repeats within REPEAT_MS is told once and counted.
 * @module
 */
import diagnostics from 'node:diagnostics_channel';
import type { LogLine } from '../../contract/index.ts';
import { monotonicMs } from '../../io/clock.ts';
import { printableLine } from '../../lib/printable.ts';

// Implementation limits
/** Lines kept in memory. */
const MAX_LINES = 2_000;
/** Characters of a message. */
const MAX_MESSAGE_CHARS = 2_000;
/** The same warning is told once in so long. */
const REPEAT_MS = 60_000;
/** Different warnings that are remembered for that. */
const MAX_REMEMBERED = 256;

export type LogLevel = LogLine['level'];

const RANKS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

const channel = diagnostics.channel('starling:log');

/** Where lines go besides memory. */
export type LogSink = (line: LogLine) => void;

/** One area's way to the log. */
export interface Logger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** The log. */
export class Log {
  level: LogLevel;
  readonly #sink: LogSink;
  readonly #nowMs: () => number;
  readonly #lines: LogLine[] = [];
  readonly #told = new Map<string, number>();
  #seq = 0;

  constructor(level: LogLevel, sink: LogSink, nowMs: () => number = monotonicMs) {
    this.#nowMs = nowMs;
    this.level = level;
    this.#sink = sink;
  }

  /** Lines after a number, oldest first. */
  after(seq: number): readonly LogLine[] {
    return this.#lines.filter((line) => line.seq > seq);
  }

  area(area: string): Logger {
    const write =
      (level: LogLevel) =>
      (message: string): void =>
        this.#write(level, area, message);
    return {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
    };
  }

  #write(level: LogLevel, area: string, text: string): void {
    if (RANKS[level] > RANKS[this.level] && !channel.hasSubscribers) return;
    const message = printableLine(text).slice(0, MAX_MESSAGE_CHARS);
    if (RANKS[level] <= RANKS.warn && this.#isRepeated(`${area} ${message}`)) return;
    this.#seq += 1;
    const line: LogLine = { seq: this.#seq, atMs: Date.now(), level, area, message };
    channel.publish(line);
    if (RANKS[level] > RANKS[this.level]) return;
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#sink(line);
  }

  #isRepeated(key: string): boolean {
    const now = this.#nowMs();
    const last = this.#told.get(key);
    if (last !== undefined && now - last < REPEAT_MS) return true;
    this.#told.delete(key);
    this.#told.set(key, now);
    if (this.#told.size > MAX_REMEMBERED) this.#told.delete(this.#told.keys().next().value!);
    return false;
  }
}

/** A line as JSON, for collectors. */
export function jsonLine({ seq: _, atMs, ...rest }: LogLine): string {
  return `${JSON.stringify({ time: new Date(atMs).toISOString(), ...rest })}\n`;
}

/** A line for people. */
export function textLine({ atMs, level, area, message }: LogLine): string {
  return `${new Date(atMs).toISOString()} ${level.padEnd(5)} ${area}: ${message}\n`;
}
