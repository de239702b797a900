/** Weights as int8 in blocks of 32 inputs: see packedFloats in ../kernels/kernels.ts. */
import { type PackedMap, packedViews } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { toHalves } from "./float-formats.ts";

const BLOCK = 32;

/** Numbers as llama.cpp's Q8_0 rounds them: of each 32 a half as scale. @throws RollupError MOD_FILE_INVALID beyond its range */
export function roundToBlocks(values: Float32Array): { scales: Uint16Array; integers: Int8Array } {
  const count = Math.ceil(values.length / BLOCK);
  const steps = new Float32Array(count);
  const integers = new Int8Array(values.length);
  for (let b = 0; b < count; b++) {
    const end = Math.min(values.length, (b + 1) * BLOCK);
    let most = 0;
    for (let i = b * BLOCK; i < end; i++) most = Math.max(most, Math.abs(values[i]!));
    steps[b] = most / 127;
    const factor = steps[b] === 0 ? 0 : Math.fround(1 / steps[b]!);
    for (let i = b * BLOCK; i < end; i++) {
      const scaled = Math.fround(values[i]! * factor);
      // Of two equally near integers the one further from 0.
      integers[i] = scaled + (scaled < 0 ? -0.5 : 0.5);
    }
  }
  const scales = toHalves(steps);
  if (scales.includes(0x7c00))
    throw modelError("MOD_FILE_INVALID", "a weight is too large for int8 with a scale of 16 bits", {
      data: { reason: "weight-too-large" },
    });
  return { scales, integers };
}

/** Inputs of one output from input `first`, a multiple of 32, on. @throws RollupError MOD_FILE_INVALID */
export function packInputs(
  arena: Float32Array,
  map: PackedMap,
  output: number,
  first: number,
  values: Float32Array,
): void {
  const views = packedViews(arena, map);
  const { integers, scales } = roundToBlocks(values);
  for (const [b, half] of scales.entries()) {
    const { integer, scale } = views.placeOf(output, first / BLOCK + b);
    views.scales[scale] = half;
    const end = Math.min(BLOCK, values.length - b * BLOCK);
    for (let i = 0; i < end; i++)
      views.integers[integer + 64 * (i >> 2) + (i & 3)] = integers[b * BLOCK + i]!;
  }
}
