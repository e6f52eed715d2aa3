/**
 * A tracker that runs with the node.
 * @module
 */
import type { Logger } from './daemon/log.ts';
import type { NodeService, ServiceHealth } from './daemon/service.ts';
import { readAllowList, TrackerServer } from './tracker-server.ts';

/** What settings say of it. */
export interface TrackerOptions {
  /** "HOST:PORT" for TCP and UDP. */
  readonly listen: string;
  readonly intervalSec: number;
  /** None: no key is asked for. */
  readonly keys: readonly string[];
  /** Lists the only info-hashes that are served; empty: all are. */
  readonly allowFile: string;
}

/** The service. */
export class TrackerNodeService implements NodeService {
  readonly name = 'tracker';
  readonly #server: TrackerServer;
  readonly #options: TrackerOptions;
  readonly #log: Logger;

  constructor(options: TrackerOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    const { listen, intervalSec, keys } = options;
    const onProblem = (message: string): void => log.warn(message);
    this.#server = new TrackerServer({ listen, intervalSec, keys, onProblem });
  }

  /** @throws {AppError} ERR_LISTEN; ERR_FILE, ERR_CONFIG of the list. */
  async start(): Promise<void> {
    const { allowFile, keys } = this.#options;
    if (allowFile !== '') this.#server.setAllowed(await readAllowList(allowFile));
    await this.#server.start();
    this.#log.info(`Tracking at ${this.#server.urls(keys[0]).join(', ')}.`);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  health(): ServiceHealth {
    const { listening } = this.#server.health();
    return listening.length > 0 ? { ok: true } : { ok: false, detail: 'it listens nowhere' };
  }
}
