/**
 * Errors as problem details (RFC 9457), with the codes of docs/reference/errors.md.
 * @module
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../contract/index.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../daemon/log.ts';
import { apiError } from './errors.ts';

/** Codes that do not mean "what you asked for is wrong" (400). */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_API_TOKEN: 401,
  ERR_API_TOO_MANY_TRIES: 429,
  ERR_API_HOST: 421,
  ERR_API_ORIGIN: 403,
  ERR_API_CSRF: 403,
  ERR_API_NOT_FOUND: 404,
  ERR_API_CONFLICT: 409,
  ERR_API_MEDIA_TYPE: 415,
  ERR_API_TOO_LARGE: 413,
  ERR_API_TOO_MANY: 429,
  ERR_API_INTERNAL: 500,
  ERR_DUPLICATE: 409,
  ERR_READ: 409,
  ERR_STOPPED: 409,
  ERR_NO_SPACE: 507,
  ERR_PEER_UNREACHABLE: 504,
  ERR_NO_DHT_NODES: 504,
  ERR_HTTP_UNREACHABLE: 502,
  ERR_HTTP_TIMEOUT: 504,
  ERR_DATABASE_DAMAGED: 500,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Refused',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  421: 'Not this host',
  429: 'Too many',
  500: 'Failed',
  502: 'Others failed',
  503: 'Not ready',
  504: 'No answer',
  507: 'No space',
};

/** The problem that an error is for whoever asked. */
export function problemOf(error: AppError, errors?: Problem['errors']): Problem {
  const status = STATUSES[error.code] ?? 400;
  return {
    type: `urn:starling:error:${error.code}`,
    title: TITLES[status] ?? 'Failed',
    status,
    detail: error.message,
    code: error.code,
    ...(error.code === 'ERR_DUPLICATE'
      ? { torrent: (error.details as { infoHash: string }).infoHash }
      : {}),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** Sends a problem. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .status(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

/** What Fastify calls with everything that went wrong. */
export function errorHandler(log: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    // A body that was begun cannot become something else.
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return reply;
    }
    const [found, errors] = appErrorOf(error, request);
    if (found.code === 'ERR_API_INTERNAL') {
      log.error(`${request.method} ${request.routeOptions.url ?? '?'}: ${error.stack}`);
    }
    if (found.code === 'ERR_API_TOKEN') {
      // Programs that begin without credentials wait for "Basic"; browsers would ask for a password then.
      const scheme = request.url.startsWith('/transmission') ? 'Basic' : 'Bearer';
      reply.header('www-authenticate', `${scheme} realm="Starling"`);
    }
    if (found.code === 'ERR_API_TOO_MANY_TRIES') {
      reply.header('retry-after', String((found.details as { seconds: number }).seconds));
    }
    return sendProblem(reply, problemOf(found, errors));
  };
}

function appErrorOf(error: FastifyError, request: FastifyRequest): [AppError, Problem['errors']?] {
  if (error instanceof AppError) return [error];
  if (error.validation !== undefined) {
    const errors = mistakesOf(error.validation);
    const what = error.validationContext ?? 'request';
    const mistakes = errors.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; ');
    return [apiError('ERR_API_INVALID', { what, mistakes }), errors];
  }
  if (error.statusCode === 413) {
    return [apiError('ERR_API_TOO_LARGE', { most: request.routeOptions.bodyLimit ?? 0 })];
  }
  if (error.statusCode === 415) {
    const got = request.headers['content-type'] ?? 'none';
    return [apiError('ERR_API_MEDIA_TYPE', { got })];
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return [apiError('ERR_API_INVALID', { what: 'request', mistakes: error.message })];
  }
  return [apiError('ERR_API_INTERNAL', undefined)];
}

/** One for each place: of a choice, what may stand there, and not that each of the choices is something else. */
function mistakesOf(
  found: NonNullable<FastifyError['validation']>,
): NonNullable<Problem['errors']> {
  const choices = new Map<string, unknown[]>();
  for (const { keyword, instancePath, params } of found) {
    if (keyword !== 'const') continue;
    const before = choices.get(instancePath) ?? [];
    choices.set(instancePath, [...before, params?.['allowedValue']]);
  }
  return found.flatMap(({ keyword, instancePath, message, params }) => {
    const known = choices.get(instancePath);
    if (known !== undefined && keyword === 'const') return [];
    const isChoice = known !== undefined && keyword === 'anyOf';
    const expected = isChoice ? `must be one of ${known.join(', ')}` : undefined;
    return [
      { pointer: `${instancePath}${missing(params)}`, detail: expected ?? message ?? 'is wrong' },
    ];
  });
}

function missing(params: Readonly<Record<string, unknown>> | undefined): string {
  const name = params?.['missingProperty'] ?? params?.['additionalProperty'];
  return typeof name === 'string' ? `/${name}` : '';
}
