/**
 * How many bytes all torrents of a node moved since its start: a sum that never falls, though each torrent takes its own count along when it is paused or removed.
 * @module
 */

/** Bytes of content, both ways. */
export interface Moved {
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
}

/** The sum. */
export class MovedBytes {
  /** What was counted already of each counter that is still there. */
  readonly #seen = new WeakMap<object, Moved>();
  #total: Moved = { downloadedBytes: 0, uploadedBytes: 0 };

  get total(): Moved {
    return this.#total;
  }

  /** Looks at a counter. @param owner whose it is: one that begins again is another one. */
  look(owner: object, { downloadedBytes, uploadedBytes }: Moved): void {
    const seen = this.#seen.get(owner);
    this.#seen.set(owner, { downloadedBytes, uploadedBytes });
    this.#total = {
      downloadedBytes: this.#total.downloadedBytes + downloadedBytes - (seen?.downloadedBytes ?? 0),
      uploadedBytes: this.#total.uploadedBytes + uploadedBytes - (seen?.uploadedBytes ?? 0),
    };
  }
}
