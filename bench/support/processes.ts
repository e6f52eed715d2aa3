/**
 * Child processes under measurement: wall time as they report it, CPU seconds and peak memory as the kernel counts them.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';

/** What one process cost. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A benchmark that fails leaves nothing running. */
export function endWithThis(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** A child whose output lines can be waited for. */
export class Measured {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: { matches: (line: string) => boolean; resolve: (line: string) => void }[] = [];
  #cost: Cost = { cpuSeconds: 0, peakMiB: 0 };

  constructor(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    stderr: 'inherit' | 'ignore' = 'inherit',
  ) {
    this.child = spawn(command, args, {
      env: { ...process.env, STARLING_OFFLINE: '1', ...env },
      stdio: ['pipe', 'pipe', stderr],
    });
    endWithThis(this.child);
    readline.createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#lines.push(line);
      const at = this.#waiting.findIndex(({ matches }) => matches(line));
      if (at < 0) return;
      // Only what was waited for: a look at /proc for each of a thousand lines took the measured a few per cent of two cores.
      this.#sample();
      this.#waiting.splice(at, 1)[0]!.resolve(line);
    });
  }

  /** The first line, past or to come, that matches. */
  line(matches: (line: string) => boolean, timeoutMs = 180_000): Promise<string> {
    const found = this.#lines.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push({ matches, resolve });
    const timer = setTimeout(
      () => reject(new Error('the benchmarked process is silent')),
      timeoutMs,
    );
    this.child.once('exit', (code) => {
      const late = this.#lines.find(matches);
      if (late === undefined) reject(new Error(`ended with ${code} before it was done`));
    });
    return promise.finally(() => clearTimeout(timer));
  }

  /** CPU and memory up to now. */
  cost(): Cost {
    this.#sample();
    return this.#cost;
  }

  /** Memory now. */
  rssMiB(): number {
    const status = fs.readFileSync(`/proc/${this.child.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  /** Sockets that are open now. */
  socketCount(): number {
    const folder = `/proc/${this.child.pid}/fd`;
    const isSocket = (name: string): boolean =>
      fs.readlinkSync(`${folder}/${name}`).startsWith('socket:');
    return fs.readdirSync(folder).filter(isSocket).length;
  }

  /** Ends the process and waits for it. */
  async end(): Promise<Cost> {
    const cost = this.cost();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await ended;
    }
    return cost;
  }

  #sample(): void {
    try {
      const stat = fs.readFileSync(`/proc/${this.child.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[11]) + Number(fields[12]);
      const status = fs.readFileSync(`/proc/${this.child.pid}/status`, 'latin1');
      const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
      if (peakKiB > 0) this.#cost = { cpuSeconds: ticks / 100, peakMiB: peakKiB / 1024 };
    } catch {
      // The process has ended: the last sample stands.
    }
  }
}

/** A TCP port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
