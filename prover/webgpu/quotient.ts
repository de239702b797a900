/**
 * Computes the quotient polynomial H of a Groth16 proof on the graphics card: the commands from the witness to H's scalars.
 * gpu-key.ts prepares them for a key.
 */
import { powMod } from "@openledger/foundation/modular";
import { rootOfUnity, scalarModulus } from "../formats/bn254-numbers.ts";
import { kernelR, type ShaderStyle, wordsOf } from "./field-shader.ts";
import type { Command, GpuDevice, Kernel } from "./gpu-device.ts";
import { type Kernels, powerTable, quotientKernels, segmentTerms } from "./quotient-kernels.ts";

interface QuotientInputs {
  /** A power of two. */
  domainSize: number;
  /** The key's coefficient section without its count, as in the file. Its values are converted in place. */
  coefficients: GPUBuffer;
  coefficientCount: number;
  /** Matrix (0 or 1) and row of every entry of the section. */
  places: { matrices: Uint8Array; rows: Uint32Array };
  /** Scalars of 32 bytes: the wires from 0 on; the quotient is written from `firstScalar` on. */
  scalars: GPUBuffer;
  firstScalar: number;
}

/** The part of a proof from the witness to the quotient's values on the odd coset, for the points of H. */
export interface Quotient {
  commands: readonly Command[];
  buffers: readonly GPUBuffer[];
}

/** Prepares buffers and commands. @throws RollupError PRV_GPU_UNAVAILABLE */
export async function makeQuotient(
  gpu: GpuDevice,
  style: ShaderStyle,
  inputs: QuotientInputs,
): Promise<Quotient> {
  const { domainSize: size, coefficients, coefficientCount, scalars, firstScalar } = inputs;
  const power = Math.log2(size);
  const kernels = quotientKernels(style);
  const buffers: GPUBuffer[] = [];
  const make = (label: string, byteCount: number) => {
    const buffer = gpu.makeBuffer(label, byteCount);
    buffers.push(buffer);
    return buffer;
  };
  const filled = (label: string, words: Uint32Array) => {
    const buffer = make(label, words.byteLength);
    gpu.write(buffer, words);
    return buffer;
  };
  const step = (
    kernel: Kernel,
    bound: readonly GPUBuffer[],
    words: readonly number[],
    threadCount: number,
  ) => {
    const parameters = gpu.makeParameters(words);
    buffers.push(parameters);
    return gpu.step(kernel, [...bound, parameters], threadCount);
  };
  const constant = (label: string, value: bigint) =>
    filled(label, Uint32Array.from(wordsOf(value % scalarModulus)));

  const { segmentStarts, rowStarts, terms } = sortTerms(inputs.places, size);
  const segmentCount = segmentStarts.length - 1;
  const starts = filled("segments' starts", segmentStarts);
  const rows = filled("rows' starts", rowStarts);
  const order = filled("terms", terms);
  const segments = make("segments", 32 * segmentCount);
  const vectors = make("vectors", 3 * 32 * size);
  const powers = make("powers", 32 * (size + 1));

  const n = BigInt(size);
  const shrink = constant("factor", (1n << 268n) * powMod(n, scalarModulus - 2n, scalarModulus));
  const grow = constant("size", n * kernelR);
  const shift = rootOfUnity(power + 1);
  const low = filled("low powers", powersOf(shift, powerTable));
  const high = filled(
    "high powers",
    powersOf(powMod(shift, BigInt(powerTable), scalarModulus), Math.floor(size / powerTable) + 1),
  );
  gpu.submit([
    await step(kernels.scaleCoefficients, [coefficients, shrink], [coefficientCount], coefficientCount),
    await step(kernels.makePowers, [low, high, powers], [size + 1], size + 1),
  ]);

  const commands: Command[] = [
    await step(
      kernels.segments,
      [starts, order, coefficients, scalars, segments],
      [segmentCount],
      segmentCount,
    ),
    await step(kernels.rows, [rows, segments, grow, vectors], [size], size),
  ];
  const pass = async (passes: Kernels, top: number, stageCount: 1 | 2) => {
    const count = (3 * size) >> stageCount;
    const kernel = top < stageCount ? passes.lowest[stageCount] : passes[2];
    commands.push(await step(kernel, [vectors, powers], [count, power, top], count));
  };
  const isOdd = power % 2 === 1;
  for (let top = power - 1; top > 0; top -= 2) await pass(kernels.inverse, top, 2);
  if (isOdd) await pass(kernels.inverse, 0, 1);
  commands.push(await step(kernels.shift, [vectors, powers], [3 * size, size, power], 3 * size));
  if (isOdd) await pass(kernels.forward, 0, 1);
  for (let top = isOdd ? 2 : 1; top < power; top += 2) await pass(kernels.forward, top, 2);
  commands.push(await step(kernels.quotient, [vectors, scalars], [size, firstScalar], size));
  return { commands, buffers };
}

/** Computes the powers 0 to count - 1 in the kernels' form, as words. */
function powersOf(base: bigint, count: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(8 * count);
  let power = kernelR % scalarModulus;
  for (let i = 0; i < count; i++) {
    words.set(wordsOf(power), 8 * i);
    power = (power * base) % scalarModulus;
  }
  return words;
}

/**
 * Sorts the entries by their rows, first A's then B's, and where rows and pieces of rows begin. Rows
 * differ from one term to thousands: pieces of equal length keep the threads equally busy.
 *
 * @returns segmentStarts: places in `terms`, one more than there are segments; rowStarts: numbers of segments,
 * 2 * size + 1 of them; terms: numbers of entries
 */
export function sortTerms(
  { matrices, rows }: QuotientInputs["places"],
  size: number,
): {
  segmentStarts: Uint32Array<ArrayBuffer>;
  rowStarts: Uint32Array<ArrayBuffer>;
  terms: Uint32Array<ArrayBuffer>;
} {
  const next = new Uint32Array(2 * size + 1);
  for (let i = 0; i < rows.length; i++) next[matrices[i]! * size + rows[i]! + 1]!++;
  const rowStarts = new Uint32Array(2 * size + 1);
  for (let row = 0; row < 2 * size; row++) {
    rowStarts[row + 1] = rowStarts[row]! + Math.ceil(next[row + 1]! / segmentTerms);
    next[row + 1]! += next[row]!;
  }
  const segmentStarts = new Uint32Array(rowStarts[2 * size]! + 1);
  for (let row = 0; row < 2 * size; row++) {
    const first = rowStarts[row]!;
    for (let k = first; k < rowStarts[row + 1]!; k++)
      segmentStarts[k] = next[row]! + segmentTerms * (k - first);
  }
  segmentStarts[segmentStarts.length - 1] = rows.length;
  const terms = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) terms[next[matrices[i]! * size + rows[i]!]!++] = i;
  return { segmentStarts, rowStarts, terms };
}
