/**
 * CRC32-C (Castagnoli), the checksum of iSCSI, ext4 and BEP 40. No protection against anybody who wants a certain value.
 * Spec: RFC 3720 appendix B.4: polynomial 0x1EDC6F41, bits reflected, all ones before and inverted after.
 * @module
 */

// Specification constants
/** The polynomial with its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  }
  return value;
});

/** The checksum as an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}
