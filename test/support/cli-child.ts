/**
 * Child processes and temporary folders of one test: bounded waits for what they print, and an end for all of them however the test ends.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

// Implementation limits
/** How long a wait may take before the test fails. */
export const WAIT_MS = 60_000;
/** How often something that cannot tell of its changes is asked. */
const POLL_MS = 25;
/** How long a child may take to end by itself before it is killed. */
const STOP_MS = 5_000;
/** Characters of a child's output in the message of a failed wait. */
const SHOWN_CHARACTERS = 4_000;

/** How a child ended. */
export interface Exit {
  /** Its code; a signal's death as a shell counts it: 128 and the signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of `Child.start`. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Root without its power to pass by file permissions (a checkout below a private folder stays readable to it). */
  readonly isBound?: boolean;
  /** Files and sockets it may have open (Linux). */
  readonly openFiles?: number;
}

/** Children that run: a test that was given up must not leave them behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A running program whose output is kept. */
export class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #listeners = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #unfinishedLine = '';
  #exit: Exit | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
    running.add(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onOutput(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#tell();
    });
    child.stdin?.on('error', () => {});
    child.on('error', (error) => {
      this.#stderr += `${error.message}\n`;
      this.#end(127);
    });
    child.on('close', (code, signal) => {
      this.#end(code ?? 128 + ({ SIGKILL: 9, SIGTERM: 15, SIGINT: 2 } as never)[signal ?? '']);
    });
  }

  static start(command: string, args: readonly string[], options: ChildOptions = {}): Child {
    const bound = ['--bounding-set', '-dac_override,-dac_read_search', '--', command];
    const limited = [`--nofile=${options.openFiles}`, command];
    const [program, words] =
      options.isBound === true
        ? ['setpriv', [...bound, ...args]]
        : options.openFiles === undefined
          ? [command, args]
          : ['prlimit', [...limited, ...args]];
    const child = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return new Child(`${command} ${args.join(' ')}`, child);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#exit !== undefined;
  }

  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** No more comes to its stdin. */
  endInput(): void {
    this.#process.stdin?.end();
  }

  /** Sends a signal, to this process only. */
  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Resolves with the first value that `find` gives, asked whenever the child prints something. */
  waitFor<T>(what: string, find: () => T | undefined, timeoutMs: number = WAIT_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        act();
      };
      const look = (): void => {
        const found = find();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#exit !== undefined) {
          settle(() => reject(this.#failure(`ended with ${this.#exit!.code} before ${what}`)));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(this.#failure(`no ${what} within ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#listeners.add(look);
      look();
    });
  }

  /** Resolves when the child has ended and all its output is here. */
  exit(timeoutMs: number = WAIT_MS): Promise<Exit> {
    if (this.#exit !== undefined) return Promise.resolve(this.#exit);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#exit === undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(this.#exit);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(this.#failure(`still running after ${timeoutMs} ms`));
      }, timeoutMs);
      this.#listeners.add(look);
    });
  }

  /** Ends the child: asks first, kills when it does not listen. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    this.#process.kill(signal);
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await this.exit();
    clearTimeout(kill);
  }

  #onOutput(text: string): void {
    this.#stdout += text;
    const parts = (this.#unfinishedLine + text).split('\n');
    this.#unfinishedLine = parts.pop()!;
    this.lines.push(...parts);
    this.#tell();
  }

  #end(code: number): void {
    running.delete(this.#process);
    this.#exit ??= { code, stdout: this.#stdout, stderr: this.#stderr };
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #failure(what: string): Error {
    return new Error(
      `${this.#name}: ${what}; it printed:\n${this.#stdout.slice(-SHOWN_CHARACTERS)}\n${this.#stderr.slice(-SHOWN_CHARACTERS)}`,
    );
  }
}

/** What a test made and has to remove: `await using bed = new TestBed()`. */
export class TestBed implements AsyncDisposable {
  /** A temporary folder of this test. */
  readonly root: string = mkdtempSync(join(tmpdir(), 'starling-bed-'));
  readonly #undo: (() => unknown)[] = [];
  #homes = 0;

  /** A folder below root, made if needed. */
  dir(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A fresh STARLING_HOME. */
  home(): string {
    this.#homes += 1;
    return this.dir(`home-${this.#homes}`);
  }

  /** Starts a child that ends with the test. */
  start(command: string, args: readonly string[], options: ChildOptions = {}): Child {
    const child = Child.start(command, args, options);
    this.onEnd(() => child.stop());
    return child;
  }

  /** Called at the end, the last added first. */
  onEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Asks again and again until there is an answer. A rejection counts as none. */
export async function poll<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number = WAIT_MS,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`no ${what} within ${timeoutMs} ms`, { cause: last });
}

/** A TCP port that is free now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when somebody listens there. On this machine without connecting: some clients shun an address that hung up on them. */
export async function waitForPort(port: number, host = '127.0.0.1'): Promise<void> {
  const isHere = host === '127.0.0.1' && existsSync('/proc/net/tcp');
  await poll(`listener on ${host}:${port}`, () =>
    isHere ? isListening(port) || undefined : canConnect(port, host),
  );
}

function isListening(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((table) => existsSync(table))
    .flatMap((table) => readFileSync(table, 'utf8').split('\n'))
    .some(
      (line) =>
        /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:0000 0A /.test(line) && line.includes(wanted),
    );
}

async function canConnect(port: number, host: string): Promise<true> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

/** Is there such a program? @param program a name, or a path. */
export function hasProgram(program: string): boolean {
  if (program.includes('/')) return existsSync(program);
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => existsSync(join(folder, program)));
}

/**
 * Options for a test against programs that may be missing: skipped with one line here, failing where CI=true says that they belong.
 * Without STARLING_INTEROP=1 (`npm run test:interop`) it is skipped too.
 */
export function needing(...programs: readonly string[]): {
  skip: string | false;
  timeout: number;
} {
  const timeout = 2 * WAIT_MS;
  if (process.env['STARLING_INTEROP'] !== '1') {
    return { skip: 'run by "npm run test:interop"', timeout };
  }
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length === 0 || process.env['CI'] === 'true') return { skip: false, timeout };
  return { skip: `not installed: ${missing.join(', ')}`, timeout };
}
