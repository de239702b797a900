import { bn254 } from "@noble/curves/bn254.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseModulus, scalarModulus } from "../formats/bn254-numbers.ts";
import { numbersFrom, openTestDevice, putIntegers, putWords } from "../testing/webgpu.fixtures.ts";
import { g1Curve, g2Curve } from "./curve-shader.ts";
import { kernelR } from "./field-shader.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { imageKernel } from "./gpu-key.ts";
import { makePointSums, planSums, type SumPlan } from "./point-sums.ts";
import { halvesBytes, splitKernel } from "./scalar-split.ts";
import { combineG1, combineG2 } from "./window-points.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

const groups = {
  g1: {
    curve: g1Curve,
    multiple: (scalar: bigint) => bn254.G1.Point.BASE.multiplyUnsafe(scalar),
    coordinates: (scalar: bigint) => {
      const { x, y } = bn254.G1.Point.BASE.multiplyUnsafe(scalar).toAffine();
      return [x, y];
    },
    combine: combineG1,
  },
  g2: {
    curve: g2Curve,
    multiple: (scalar: bigint) => bn254.G2.Point.BASE.multiplyUnsafe(scalar),
    coordinates: (scalar: bigint) => {
      const { x, y } = bn254.G2.Point.BASE.multiplyUnsafe(scalar).toAffine();
      return [x.c0, x.c1, y.c0, y.c1];
    },
    combine: combineG2,
  },
};

interface Term {
  /** The point, as a multiple of the generator. */
  point: bigint;
  scalar: bigint;
}

/**
 * Expects each set's sum as a multiple of the generator: the oracle is arithmetic modulo the group's order.
 */
async function expectSums(name: "g1" | "g2", sets: Term[][], plan: SumPlan) {
  const { curve, coordinates, combine, multiple } = groups[name];
  const terms = sets.flat();
  const points = putIntegers(
    gpu,
    terms.flatMap(({ point }) => coordinates(point).map((value) => (value * kernelR) % baseModulus)),
  );
  // Scalars lie in the opposite order, to see that the places are followed.
  const scalars = putIntegers(gpu, terms.map(({ scalar }) => scalar).toReversed());
  const halves = gpu.makeBuffer("halves", halvesBytes * terms.length);
  const images = gpu.makeBuffer("images", 32 * curve.degree * terms.length);
  const counts = [[0, terms.length], [curve.degree * terms.length]].map((words) => gpu.makeParameters(words));
  gpu.submit([
    await gpu.step(splitKernel(), [scalars, halves, counts[0]!], terms.length),
    await gpu.step(imageKernel(curve, "compact"), [points, images, counts[1]!], curve.degree * terms.length),
  ]);
  const scalarIndices = putWords(
    gpu,
    terms.map((_, i) => terms.length - 1 - i),
  );
  const inputs = { points, images, scalarIndices, halves };
  const { buffers, sums: made } = await makePointSums(gpu, "compact", [{ curve, plan, inputs }]);
  const sums = made[0]!;
  const copies = [sums.results.sums, sums.results.weighted].map((source) => ({
    from: source,
    to: gpu.makeReadable(source.size),
  }));
  // Twice: nothing of a run may be left for the next one.
  for (let run = 0; run < 2; run++) {
    gpu.submit(sums.commands, copies);
    const [unweighted, weighted] = await Promise.all(copies.map(({ to }) => gpu.read(to)));
    const found = combine(plan, { sums: unweighted!, weighted: weighted! });
    for (const [i, set] of sets.entries()) {
      const total = set.reduce((sum, { point, scalar }) => (sum + point * scalar) % scalarModulus, 0n);
      const expected = total === 0n ? multiple(1n).subtract(multiple(1n) as never) : multiple(total);
      expect(found[i]!.equals(expected as never), `set ${i} of run ${run}`).toBe(true);
    }
  }
  gpu.free([
    points,
    scalars,
    halves,
    images,
    scalarIndices,
    ...counts,
    ...buffers,
    ...copies.map(({ to }) => to),
  ]);
}

const r = scalarModulus;
const corners = [0n, 1n, 2n, 7n, 8n, 9n, 15n, 16n, r - 1n, r - 2n, r >> 1n, (r >> 1n) + 1n, 1n << 253n];

describe.each(["g1", "g2"] as const)("makePointSums in %s", (name) => {
  test("scalars at the corners of their digits, random ones, and several sums at once", async () => {
    const scalars = [...corners, ...numbersFrom(1, 12)];
    const points = numbersFrom(2, scalars.length);
    const terms = scalars.map((scalar, i) => ({ point: points[i]!, scalar }));
    const sets = [terms.slice(0, 11), terms.slice(11, 14), terms.slice(14)];
    await expectSums(
      name,
      sets,
      planSums(
        groups[name].curve,
        sets.map((set) => set.length),
      ),
    );
  });

  test("equal and opposite points in one bucket, over many chunks and merges", async () => {
    // 300 digits of one bucket are 75 groups in 38 chunks of 2, and those in 2 slices: their sums merge on two levels.
    const equal = Array.from({ length: 300 }, () => ({ point: 5n, scalar: 3n }));
    const opposite = Array.from({ length: 41 }, (_, i) => ({ point: i % 2 === 0 ? 9n : r - 9n, scalar: 1n }));
    const sets = [equal, opposite];
    const plan = {
      setCounts: sets.map((set) => set.length),
      ...{
        windowBits: 4,
        windowCount: 32,
        planeCount: 32,
        groupPower: 2,
        chunkLength: 2,
        sliceChunks: 25,
        maxInversions: 2,
      },
    };
    await expectSums(name, sets, plan);
  });

  test("sums without a single digit, and sets without points, are the point at infinity", async () => {
    const sets = [[{ point: 3n, scalar: 0n }], [], [{ point: 4n, scalar: 1n }]];
    await expectSums(name, sets, planSums(groups[name].curve, [1, 0, 1]));
  });
});

describe("makePointSums", () => {
  test("windows that end with the halves' bits, and buckets that take two levels of prefix sums' blocks", async () => {
    const scalars = [...corners, ...numbersFrom(4, 20)];
    const sets = [scalars.map((scalar, i) => ({ point: BigInt(i + 1), scalar }))];
    await expectSums("g1", sets, {
      setCounts: [scalars.length],
      ...{
        windowBits: 9,
        windowCount: 14,
        planeCount: 15,
        groupPower: 1,
        chunkLength: 16,
        sliceChunks: 100,
        maxInversions: 1024,
      },
    });
  });
});

describe("planSums", () => {
  test("covers the halves' bits, with room for the last window's digits, and wider windows for more points", () => {
    const plans = [1, 1000, 30_000, 1 << 22].map((count) => planSums(g1Curve, [count, 2 * count]));
    for (const { windowBits, windowCount, planeCount } of plans) {
      const lastBits = 126 - windowBits * (windowCount - 1);
      expect(lastBits).toBeGreaterThan(0);
      expect(lastBits).toBeLessThanOrEqual(windowBits);
      // Digits of the last window reach 2^lastBits.
      expect((planeCount - windowCount + 1) * 2 ** (windowBits - 1)).toBeGreaterThanOrEqual(2 ** lastBits);
    }
    const widths = plans.map(({ windowBits }) => windowBits);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(widths[3]).toBe(18);
  });
});
