/** Weights as int8 in blocks of 32 inputs, rounded as llama.cpp's Q8_0 is: see packedFloats in ../kernels/kernels.ts. */
import { type PackedMap, packedViews } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { toHalves } from "./float-formats.ts";

const BLOCK = 32;

/** Inputs of one output from input `first`, a multiple of 32, on. @throws RollupError MOD_FILE_INVALID beyond a half's range */
export function packInputs(
  arena: Float32Array,
  map: PackedMap,
  output: number,
  first: number,
  values: Float32Array,
): void {
  const { integers, placeOf, scales } = packedViews(arena, map);
  const steps = Float32Array.from({ length: Math.ceil(values.length / BLOCK) }, (_, b) => {
    let most = 0;
    for (let i = b * BLOCK; i < Math.min(values.length, (b + 1) * BLOCK); i++)
      most = Math.max(most, Math.abs(values[i]!));
    return most / 127;
  });
  for (const [b, half] of toHalves(steps).entries()) {
    if (half === 0x7c00)
      throw modelError("MOD_FILE_INVALID", "a weight is too large for int8 with a scale of 16 bits", {
        data: { reason: "weight-too-large", output },
      });
    const { integer, scale } = placeOf(output, first / BLOCK + b);
    scales[scale] = half;
    const factor = steps[b] === 0 ? 0 : Math.fround(1 / steps[b]!);
    const count = Math.min(BLOCK, values.length - b * BLOCK);
    for (let i = 0; i < count; i++) {
      const scaled = Math.fround(values[b * BLOCK + i]! * factor);
      // Of two equally near integers the one further from 0.
      integers[integer + 64 * (i >> 2) + (i & 3)] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
  }
}
