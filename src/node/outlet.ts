/**
 * How a torrent's data is uploaded by another way than to its peers: where it is read, what limits it, how it is counted.
 * @module
 */
import type { Bitfield } from '../lib/bitfield.ts';
import type { DiskFault } from '../plane/file-table.ts';
import type { SendSource } from '../plane/send-cache.ts';
import type { Wake } from './rate-gate.ts';

/** The outlet of a torrent whose files were checked and that may upload now. */
export interface Outlet {
  readonly source: SendSource;
  /** What is on disk and right; owned by the core. */
  readonly have: Bitfield;
  /** Bytes that may go now; 0: `wake` is called when it is its turn. */
  available(wake: Wake): number;
  /** Data went to the system. */
  sent(wake: Wake, dataBytes: number): void;
  /** Whoever `wake` stands for takes no more. */
  forget(wake: Wake): void;
  /** A read failed: what is offered is looked at again. */
  failed(fault: DiskFault): void;
}
