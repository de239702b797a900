import { bn254 } from "@noble/curves/bn254.js";
import { powMod } from "@openledger/foundation/modular";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseModulus } from "../formats/bn254-numbers.ts";
import { numbersFrom, openTestDevice, putIntegers, runAndRead } from "../testing/webgpu.fixtures.ts";
import {
  type CurveShape,
  curveShader,
  g1Curve,
  g2Curve,
  pointLoad,
  sumLoad,
  sumStore,
} from "./curve-shader.ts";
import { kernelR } from "./field-shader.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

const p = baseModulus;
const inverseR = powMod(kernelR % p, p - 2n, p);
const { Fp2 } = bn254.fields;
const vectors = "array<vec4<u32>>";

/** A group as the tests need it: multiples of its generator as sums with any third coordinate, and back. */
const groups = {
  g1: {
    curve: g1Curve,
    affine: (scalar: bigint) => {
      const { x, y } = bn254.G1.Point.BASE.multiply(scalar).toAffine();
      return [x, y];
    },
    sum: (scalar: bigint, k: bigint) => {
      if (scalar === 0n) return [5n, 6n, 0n, 0n];
      const [x, y] = groups.g1.affine(scalar);
      return [x! * k ** 2n, y! * k ** 3n, k ** 2n, k ** 3n].map((value) => value % p);
    },
    toAffine: ([x, y, zz, zzz]: bigint[]) => {
      if (zz === 0n) return null;
      const invert = (value: bigint) => powMod(value, p - 2n, p);
      return [(x! * invert(zz!)) % p, (y! * invert(zzz!)) % p];
    },
  },
  g2: {
    curve: g2Curve,
    affine: (scalar: bigint) => {
      const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
      return [x.c0, x.c1, y.c0, y.c1];
    },
    sum: (scalar: bigint, k: bigint) => {
      if (scalar === 0n) return [5n, 6n, 7n, 8n, 0n, 0n, 0n, 0n];
      const [x0, x1, y0, y1] = groups.g2.affine(scalar) as [bigint, bigint, bigint, bigint];
      const factor = Fp2.create({ c0: k % p, c1: 3n });
      const [square, cube] = [Fp2.sqr(factor), Fp2.mul(Fp2.sqr(factor), factor)];
      const x = Fp2.mul(Fp2.create({ c0: x0, c1: x1 }), square);
      const y = Fp2.mul(Fp2.create({ c0: y0, c1: y1 }), cube);
      return [x, y, square, cube].flatMap(({ c0, c1 }) => [c0, c1]);
    },
    toAffine: (v: bigint[]) => {
      const [x, y, zz, zzz] = [0, 2, 4, 6].map((i) => Fp2.create({ c0: v[i]!, c1: v[i + 1]! }));
      if (Fp2.is0(zz!)) return null;
      return [Fp2.div(x!, zz!), Fp2.div(y!, zzz!)].flatMap(({ c0, c1 }) => [c0, c1]);
    },
  },
};

const toKernel = (values: bigint[]) => values.map((value) => (value * kernelR) % p);
const fromKernel = (values: bigint[]) => values.map((value) => (value * inverseR) % p);

/** Kernel of an addition. Slots 0 and 1 of both vectors are the operands; the result is in slot 0. */
function additionKernel(curve: CurveShape, right: "Point" | "Sum") {
  return makeKernel(
    `add ${right}`,
    [
      ["left", "read", vectors],
      ["right", "read", vectors],
      ["results", "write", vectors],
    ],
    `${curveShader(curve, "compact", 2)}${sumLoad(curve, "left")}${sumStore(curve, "results")}
${right === "Point" ? pointLoad(curve, "right") : sumLoad(curve, "right")}`,
    `
  if (thread >= arrayLength(&left) / ${8 * curve.degree}u) { return; }
  leftLoad(thread, 0u);
  ${right === "Point" ? "rightLoad(thread); pointAdd(0u);" : "rightLoad(thread, 1u); sumAdd(0u, 1u);"}
  resultsStore(thread, 0u);`,
  );
}

const random = numbersFrom(3, 12);
/**
 * Scalars of the added points: different points, equal ones, opposite ones, the point at infinity on either
 * side.
 */
const order = bn254.fields.Fr.ORDER;
const pairs: [bigint, bigint][] = [
  ...random.map((scalar, i): [bigint, bigint] => [scalar, random[(i + 5) % random.length]!]),
  [1n, 1n],
  [random[0]!, random[0]!],
  [1n, order - 1n],
  [random[1]!, order - random[1]!],
  [2n, 1n],
  [0n, 1n],
  [0n, random[2]!],
];

describe.each(["g1", "g2"] as const)("curveShader in %s", (name) => {
  const { curve, affine, sum, toAffine } = groups[name];
  const check = async (right: "Point" | "Sum", cases: [bigint, bigint][]) => {
    const left = cases.flatMap(([a], i) => toKernel(sum(a, random[i % random.length]!)));
    const operands = cases.flatMap(([, b], i) =>
      toKernel(right === "Point" ? affine(b) : sum(b, random[(i + 1) % random.length]!)),
    );
    const results = gpu.makeBuffer("results", 32 * 4 * curve.degree * cases.length);
    const buffers = [putIntegers(gpu, left), putIntegers(gpu, operands), results];
    const step = await gpu.step(additionKernel(curve, right), buffers, cases.length);
    const values = await runAndRead(gpu, [step], results);
    for (const [i, [a, b]] of cases.entries()) {
      const size = 4 * curve.degree;
      const total = (a + b) % order;
      const expected = total === 0n ? null : affine(total);
      expect(toAffine(fromKernel(values.slice(size * i, size * (i + 1)))), `${a} and ${b}`).toEqual(expected);
    }
  };

  test("adds affine points to sums", () => check("Point", pairs));

  test("adds sums, the point at infinity on either side or both", () =>
    check("Sum", [...pairs, [1n, 0n], [random[3]!, 0n], [0n, 0n]]));
});
