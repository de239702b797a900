import { expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { rotateRows } from "./rotation.ts";

it.each([16, 48, 240, 256])(
  "keeps inner products of rows of %i numbers, and spreads one number over many",
  (count) => {
    const random = new SeededRandom("rotation");
    const rows = Float64Array.from({ length: 2 * count }, () => random.nextUint32() / 2 ** 31 - 1);
    const product = () => rows.subarray(0, count).reduce((sum, x, k) => sum + x * rows[count + k]!, 0);
    const before = product();
    rotateRows(rows, count, "seed");
    expect(product()).toBeCloseTo(before, 9);
    const one = new Float64Array(count);
    one[3] = 1;
    rotateRows(one, count, "seed");
    expect(one.filter((x) => x !== 0).length).toBeGreaterThanOrEqual(16);
  },
);
