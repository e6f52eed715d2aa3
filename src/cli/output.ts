/**
 * Where a command's words go: results to stdout; progress and notes to stderr; with --json one event a line on stdout and nothing else there.
 * @module
 */

// Implementation limits
/** How long an event that may come hundreds of times a second waits for others, to be written with them. */
const GATHER_MS = 50;

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Writes for a person or for a program. */
export class Output {
  readonly isJson: boolean;
  readonly #isQuiet: boolean;
  readonly #isTerminal: boolean;
  #hasStatus = false;
  #isOver = false;
  #lastPlainMs = 0;
  #gathered = '';
  #gatherTimer: NodeJS.Timeout | undefined;

  constructor(options: OutputOptions) {
    this.isJson = options.json === true;
    this.#isQuiet = options.quiet === true;
    this.#isTerminal = process.stderr.isTTY === true && !this.isJson && !this.#isQuiet;
  }

  /** The result of the command, for people; not shown with --json. */
  result(text: string): void {
    if (this.isJson) return;
    this.#clear();
    process.stdout.write(`${process.stdout.isTTY === true ? forTerminal(text) : text}\n`);
  }

  /** An event, for programs: shown only with --json. */
  event(event: Readonly<Record<string, unknown>>): void {
    this.#gather(event);
    this.#writeGathered();
  }

  /** An event of a kind that comes often, not shown with --quiet: it is written with the next one that is not, or after GATHER_MS. */
  frequentEvent(event: Readonly<Record<string, unknown>>): void {
    if (this.#isQuiet) return;
    this.#gather(event);
    this.#gatherTimer ??= setTimeout(() => this.#writeGathered(), GATHER_MS);
  }

  #gather(event: Readonly<Record<string, unknown>>): void {
    if (this.isJson && !this.#isOver) this.#gathered += `${JSON.stringify(event)}\n`;
  }

  /** The last event: what comes after it is not shown. */
  lastEvent(event: Readonly<Record<string, unknown>>): void {
    this.event(event);
    this.#isOver = true;
  }

  /** A line on what happens; not shown with --json or --quiet. */
  note(text: string): void {
    if (this.isJson || this.#isQuiet) return;
    this.#clear();
    process.stderr.write(`${forTerminal(text)}\n`);
  }

  /** A problem; shown always. */
  problem(text: string): void {
    this.#clear();
    process.stderr.write(`starling: ${forTerminal(text)}\n`);
  }

  /** The moment's state: one line that is rewritten on a terminal, a plain line every ten seconds elsewhere. */
  status(render: (columns: number) => string): void {
    if (this.isJson || this.#isQuiet) return;
    if (!this.#isTerminal) {
      const now = performance.now();
      if (now - this.#lastPlainMs < 10_000) return;
      this.#lastPlainMs = now;
      process.stderr.write(`${render(200)}\n`);
      return;
    }
    const columns = process.stderr.columns ?? 80;
    process.stderr.write(`\r\u001b[2K${render(columns - 1).slice(0, columns - 1)}`);
    this.#hasStatus = true;
  }

  /** How far something is, as a bar. */
  bar(label: string, doneBytes: number, totalBytes: number): void {
    this.status((width) => {
      const share = doneBytes / Math.max(1, totalBytes);
      return `${label} ${formatBar(share, Math.min(40, width - 20))} ${(share * 100).toFixed(0)} %`;
    });
  }

  #writeGathered(): void {
    clearTimeout(this.#gatherTimer);
    this.#gatherTimer = undefined;
    if (this.#gathered !== '') process.stdout.write(this.#gathered);
    this.#gathered = '';
  }

  #clear(): void {
    if (this.#hasStatus) process.stderr.write('\r\u001b[2K');
    this.#hasStatus = false;
  }
}

/** Control characters but for tabs and ends of lines, and those that turn the direction of letters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNSHOWN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text that may hold words of strangers: nothing in it moves the cursor, changes colours or hides what is there. */
export function forTerminal(text: string): string {
  return text.replace(UNSHOWN, '\ufffd');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** "1 torrent", "2 torrents". */
export function countOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** Bytes for people: "1.5 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]!}`;
}

/** Seconds for people: "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A bar of `width` characters. @param share 0 … 1. */
export function formatBar(share: number, width: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
