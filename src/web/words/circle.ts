/**
 * Where the ends of connections stand in the picture of the network: on an ellipse around this node, those of a kind side by side.
 * @module
 */

export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** Evenly around an ellipse, beginning at the top. */
export function spotOf(at: number, count: number, radiusX: number, radiusY: number): Spot {
  const turn = (at / Math.max(1, count)) * 2 * Math.PI - Math.PI / 2;
  return { x: Math.cos(turn) * radiusX, y: Math.sin(turn) * radiusY };
}

/** Width of a line for a rate: grows with its logarithm, so that slow ones can be seen beside fast ones. */
export function widthOf(bytesPerSec: number): number {
  return bytesPerSec < 1
    ? 0.6
    : Math.min(7, Math.max(1, (Math.log2(bytesPerSec / 1024) - 2) * 0.6));
}
