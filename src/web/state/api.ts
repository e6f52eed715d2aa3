/**
 * Requests to the node. A refusal throws an ApiError whose message says what to do; a session that has ended is told to the session.
 * @module
 */
import type { Problem } from '../../contract/index.ts';
import { session } from './session-value.ts';

const BASE = '/api/v1';

/** The node refused, or was not reached. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

const UNREACHED: Problem = {
  type: 'about:blank',
  title: 'No answer',
  status: 503,
  code: 'unreached',
  detail:
    'The node does not answer. See whether it still runs; start it again with “starling node”.',
};

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.detail === 'string' && typeof body.code === 'string') return body as Problem;
  } catch {
    // No problem details: something else than the node answered.
  }
  return {
    ...UNREACHED,
    status: response.status,
    title: 'Unexpected answer',
    detail: `Expected an answer of the node, got HTTP ${response.status}. Reload the page.`,
  };
}

/** @param body of a request that has one; sent as JSON. @throws {ApiError} */
export async function request<T = unknown>(
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers: {
        'X-Starling-Request': '1',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ApiError(UNREACHED, { cause });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && path !== '/session') session.set('signed-out');
    throw new ApiError(problem);
  }
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

/** What went wrong, in words for a person. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiError) {
    const { detail, errors } = error.problem;
    // What the sentence says already is not said twice.
    const more = (errors ?? []).filter((each) => !detail.includes(each.detail));
    return [detail, ...more.map((each) => `${each.pointer}: ${each.detail}`)].join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The address of a file's content, for players and downloads. */
export function contentUrl(id: string, index: number, isDownload = false): string {
  return `${BASE}/torrents/${id}/files/${index}/content${isDownload ? '?download=1' : ''}`;
}

export function torrentFileUrl(id: string): string {
  return `${BASE}/torrents/${id}/torrent`;
}

export function eventsUrl(topics: readonly string[]): string {
  return `${BASE}/events?topics=${topics.map(encodeURIComponent).join(',')}`;
}
