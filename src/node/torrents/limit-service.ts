/**
 * How fast and how many at a time: puts the settings of limits, queue and schedule into force, whenever they change and when the clock says so.
 * @module
 */
import type { Logger } from '../daemon/log.ts';
import type { NodeService } from '../daemon/service.ts';
import type { PeerNode } from '../peer-node.ts';
import type { Settings } from '../settings/settings.ts';
import { isWithin } from './schedule.ts';

// Implementation limits
/** How often the clock is looked at. */
const LOOK_MS = 15_000;

/** Limits of the moment. */
export interface LimitsNow {
  readonly downloadBytesPerSec: number;
  readonly uploadBytesPerSec: number;
  readonly isAlternative: boolean;
}

/** The service. */
export class LimitService implements NodeService {
  readonly name = 'limits';
  readonly #node: PeerNode;
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #clock: () => Date;
  #now: LimitsNow = { downloadBytesPerSec: 0, uploadBytesPerSec: 0, isAlternative: false };
  #timer: NodeJS.Timeout | undefined;

  /** @param clock the time of day in the machine's zone. */
  constructor(
    node: PeerNode,
    settings: Settings,
    log: Logger,
    clock: () => Date = () => new Date(),
  ) {
    this.#node = node;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    this.#settings.onChange(['transfers', 'schedule', 'queue'], () => this.apply());
    this.#timer = setInterval(() => this.apply(), LOOK_MS).unref();
    this.apply();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  get now(): LimitsNow {
    return this.#now;
  }

  /** Puts into force what holds now. */
  apply(): void {
    const settings = this.#settings;
    const isAlternative = this.#isAlternative();
    const area = isAlternative ? 'schedule' : 'transfers';
    const downloadBytesPerSec = settings.get(`${area}.download-limit`);
    const uploadBytesPerSec = settings.get(`${area}.upload-limit`);
    if (isAlternative !== this.#now.isAlternative) {
      this.#log.info(isAlternative ? 'Alternative limits hold now.' : 'Usual limits hold now.');
    }
    this.#now = { downloadBytesPerSec, uploadBytesPerSec, isAlternative };
    this.#node.setLimits({ downloadBytesPerSec, uploadBytesPerSec });
    this.#node.queue.setLimits({
      maxActiveDownloads: orInfinity(settings.get('queue.active-downloads')),
      maxActiveSeeds: orInfinity(settings.get('queue.active-seeds')),
    });
  }

  #isAlternative(): boolean {
    const settings = this.#settings;
    if (settings.get('schedule.always')) return true;
    if (!settings.get('schedule.enabled')) return false;
    const [days, from, to] = [
      settings.get('schedule.days'),
      settings.get('schedule.from'),
      settings.get('schedule.to'),
    ];
    return isWithin({ days, from, to }, this.#clock());
  }
}

/** A limit of 0 is none. */
export function orInfinity(count: number): number {
  return count === 0 ? Number.POSITIVE_INFINITY : count;
}
