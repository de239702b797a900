/** Adapters with numbers from a generator, as others would publish them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { type AdapterSettings, adapterLayout } from "../engine/architecture/adapter-layout.ts";
import type { ModelShape } from "../engine/architecture/model-shape.ts";
import { encodeAdapter } from "../engine/files/adapter-files.ts";

/** Numbers in the layout of `adapterLayout`; with `isHalf` all of them are halves. */
export function makeAdapter(
  shape: ModelShape,
  settings: AdapterSettings,
  seed: string,
  isHalf = false,
): Float32Array {
  const random = new SeededRandom(`adapter ${seed}`);
  const { floatCount, parts, rank } = adapterLayout(shape, settings);
  const numbers = new Float32Array(floatCount);
  for (const { a, b, inputs, outputs } of parts)
    for (const [at, count] of [
      [a, inputs * rank],
      [b, outputs * rank],
    ] as const)
      for (let i = at; i < at + count; i++)
        numbers[i] = isHalf ? (random.nextBelow(201) - 100) / 512 : (random.nextFraction() - 0.5) * 0.4;
  return numbers;
}

export async function writeMadeAdapter(
  folder: string,
  shape: ModelShape,
  settings: AdapterSettings,
  numbers: Float32Array,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = encodeAdapter(shape, adapterLayout(shape, settings), numbers, 0, "made");
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
}
