/**
 * `starling node` as a process, and the commands that speak to it.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Starling, startStarling } from './cli.ts';
import { type Exit, poll, type TestBed } from './cli-child.ts';

/** A running node. */
export interface NodeProcess {
  readonly starling: Starling;
  readonly home: string;
  readonly url: string;
  readonly token: string;
  /** Runs a command on its home. */
  run(...args: readonly string[]): Promise<Exit>;
  /** Runs one that must succeed with --json and gives its events. */
  events(...args: readonly string[]): Promise<Record<string, unknown>[]>;
  /** Asks its API. @throws what is no success. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer is JSON.
  ask(method: string, where: string, body?: unknown): Promise<any>;
  /** "127.0.0.1:PORT" for peers. */
  peerAddress(): Promise<string>;
  /** Resolves when a torrent is in a state. */
  untilState(id: string, ...states: readonly string[]): Promise<Record<string, unknown>>;
}

/** Starts one on loopback alone. */
export async function startNode(
  bed: TestBed,
  options: { readonly home?: string; readonly args?: readonly string[] } = {},
): Promise<NodeProcess> {
  const home = options.home ?? bed.home();
  const quiet = ['--api', '127.0.0.1:0', '--listen', '127.0.0.1:0', '--no-lsd', '--no-dht'];
  const dir = options.args?.includes('--dir') ? [] : ['--dir', bed.dir('downloads')];
  const args = ['node', ...quiet, ...dir, '--json', ...(options.args ?? [])];
  const starling = startStarling(bed, args, { home });
  const url = String((await starling.event('ready'))['url']);
  const token = readFileSync(join(home, 'api-token'), 'utf8').trim();
  const run = (...words: readonly string[]): Promise<Exit> =>
    startStarling(bed, words, { home }).child.exit();
  const ask: NodeProcess['ask'] = async (method, where, body) => {
    const response = await fetch(`${url}/api/v1${where}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    starling,
    home,
    url,
    token,
    run,
    ask,
    events: async (...words) => {
      const { stdout } = await startStarling(bed, [...words, '--json'], { home }).done();
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    peerAddress: async () => (await ask('GET', '/status')).listen[0],
    untilState: (id, ...states) =>
      poll(`${id} is ${states.join(' or ')}`, async () => {
        const row = await ask('GET', `/torrents/${id}`);
        return states.includes(row.state) ? row : undefined;
      }),
  };
}

/** What tells commands where the node is. */
export function hasNodeFile(home: string): boolean {
  return existsSync(join(home, 'node.json'));
}
