/**
 * The HTTP server of a node: API, events, metrics, media, dashboard, on one address.
 *
 * Nothing but /, its assets, /healthz and the description of the API is told without a credential (auth.ts). Bodies are JSON and strictly checked by their schemas; errors are problem details.
 * Bounds: MAX_SMALL_BODY_BYTES, MAX_CONNECTIONS, time-outs for slow senders.
 * @module
 */
import fs from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import staticFiles from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Ajv } from 'ajv';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Done, Health } from '../../contract/index.ts';
import type { Endpoint } from '../../io/tcp.ts';
import { formatEndpoint } from '../address.ts';
import { VERSION } from '../config.ts';
import type { Feed } from '../daemon/feed.ts';
import type { Logger } from '../daemon/log.ts';
import { type Metric, metricsPage } from '../daemon/metric.ts';
import type { NodeService } from '../daemon/service.ts';
import { nodeError } from '../errors.ts';
import type { Api } from './api.ts';
import type { Asked, Auth } from './auth.ts';
import { apiError } from './errors.ts';
import { eventRoutes } from './events.ts';
import { apiDescription } from './openapi.ts';
import { errorHandler, problemOf, sendProblem } from './problems.ts';

// Implementation limits
/** Bodies of all but the routes that take torrent files. */
const MAX_SMALL_BODY_BYTES = 8 * 1024 * 1024;
/** Connections at a time. */
const MAX_CONNECTIONS = 512;
/** For headers and bodies to come. */
const REQUEST_TIMEOUT_MS = 60_000;

/** The dashboard runs nothing but its own files and asks nobody else. */
const CSP = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const healthSchema: object = {
  tags: ['node'],
  summary: 'How each service does',
  response: { 200: Health },
};

/** Options of `HttpServer.open`. */
export interface HttpServerOptions {
  readonly listen: Endpoint;
  readonly auth: Auth;
  readonly feed: Feed;
  readonly log: Logger;
  readonly services: readonly NodeService[];
  readonly metrics: () => readonly Metric[];
  readonly health: () => Health;
  /** Folder of the built dashboard. */
  readonly webRoot: string;
  /** Key and certificate; without them plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** The server. */
export class HttpServer {
  readonly endpoint: Endpoint;
  readonly isSecure: boolean;
  readonly #app: Api;
  readonly #endStreams: () => void;

  private constructor(app: Api, endpoint: Endpoint, isSecure: boolean, endStreams: () => void) {
    this.#app = app;
    this.endpoint = endpoint;
    this.isSecure = isSecure;
    this.#endStreams = endStreams;
  }

  /** "http://127.0.0.1:7070". */
  get url(): string {
    const { host, port } = this.endpoint;
    const isAnywhere = host === '0.0.0.0' || host === '::';
    const at = formatEndpoint({ host: isAnywhere ? 'localhost' : host, port });
    return `${this.isSecure ? 'https' : 'http'}://${at}`;
  }

  /** @throws {AppError} ERR_LISTEN. */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { listen, tls } = options;
    const app = makeApp(options);
    guard(app, options.auth);
    app.setErrorHandler(errorHandler(options.log));
    await app.register(swagger, apiDescription(VERSION));
    let endStreams = (): void => {};
    await app.register(
      (api: Api, _: unknown, done: () => void) => {
        sessionRoutes(api, options.auth, tls !== undefined);
        endStreams = eventRoutes(api, options.feed);
        for (const service of options.services) service.routes?.(api);
        pageRoutes(api, options.services);
        api.get('/health', { schema: healthSchema }, () => options.health());
        const isOpen = { config: { isOpen: true }, schema: { hide: true } };
        api.get('/openapi.json', isOpen, () => app.swagger());
        done();
      },
      { prefix: '/api/v1' },
    );
    await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: true });
    for (const service of options.services) service.rootRoutes?.(app);
    openRoutes(app, options);
    await dashboard(app, options.webRoot);
    try {
      await app.listen({ host: listen.host, port: listen.port });
    } catch (error) {
      await app.close();
      const { code = 'EINVAL' } = error as NodeJS.ErrnoException;
      const details = { endpoint: formatEndpoint(listen), code, option: '--api' };
      throw nodeError('ERR_LISTEN', details, error);
    }
    const at = app.server.address() as { address: string; port: number };
    const endpoint = { host: at.address, port: at.port };
    return new HttpServer(app, endpoint, tls !== undefined, endStreams);
  }

  async close(): Promise<void> {
    this.#endStreams();
    await this.#app.close();
  }
}

function makeApp({ tls }: HttpServerOptions): Api {
  const app = fastify({
    ...(tls === undefined ? {} : { https: tls }),
    logger: false,
    bodyLimit: MAX_SMALL_BODY_BYTES,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 5_000 },
    return503OnClosing: true,
    clientErrorHandler: answerUnreadable,
    // What is wrong before there is a route: an address that cannot be read.
    frameworkErrors: (error: Error, _: FastifyRequest, reply: FastifyReply) =>
      sendProblem(
        reply.header('x-content-type-options', 'nosniff'),
        problemOf(apiError('ERR_API_INVALID', { what: 'address', mistakes: error.message })),
      ),
  } as { bodyLimit: number }) as unknown as Api;
  // Forms of other pages can send text, but no JSON.
  app.removeContentTypeParser('text/plain');
  app.server.maxConnections = MAX_CONNECTIONS;
  // In a query everything is text; in a body a number is a number.
  const strict = new Ajv({ allErrors: true, strict: false });
  const lenient = new Ajv({ allErrors: true, strict: false, coerceTypes: 'array' });
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : lenient).compile(schema as object),
  );
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  return app;
}

/** What is no request gets a problem, too, where there is still somebody to read it. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const problem = problemOf(
      apiError('ERR_API_INVALID', { what: 'request', mistakes: error.message }),
    );
    const text = JSON.stringify(problem);
    const head = [
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'X-Content-Type-Options: nosniff',
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  }
  socket.destroySoon();
}

/** What every request passes: place, headers, credentials. */
function guard(app: Api, auth: Auth): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
    const asked: Asked = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      address: request.ip,
    };
    expectOnePlace(request);
    auth.checkPlace(asked);
    if (needsCredential(request)) auth.check(asked);
    if (request.url.startsWith('/api/v1')) void reply.header('cache-control', 'no-store');
    done();
  });
}

/** Of two places only one would be checked. @throws {AppError} ERR_API_HOST, ERR_API_INVALID. */
function expectOnePlace({ url, raw }: FastifyRequest): void {
  const hosts = raw.rawHeaders.filter((name, at) => at % 2 === 0 && /^host$/i.test(name));
  if (hosts.length > 1) {
    const given = raw.rawHeaders.filter((_, at) => /^host$/i.test(raw.rawHeaders[at - 1] ?? ''));
    throw apiError('ERR_API_HOST', { host: given.join(', ') });
  }
  if (url.startsWith('/')) return;
  const mistakes = 'expected a path that begins with "/", since the node is no proxy';
  throw apiError('ERR_API_INVALID', { what: 'address', mistakes });
}

/** All data does; the dashboard's files, health and the API's description do not. Which route answers decides: an address can be written in many ways. */
function needsCredential({ url, routeOptions }: FastifyRequest): boolean {
  const { url: route, config } = routeOptions;
  if (route === undefined) return isData(url);
  if ((config as { isOpen?: boolean }).isOpen === true) return false;
  return !(route === '/*' || route.startsWith('/api/docs'));
}

/** Strangers are not told either which data there is not. */
function isData(url: string): boolean {
  return /^\/(?:api\/v1|metrics|transmission)(?:[/?#;]|$)/.test(decoded(url));
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url.split('?', 1)[0]!)
      .replaceAll(/\/{2,}/g, '/')
      .toLowerCase();
  } catch {
    return '/api/v1';
  }
}

function sessionRoutes(api: Api, auth: Auth, isSecure: boolean): void {
  const isOpen = { isOpen: true };
  const Secret = Type.String({ minLength: 1, maxLength: 1_000 });
  api.post(
    '/session',
    {
      config: isOpen,
      schema: {
        tags: ['node'],
        summary: 'Sign a browser in: sets a cookie',
        body: Type.Object(
          { token: Type.Optional(Secret), password: Type.Optional(Secret) },
          { additionalProperties: false },
        ),
        response: { 200: Done },
      },
    },
    async (request, reply) => {
      if (request.headers['x-starling-request'] === undefined) {
        throw apiError('ERR_API_CSRF', undefined);
      }
      void reply.header('set-cookie', await auth.signIn(request.body, request.ip, isSecure));
      return { ok: true as const };
    },
  );
  api.delete(
    '/session',
    {
      config: isOpen,
      schema: { tags: ['node'], summary: 'Sign out', response: { 200: Done } },
    },
    (request, reply) => {
      void reply.header('set-cookie', auth.signOut(request.headers.cookie));
      return { ok: true as const };
    },
  );
}

/** Pages that services add to the dashboard. */
function pageRoutes(api: Api, services: readonly NodeService[]): void {
  const pages = services.flatMap(({ name, page }) => (page === undefined ? [] : [{ name, page }]));
  api.get(
    '/pages',
    {
      schema: {
        tags: ['node'],
        summary: 'Pages that services add to the dashboard',
        response: { 200: Type.Array(Type.Object({ name: Type.String(), title: Type.String() })) },
      },
    },
    () => pages.map(({ name, page }) => ({ name, title: page.title })),
  );
  for (const { name, page } of pages) {
    api.get(`/pages/${name}.js`, { schema: { hide: true } }, async (_, reply) =>
      reply.type('text/javascript; charset=utf-8').send(page.script),
    );
  }
}

function openRoutes(app: Api, { metrics, health }: HttpServerOptions): void {
  const schema = { tags: ['node'], summary: 'How the node does' };
  app.get('/healthz', { schema, config: { isOpen: true } }, async (_, reply) => {
    const { ok } = health();
    // Which service fails is for those who are signed in (GET /api/v1/health).
    return reply.status(ok ? 200 : 503).send({ ok });
  });
  app.get('/metrics', { schema: { tags: ['node'], summary: 'For Prometheus' } }, async (_, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(metricsPage(metrics())),
  );
}

async function dashboard(app: Api, webRoot: string): Promise<void> {
  const index = path.join(webRoot, 'index.html');
  if (fs.existsSync(index)) {
    await app.register(staticFiles, {
      root: webRoot,
      immutable: true,
      maxAge: '1y',
      setHeaders: (reply, file) => {
        void reply.header('content-security-policy', CSP);
        if (file.endsWith('.html')) void reply.header('cache-control', 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const isPage = request.method === 'GET' && !/^\/(?:api|transmission)\b/.test(request.url);
    if (isPage && request.headers.accept?.includes('text/html') && fs.existsSync(index)) {
      return reply.sendFile('index.html');
    }
    const hint = 'see /api/docs for what there is';
    throw apiError('ERR_API_NOT_FOUND', { what: `${request.method} ${request.url}`, hint });
  });
}
