/**
 * What a part of the long-running node is: started and stopped with it, asked for its health and numbers, with routes, topics and a page of its own.
 *
 * No service knows another: what two need of each other is wired in daemon.ts.
 * @module
 */
import type { Api } from '../http/api.ts';
import type { TopicSource } from './feed.ts';
import type { Metric } from './metric.ts';

/** How a service does. */
export interface ServiceHealth {
  readonly ok: boolean;
  /** What is wrong, in a sentence. */
  readonly detail?: string;
}

/** A part of the node. All but the name is optional. */
export interface NodeService {
  /** Lower case, one word: the tag of its routes, its area in the log, its key in /healthz. */
  readonly name: string;
  /** Begins its work; requests come only afterwards. */
  start?(): Promise<void>;
  /** Ends it, and leaves nothing running; called once, in the opposite order of starting. */
  stop?(): Promise<void>;
  health?(): ServiceHealth;
  metrics?(): readonly Metric[];
  /** Declares its routes below /api/v1. */
  routes?(api: Api): void;
  /** Declares routes at paths of their own, which other programs expect. */
  rootRoutes?(api: Api): void;
  /** Collections that others can follow (feed.ts). */
  readonly topics?: TopicSource;
  /** A page of its own in the dashboard. */
  readonly page?: ServicePage;
}

/** A page that the dashboard links: a module below /api/v1/pages/<name>.js that exports `mount(element, api)`. */
export interface ServicePage {
  readonly title: string;
  /** The text of the module. */
  readonly script: string;
}
