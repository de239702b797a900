/**
 * LoRA adapters as PEFT keeps them: reads and writes adapter_config.json and adapter_model.safetensors. Tuned models
 * and the store of adapters use it. Patterns of ranks and alphas, and DoRA, are read and not written.
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
import { type ModulePatterns, moduleName, patternExpression } from "../architecture/adapter-modules.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import type { Place } from "../kernels/kernels.ts";
import { type BaseWeights, outputReader } from "./base-weights.ts";
import { type FileSource, readWhole, unreadable } from "./byte-source.ts";
import { ADAPTER_KEYS, foreignKey } from "./known-keys.ts";
import { encodeTensors, type NamedTensor, readFloats, readTensorEntries } from "./safetensors.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
/** Bound on a stranger's file; published ones have about a kB. */
const MAX_CONFIG_BYTES = 2 ** 20;
/** Maximum bytes of a tensor's name, type, shape and place in a header; and of what else a header has. */
const TENSOR_HEAD_BYTES = 512;

/** Numbers that are added up before other work of this thread gets its turn. */
const NUMBERS_A_TURN = 2 ** 26;

/** Patterns of names with their values; PEFT writes {} where there are none. */
const patterns = (value: z.ZodNumber) => z.record(z.string(), value).nullish();

/** Settings that are computed; models/engine/files/known-keys.ts has what else may stand there. */
const configSchema = z.object({
  peft_type: z.literal("LORA"),
  r: z.number().int().min(1).max(1_024),
  lora_alpha: z.number().min(1e-3).max(1e5),
  target_modules: z.array(z.string()).min(1).max(16),
  bias: z.literal("none").default("none"),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
  rank_pattern: patterns(z.number().int().min(1).max(1_024)),
  alpha_pattern: patterns(z.number().min(1e-3).max(1e5)),
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
  const { lora_alpha: alpha, r: rank, target_modules: modules } = parsed.data;
  // GPT-2 has two maps of one name; PEFT means both.
  const targets = modules.flatMap((name) => (name === "c_proj" ? ["attn.c_proj", "mlp.c_proj"] : [name]));
  return {
    rank,
    alpha,
    targets: [...new Set(targets)].sort() as AdapterTarget[],
    ...(parsed.data.use_rslora === true ? { isRankStabilized: true } : {}),
    ...(parsed.data.use_dora === true ? { isDora: true } : {}),
    ...patternsOf("rankPatterns", "rank_pattern", parsed.data.rank_pattern),
    ...patternsOf("alphaPatterns", "alpha_pattern", parsed.data.alpha_pattern),
  };
}

/** @throws RollupError MOD_FILE_INVALID for a pattern that is not read here */
function patternsOf(
  setting: "rankPatterns" | "alphaPatterns",
  field: string,
  input: Readonly<Record<string, number>> | null | undefined,
): { [_ in typeof setting]?: ModulePatterns } {
  const values = Object.entries(input ?? {});
  const unread = values.find(([pattern]) => patternExpression(pattern) === null);
  if (unread !== undefined)
    throw invalid(
      field,
      `${CONFIG_FILE}: the pattern ${JSON.stringify(unread[0].slice(0, 100))} of ${field} is not read here: write the modules' names`,
    );
  return values.length === 0 ? {} : { [setting]: values };
}

/**
 * Reads an adapter's numbers into its block. Matrices of a smaller rank than the largest are filled up with 0; a module's own
 * factor and DoRA's lengths are multiplied into B.
 *
 * @param base of DoRA: the weights that the adapter changes, as they are computed with
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
 */
export async function readAdapter(
  source: FileSource,
  shape: ModelShape,
  layout: AdapterLayout,
  arena: Float32Array,
  at: Place,
  base: BaseWeights | null = null,
): Promise<void> {
  const file = await source.open(WEIGHTS_FILE);
  if (file === null) throw unreadable(`${source.name}/${WEIGHTS_FILE}`, "there is no such file");
  try {
    const others: string[] = [];
    const entries = await readTensorEntries(file, (name) => others.push(name));
    const names = new Set(layout.parts.flatMap((part) => Object.values(tensorNames(shape, layout, part))));
    const other = [...entries.keys(), ...others].find((name) => !names.has(name));
    if (other !== undefined)
      throw invalid(other, `it has ${other}, which no module of ${CONFIG_FILE} asks for`);
    const readTensor = async (name: string, sizes: readonly number[]) => {
      const entry = entries.get(name);
      if (entry === undefined || entry.shape.join() !== sizes.join())
        throw invalid(name, `it has no ${name} of ${sizes.join(" × ")}`);
      return readFloats(
        entry,
        0,
        sizes.reduce((product, size) => product * size, 1),
      );
    };
    for (const part of layout.parts) {
      const { inputs, outputs, ownRank } = part;
      const { magnitudes, ...matrices } = tensorNames(shape, layout, part);
      const a = await readTensor(matrices.a, [ownRank, inputs]);
      const b = await readTensor(matrices.b, [outputs, ownRank]);
      const lengths = magnitudes === undefined ? null : await readTensor(magnitudes, [outputs]);
      await offsetPart(layout, part, { a, b, lengths, base }, arena, at);
    }
  } finally {
    await file.close();
  }
}

interface PartNumbers {
  /** ownRank × inputs */
  readonly a: Float32Array;
  /** outputs × ownRank */
  readonly b: Float32Array;
  /** DoRA's magnitude vector. */
  readonly lengths: Float32Array | null;
  readonly base: BaseWeights | null;
}

async function offsetPart(
  { factor, rank }: AdapterLayout,
  part: AdapterPart,
  numbers: PartNumbers,
  arena: Float32Array,
  at: Place,
): Promise<void> {
  const { inputs, outputs, ownFactor, ownRank } = part;
  const { a, b } = numbers;
  const ratios = numbers.lengths === null ? null : await lengthRatios(part, numbers, numbers.lengths);
  arena.fill(0, at + part.a, at + part.a + inputs * rank);
  arena.fill(0, at + part.b, at + part.b + rank * outputs);
  for (let i = 0; i < ownRank; i++)
    for (let j = 0; j < inputs; j++) arena[at + part.a + j * rank + i] = a[i * inputs + j]!;
  for (let i = 0; i < outputs; i++) {
    const ratio = (ratios?.[i] ?? 1) * (ownFactor / factor);
    if (ratios !== null) arena[at + part.change + i] = ratios[i]! - 1;
    for (let j = 0; j < ownRank; j++) arena[at + part.b + j * outputs + i] = ratio * b[i * ownRank + j]!;
  }
}

/**
 * The factors m / |W + factor · B A| of DoRA, one for each output, as PEFT computes them (`DoraLinearLayer` in
 * peft/tuners/lora/dora.py): W is the base's weight as it is computed with, lengths are of an output's weights.
 *
 * @throws RollupError MOD_FILE_INVALID
 */
async function lengthRatios(
  { firstOutput, inputs, layer, linear, outputs, ownFactor, ownRank, target }: AdapterPart,
  { a, b, base }: PartNumbers,
  lengths: Float32Array,
): Promise<Float64Array> {
  if (base === null) throw invalid("use_dora", "use_dora = true is not computed without the base's weights");
  const read = outputReader(base, layer, linear);
  const ratios = new Float64Array(outputs);
  const row = new Float64Array(inputs);
  for (let output = 0, added = 0; output < outputs; output++) {
    read(firstOutput + output, row);
    for (let j = 0; j < ownRank; j++) {
      const weight = ownFactor * b[output * ownRank + j]!;
      for (let i = 0; i < inputs; i++) row[i] = row[i]! + weight * a[j * inputs + i]!;
    }
    let squares = 0;
    for (let i = 0; i < inputs; i++) squares += row[i]! * row[i]!;
    if (squares === 0)
      throw invalid(
        "use_dora",
        `output ${output} of ${target} in layer ${layer} has no length: use_dora divides by it`,
      );
    ratios[output] = lengths[output]! / Math.sqrt(squares);
    added += inputs * (ownRank + 1);
    if (added < NUMBERS_A_TURN) continue;
    added = 0;
    await new Promise((go) => setTimeout(go));
  }
  return ratios;
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
  const { alphaPatterns, isDora, rankPatterns } = layout.settings;
  if (isDora === true || rankPatterns !== undefined || alphaPatterns !== undefined)
    throw new RangeError("such an adapter is read, not written");
  const flipped = (name: string, rows: number, columns: number, offset: Place): NamedTensor => {
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) values[i * columns + j] = arena[at + offset + j * rows + i]!;
    return { name, shape: [rows, columns], values };
  };
  const tensors = layout.parts.flatMap((part) => {
    const names = tensorNames(shape, layout, part);
    return [
      flipped(names.a, layout.rank, part.inputs, part.a),
      flipped(names.b, part.outputs, layout.rank, part.b),
    ];
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

/** Names of a part's tensors: A is rank × inputs, B is outputs × rank, in the arena the other way round. */
function tensorNames(
  shape: ModelShape,
  { settings }: AdapterLayout,
  { layer, target }: AdapterPart,
): { a: string; b: string; magnitudes?: string } {
  const name = `base_model.model.${moduleName(shape, layer, target)}`;
  return {
    a: `${name}.lora_A.weight`,
    b: `${name}.lora_B.weight`,
    ...(settings.isDora === true ? { magnitudes: `${name}.lora_magnitude_vector` } : {}),
  };
}

function invalid(field: string, message: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `the adapter: ${message}`, {
    data: { reason: "adapter-invalid", field },
    cause,
  });
}
