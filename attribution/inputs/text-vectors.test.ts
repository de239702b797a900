import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordsOf } from "../rows/words.ts";
import {
  digitsOfSums,
  encodeTextVectors,
  LARGEST_INTEGER,
  MAX_DIMENSIONS,
  MAX_VECTORS_BYTES,
  readTextVectors,
} from "./text-vectors.ts";

const hashOf = (word: string) => wordsOf(Buffer.from(word), true)[0]!;
const bytesOf = (text: string) => Buffer.from(text);
const WORDS = [
  { hash: hashOf("money"), weight: 200, components: [100, 0, -20, 5] },
  { hash: hashOf("refund"), weight: 100, components: [90, -10, 0, 0] },
  { hash: hashOf("boat"), weight: 255, components: [-127, 127, 1, -1] },
];
const FILE = encodeTextVectors(WORDS);

/** The formula in doubles, with its distance from the nearest tie. */
function byRoot(sums: Float64Array) {
  const length = Math.sqrt(sums.reduce((total, sum) => total + sum * sum, 0));
  return Array.from(sums, (sum) => {
    const value = length === 0 ? 0 : (2 * Math.sqrt(sums.length) * Math.abs(sum)) / length;
    const digit = Math.min(3, Math.floor(value + 0.5));
    const ties = [0.5, 1.5, 2.5].map((tie) => Math.abs(value - tie));
    return { digit: digit === 0 ? 0 : Math.sign(sum) * digit, fromTie: Math.min(...ties) };
  });
}

describe("digits of a text", () => {
  it("are the rounded components of the unit vector, away from ties", () => {
    const component = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
      fc.integer({ min: -5, max: 5 }),
      fc.constant(0),
    );
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: MAX_DIMENSIONS }), (values) => {
        const sums = Float64Array.from(values);
        const digits = digitsOfSums(sums);
        // Sums above 2^20 lose a part of 2^−19 of the largest one.
        for (const [j, { digit, fromTie }] of byRoot(sums).entries())
          if (fromTie > 1e-3) expect(digits[j]).toBe(digit === 0 ? 0 : digit);
      }),
    );
  });

  it("at a tie are the larger ones, also of sums that are halved", () => {
    // Each of four equal components is 2 √4 · ½ = 2.
    expect([...digitsOfSums(Float64Array.of(2, -2, 2, 2))]).toEqual([2, -2, 2, 2]);
    // 16 components with squares of 256 together: 2 √16 / 16 times 1, 3 and 5 are ½, 1½ and 2½.
    const sums = Float64Array.from([1, -3, 5, -1, 10, 10, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(sums.reduce((total, sum) => total + sum * sum, 0)).toBe(256);
    for (const factor of [1, 2 ** 25])
      expect([...digitsOfSums(sums.map((sum) => factor * sum))].slice(0, 8)).toEqual([
        1, -2, 3, -1, 3, 3, 2, 1,
      ]);
    expect([...digitsOfSums(new Float64Array(8))]).toEqual(new Array(8).fill(0));
  });

  it("take integers below 2^53 alone, so that every engine has the same", () => {
    expect(LARGEST_INTEGER).toBeLessThan(2 ** 53);
    // The largest sums of the most components: both sides of the comparison at their largest.
    const largest = new Float64Array(MAX_DIMENSIONS).fill(2 ** 20 - 1);
    expect([...digitsOfSums(largest)]).toEqual(new Array(MAX_DIMENSIONS).fill(2));
    const one = new Float64Array(MAX_DIMENSIONS);
    one[5] = -(2 ** 31);
    expect(digitsOfSums(one)[5]).toBe(-3);
  });

  it("come from known words by their weights", () => {
    const { digitsOf, dimensions, wordCount } = readTextVectors(FILE);
    expect([wordCount, dimensions]).toEqual([3, 4]);
    // 200 · (100, 0, −20, 5): 2 √4 · 20 / √10425 = 0.78 and 0.2 of the last.
    // With the mark it is another word.
    expect([...digitsOf(bytesOf("Money!"))]).toEqual([0, 0, 0, 0]);
    expect([...digitsOf(bytesOf("MONEY unknown words"))]).toEqual([3, 0, -1, 0]);
    // 200 · money + 100 · refund = (29000, −1000, −4000, 1000).
    expect([...digitsOf(bytesOf("refund my money"))]).toEqual([3, 0, -1, 0]);
    expect([...digitsOf(bytesOf("boat"))]).toEqual([-3, 3, 0, 0]);
    expect([...digitsOf(bytesOf("nothing of these …"))]).toEqual([0, 0, 0, 0]);
    expect([...digitsOf(new Uint8Array())]).toEqual([0, 0, 0, 0]);
  });
});

describe("a file of vectors", () => {
  const refused = (bytes: Uint8Array, why: string) =>
    expect(() => readTextVectors(bytes)).toThrow(
      expect.objectContaining({ code: "ATT_VECTORS_INVALID", message: expect.stringContaining(why) }),
    );
  const changed = (change: (view: DataView) => void) => {
    const bytes = FILE.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };

  it("is written in the order of its hashes, and read back", () => {
    expect(encodeTextVectors([...WORDS].reverse())).toEqual(FILE);
    expect(FILE.length).toBe(16 + 3 * (5 + 4));
    // Also from the middle of a larger buffer.
    const within = new Uint8Array(FILE.length + 7);
    within.set(FILE, 3);
    expect([...readTextVectors(within.subarray(3, 3 + FILE.length)).digitsOf(bytesOf("boat"))]).toEqual([
      -3, 3, 0, 0,
    ]);
  });

  it("of any other form is refused", () => {
    refused(new Uint8Array(), "0 bytes");
    refused(new Uint8Array(MAX_VECTORS_BYTES + 1), `${MAX_VECTORS_BYTES + 1} bytes`);
    refused(
      changed((view) => view.setUint8(7, 50)),
      "mark openvec1",
    );
    for (const size of [-1, 1]) {
      const bytes = new Uint8Array(FILE.length + size);
      bytes.set(FILE.subarray(0, bytes.length));
      refused(bytes, "3 words of 4 need 43");
    }
    for (const count of [0, 2, 4, 2 ** 32 - 1])
      refused(
        changed((view) => view.setUint32(8, count, true)),
        "need",
      );
    for (const count of [0, MAX_DIMENSIONS + 1, 2 ** 32 - 1])
      refused(
        changed((view) => view.setUint32(12, count, true)),
        `${count} components`,
      );
    const second = new DataView(FILE.buffer).getUint32(20, true);
    // Twice the same hash, and a descending one.
    for (const first of [second, second + 1])
      refused(
        changed((view) => view.setUint32(16, first, true)),
        "word 1 is not above",
      );
    refused(
      changed((view) => view.setUint8(16 + 12 + 1, 0)),
      "word 1 has the weight 0",
    );
    refused(
      changed((view) => view.setInt8(16 + 15 + 9, -128)),
      "word 2 has the component −128",
    );
    expect(() => encodeTextVectors([WORDS[0]!, WORDS[0]!])).toThrow(/not above/);
    expect(() => encodeTextVectors([])).toThrow(/16 bytes/);
  });
});
