import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { BASE8, SUBGROUP_ORDER } from "../field/curve/eddsa.ts";
import { loadNativeField, nativeLanes } from "../native/native-field.ts";
import { type SignatureEquation, SignatureKernel } from "./signature-kernel.ts";

const { Point } = babyjubjub;
/** ERC-2494's generator of the whole curve; noble's is 8 times it. */
const generator = Point.fromAffine({
  x: 995203441582195749578291179787384436505546430278305826713579947235728471134n,
  y: 5472060717959818805561601436314318772137091100104008585924551046643952123905n,
});
type NoblePoint = InstanceType<typeof Point>;
const base8 = Point.fromAffine(BASE8);

/** Point of order 8. */
const torsion = generator.multiplyUnsafe(SUBGROUP_ORDER - 1n).add(generator);
/** k · B8 plus a point of order 1, 2, 4 or 8. */
const point = fc
  .tuple(fc.bigInt(0n, SUBGROUP_ORDER - 1n), fc.nat(7))
  .map(([k, order]) => base8.multiplyUnsafe(k).add(torsion.multiplyUnsafe(BigInt(order))));
const scalar = fc.oneof(
  fc.bigInt(0n, (1n << 256n) - 1n),
  fc.constantFrom(0n, 1n, 15n, 16n, 255n, 256n, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER, (1n << 256n) - 1n),
);

/**
 * Scalars with digits of about half of the base, where the sign turns, with and without a carry from below.
 */
const halves = "08 80 88 81 89 7f 78 ff".split(" ").map((byte) => BigInt(`0x${byte.repeat(32)}`));

const multiply = (p: NoblePoint, k: bigint): NoblePoint => {
  // noble takes scalars below the order; the cofactor's multiples make up the rest.
  let sum = Point.ZERO;
  for (let bits = k, power = p; bits > 0n; bits >>= 1n, power = power.double()) {
    if ((bits & 1n) === 1n) sum = sum.add(power);
  }
  return sum;
};

type Check = SignatureKernel["check"];
const kernels: Record<string, () => Check> = {
  SignatureKernel: () => {
    const multiples = [Point.ZERO];
    while (multiples.length < 256) multiples.push(multiples.at(-1)!.add(base8));
    const kernel = new SignatureKernel(multiples.map((p) => p.toAffine()));
    return (first, second) => kernel.check(first, second);
  },
  "the native field, two of them": () => {
    const native = loadNativeField()!;
    return (first, second) => native.holdAll([first, second]) as [boolean, boolean];
  },
};
for (const lanes of [...nativeLanes(), null])
  kernels[`the native field, lanes of ${lanes}`] = () => {
    const native = loadNativeField(lanes)!;
    return (first, second) => {
      const pairs = native.holdAll([first, second, first, second, first, second, first, second, first]);
      const [a, b] = pairs as [boolean, boolean];
      expect(pairs).toEqual([a, b, a, b, a, b, a, b, a]);
      return [a, b];
    };
  };

/** R8 = S · B8 − u · A, moved by `error` times B8 and a point of small order. */
const equation = fc
  .record({
    key: point,
    factor: scalar,
    s: scalar,
    error: fc.constantFrom(0n, 0n, 1n, 2n),
    order: fc.constantFrom(0n, 0n, 1n, 4n),
  })
  .map(({ key, factor, s, error, order }) => {
    const exact = multiply(base8, s).add(multiply(key, factor).negate());
    const r8 = exact.add(base8.multiplyUnsafe(error)).add(torsion.multiplyUnsafe(order));
    const check: SignatureEquation = { key: key.toAffine(), r8: r8.toAffine(), factor, s };
    return { check, isTrue: error === 0n && order === 0n };
  });

describe.each(Object.entries(kernels))("%s", (_name, make) => {
  let check: Check;
  beforeAll(() => {
    check = make();
  });

  test("is tested with points of order 8", () => {
    expect(torsion.multiplyUnsafe(4n).is0()).toBe(false);
    expect(torsion.multiplyUnsafe(8n).is0()).toBe(true);
  });

  test("agrees with noble for all points of the curve and all scalars, each lane by itself", () => {
    fc.assert(
      fc.property(equation, equation, (first, second) => {
        expect(check(first.check, second.check)).toEqual([first.isTrue, second.isTrue]);
      }),
      { numRuns: runs(60) },
    );
  });

  test("takes digits on both sides of half of their base", () => {
    const key = base8.multiplyUnsafe(5n);
    for (const [i, s] of halves.entries()) {
      const factor = halves.at(i - 3)!;
      const r8 = multiply(base8, s).subtract(multiply(key, factor)).toAffine();
      const good = { key: key.toAffine(), r8, factor, s };
      expect(check(good, { ...good, s: s ^ 1n })).toEqual([true, false]);
      expect(check({ ...good, factor: factor ^ 1n }, good)).toEqual([false, true]);
    }
  });

  test("takes the identity for what it is", () => {
    const zero = { x: 0n, y: 1n };
    const good = { key: zero, r8: zero, factor: 5n, s: 0n };
    expect(check(good, { ...good, s: 1n })).toEqual([true, false]);
    expect(check({ ...good, r8: BASE8, s: 1n }, { ...good, r8: BASE8 })).toEqual([true, false]);
  });

  test("compares both coordinates", () => {
    const { x, y } = base8.multiplyUnsafe(7n).toAffine();
    const good = { key: BASE8, r8: { x, y }, factor: 0n, s: 7n };
    const prime = Point.Fp.ORDER;
    expect(check(good, { ...good, r8: { x: prime - x, y } })).toEqual([true, false]);
    expect(check({ ...good, r8: { x, y: prime - y } }, good)).toEqual([false, true]);
  });
});
