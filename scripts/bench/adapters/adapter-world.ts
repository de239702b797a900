/** A made base and adapters on disk, and batches over them: what `bench -- adapters` and `bench -- serving` measure with. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { adapterLayout } from "@openledger/models/architecture/adapter-layout";
import type { ModelShape } from "@openledger/models/architecture/model-shape";
import { encodeAdapter } from "@openledger/models/files/adapter-files";
import { folderSource } from "@openledger/models/files/folder-source";
import { type OpenModel, openModel } from "@openledger/models/files/load-model";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";

const ADAPTER = { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] } as const;

/** Tokens are bytes. */
const widths = {
  d256: { hidden_size: 256, intermediate_size: 688, num_hidden_layers: 4, num_attention_heads: 4 },
  d768: { hidden_size: 768, intermediate_size: 2_048, num_hidden_layers: 12, num_attention_heads: 12 },
} as const;
export type WidthName = keyof typeof widths;

export const adapterName = (i: number): string => `adapter-${String(i).padStart(4, "0")}`;

export interface AdapterWorld {
  readonly base: string;
  readonly adapters: string;
  readonly cache: string;
  /** Numbers of an adapter. */
  readonly adapterFloats: number;
}

/** The same adapter with its numbers rounded to halves. */
export const halfName = (i: number): string => `half-${String(i).padStart(4, "0")}`;

/** Writes a base and `count` adapters of rank 8 on queries and values. @param withHalves each also as halves */
export async function makeAdapterWorld(
  folder: string,
  name: WidthName,
  count: number,
  withHalves = false,
): Promise<AdapterWorld> {
  const base = join(folder, name, "base");
  const adapters = join(folder, name, "adapters");
  await writeMadeModel(base, makeModel({ ...SHARED, ...widths[name] }, "bench"));
  const { shape } = await openBase(base, async () => undefined);
  const adapterFloats = adapterLayout(shape, ADAPTER).floatCount;
  for (let i = 0; i < count; i++) {
    await writeAdapter(join(adapters, adapterName(i)), shape, i, (number) => number);
    if (withHalves) await writeAdapter(join(adapters, halfName(i)), shape, i, toHalf);
  }
  return { base, adapters, cache: join(folder, name, "data", "adapters"), adapterFloats };
}

const SHARED = {
  model_type: "llama",
  vocab_size: 256,
  num_key_value_heads: null,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

export async function openBase(
  base: string,
  use: (opened: OpenModel) => Promise<unknown>,
): Promise<OpenModel> {
  const opened = await openModel(folderSource(base));
  try {
    await use(opened);
    return opened;
  } finally {
    await opened.close();
  }
}

/** Exact for numbers as small as these. */
const toHalf = (number: number): number => Math.round(number * 2 ** 14) / 2 ** 14;

async function writeAdapter(
  folder: string,
  shape: ModelShape,
  seed: number,
  rounded: (number: number) => number,
): Promise<void> {
  const layout = adapterLayout(shape, ADAPTER);
  const numbers = new Float32Array(layout.floatCount);
  let state = seed + 1;
  for (let i = 0; i < numbers.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    numbers[i] = rounded((state / 2 ** 32 - 0.5) * 0.05);
  }
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of encodeAdapter(shape, layout, numbers, 0, "bench"))
    await writeFile(join(folder, file), bytes);
}
