/** WebGPU device in software, and its buffers, for tests of the shaders. */
import { fromBytesLe, scalarModulus } from "../formats/bn254-numbers.ts";
import { wordsOf } from "../webgpu/field-shader.ts";
import { type Command, GpuDevice } from "../webgpu/gpu-device.ts";

/** SwiftShader's device: the tests run on it everywhere, so that a machine without a card tests the same. */
export function openTestDevice(): Promise<GpuDevice> {
  return GpuDevice.open("software");
}

/** A buffer of integers of 32 bytes. */
export function putIntegers(gpu: GpuDevice, values: readonly bigint[]): GPUBuffer {
  return putWords(gpu, values.flatMap(wordsOf));
}

export function putWords(gpu: GpuDevice, words: readonly number[]): GPUBuffer {
  const buffer = gpu.makeBuffer("test", 4 * words.length);
  gpu.write(buffer, Uint32Array.from(words));
  return buffer;
}

/** Runs the commands, then reads the buffer as integers of 32 bytes. */
export async function runAndRead(
  gpu: GpuDevice,
  commands: readonly Command[],
  buffer: GPUBuffer,
): Promise<bigint[]> {
  const target = gpu.makeReadable(buffer.size);
  gpu.submit(commands, [{ from: buffer, to: target }]);
  const bytes = await gpu.read(target);
  gpu.free([target]);
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    fromBytesLe(bytes.subarray(32 * i, 32 * (i + 1))),
  );
}

/** Numbers below the modulus that repeat from run to run; the seed says which. */
export function numbersFrom(seed: number, count: number, modulus: bigint = scalarModulus): bigint[] {
  let state = BigInt(seed) + 1n;
  return Array.from({ length: count }, () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
    return (state ** 5n + state ** 3n) % modulus;
  });
}
