/**
 * Packs weights as int8 in blocks of 32 inputs (packedFloats in ../kernels/kernels.ts says how they lie). load-model.ts packs
 * them when a model is loaded with int8 weights.
 */

import { modelError } from "../../model-errors.ts";
import { type PackedMap, packedViews } from "../kernels/kernels.ts";
import { toHalves } from "./float-formats.ts";

/** Inputs that share one scale, as in Q8_0. */
const BLOCK = 32;

/** Numbers as llama.cpp's Q8_0 rounds them: of each 32 a half as scale. @throws RollupError MOD_FILE_INVALID beyond its range */
export function roundToBlocks(values: Float32Array): { scales: Uint16Array; integers: Int8Array } {
  const count = Math.ceil(values.length / BLOCK);
  const steps = new Float32Array(count);
  const integers = new Int8Array(values.length);
  for (let b = 0; b < count; b++) {
    const end = Math.min(values.length, (b + 1) * BLOCK);
    let max = 0;
    for (let i = b * BLOCK; i < end; i++) if (Math.abs(values[i]!) > max) max = Math.abs(values[i]!);
    steps[b] = max / 127;
    const factor = steps[b] === 0 ? 0 : Math.fround(1 / steps[b]!);
    for (let i = b * BLOCK; i < end; i++) {
      const scaled = Math.fround(values[i]! * factor);
      // Rounds to the integer further from 0 if two are equally near.
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
  const { integers, placeOf, scales } = packedViews(arena, map);
  const rounded = roundToBlocks(values);
  // Four inputs at a time: a map has a multiple of sixteen.
  const from = new Uint32Array(rounded.integers.buffer);
  const to = new Uint32Array(integers.buffer, integers.byteOffset, integers.length / 4);
  for (const [b, half] of rounded.scales.entries()) {
    const { integer, scale } = placeOf(output, first / BLOCK + b);
    scales[scale] = half;
    const end = Math.min(BLOCK / 4, from.length - (b * BLOCK) / 4);
    for (let i = 0; i < end; i++) to[integer / 4 + 16 * i] = from[(b * BLOCK) / 4 + i]!;
  }
}
