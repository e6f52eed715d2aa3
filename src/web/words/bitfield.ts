/**
 * Bitfields as BEP 3 has them: the high bit of the first byte is piece 0. They come as base64.
 * @module
 */

/** @returns an empty bitfield when the text is no base64. */
export function decodeBitfield(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

export function isSetIn(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0;
}

/** How many of the first `count` are set. */
export function countSet(bits: Uint8Array, count: number): number {
  let sum = 0;
  for (let at = 0; at < count; at += 1) if (isSetIn(bits, at)) sum += 1;
  return sum;
}
