import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { suffixArray } from "./suffix-array.ts";

function byComparing(text: Uint8Array): Int32Array {
  const bytes = Buffer.from(text);
  const places = Array.from(text, (_, i) => i);
  return Int32Array.from(places.sort((a, b) => Buffer.compare(bytes.subarray(a), bytes.subarray(b))));
}

const letters = fc.constantFrom([0, 1], [255, 254, 0], [97, 98, 99, 255]);
const texts = letters.chain((some) =>
  fc.array(fc.constantFrom(...some), { maxLength: 120 }).map((bytes) => Uint8Array.from(bytes)),
);
/** Long repetitions, so that names repeat and the sort recurses several levels deep. */
const repetitive = fc
  .tuple(texts, fc.integer({ min: 1, max: 40 }), texts)
  .map(([a, count, b]) => Uint8Array.from(Array.from({ length: count }, () => [...a, ...b]).flat()));

describe("suffixArray", () => {
  it("is the order of all suffixes", () => {
    fc.assert(
      fc.property(fc.oneof(texts, repetitive), (text) => {
        expect(suffixArray(text)).toEqual(byComparing(text));
      }),
      { numRuns: 400 },
    );
  });
});
