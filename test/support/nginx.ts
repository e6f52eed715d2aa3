/**
 * nginx as a web seed: one process that serves a folder, below /files/ as it is and below /moved/ by a redirect.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, freePort, type TestBed, waitForPort } from './cli-child.ts';

/** A running nginx. */
export interface Nginx {
  /** "http://127.0.0.1:PORT/files/" */
  readonly url: string;
  /** The same by redirects. */
  readonly movedUrl: string;
  /** Ends it at once. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on the same port. */
  readonly start: () => Promise<void>;
}

/** How it is run. */
export interface NginxOptions {
  /** Bytes a second for each request; default: no limit. */
  readonly limitRate?: number;
}

/** Starts one; it ends with the test. */
export async function startNginx(
  bed: TestBed,
  root: string,
  { limitRate = 0 }: NginxOptions = {},
): Promise<Nginx> {
  const own = bed.dir('nginx');
  const port = await freePort();
  const config = join(own, 'nginx.conf');
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // One process: its workers would be somebody else, who may not read the test's folder.
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${join(own, 'pid')}; error_log ${join(own, 'errors')};
events { worker_connections 64; }
http {
  access_log ${join(own, 'access')};
  ${bodies.map((name) => `${name}_temp_path ${join(own, name)};`).join(' ')}
  limit_rate ${limitRate};
  server {
    listen 127.0.0.1:${port};
    location /files/ { alias ${root}/; }
    location /moved/ { rewrite ^/moved/(.*)$ /files/$1 redirect; }
  }
}
`,
  );
  let child: Child | undefined;
  const start = async (): Promise<void> => {
    child = bed.start('nginx', ['-c', config, '-p', own, '-e', join(own, 'errors')]);
    await waitForPort(port);
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}/files/`,
    movedUrl: `http://127.0.0.1:${port}/moved/`,
    start,
    kill: async () => {
      child?.signal('SIGKILL');
      await child?.exit();
    },
  };
}
