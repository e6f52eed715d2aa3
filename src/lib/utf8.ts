/**
 * UTF-8 without ambient APIs, so that sans-IO code can use it anywhere.
 * Spec: RFC 3629; ill-formed input is replaced as in the Unicode Standard 15, section 3.9 (maximal subparts).
 * @module
 */

/** Encodes a text; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (const letter of text) {
    let code = letter.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      bytes[at++] = code;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, at);
}

/** Decodes with each ill-formed maximal subpart (overlong, surrogate, truncated, above U+10FFFF) replaced by U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  const parts: string[] = [];
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      at += 1;
    } else {
      const need = lead >= 0xf0 && lead <= 0xf4 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
      const valid = lead <= 0xf4 && need > 0 ? validTail(bytes, at, need) : 0;
      if (valid === need && need > 0 && lead <= 0xf4) {
        text += String.fromCodePoint(codePoint(bytes, at, need));
      } else {
        text += '\ufffd';
      }
      at += 1 + valid;
    }
    if (text.length > 8192) {
      parts.push(text);
      text = '';
    }
  }
  return parts.length === 0 ? text : parts.join('') + text;
}

/** How many continuation bytes after `at` fit the lead byte (RFC 3629 section 4 narrows the first one). */
function validTail(bytes: Uint8Array, at: number, need: number): number {
  const lead = bytes[at]!;
  for (let i = 1; i <= need; i += 1) {
    const byte = bytes[at + i];
    let low = 0x80;
    let high = 0xbf;
    if (i === 1) {
      if (lead === 0xe0) low = 0xa0;
      else if (lead === 0xed) high = 0x9f;
      else if (lead === 0xf0) low = 0x90;
      else if (lead === 0xf4) high = 0x8f;
    }
    if (byte === undefined || byte < low || byte > high) return i - 1;
  }
  return need;
}

function codePoint(bytes: Uint8Array, at: number, need: number): number {
  let code = bytes[at]! & (need === 1 ? 0x1f : need === 2 ? 0x0f : 0x07);
  for (let i = 1; i <= need; i += 1) code = (code << 6) | (bytes[at + i]! & 0x3f);
  return code;
}
