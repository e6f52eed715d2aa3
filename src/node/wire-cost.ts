/**
 * What bytes of a stream cost on the line: an estimate, for rate limits that hold for a person's connection and not for block data alone.
 *
 * TCP cuts a stream into segments of the path's size, and each carries an IP and a TCP header: of Ethernet's 1,500 bytes, 52 are headers with the
 * time stamps that every system sends, and 1,448 are left for the stream. IPv6 takes 20 bytes more, which changes the sum by 1.4 % and is left out.
 * The other side acknowledges every second segment with a header of its own, in the other direction.
 * Each call rounds up to whole segments, as if nothing else shared them. Not counted: resent segments, handshakes, the frames of the link below IP.
 * @module
 */

// Specification constants
const SEGMENT_BYTES = 1_448;
const HEADER_BYTES = 52;

/** Bytes on the line for so many bytes of a stream, in its direction. */
export function wireBytes(streamBytes: number): number {
  return streamBytes + Math.ceil(streamBytes / SEGMENT_BYTES) * HEADER_BYTES;
}

/** Bytes on the line against its direction: the acknowledgements. */
export function returnBytes(streamBytes: number): number {
  return Math.ceil(streamBytes / (2 * SEGMENT_BYTES)) * HEADER_BYTES;
}
