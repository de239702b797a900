/**
 * Weights in GGUF, the format of llama.cpp: `@huggingface/gguf` parses the head, the tensors become those of the published model
 * by name, order and number. config.json says what is computed; a head that says something else is refused by its key.
 */
import { modelError } from "../../model-errors.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import { rotaryStretch } from "../tensors/rotary-table.ts";
import type { ByteSource } from "./byte-source.ts";
import { decodeBlocks, GGUF_BLOCKS, type GgufType } from "./gguf-blocks.ts";
import type { WeightEntry } from "./weight-entry.ts";

type Gguf = typeof import("@huggingface/gguf");
type Parsed = Awaited<ReturnType<Gguf["gguf"]>>;

/** Addresses are all that the library reads from, beside files of this machine. No request goes there. */
const PLACE = "https://weights.invalid/model.gguf";
const MAX_DIMENSIONS = 2;
const MAX_NAME_LENGTH = 512;
/** Factors of positions are stored as 32-bit floats. */
const STRETCH_TOLERANCE = 1e-4;

/**
 * The tensors by their published names, without a prefix.
 *
 * @param onOther told the name and type of each tensor of a type that is not computed
 * @throws RollupError MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_SOURCE_UNREADABLE
 */
export async function readGgufEntries(
  source: ByteSource,
  shape: ModelShape,
  onOther: (name: string, type: string) => void,
): Promise<Map<string, WeightEntry>> {
  const library = await import("@huggingface/gguf");
  const parsed = await parseHead(source, library);
  requireAgreement(parsed.metadata as unknown as Metadata, shape);
  const tensors = offsetTensors(source, parsed, library);
  const entries = new Map<string, WeightEntry>();
  for (const tensor of tensors) {
    const { name, type } = tensor;
    if (!isRead(type)) onOther(name, type);
    else if (name === STRETCH) await requireStretch(entryOf(source, { ...tensor, type }, shape), shape);
    else entries.set(publishedName(shape, name), entryOf(source, { ...tensor, type }, shape));
  }
  if (hasStretch(shape) && !tensors.some(({ name }) => name === STRETCH))
    throw invalid(source, `it has no ${STRETCH}, and config.json has rope_scaling`);
  return entries;
}

/** Reads the head through the library, and no more of the file than that asks for. */
async function parseHead(source: ByteSource, { gguf }: Gguf): Promise<Parsed> {
  let refused: unknown;
  const read = async (_: unknown, init?: { headers?: unknown }): Promise<Response> => {
    const { Range: range } = init!.headers as { Range: string };
    const [first, last] = range.slice("bytes=".length).split("-").map(Number) as [number, number];
    const end = Math.min(last + 1, source.byteLength);
    try {
      const bytes = first < end ? await source.read(first, end - first) : new Uint8Array(0);
      return new Response(bytes as Uint8Array<ArrayBuffer>, { status: 206 });
    } catch (error) {
      refused = error;
      throw error;
    }
  };
  const parsed = await gguf(PLACE, { fetch: read as typeof fetch }).catch((cause: Error) => {
    throw refused ?? invalid(source, cause.message.slice(0, 200), cause);
  });
  if (!parsed.littleEndian) throw invalid(source, "its numbers are big-endian");
  if (parsed.metadata.version < 2) throw invalid(source, `its version is ${parsed.metadata.version}`);
  if (parsed.tensorInfoByteRange[1] > source.byteLength) throw invalid(source, "it ends within the head");
  return parsed;
}

type Metadata = Readonly<Record<string, unknown>>;

/** Keys of an architecture without effect here, as llama.cpp's converter writes them. */
const WITHOUT_EFFECT = [
  "context_length",
  "vocab_size",
  "rope.scaling.original_context_length",
  "rope.scaling.finetuned",
];

/**
 * Requires that the head describes the shape that config.json does: another file's weights may have the same sizes.
 *
 * @throws RollupError MOD_CONFIG_UNSUPPORTED
 */
function requireAgreement(metadata: Metadata, shape: ModelShape): void {
  const { epsilon, headCount, headSize, innerWidth, keyHeadCount, layerCount, positions, width } = shape;
  const architecture = architectureOf(shape);
  requireValue("general.type", metadata, "model", "model");
  requireValue("general.architecture", metadata, architecture);
  requireValue("split.count", metadata, 1, 1);
  const isLlama = shape.family === "llama";
  const values: Readonly<Record<string, readonly [wanted: unknown, absent?: unknown]>> = {
    block_count: [layerCount],
    embedding_length: [width],
    feed_forward_length: [innerWidth],
    "attention.head_count": [headCount],
    "attention.head_count_kv": [keyHeadCount, headCount],
    "attention.key_length": [headSize, width / headCount],
    "attention.value_length": [headSize, width / headCount],
    "attention.causal": [true, true],
    "attention.sliding_window": [0, 0],
    expert_count: [0, 0],
    [isLlama ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"]: [Math.fround(epsilon)],
    ...(positions === "learned"
      ? {}
      : {
          "rope.freq_base": [Math.fround(positions.theta), 10_000],
          "rope.dimension_count": [headSize, headSize],
          "rope.scaling.type": ["none", "none"],
        }),
  };
  for (const [key, [target, absent]] of Object.entries(values))
    requireValue(`${architecture}.${key}`, metadata, target, absent);
  const prefix = `${architecture}.`;
  const unknown = Object.keys(metadata).find(
    (key) =>
      key.startsWith(prefix) &&
      !Object.hasOwn(values, key.slice(prefix.length)) &&
      !WITHOUT_EFFECT.includes(key.slice(prefix.length)),
  );
  if (unknown !== undefined)
    throw unsupported(unknown, metadata[unknown], "is not known here: it may change the arithmetic");
}

function architectureOf({ family, hasHeadNorms, hasQkvBias }: ModelShape): string {
  if (family === "gpt2") return "gpt2";
  if (hasHeadNorms) return "qwen3";
  return hasQkvBias ? "qwen2" : "llama";
}

function requireValue(key: string, metadata: Metadata, target: unknown, absent?: unknown): void {
  const input = Object.hasOwn(metadata, key) ? metadata[key] : absent;
  const value = typeof input === "bigint" ? Number(input) : input;
  if (value === target) return;
  throw unsupported(key, value ?? null, `differs from config.json, by which it is ${JSON.stringify(target)}`);
}

interface PlacedTensor {
  readonly name: string;
  readonly type: string;
  /** Rows first, as safetensors have it. */
  readonly shape: readonly number[];
  readonly at: number;
}

const isRead = (type: string): type is GgufType => Object.hasOwn(GGUF_BLOCKS, type);

/** Offsets of the tensors, checked against each other and the file's end before anything is allocated by them. */
function offsetTensors(
  source: ByteSource,
  { metadata, tensorDataOffset, tensorInfos }: Parsed,
  { GGMLQuantizationType }: Gguf,
): PlacedTensor[] {
  const alignment = Number((metadata as unknown as Metadata)["general.alignment"] ?? 32);
  if (alignment > 2 ** 16 || !Number.isInteger(Math.log2(alignment)))
    throw invalid(source, `its general.alignment is ${alignment}`);
  const names = new Set<string>();
  const spans: { name: string; from: bigint; to: bigint }[] = [];
  const placed = tensorInfos.map(({ dtype, name, offset, shape }) => {
    if (name.length > MAX_NAME_LENGTH || names.has(name))
      throw invalid(source, "two tensors have one name, or one is too long");
    names.add(name);
    if (shape.length < 1 || shape.length > MAX_DIMENSIONS || shape.some((size) => size < 1n))
      throw invalid(source, `${name} has no shape of one or two dimensions`);
    const type = GGMLQuantizationType[dtype] ?? `${dtype}`;
    const from = tensorDataOffset + offset;
    if (offset % BigInt(alignment) !== 0n || from > BigInt(source.byteLength))
      throw invalid(source, `${name} is outside the data`);
    const rowsFirst = shape.map(Number).reverse();
    if (isRead(type)) {
      const { bytes, numbers } = GGUF_BLOCKS[type];
      if (rowsFirst.at(-1)! % numbers !== 0)
        throw invalid(source, `rows of ${name} are no blocks of ${numbers}`);
      const blocks = shape.reduce((product, size) => product * size, 1n) / BigInt(numbers);
      spans.push({ name, from, to: from + blocks * BigInt(bytes) });
    }
    return { name, type, shape: rowsFirst, at: Number(from) };
  });
  spans.sort((a, b) => (a.from < b.from ? -1 : 1));
  for (const [i, { from, name, to }] of spans.entries())
    if (to > BigInt(source.byteLength) || (i > 0 && from < spans[i - 1]!.to))
      throw invalid(source, `${name} is outside the data, or in another tensor's`);
  return placed;
}

/** Factors by which Llama 3 slows its turns. */
const STRETCH = "rope_freqs.weight";

const hasStretch = ({ positions }: ModelShape): boolean =>
  positions !== "learned" && positions.scaling !== null;

async function requireStretch(entry: WeightEntry, { headSize, positions }: ModelShape): Promise<void> {
  const expected = positions === "learned" ? [] : rotaryStretch(headSize, positions.theta, positions.scaling);
  const input = entry.shape.join() === `${expected.length}` ? await entry.read(0, expected.length) : [];
  const isEqual =
    input.length > 0 && expected.every((one, i) => Math.abs(input[i]! / one - 1) < STRETCH_TOLERANCE);
  if (!isEqual)
    throw unsupported(STRETCH, Array.from(input).slice(0, 4), "differs from rope_scaling of config.json");
}

const LLAMA_NAMES: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  ffn_norm: "post_attention_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
  token_embd: "embed_tokens",
  output_norm: "norm",
  output: "lm_head",
};
const GPT2_NAMES: Readonly<Record<string, string>> = {
  attn_norm: "ln_1",
  ffn_norm: "ln_2",
  attn_qkv: "attn.c_attn",
  attn_output: "attn.c_proj",
  ffn_up: "mlp.c_fc",
  ffn_down: "mlp.c_proj",
  token_embd: "wte",
  position_embd: "wpe",
  output_norm: "ln_f",
  output: "lm_head",
};
/** GPT-2's maps lie outputs × inputs here, and inputs × outputs in the published model. */
const FLIPPED = /^blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/;

/** A name that is not known stays, and is refused where it is not used. */
function publishedName({ family }: ModelShape, name: string): string {
  const [, layer, own, kind] = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const names = family === "gpt2" ? GPT2_NAMES : LLAMA_NAMES;
  if (own === undefined || !Object.hasOwn(names, own)) return name;
  const place = layer === undefined ? "" : family === "gpt2" ? `h.${layer}.` : `layers.${layer}.`;
  return `${place}${names[own]}.${kind}`;
}

function entryOf(
  source: ByteSource,
  { at, name, shape, type }: PlacedTensor & { readonly type: GgufType },
  model: ModelShape,
): WeightEntry {
  const { bytes: blockBytes, numbers } = GGUF_BLOCKS[type];
  const readInOrder = async (first: number, count: number): Promise<Float32Array> => {
    if (first % numbers !== 0 || count % numbers !== 0) throw new RangeError("a part of a block");
    const bytes = await source.read(at + (first / numbers) * blockBytes, (count / numbers) * blockBytes);
    return decodeBlocks(bytes, type, name, first);
  };
  const isTurned = architectureOf(model) === "llama" && /^blk\.\d+\.attn_[qk]\.(weight|bias)$/.test(name);
  return {
    name,
    shape,
    ...(model.family === "gpt2" && FLIPPED.test(name) ? { isFlipped: true } : {}),
    read: isTurned ? readTurned(readInOrder, shape, model.headSize) : readInOrder,
  };
}

/**
 * Rows of Llama's queries and keys in the published order. llama.cpp turns neighbours, so its converter (`LlamaModel.permute`) puts
 * row i of a head's first half and row i of its second half side by side. A whole head is read for any row of it.
 */
function readTurned(
  read: WeightEntry["read"],
  shape: readonly number[],
  headSize: number,
): WeightEntry["read"] {
  const columns = shape.length === 1 ? 1 : shape[1]!;
  const half = headSize / 2;
  return async (first, count) => {
    const [from, to] = [first / columns, (first + count) / columns];
    const start = Math.floor(from / headSize) * headSize;
    const end = Math.min(Math.ceil(to / headSize) * headSize, shape[0]!);
    const stored = await read(start * columns, (end - start) * columns);
    const out = new Float32Array(count);
    for (let row = from; row < to; row++) {
      const inHead = row % headSize;
      const storedRow = row - inHead + 2 * (inHead % half) + Math.floor(inHead / half) - start;
      out.set(stored.subarray(storedRow * columns, (storedRow + 1) * columns), (row - from) * columns);
    }
    return out;
  };
}

function unsupported(field: string, value: unknown, why: string) {
  return modelError(
    "MOD_CONFIG_UNSUPPORTED",
    `model.gguf: ${field} = ${JSON.stringify(value)?.slice(0, 100)} ${why}`,
    {
      data: { field, value: typeof value === "bigint" ? `${value}` : value },
    },
  );
}

function invalid(source: ByteSource, reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `${source.name} is no GGUF file that is read here: ${reason}`, {
    data: { name: source.name, reason },
    cause,
  });
}
