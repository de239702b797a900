import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NONE, type PassKernels } from "../kernels.ts";
import { createWasmKernels, createWasmMemory } from "../wasm-kernels.ts";
import { GpuKernels } from "./gpu-kernels.ts";

const FLOATS = 1 << 15;

function noise(seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: FLOATS }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

let gpu: GpuKernels | null = null;
beforeAll(async () => {
  gpu = await GpuKernels.open(noise(7), "software").catch((error: unknown) => {
    if (!isRollupError(error, "PRV_GPU_UNAVAILABLE")) throw error;
    console.error(`SKIPPED, NOT PASSED: the kernels of graphics cards: ${error.message}`);
    return null;
  });
});
afterAll(() => gpu?.close());

/** On the card and on the processor, over the same numbers. */
async function compare(skip: () => void, run: (kernels: PassKernels) => void, range = 1): Promise<void> {
  if (gpu === null) return skip();
  const cpu = createWasmKernels(createWasmMemory(FLOATS));
  const start = noise(11).map((value) => range * value);
  cpu.arena.set(start);
  gpu.write(0, start);
  run(cpu);
  run(gpu);
  const got = await gpu.read(0, FLOATS);
  // The processor's kernels may write to what fills up a block of sixteen.
  const wrong = got.findIndex((value, i) => Math.abs(value - cpu.arena[i]!) > 1e-5 * (1 + Math.abs(value)));
  expect(wrong, `number ${wrong}: ${got[wrong]}, not ${cpu.arena[wrong]}`).toBe(-1);
}

describe("kernels of a graphics card", () => {
  it.each([
    [1, 8, 17, false],
    [5, 40, 16, true],
    [33, 31, 50, false],
    [64, 64, 40, true],
  ])("multiplies %i × %i over %i, whichever way the matrices lie", async (rows, columns, depth, adds) => {
    for (const isFlipped of [false, true])
      await compare(
        () => console.error("SKIPPED"),
        (kernels) => {
          const a = isFlipped
            ? { at: 0, rowStride: 1, columnStride: rows }
            : { at: 0, rowStride: depth, columnStride: 1 };
          const b = isFlipped
            ? { at: 8_000, rowStride: 1, columnStride: depth }
            : { at: 8_000, rowStride: columns, columnStride: 1 };
          kernels.multiply(rows, columns, depth, a, b, 16_000, columns, adds);
        },
      );
  });

  it("normalises, forward and back", async ({ skip }) => {
    for (const isCentred of [false, true])
      await compare(skip, (kernels) => {
        const [bias, dBias] = isCentred ? [304, 7_008] : [NONE, NONE];
        kernels.normalise(5, 48, 1_008, 208, bias, 2_000, 3_008, 1e-5, isCentred);
        kernels.normaliseBack(5, 48, 1_008, 208, 3_008, 4_000, 5_008, 6_000, dBias, isCentred);
        kernels.normaliseBack(5, 48, 1_008, 208, 3_008, 4_000, 5_008, NONE, NONE, isCentred);
      });
  });

  it("turns, gates, adds, copies and scales", async ({ skip }) => {
    await compare(
      skip,
      (kernels) => {
        kernels.rotate(3, 2, 16, 0, 64, 1_008, 1);
        kernels.rotate(3, 2, 16, 0, 64, 1_008, -1);
        kernels.gate(96, 2_000, 3_008, 4_000);
        kernels.gateBack(96, 2_000, 3_008, 5_008, 6_000, 5_008);
        kernels.gelu(96, 7_008, 8_000);
        kernels.geluBack(96, 7_008, 9_008, 9_008);
        kernels.addRow(3, 32, 11_008, 12_000);
        kernels.sumRows(3, 32, 13_008, 14_000);
        kernels.add(48, 15_008, 16_000);
        kernels.scale(48, 17_008, 0.37);
        kernels.copy(64, 18_000, 19_008);
        kernels.clear(32, 20_000);
        kernels.write(21_008, [1, 2, 3]);
        kernels.add(16, 21_008, 15_008);
      },
      3,
    );
  });

  it("takes softmax and losses with their gradients", async ({ skip }) => {
    await compare(
      skip,
      (kernels) => {
        kernels.softmax(20, 0, 48, 5, 0.125);
        kernels.softmaxBack(20, 0, 2_000, 48, 5, 0.125);
        kernels.write(5_008, [3, -1, 36, 0]);
        kernels.crossEntropy(4, 37, 48, 6_000, 5_008, 7_008, 0.25);
      },
      9,
    );
  });

  it("steps as AdamW does", async ({ skip }) => {
    await compare(skip, (kernels) => {
      kernels.write(3_008, new Float32Array(112).fill(0.3));
      kernels.write(4_000, [0.01, 0.9, 0.1, 0.95, 0.05, 10, 20, 1e-8, 0.001, 0.5]);
      kernels.adam(96, 0, 1_008, 2_000, 3_008, 4_000);
    });
  });
});
