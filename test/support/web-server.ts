/**
 * An HTTP server that serves a folder by ranges, and misbehaves as told.
 * @module
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { TestBed } from './cli-child.ts';

/** A request that came. */
export interface WebRequest {
  readonly url: string;
  readonly range: string | undefined;
}

/** Does something else than to serve. @returns false to serve after all. */
export type WebMood = (
  request: IncomingMessage,
  response: ServerResponse,
  count: number,
) => boolean;

/** A running server. */
export interface WebServer {
  /** "http://127.0.0.1:PORT/" */
  readonly url: string;
  readonly requests: readonly WebRequest[];
  /** Connections that were made. */
  readonly connections: () => number;
}

/** Starts one; it ends with the test. */
export async function startWebServer(
  bed: TestBed,
  root: string,
  mood: WebMood = () => false,
): Promise<WebServer> {
  const requests: WebRequest[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push({ url: request.url!, range });
    if (mood(request, response, requests.length)) return;
    sendFile(join(root, decodeURIComponent(request.url!)), range, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, requests, connections: () => connections };
}

/** Answers with a file or a range of it. @param change bends the bytes that are sent. */
export function sendFile(
  path: string,
  range: string | undefined,
  response: ServerResponse,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): void {
  const whole = readFileSync(path);
  const found = /^bytes=(\d+)-(\d+)$/.exec(range ?? '');
  if (found === null) {
    response.writeHead(200, { 'content-length': whole.length });
    response.end(change(whole));
    return;
  }
  const [first, last] = [Number(found[1]), Number(found[2])];
  const bytes = change(Buffer.from(whole.subarray(first, last + 1)));
  response.writeHead(206, {
    'content-range': `bytes ${first}-${last}/${whole.length}`,
    'content-length': bytes.length,
  });
  response.end(bytes);
}
