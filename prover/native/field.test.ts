/** Compares field arithmetic of the native addon with bigint. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeValues, findAddon, joinNumbers, moduli, splitNumbers } from "../testing/oracle.fixtures.ts";

const { addon, paths } = findAddon();

describe.skipIf(addon === null)("field multiplication", () => {
  for (const path of paths) {
    for (const field of ["base", "scalar"] as const) {
      const modulus = moduli[field];
      const multiply = (a: bigint[], b: bigint[]) =>
        splitNumbers(addon!.multiplyField(path, field === "scalar", joinNumbers(a), joinNumbers(b)));

      test(`${path}, ${field} field: equals bigint for all pairs of edge values`, () => {
        const edges = edgeValues(modulus);
        const a = edges.flatMap((x) => edges.map(() => x));
        const b = edges.flatMap(() => edges);
        expect(multiply(a, b)).toEqual(a.map((x, i) => (x * b[i]!) % modulus));
      });

      test(`${path}, ${field} field: equals bigint for random values, any number of them`, () => {
        const value = fc.bigInt({ min: 0n, max: modulus - 1n });
        fc.assert(
          fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 }), (pairs) => {
            const a = pairs.map(([x]) => x);
            const b = pairs.map(([, y]) => y);
            expect(multiply(a, b)).toEqual(a.map((x, i) => (x * b[i]!) % modulus));
          }),
        );
      });
    }
  }
});

describe.skipIf(addon === null)("inversion", () => {
  test("gives 1 when multiplied back, and 0 for 0", () => {
    const values = edgeValues(moduli.base);
    let seed = 12345n;
    for (let i = 0; i < 2000; i++) {
      seed = (seed * seed + 7n) % moduli.base;
      values.push(seed);
    }
    const inverses = splitNumbers(addon!.invertBase(joinNumbers(values)));
    for (const [i, value] of values.entries())
      expect((value * inverses[i]!) % moduli.base, `${value}`).toBe(value === 0n ? 0n : 1n);
  });
});
