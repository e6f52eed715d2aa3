/**
 * Base58 with Bitcoin's alphabet, as peer ids are written.
 * Spec: multibase `base58btc`. Cost: quadratic in the length, so only for what is short.
 * @module
 */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Writes bytes; each leading zero byte is a "1". */
export function toBase58(bytes: Uint8Array): string {
  /** Digits, lowest first. */
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let i = 0; i < digits.length; i += 1) {
      carry += digits[i]! * 256;
      digits[i] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58);
  }
  const zeros = leading(bytes, (byte) => byte === 0);
  const text = digits.reverse().map((digit) => ALPHABET[digit]!);
  return ALPHABET[0]!.repeat(zeros) + text.join('');
}

/** @returns undefined for a character that is no digit. */
export function fromBase58(text: string): Uint8Array | undefined {
  /** Bytes, lowest first. */
  const bytes: number[] = [];
  for (const letter of text) {
    let carry = ALPHABET.indexOf(letter);
    if (carry < 0) return undefined;
    for (let i = 0; i < bytes.length; i += 1) {
      carry += bytes[i]! * 58;
      bytes[i] = carry & 0xff;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff);
  }
  const zeros = leading([...text], (letter) => letter === ALPHABET[0]);
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...bytes.reverse()]);
}

function leading<T>(values: Iterable<T>, is: (value: T) => boolean): number {
  let count = 0;
  for (const value of values) {
    if (!is(value)) break;
    count += 1;
  }
  return count;
}
