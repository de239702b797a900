import { bn254 } from "@noble/curves/bn254.js";
import { powMod } from "@openledger/foundation/modular";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseModulus, scalarModulus } from "../formats/bn254-numbers.ts";
import { endomorphismBetas, lambda } from "../formats/endomorphism.ts";
import {
  numbersFrom,
  openTestDevice,
  putIntegers,
  putWords,
  runAndRead,
} from "../testing/webgpu.fixtures.ts";
import { g1Curve, g2Curve } from "./curve-shader.ts";
import { kernelR } from "./field-shader.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { denominatorKernel, inverseKernels, pairKernel } from "./pair-shader.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

const p = baseModulus;
const r = scalarModulus;
const inverseR = powMod(kernelR % p, p - 2n, p);
const inKernel = (value: bigint) => (value * kernelR) % p;
const coordinates = {
  g1: (scalar: bigint) => {
    const { x, y } = bn254.G1.Point.BASE.multiplyUnsafe(scalar).toAffine();
    return [x, y];
  },
  g2: (scalar: bigint) => {
    const { x, y } = bn254.G2.Point.BASE.multiplyUnsafe(scalar).toAffine();
    return [x.c0, x.c1, y.c0, y.c1];
  },
};
const missing = null;
/** A point's multiple of the generator; the sign and whether the image is meant are the digit's. */
type Operand = { point: bigint; isNegative?: boolean; isImage?: boolean } | typeof missing;

describe.each(["g1", "g2"] as const)("pairs in %s", (name) => {
  const curve = name === "g1" ? g1Curve : g2Curve;
  const { degree } = curve;
  const scalarOf = (operand: Operand) => {
    if (operand === null) return 0n;
    const { point, isImage = false, isNegative = false } = operand;
    const image = isImage ? (point * lambda) % r : point;
    return isNegative ? r - image : image;
  };

  /** Adds on both levels: the operands by twos, then their sums. */
  async function addPairs(operands: Operand[], threadCount: number) {
    const points = [...new Set(operands.flatMap((operand) => operand?.point ?? []))];
    const digits = operands.map((operand) =>
      operand === null
        ? 0
        : 1 + 4 * points.indexOf(operand.point) + (operand.isImage ? 2 : 0) + (operand.isNegative ? 1 : 0),
    );
    const beta = endomorphismBetas()[name];
    const affine = points.map((point) => coordinates[name](point).map(inKernel));
    const images = affine.flatMap((values) => values.slice(0, degree).map((value) => (value * beta) % p));
    const count = operands.length;
    const list = putWords(gpu, [77, 77, ...digits]);
    const [nodes, sums] = [2, 4].map((divisor) => gpu.makeBuffer("nodes", (64 * degree * count) / divisor));
    const products = gpu.makeBuffer("products", 32 * threadCount);
    const prefixes = gpu.makeBuffer("prefixes", (32 * degree * count) / 2);
    const operandsOf = (from: GPUBuffer) => [
      list,
      putIntegers(gpu, affine.flat()),
      putIntegers(gpu, images),
      from,
    ];
    const results: (bigint[] | null)[][] = [];
    for (const [level, from, to] of [
      [1, sums!, nodes!],
      [2, nodes!, sums!],
    ] as const) {
      const parameters = gpu.makeParameters([1, 2, count, level, threadCount]);
      // The second counter is the list's end.
      const bound = [...operandsOf(from), putWords(gpu, [0, 2 + count]), prefixes, products];
      const commands = [
        await gpu.step(denominatorKernel(curve, "compact"), [...bound, parameters], threadCount),
        await gpu.step(
          inverseKernels("compact").invert,
          [products, gpu.makeParameters([threadCount])],
          threadCount,
        ),
        await gpu.step(pairKernel(curve, "compact"), [...bound, to, parameters], threadCount),
      ];
      const values = await runAndRead(gpu, commands, to);
      const size = 2 * degree;
      results.push(
        Array.from({ length: count >> level }, (_, i) => {
          const sum = values.slice(size * i, size * (i + 1));
          if (sum[0]! >> 224n === 0xffffffffn) return null;
          for (const value of sum) expect(value).toBeLessThan(2n * p);
          return sum.map((value) => (value * inverseR) % p);
        }),
      );
    }
    return results;
  }

  test("different, equal and opposite points, images, signs and missing ones, over two levels", async () => {
    const [one, two, three] = [5n, 7n, 12n].map((point) => ({ point }));
    const image = { point: 5n, isImage: true };
    const negative = { point: 7n, isNegative: true };
    const operands: Operand[] = [
      // Different ones, then their sum meets an equal one, an opposite one, a missing one.
      ...[one!, two!, missing, three!],
      ...[one!, two!, missing, { point: 12n, isNegative: true }],
      ...[one!, two!, missing, missing],
      // Equal, opposite, missing, and infinity on both sides.
      ...[one!, one!, two!, two!],
      ...[two!, negative, one!, missing],
      ...[missing, missing, two!, negative],
      ...[missing, two!, missing, missing],
      // Images and signs: an image is equal to a point that is its multiple by lambda.
      ...[image, negative, { point: (lambda * 5n) % r }, image],
      ...[{ point: 5n, isImage: true, isNegative: true }, image, negative, negative],
      ...[image, two!, three!, { point: 12n, isImage: true, isNegative: true }],
    ];
    for (const threadCount of [1, 3]) {
      const [first, second] = await addPairs(operands, threadCount);
      const add = (scalars: bigint[]) =>
        Array.from({ length: scalars.length / 2 }, (_, i) => (scalars[2 * i]! + scalars[2 * i + 1]!) % r);
      const pairs = add(operands.map(scalarOf));
      const expected = (scalars: bigint[]) =>
        scalars.map((scalar) => (scalar === 0n ? null : coordinates[name](scalar)));
      expect(first).toEqual(expected(pairs));
      expect(second).toEqual(expected(add(pairs)));
    }
  });
});

describe("inverseKernels", () => {
  test("invert values by folding them, also with more threads than values", async () => {
    const { fold, invert, unfold } = inverseKernels("compact");
    for (const [count, threadCount] of [
      [40, 7],
      [3, 5],
    ] as const) {
      const values = numbersFrom(9, count, p).map((value) => value + 1n);
      const buffers = [values.map(inKernel), [...values, 0n], Array<bigint>(threadCount).fill(0n)].map(
        (content) => putIntegers(gpu, content),
      );
      const shape = gpu.makeParameters([count, threadCount]);
      const commands = [
        await gpu.step(fold, [...buffers, shape], threadCount),
        await gpu.step(invert, [buffers[2]!, gpu.makeParameters([threadCount])], threadCount),
        await gpu.step(unfold, [...buffers, shape], threadCount),
      ];
      const inverses = await runAndRead(gpu, commands, buffers[0]!);
      for (const [i, value] of values.entries())
        expect((inverses[i]! * inverseR * value) % p, String(value)).toBe(1n);
    }
  });
});
