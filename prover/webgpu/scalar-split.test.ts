import { scalarsFrom } from "@openledger/circuits/testing/sample-scalars";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { halfBits, lambda, splitScalar } from "../formats/endomorphism.ts";
import { openTestDevice, putIntegers, runAndRead } from "../testing/webgpu.fixtures.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { halvesBytes, splitKernel } from "./scalar-split.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

test("splits scalars into the halves of the formula, from the first that it is given on", async () => {
  const r = scalarModulus;
  const edges = [0n, 1n, 2n, 12345n, r - 1n, r - 2n, r - 12345n, lambda, r - lambda, lambda + 1n, r >> 1n];
  const powers = [64n, 125n, 126n, 127n, 128n, 253n].flatMap((bits) => [(1n << bits) - 1n, 1n << bits]);
  const scalars = [...edges, ...powers, ...scalarsFrom(3, 200)];
  const halves = gpu.makeBuffer("halves", halvesBytes * scalars.length);
  const words = gpu.makeParameters([1, scalars.length - 1]);
  const step = await gpu.step(splitKernel(), [putIntegers(gpu, scalars), halves, words], scalars.length - 1);
  const found = await runAndRead(gpu, [step], halves);
  expect(found[0]).toBe(0n);
  for (const [i, scalar] of scalars.entries()) {
    if (i === 0) continue;
    const both = [found[i]! & ((1n << 128n) - 1n), found[i]! >> 128n].map((half) => {
      const size = half & ((1n << 127n) - 1n);
      expect(size >> BigInt(halfBits), `${scalar}`).toBe(0n);
      return half >> 127n === 1n ? -size : size;
    });
    expect(both, `${scalar}`).toEqual(splitScalar(scalar));
  }
});
