/**
 * A tracker that runs with the node.
 * @module
 */
import type { Logger } from './daemon/log.ts';
import type { NodeService, ServiceHealth } from './daemon/service.ts';
import { TrackerServer } from './tracker-server.ts';

/** The service. */
export class TrackerNodeService implements NodeService {
  readonly name = 'tracker';
  readonly #server: TrackerServer;
  readonly #log: Logger;

  /** @param listen "HOST:PORT" for TCP and UDP. */
  constructor(listen: string, log: Logger) {
    this.#log = log;
    this.#server = new TrackerServer({ listen, onProblem: (message) => log.warn(message) });
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#log.info(`Tracking at ${this.#server.urls().join(', ')}.`);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  health(): ServiceHealth {
    const { listening } = this.#server.health();
    return listening.length > 0 ? { ok: true } : { ok: false, detail: 'it listens nowhere' };
  }
}
