/** Stub. @module */
import type { Setting } from '../../contract/index.ts';

const D = {
  'log.level': 'info' as 'info',
  listen: '',
  gateway: '',
  'download-dir': '',
  'api.listen': '127.0.0.1:7070',
  'queue.active-downloads': 5,
  'queue.active-seeds': 100,
  'transfers.download-limit': 0,
  'transfers.upload-limit': 0,
  'schedule.download-limit': 0,
  'schedule.upload-limit': 0,
  'seeding.ratio': 0,
  'seeding.idle': 0,
  'discovery.dht': true,
  'discovery.lan': true,
  'discovery.pex': true,
  'discovery.port-mapping': true,
};
export class Settings {
  readonly v: Record<string, unknown>;
  constructor(v: Record<string, unknown>) {
    this.v = v;
  }
  static async open(o: {
    home: string;
    table: unknown;
    commandLine?: Readonly<Record<string, unknown>>;
  }): Promise<Settings> {
    return new Settings({ ...D, ...o.commandLine });
  }
  get<K extends keyof typeof D>(k: K): (typeof D)[K] {
    return this.v[k] as (typeof D)[K];
  }
  source(_k: string): string {
    return 'default';
  }
  describe(): Setting[] {
    return [];
  }
  async change(c: Readonly<Record<string, unknown>>): Promise<void> {
    Object.assign(this.v, c);
  }
  onChange(_n: readonly string[], _cb: () => void): void {}
}
