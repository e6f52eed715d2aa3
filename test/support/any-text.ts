/**
 * Arbitrary text for property tests.
 * @module
 */
import fc, { type Arbitrary } from 'fast-check';

/** Code points that are halves of surrogate pairs. */
const [FIRST_HALF, HALVES] = [0xd800, 0x800];

/**
 * Text of any code points but halves of pairs: what fast-check's own unit "binary" draws. That one begins with a table of a million entries, which took 0.75 s in each
 * process where this was written; this needs none.
 */
export function anyText(limits: { readonly maxLength?: number } = {}): Arbitrary<string> {
  const unit = fc
    .nat(0x10_ff_ff - HALVES)
    .map((at) => String.fromCodePoint(at < FIRST_HALF ? at : at + HALVES));
  return fc.string({ unit, ...limits });
}
