/**
 * LoRA adapters as PEFT keeps them: reads and writes adapter_config.json and adapter_model.safetensors. Tuned models
 * and the store of adapters use it.
 */

import { parseStrictJson } from "@openledger/foundation/exact-json";
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import type {
  AdapterLayout,
  AdapterPart,
  AdapterSettings,
  AdapterTarget,
} from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import type { Place } from "../kernels/kernels.ts";
import { type FileSource, readWhole, unreadable } from "./byte-source.ts";
import { ADAPTER_KEYS, foreignKey } from "./known-keys.ts";
import { encodeTensors, type NamedTensor, readFloats, readTensorEntries } from "./safetensors.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
/** Bound on a stranger's file; published ones have about a kB. */
const MAX_CONFIG_BYTES = 2 ** 20;
/** Maximum bytes of a tensor's name, type, shape and place in a header; and of what else a header has. */
const TENSOR_HEAD_BYTES = 512;

/** Settings that are computed; models/engine/files/known-keys.ts has what else may stand there. */
const configSchema = z.object({
  peft_type: z.literal("LORA"),
  r: z.number().int().min(1).max(1_024),
  lora_alpha: z.number().min(1e-3).max(1e5),
  target_modules: z.array(z.string()).min(1).max(16),
  bias: z.literal("none").default("none"),
  use_rslora: z.boolean().nullish(),
});
const COMPUTED = Object.keys(configSchema.shape);

/** @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE */
export async function readAdapterSettings(source: FileSource): Promise<AdapterSettings> {
  const bytes = await readWhole(source, CONFIG_FILE, MAX_CONFIG_BYTES);
  if (bytes === null) throw unreadable(`${source.name}/${CONFIG_FILE}`, "there is no such file");
  let json: unknown;
  try {
    json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("", `${CONFIG_FILE} is no JSON`, cause);
  }
  const foreign = typeof json === "object" && json !== null ? foreignKey(json, COMPUTED, ADAPTER_KEYS) : null;
  if (foreign !== null) {
    const { isKnown, key, value } = foreign;
    const setting = `${key} = ${JSON.stringify(value).slice(0, 100)}`;
    const why = isKnown
      ? `${setting} is not computed here: it changes what the adapter does`
      : `${setting} is not known here: take it out if it does not change what the adapter does`;
    throw invalid(key, `${CONFIG_FILE}: ${why}`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(issue.path.join("."), `${CONFIG_FILE}: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { lora_alpha: alpha, r: rank, target_modules: modules, use_rslora: isStabilized } = parsed.data;
  // GPT-2 has two maps of one name; PEFT means both.
  const targets = modules.flatMap((name) => (name === "c_proj" ? ["attn.c_proj", "mlp.c_proj"] : [name]));
  const settings = { rank, alpha, targets: [...new Set(targets)].sort() as AdapterTarget[] };
  return isStabilized === true ? { ...settings, isRankStabilized: true } : settings;
}

/**
 * Reads an adapter's numbers into its block.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
 */
export async function readAdapter(
  source: FileSource,
  shape: ModelShape,
  layout: AdapterLayout,
  arena: Float32Array,
  at: Place,
): Promise<void> {
  const file = await source.open(WEIGHTS_FILE);
  if (file === null) throw unreadable(`${source.name}/${WEIGHTS_FILE}`, "there is no such file");
  try {
    const others: string[] = [];
    const entries = await readTensorEntries(file, (name) => others.push(name));
    const expectedTensors = tensorsOf(shape, layout);
    const names = new Set(expectedTensors.map(({ name }) => name));
    const other = [...entries.keys(), ...others].find((name) => !names.has(name));
    if (other !== undefined)
      throw invalid(other, `it has ${other}, which no module of ${CONFIG_FILE} asks for`);
    for (const { columns, name, place, rows } of expectedTensors) {
      const entry = entries.get(name);
      if (entry === undefined || entry.shape.join() !== `${rows},${columns}`)
        throw invalid(name, `it has no ${name} of ${rows} × ${columns}`);
      const values = await readFloats(entry, 0, rows * columns);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) arena[at + place + j * rows + i] = values[i * columns + j]!;
    }
  } finally {
    await file.close();
  }
}

/** Maximum bytes of adapter_model.safetensors, with 32 bits a number. */
export const maxAdapterBytes = ({ floatCount, parts }: AdapterLayout): number =>
  4 * floatCount + TENSOR_HEAD_BYTES * (2 * parts.length + 1);

/** The two files of an adapter: names and bytes. */
export function encodeAdapter(
  shape: ModelShape,
  layout: AdapterLayout,
  arena: Float32Array,
  at: Place,
  baseName: string,
): [string, Uint8Array][] {
  const tensors = tensorsOf(shape, layout).map(({ columns, name, place, rows }): NamedTensor => {
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) values[i * columns + j] = arena[at + place + j * rows + i]!;
    return { name, shape: [rows, columns], values };
  });
  const { alpha, isRankStabilized, rank, targets } = layout.settings;
  const config = {
    base_model_name_or_path: baseName,
    bias: "none",
    fan_in_fan_out: shape.family === "gpt2",
    inference_mode: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    peft_type: "LORA",
    r: rank,
    target_modules: [...targets].sort(),
    task_type: "CAUSAL_LM",
    ...(isRankStabilized === true ? { use_rslora: true } : {}),
  };
  return [
    [CONFIG_FILE, new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`)],
    [WEIGHTS_FILE, encodeTensors(tensors)],
  ];
}

interface AdapterTensor {
  readonly name: string;
  /**
   * Rows of the published tensor: A is rank × inputs, B is outputs × rank. In the arena they lie the other way round.
   */
  readonly rows: number;
  readonly columns: number;
  readonly place: Place;
}

function tensorsOf(shape: ModelShape, { parts, settings }: AdapterLayout): AdapterTensor[] {
  return parts.flatMap((part) => {
    const name = `base_model.model.${moduleName(shape, part)}`;
    const { a, b, inputs, outputs } = part;
    return [
      { name: `${name}.lora_A.weight`, rows: settings.rank, columns: inputs, place: a },
      { name: `${name}.lora_B.weight`, rows: outputs, columns: settings.rank, place: b },
    ];
  });
}

function moduleName({ family }: ModelShape, { layer, target }: AdapterPart): string {
  const block = /^(gate|up|down)_/.test(target) ? "mlp." : "self_attn.";
  if (family === "llama") return `model.layers.${layer}.${block}${target}`;
  const inside: Partial<Record<AdapterTarget, string>> = { c_attn: "attn.c_attn", c_fc: "mlp.c_fc" };
  return `transformer.h.${layer}.${inside[target] ?? target}`;
}

function invalid(field: string, message: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `the adapter: ${message}`, {
    data: { reason: "adapter-invalid", field },
    cause,
  });
}
