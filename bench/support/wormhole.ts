/**
 * magic-wormhole as a rival: its own mailbox server on loopback, no transit relay.
 *
 * Needs the Debian packages magic-wormhole and python3-magic-wormhole-mailbox-server.
 * @module
 */
import path from 'node:path';
import { Measured } from './processes.ts';

/** The mailbox server and what talks by it. */
export class Wormhole {
  readonly #server: Measured;
  readonly #relay: readonly string[];

  private constructor(server: Measured, port: number) {
    this.#server = server;
    this.#relay = [
      '--relay-url',
      `ws://127.0.0.1:${port}/v1`,
      '--transit-helper',
      'tcp:127.0.0.1:1',
    ];
  }

  static async start(dir: string, port: number): Promise<Wormhole> {
    const listen = ['--port', `tcp:${port}:interface=127.0.0.1`];
    const state = ['--channel-db', path.join(dir, 'mailbox.sqlite')];
    const server = merged('twistd3', ['-n', '--pidfile=', 'wormhole-mailbox', ...listen, ...state]);
    await server.line((line) => line.includes('Starting factory'));
    return new Wormhole(server, port);
  }

  /** @param what the words that name what is sent. */
  send(code: string, what: readonly string[]): Measured {
    const args = [...this.#relay, 'send', '--hide-progress', '--code', code, ...what];
    return merged('wormhole', args);
  }

  /** @param out where the file or folder goes; undefined for a message. */
  receive(code: string, out: string | undefined): Measured {
    const place = out === undefined ? [] : ['--output-file', out];
    const args = [...this.#relay, 'receive', '--accept-file', '--hide-progress', ...place, code];
    return merged('wormhole', args);
  }

  async close(): Promise<void> {
    await this.#server.end();
  }
}

/** What it says goes to stderr: both are one here. */
function merged(command: string, args: readonly string[]): Measured {
  const env = { PYTHONUNBUFFERED: '1', LC_ALL: 'C.UTF-8' };
  return new Measured('sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], env);
}
