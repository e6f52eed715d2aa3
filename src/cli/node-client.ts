/**
 * The running node of this home, asked over its HTTP API.
 * @module
 */
import type { Problem } from '../contract/index.ts';
import { whereaboutsOf } from '../node/api/daemon.ts';
import { defaultHome } from '../node/config.ts';
import { CommandEnd, EXIT } from './exit.ts';

// Implementation limits
/** How long a node is waited for that may not be there. */
const HELLO_MS = 3_000;
/** How long an answer may take: hashing what is shared takes its time. */
const ANSWER_MS = 24 * 3_600_000;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Codes of problems that are those of a call. */
const USAGE: ReadonlySet<string> = new Set(['ERR_CONFIG', 'ERR_SETTINGS']);

/** What the node did not do, and why. */
export class NodeRefusal extends CommandEnd {
  readonly problem: Partial<Problem>;

  constructor(problem: Partial<Problem>, otherwise: string) {
    super(problem.detail ?? otherwise, {
      exitCode: USAGE.has(problem.code ?? '') ? EXIT.usage : EXIT.failed,
    });
    this.problem = problem;
  }
}

type Json = Record<string, unknown>;

/** A node to ask. */
export class NodeClient {
  readonly url: string;
  readonly token: string;

  private constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** The node that runs on this home; undefined when none does. */
  static async find(home: string = defaultHome()): Promise<NodeClient | undefined> {
    const found = whereaboutsOf(home);
    if (found === undefined) return undefined;
    const client = new NodeClient(found.url, found.token);
    try {
      const signal = AbortSignal.timeout(HELLO_MS);
      const response = await fetch(`${found.url}/healthz`, { signal });
      const { ok } = (await response.json()) as { ok?: unknown };
      // After a crash another program may listen there: it is not to be told the token.
      return typeof ok === 'boolean' && isAlive(found.pid) ? client : undefined;
    } catch {
      // It was killed, and left its file behind.
      return undefined;
    }
  }

  /** @throws {CommandEnd} when none runs. */
  static async need(): Promise<NodeClient> {
    const client = await NodeClient.find();
    if (client !== undefined) return client;
    throw new CommandEnd(
      `No node runs on ${defaultHome()}: start one with "starling node", or name another home with STARLING_HOME.`,
      { exitCode: EXIT.failed },
    );
  }

  get<T = Json>(where: string): Promise<T> {
    return this.#ask('GET', where);
  }

  post<T = Json>(where: string, body?: unknown): Promise<T> {
    return this.#ask('POST', where, body);
  }

  patch<T = Json>(where: string, body: unknown): Promise<T> {
    return this.#ask('PATCH', where, body);
  }

  delete<T = Json>(where: string): Promise<T> {
    return this.#ask('DELETE', where);
  }

  /** Events of topics, until the signal aborts or the node ends. */
  async *events(
    topics: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly type: string; readonly data: Json }> {
    const where = `/events?topics=${encodeURIComponent(topics)}`;
    const response = await this.#send('GET', where, undefined, signal);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) {
        const type = /^event: (.*)$/m.exec(part)?.[1];
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (type !== undefined && data !== undefined) yield { type, data: JSON.parse(data) };
      }
    }
  }

  async #ask<T>(method: string, where: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, where, body, AbortSignal.timeout(ANSWER_MS));
    return (await response.json()) as T;
  }

  async #send(
    method: string,
    where: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.url}/api/v1${where}`, {
        method,
        signal,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const message = `The node at ${this.url} does not answer: see "starling status".`;
      throw new CommandEnd(message, { exitCode: EXIT.failed, cause: error });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
    throw new NodeRefusal(problem, `The node answered with status ${response.status}.`);
  }
}
