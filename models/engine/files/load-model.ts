/**
 * Opens a published model (config.json, safetensors or GGUF) and loads it into an arena with workspaces, adapter and kernels. Training,
 * the factory's tasks and the answer server begin here. Every file is a stranger's: sizes are bounded, every tensor must be
 * used.
 */
import { modelError } from "../../model-errors.ts";
import { type AdapterSettings, adapterLayout } from "../architecture/adapter-layout.ts";
import {
  type ModelShape,
  type ParameterLayout,
  parameterLayout,
  type WeightNumbers,
} from "../architecture/model-shape.ts";
import { prepareTransformer, type Transformer } from "../architecture/transformer.ts";
import { planWorkspace, type Workspace } from "../architecture/workspace.ts";
import { createKernels, type KernelChoice, type SharedArena } from "../kernels/create-kernels.ts";
import { MAX_THREAD_COUNT, NONE, type Place } from "../kernels/kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import { type ByteSource, type FileSource, readWhole, unreadable } from "./byte-source.ts";
import { GGUF_BLOCKS } from "./gguf-blocks.ts";
import { readGgufEntries } from "./gguf-file.ts";
import { parseModelConfig } from "./model-config.ts";
import {
  CHUNK,
  copyTensor,
  GGUF_FILE,
  INDEX_FILE,
  openShards,
  SINGLE_FILE,
  type Weights,
} from "./open-shards.ts";
import { packInputs } from "./pack-weights.ts";
import { flippedTarget, namePrefixes, type TensorTarget, tensorTargets } from "./tensor-targets.ts";
import type { WeightEntry } from "./weight-entry.ts";

export type { FileSource };

/** Bound on a file that a stranger names: published configs have some kB. */
export const MAX_CONFIG_BYTES = 2 ** 20;
/** A model whose files are open and checked, all but the weights themselves: nothing large is allocated yet. */
export interface OpenModel {
  readonly shape: ModelShape;
  readonly layout: ParameterLayout;
  /**
   * Writes the weights into an arena.
   *
   * @param as another layout of the same shape, of int8 @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
   */
  load(arena: Float32Array, at: Place, as?: ParameterLayout): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a model: config.json, and weights as model.safetensors, as shards with their index, or as model.gguf.
 *
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE
 */
export async function openModel(source: FileSource): Promise<OpenModel> {
  const config = await readWhole(source, "config.json", MAX_CONFIG_BYTES);
  if (config === null) throw unreadable(`${source.name}/config.json`, await whyNoConfig(source));
  const shape = parseModelConfig(config);
  const opened: ByteSource[] = [];
  const close = async () => {
    for (const file of opened) await file.close();
  };
  try {
    const { entries, others, types } = await openWeights(source, shape, opened);
    // Layers are laid out only once the file has as many tensors, so that a false count costs nothing.
    if (entries.size < shape.layerCount) throw missing(`of ${shape.layerCount} layers`, shape, undefined);
    const layout = parameterLayout(shape);
    const pairsOf = (as: ParameterLayout) =>
      tensorTargets(shape, as).map((target) => find(entries, shape, target));
    requireConstants(others, types);
    await requireUsed(entries, shape, pairsOf(layout));
    return {
      shape,
      layout,
      async load(arena, at, as = layout) {
        for (const { entry, target } of pairsOf(as))
          if (as.weights === "int8" && target.map !== undefined) await packTensor(entry, target, arena, at);
          else await copyTensor(entry, target, arena, at);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** GGUF files are published alone, and have no pattern by which a tokenizer splits: config and tokenizer are those of the model they are of. */
async function whyNoConfig(source: FileSource): Promise<string> {
  const gguf = await source.open(GGUF_FILE);
  if (gguf === null) return "there is no such file";
  await gguf.close();
  return `there is no such file: put config.json and tokenizer.json of the model that ${GGUF_FILE} was made from beside it, for chats tokenizer_config.json and chat_template.jinja, too`;
}

async function openWeights(source: FileSource, shape: ModelShape, opened: ByteSource[]): Promise<Weights> {
  const gguf = await source.open(GGUF_FILE);
  if (gguf === null) return openShards(source, opened);
  opened.push(gguf);
  for (const file of [SINGLE_FILE, INDEX_FILE]) {
    const second = await source.open(file);
    if (second === null) continue;
    opened.push(second);
    throw modelError(
      "MOD_FILE_INVALID",
      `${source.name} has ${GGUF_FILE} and ${file}: take one of them out`,
      {
        data: { name: GGUF_FILE, reason: "two-weights" },
      },
    );
  }
  const others = new Map<string, string>();
  const entries = await readGgufEntries(gguf, shape, (name, type) => void others.set(name, type));
  return { entries, others, types: Object.keys(GGUF_BLOCKS) };
}

function find(
  entries: ReadonlyMap<string, WeightEntry>,
  shape: ModelShape,
  published: TensorTarget,
): { readonly target: TensorTarget; readonly entry: WeightEntry } {
  const [plain, prefix] = namePrefixes[shape.family];
  const entry = entries.get(prefix + published.name) ?? entries.get(plain + published.name);
  const target = entry?.isFlipped === true ? flippedTarget(published) : published;
  if (entry === undefined || entry.shape.join() !== target.shape.join())
    throw missing(target.name, target.shape, entry?.shape);
  return { target, entry };
}

/** Causal masks and frequencies of positions: constants that older versions of transformers have stored. */
const CONSTANTS = /(^|\.)(attn\.(masked_)?bias|rotary_emb\.inv_freq)$/;
const HEAD = "lm_head.weight";

/**
 * A tensor that no part of the model takes would be left out of the arithmetic, in silence.
 *
 * @throws RollupError MOD_FILE_INVALID
 */
async function requireUsed(
  entries: ReadonlyMap<string, WeightEntry>,
  shape: ModelShape,
  pairs: readonly { readonly entry: WeightEntry }[],
): Promise<void> {
  const used = new Set(pairs.map(({ entry }) => entry));
  for (const [name, entry] of entries) {
    if (used.has(entry) || CONSTANTS.test(name)) continue;
    if (name !== HEAD || !shape.isTied)
      throw unused(
        name,
        "no part of the model that config.json describes takes it: correct the config, or take the tensor out",
      );
    // Exporters that do not know of ties write the embedding twice.
    if (!(await isSame(entry, pairs[0]!.entry)))
      throw unused(
        name,
        'it is not the embedding: with "tie_word_embeddings": false in config.json it is the head',
      );
  }
}

/**
 * A tensor of another type is no less a part of the model: a bias in 64 bits, or quantized weights.
 * @throws RollupError MOD_FILE_INVALID
 */
function requireConstants(others: ReadonlyMap<string, string>, types: readonly string[]): void {
  for (const [name, type] of others)
    if (!CONSTANTS.test(name))
      throw unused(
        name,
        `it is of type ${type}, and ${types.join(", ")} are computed: convert it, or take it out`,
      );
}

async function isSame(a: WeightEntry, b: WeightEntry): Promise<boolean> {
  if (a.shape.join() !== b.shape.join()) return false;
  const count = a.shape.reduce((product, size) => product * size, 1);
  for (let first = 0; first < count; first += CHUNK) {
    const size = Math.min(CHUNK, count - first);
    const [own, other] = await Promise.all([a.read(first, size), b.read(first, size)]);
    if (own.some((value, i) => value !== other[i])) return false;
  }
  return true;
}

const unused = (name: string, why: string) =>
  modelError("MOD_FILE_INVALID", `the weights have a tensor ${name}: ${why}`, {
    data: { reason: "tensor-unused", name },
  });

function missing(name: string, wanted: unknown, found: unknown) {
  return modelError(
    "MOD_FILE_INVALID",
    `the weights have no tensor ${name} of the model's shape and a float type`,
    {
      data: { reason: "tensor-missing", name, wanted, found: found ?? null },
    },
  );
}

/** The same to int8, of whole blocks of inputs at a time. */
async function packTensor(
  entry: WeightEntry,
  { map, shape: [rows = 0, columns = 0] }: TensorTarget,
  arena: Float32Array,
  start: Place,
): Promise<void> {
  const { firstOutput, hasOutputRows, ...own } = map!;
  const packed = { ...own, weights: start + own.weights };
  const rowsAtOnce = Math.max(32, Math.floor(CHUNK / columns / 32) * 32);
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const values = await entry.read(first * columns, count * columns);
    if (hasOutputRows)
      for (let row = 0; row < count; row++) {
        const inputs = values.subarray(row * columns, (row + 1) * columns);
        packInputs(arena, packed, firstOutput + first + row, 0, inputs);
      }
    else
      for (let column = 0; column < columns; column++) {
        const inputs = Float32Array.from({ length: count }, (_, row) => values[row * columns + column]!);
        packInputs(arena, packed, firstOutput + column, first, inputs);
      }
  }
}

export interface LoadOptions {
  readonly kernels: KernelChoice;
  /** Maximum tokens of a row, or of a prompt and its answer together. */
  readonly maxRows: number;
  /** Room for gradients' passes; without, for generating. */
  readonly isTraining: boolean;
  readonly adapter?: AdapterSettings;
  /** float32 if not given. */
  readonly weights?: WeightNumbers;
  /** Blocks of the adapter's size beside it: gradients, an optimiser's state. */
  readonly adapterBlocks?: number;
  /** Blocks of the model's size; none of int8. */
  readonly fullBlocks?: number;
  /** Places more in the same arena, behind the first workspace. */
  readonly placeMore?: (plan: ArenaPlan, workspace: Workspace) => void;
  /** Workspaces for as many threads; 1 if not given. */
  readonly threadCount?: number;
}

export interface LoadedModel {
  /** Model with the first workspace. */
  readonly model: Transformer;
  /** The same model with each of the workspaces. */
  readonly models: readonly Transformer[];
  readonly adapterBlocks: readonly Place[];
  readonly fullBlocks: readonly Place[];
  /** Ten floats. */
  readonly settings: Place;
  readonly shared: SharedArena;
}

/**
 * Allocates an arena and reads the weights into it. An adapter is all zeros at first.
 *
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE, MOD_SOURCE_UNREADABLE
 */
export async function loadModel(opened: OpenModel, options: LoadOptions): Promise<LoadedModel> {
  const { shape } = opened;
  const { fullBlocks = 0, isTraining, maxRows, weights = "float32" } = options;
  if (fullBlocks > 0 && weights === "int8") throw new RangeError("int8 weights have no gradients");
  const layout = parameterLayout(shape, weights);
  if (!Number.isInteger(maxRows) || maxRows < 1 || maxRows > shape.maxPositions) {
    throw modelError(
      "MOD_INPUT_INVALID",
      `${maxRows} tokens at once: the model takes 1 to ${shape.maxPositions}`,
      {
        data: { field: "maxRows", maxRows, maxPositions: shape.maxPositions },
      },
    );
  }
  const threadCount = options.threadCount ?? 1;
  if (!Number.isInteger(threadCount) || threadCount < 1 || threadCount > MAX_THREAD_COUNT) {
    throw modelError("MOD_INPUT_INVALID", `${threadCount} threads: there can be 1 to ${MAX_THREAD_COUNT}`, {
      data: { field: "threadCount", threadCount },
    });
  }
  const adapter = options.adapter === undefined ? null : adapterLayout(shape, options.adapter);
  if (isTraining && options.adapter?.isDora === true) throw new RangeError("DoRA is computed, not tuned");
  const plan = new ArenaPlan();
  const parameters = plan.take(layout.floatCount);
  const adapterAt = adapter === null ? NONE : plan.take(adapter.floatCount);
  const adapterBlocks = Array.from({ length: options.adapterBlocks ?? 0 }, () =>
    plan.take(adapter?.floatCount ?? 0),
  );
  const blocks = Array.from({ length: fullBlocks }, () => plan.take(layout.floatCount));
  const settings = plan.take(16);
  const workspaces = Array.from({ length: threadCount }, () =>
    planWorkspace(plan, shape, { maxRows, isTraining, adapter, weights }),
  );
  options.placeMore?.(plan, workspaces[0]!);
  const { kernels, shared } = createKernels(options.kernels, plan.floatCount, threadCount);
  await opened.load(kernels.arena, parameters, layout);
  const models = workspaces.map(
    (workspace): Transformer => ({
      kernels,
      shape,
      layout,
      parameters,
      workspace,
      adapter: adapter === null ? null : { layout: adapter, at: adapterAt },
    }),
  );
  for (const model of models) prepareTransformer(model);
  return { model: models[0]!, models, adapterBlocks, fullBlocks: blocks, settings, shared };
}
