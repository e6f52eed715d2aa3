/**
 * A long-running node at an end of a pair, with its dashboard open in Chromium: everything that a person's node does while it moves a torrent.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Leech, Task } from './clients.ts';
import { endWithThis, Measured } from './processes.ts';

/** What Chromium takes of the processors after a page was drawn. */
const SETTLE_MS = 2_000;
/** Between looks at a torrent. The times that count are the node's own, and each look takes both cores' time: 20 a second made a hybrid 5 % slower. */
const LOOK_MS = 500;

interface Row {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
  readonly addedAtMs: number;
  readonly completedAtMs: number | null;
}

/** Starts a node that seeds; resolves when it serves. */
export async function seedInNode(launcher: string, task: Task): Promise<Measured> {
  const node = await startNode(
    launcher,
    task,
    fs.mkdtempSync(path.join(path.dirname(launcher), 'node-home-')),
  );
  await node.add();
  await node.until('seeding');
  return node.process;
}

/** Starts a node that waits with its dashboard open. @returns what adds the torrent; the time is the node's own, from the addition to the last piece. */
export async function readyNode(launcher: string, task: Task): Promise<() => Leech> {
  const node = await startNode(launcher, task, path.join(task.folder, 'home'));
  return () => {
    const added = node.add();
    const seconds = async (): Promise<number> => {
      await added;
      const row = await node.until('seeding');
      return (row.completedAtMs! - row.addedAtMs) / 1000;
    };
    return { process: node.process, seconds };
  };
}

async function startNode(launcher: string, task: Task, home: string): Promise<RunningNode> {
  const listen = `127.0.0.1:${task.port}`;
  const quiet = ['--no-dht', '--no-lsd', '--no-port-mapping'];
  const words = ['node', '--json', '--api', '127.0.0.1:0', '--listen', listen, ...quiet];
  const measured = new Measured(process.execPath, [launcher, ...words], { STARLING_HOME: home });
  const { url } = JSON.parse(await measured.line((line) => line.includes('"ready"')));
  const token = fs.readFileSync(path.join(home, 'api-token'), 'utf8').trim();
  const node = new RunningNode(measured, url, token, task);
  const browser = openBrowser(launcher, node.page);
  measured.child.once('exit', () => browser.kill());
  await node.untilFollowed();
  // It is measured with a dashboard that is open, not with one that opens.
  await sleep(SETTLE_MS);
  return node;
}

/** The least that a page which shows something can do: one line of text that changes as often as the dashboard does. */
const LEAST_PAGE =
  'data:text/html,<p></p><script>setInterval(()=>{document.querySelector("p").textContent=performance.now()},400)</script>';

/** Does something beside a browser that shows the least. */
export async function besideBrowser<T>(launcher: string, work: () => Promise<T>): Promise<T> {
  const browser = openBrowser(launcher, LEAST_PAGE);
  try {
    await sleep(SETTLE_MS);
    return await work();
  } finally {
    browser.kill();
  }
}

/** A browser of its own. */
function openBrowser(launcher: string, page: string): ChildProcess {
  const profile = fs.mkdtempSync(path.join(path.dirname(launcher), 'chromium-'));
  const words = ['--headless=new', `--user-data-dir=${profile}`, '--no-first-run'];
  // As root, as in a container, Chromium refuses to start its sandbox.
  if (process.getuid?.() === 0) words.push('--no-sandbox');
  // A page whose debugger is open stays open.
  words.push('--remote-debugging-port=0', '--window-size=1360,860', page);
  const program = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  const browser = spawn(program, words, { stdio: 'ignore' });
  endWithThis(browser);
  return browser;
}

class RunningNode {
  readonly process: Measured;
  readonly #url: string;
  readonly #token: string;
  readonly #task: Task;

  constructor(process: Measured, url: string, token: string, task: Task) {
    this.process = process;
    this.#url = url;
    this.#token = token;
    this.#task = task;
  }

  /** The address that a start prints. */
  get page(): string {
    return `${this.#url}/#token=${this.#token}`;
  }

  /** Resolves when a dashboard follows it. */
  async untilFollowed(): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}` };
    for (let tries = 0; tries < 200; tries += 1) {
      const text = await (await fetch(`${this.#url}/metrics`, { headers })).text();
      if (/^starling_event_listeners [1-9]/m.test(text)) return;
      await sleep(100);
    }
    throw new Error('the dashboard did not open within 20 s');
  }

  /** @returns the torrent's id. */
  async add(): Promise<string> {
    const { torrent, folder, peers } = this.#task;
    const body = JSON.stringify({
      torrent: fs.readFileSync(torrent, 'base64'),
      dir: folder,
      peers: peers.map((port) => `127.0.0.1:${port}`),
    });
    const { id } = await this.#ask<Row>('/torrents', { method: 'POST', body });
    return id;
  }

  async until(state: string): Promise<Row> {
    for (;;) {
      const { torrents } = await this.#ask<{ torrents: Row[] }>('/torrents');
      const row = torrents[0];
      if (row?.error) throw new Error(row.error);
      if (row?.state === state) return row;
      await sleep(LOOK_MS);
    }
  }

  async #ask<T>(where: string, init: RequestInit = {}): Promise<T> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetch(`${this.#url}/api/v1${where}`, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${where}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }
}
