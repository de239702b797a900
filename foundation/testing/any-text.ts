/** Texts of any code points, for random tries. */
import fc from "fast-check";

const SURROGATES_START = 0xd800;
const SURROGATE_COUNT = 0x800;

const codePoint = fc.nat({ max: 0x10ffff - SURROGATE_COUNT }).map(
  (address) => String.fromCodePoint(address < SURROGATES_START ? address : address + SURROGATE_COUNT),
  (value) => {
    const code = (value as string).codePointAt(0)!;
    return code < SURROGATES_START ? code : code - SURROGATE_COUNT;
  },
);

/**
 * Arbitrary of any text, for `fc.string({ unit: "binary" })` of fast-check 4, which first makes a table of a million
 * code points, a second of a core.
 */
export const anyText = fc.string({ unit: codePoint });
