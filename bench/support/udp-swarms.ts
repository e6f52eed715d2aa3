/**
 * The info-hashes of bench/tracker.ts, which both the load and the list of what may be served are made of.
 * @module
 */

/** 1,000 of the rate job and 500 of the fill job. */
export const SWARMS_MAX = 1_500;

/** Spread over the whole hash, as real ones are. */
export function writeInfoHash(swarm: number, bytes: Buffer, at: number): void {
  for (let i = 0; i < 20; i += 4) {
    bytes.writeUInt32BE(Math.imul(swarm + 1, 0x9e3779b1 + i * 2) >>> 0, at + i);
  }
}

export function infoHashOf(swarm: number): Buffer {
  const bytes = Buffer.alloc(20);
  writeInfoHash(swarm, bytes, 0);
  return bytes;
}
