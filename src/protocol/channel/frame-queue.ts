/**
 * Frames that wait to be sent, in order, up to a number of bytes.
 * @module
 */

/** A bounded queue of frames. */
export class FrameQueue {
  readonly #limitBytes: number;
  readonly #frames: Uint8Array[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false when it is full: the frame was not taken. */
  push(frame: Uint8Array): boolean {
    if (this.#bytes + frame.length > this.#limitBytes) return false;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    return true;
  }

  shift(): Uint8Array | undefined {
    const frame = this.#frames.shift();
    this.#bytes -= frame?.length ?? 0;
    return frame;
  }
}
