import { scalarsFrom } from "@openledger/circuits/testing/sample-scalars";
import { describe, expect, test } from "vitest";
import { scalarModulus } from "../../formats/bn254-numbers.ts";
import { halfBits, lambda, splitScalar } from "../../formats/endomorphism.ts";
import { makeKernelBench } from "../../testing/kernels.fixtures.ts";

const r = scalarModulus;
const edges = [0n, 1n, 2n, r - 1n, r - 2n, r, r + 1n, 2n * r - 1n, lambda, r - lambda, lambda + 1n];
const powers = [125n, 126n, 127n, 128n, 253n].flatMap((bits) => [(1n << bits) - 1n, 1n << bits]);
const scalars = [...edges, ...powers, ...scalarsFrom(7, 300)];

describe("splitScalar", () => {
  test("gives two short halves that make up the scalar", () => {
    expect((lambda * lambda + lambda + 1n) % r).toBe(0n);
    for (const scalar of scalars) {
      const [k1, k2] = splitScalar(scalar);
      expect((k1 + k2 * lambda - scalar) % r).toBe(0n);
      for (const half of [k1, k2]) expect(half < 0n ? -half : half).toBeLessThan(1n << BigInt(halfBits));
    }
  });

  test("leaves small scalars, also negative ones, in one half", () => {
    expect(splitScalar(12345n)).toEqual([12345n, 0n]);
    expect(splitScalar(r - 12345n)).toEqual([-12345n, 0n]);
  });
});

describe("splitDigits", () => {
  test.each([3, 4, 8, 11, 13, 15, 16])(
    "writes signed digits of %i bits that make up the scalar",
    (windowBits) => {
      const bench = makeKernelBench(1 << 20);
      const windowCount = Math.ceil((halfBits + 1) / windowBits);
      const count = scalars.length;
      const digits = bench.take(4 * count * windowCount);
      bench.kernels.splitDigits!(
        bench.putIntegers(scalars),
        count,
        windowBits,
        windowCount,
        digits,
        4 * count,
        2 * count,
      );
      const view = new Int16Array(bench.memory.buffer);
      let largest = 0;
      for (const [i, scalar] of scalars.entries()) {
        const [k1, k2] = [0, 1].map((half) => {
          let value = 0n;
          for (let window = windowCount - 1; window >= 0; window--) {
            const digit = view[(digits + 4 * count * window + 2 * count * half + 2 * i) / 2]!;
            largest = Math.max(largest, Math.abs(digit));
            value = (value << BigInt(windowBits)) + BigInt(digit);
          }
          return value;
        }) as [bigint, bigint];
        expect((k1 + k2 * lambda - scalar) % r, `scalar ${scalar}`).toBe(0n);
      }
      expect(largest).toBeLessThanOrEqual(2 ** (windowBits - 1));
    },
  );
});
