/**
 * The clients of the throughput benchmark, all behind one shape: start one as a seed, start one as a leech, hear when it has everything.
 *
 * All use loopback and plaintext, and look for nobody: leeches are told their peers' ports (aria2, which takes none, by a tracker of the run).
 * @module
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Measured } from './processes.ts';

/** Who may stand at an end of a pair. */
export type Client = 'starling' | 'libtorrent' | 'aria2' | 'WebTorrent';

/** What a client is told. */
export interface Task {
  readonly torrent: string;
  readonly folder: string;
  readonly port: number;
  /** Ports of the peers to dial; none for a seed. */
  readonly peers: readonly number[];
}

/** A leech that was started. */
export interface Leech {
  readonly process: Measured;
  /** Seconds until it had every piece: from adding the torrent, as it says itself (aria2: from its start). */
  readonly seconds: () => Promise<number>;
}

/** WebTorrent as installed for the run, without what needs a native module: WebRTC and uTP, which no row uses. */
const WEBTORRENT = '3.0.21';

/** Starts clients out of what `dir` holds. */
export class Clients {
  readonly #root = path.join(import.meta.dirname, '..', '..');
  readonly #dir: string;
  /** What starts the package. */
  readonly launcher: string;
  readonly #python = fs.existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

  /** Lays the built package out in `dir` as npm would, so that what is measured is what people install. */
  constructor(dir: string) {
    this.#dir = dir;
    this.launcher = path.join(dir, 'package', 'bin', 'starling.mjs');
    const compiler = path.join(this.#root, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [compiler, '-b', this.#root]);
    for (const part of ['bin', 'dist', 'package.json']) {
      const target = path.join(dir, 'package', part);
      fs.cpSync(path.join(this.#root, part), target, { recursive: true });
    }
    fs.symlinkSync(
      path.join(this.#root, 'node_modules'),
      path.join(dir, 'package', 'node_modules'),
    );
  }

  /** Runs a starling command to its end. @returns what it printed. */
  run(args: readonly string[]): string {
    return execFileSync(process.execPath, [this.launcher, ...args], {
      env: { ...process.env, STARLING_OFFLINE: '1', STARLING_HOME: path.join(this.#dir, 'home') },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
  }

  /** Installs WebTorrent from npm. */
  installWebTorrent(): void {
    const folder = path.join(this.#dir, 'webtorrent');
    const stub = path.join(folder, 'no-webrtc');
    fs.mkdirSync(stub, { recursive: true });
    const names = ['RTCPeerConnection', 'RTCSessionDescription', 'RTCIceCandidate'];
    fs.writeFileSync(
      path.join(stub, 'index.js'),
      `${names.map((name) => `export class ${name} {}`).join('\n')}\nexport default {};\n`,
    );
    const json = (file: string, value: unknown): void =>
      fs.writeFileSync(file, JSON.stringify(value));
    const identity = { name: 'webrtc-polyfill', version: '1.1.10', type: 'module' };
    json(path.join(stub, 'package.json'), { ...identity, main: 'index.js' });
    json(path.join(folder, 'package.json'), {
      private: true,
      dependencies: { webtorrent: WEBTORRENT },
      overrides: { 'webrtc-polyfill': 'file:./no-webrtc' },
    });
    const options = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--silent'];
    execFileSync('npm', ['install', ...options], { cwd: folder, stdio: 'inherit' });
  }

  /** Starts a seed and waits until it serves. */
  async seed(client: Client, task: Task): Promise<Measured> {
    const seed = this.#start(client, 'seed', task);
    if (client === 'aria2') await answers(task.port);
    else await seed.line((line) => line === 'ready' || line.includes('"type":"seeding"'));
    return seed;
  }

  leech(client: Client, task: Task): Leech {
    const startedMs = performance.now();
    const leech = this.#start(client, 'get', task);
    const isResult = (line: string): boolean =>
      client === 'starling' ? line.includes('"type":"summary"') : line.startsWith('{');
    const seconds = async (): Promise<number> => {
      if (client !== 'aria2') {
        return (JSON.parse(await leech.line(isResult)) as { seconds: number }).seconds;
      }
      await leech.line((line) => line.includes('Download complete'));
      return (performance.now() - startedMs) / 1000;
    };
    return { process: leech, seconds };
  }

  #start(client: Client, role: 'seed' | 'get', task: Task): Measured {
    const support = path.join(this.#root, 'bench/support');
    const { torrent, folder, port, peers } = task;
    const words = [role, torrent, folder, `${port}`, ...peers.map(String)];
    switch (client) {
      case 'starling':
        return this.#startStarling(role, task);
      case 'libtorrent':
        return new Measured(this.#python, [path.join(support, 'libtorrent-peer.py'), ...words]);
      case 'WebTorrent': {
        const script = path.join(support, 'webtorrent-peer.mjs');
        const modules = path.join(this.#dir, 'webtorrent');
        return new Measured(process.execPath, [script, modules, ...words], {}, 'ignore');
      }
      case 'aria2':
        return new Measured('aria2c', aria2Arguments(role, task));
    }
  }

  #startStarling(role: 'seed' | 'get', { torrent, folder, port, peers }: Task): Measured {
    const home = path.join(role === 'seed' ? this.#dir : folder, 'home');
    // Like the others it says when it is done, and does not tell of every piece.
    const args = [role, torrent, '--dir', folder, '--listen', `127.0.0.1:${port}`, '--json'];
    args.push('--quiet', '--no-discovery');
    for (const peer of peers) args.push('--peer', `127.0.0.1:${peer}`);
    if (role === 'get') args.push('--seed-time', '600');
    return new Measured(process.execPath, [this.launcher, ...args], { STARLING_HOME: home });
  }
}

function aria2Arguments(role: 'seed' | 'get', { torrent, folder, port }: Task): string[] {
  const isSeed = role === 'seed';
  return [
    '--no-conf=true',
    `--dir=${folder}`,
    `--listen-port=${port}`,
    '--enable-dht=false',
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    '--disable-ipv6=true',
    '--file-allocation=none',
    '--allow-overwrite=true',
    `--bt-seed-unverified=${isSeed}`,
    '--check-integrity=false',
    ...(isSeed ? ['--seed-ratio=0.0'] : ['--seed-time=0']),
    '--summary-interval=0',
    '--show-console-readout=false',
    `--stop-with-process=${process.pid}`,
    torrent,
  ];
}

/** Waits until something listens on a port of loopback. */
async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port} after 10 s`);
}
