/** GGUF files for tests: any head and tensors by the format's description, and made models as llama.cpp's converter writes them. */
import type { MadeModel } from "./made-models.ts";

/** Numbers of types in ggml. */
export const TYPE_NUMBERS = { F32: 0, F16: 1, Q5_0: 6, Q8_0: 8, Q4_K: 12, Q6_K: 14, BF16: 30 } as const;

/** A value of the head: whole numbers are UINT32, others FLOAT32. */
export type GgufValue = number | string | boolean | readonly string[];

export interface GgufTensor {
  readonly name: string;
  /** Rows first; the file has the columns first. */
  readonly shape: readonly number[];
  /** Number of the type in ggml. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

const TYPES = { uint32: 4, float32: 6, bool: 7, string: 8, array: 9 } as const;
const ALIGNMENT = 32;

const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const string = (text: string): Buffer => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

function encodeValue(value: GgufValue): Buffer {
  if (typeof value === "boolean") return Buffer.concat([u32(TYPES.bool), Buffer.of(value ? 1 : 0)]);
  if (typeof value === "string") return Buffer.concat([u32(TYPES.string), string(value)]);
  if (typeof value === "object")
    return Buffer.concat([u32(TYPES.array), u32(TYPES.string), u64(value.length), ...value.map(string)]);
  if (Number.isInteger(value)) return Buffer.concat([u32(TYPES.uint32), u32(value)]);
  return Buffer.concat([u32(TYPES.float32), Buffer.from(Float32Array.of(value).buffer)]);
}

export function encodeGguf(
  head: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
  version = 3,
): Buffer {
  const values = Object.entries(head).flatMap(([key, value]) => [string(key), encodeValue(value)]);
  let end = 0;
  const locations = tensors.map(({ bytes, name, shape, type }) => {
    const at = end;
    end += bytes.length + padding(bytes.length).length;
    return Buffer.concat([
      string(name),
      u32(shape.length),
      ...[...shape].reverse().map(u64),
      u32(type),
      u64(at),
    ]);
  });
  const counts = [u64(tensors.length), u64(Object.keys(head).length)];
  const start = Buffer.concat([Buffer.from("GGUF"), u32(version), ...counts, ...values, ...locations]);
  const data = tensors.flatMap(({ bytes }) => [bytes, padding(bytes.length)]);
  return Buffer.concat([start, padding(start.length), ...data]);
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
export const floats = (name: string, shape: readonly number[], values: Float32Array): GgufTensor => ({
  name,
  shape,
  type: TYPE_NUMBERS.F32,
  bytes: bytesOf(values),
});

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(model\.embed_tokens|wte)\./, "token_embd."],
  [/^wpe\./, "position_embd."],
  [/^(model\.norm|ln_f)\./, "output_norm."],
  [/^lm_head\./, "output."],
  [/^(model\.layers|h)\.(\d+)\./, "blk.$2."],
  [/\.(input_layernorm|ln_1)\./, ".attn_norm."],
  [/\.(post_attention_layernorm|ln_2)\./, ".ffn_norm."],
  [/\.attn\.c_attn\./, ".attn_qkv."],
  [/\.(self_attn\.o_proj|attn\.c_proj)\./, ".attn_output."],
  [/\.self_attn\.([qkv])_proj\./, ".attn_$1."],
  [/\.self_attn\.([qk])_norm\./, ".attn_$1_norm."],
  [/\.(mlp\.up_proj|mlp\.c_fc)\./, ".ffn_up."],
  [/\.(mlp\.down_proj|mlp\.c_proj)\./, ".ffn_down."],
  [/\.mlp\.gate_proj\./, ".ffn_gate."],
];

/** Rows of each head: one of its first half and one of its second in turn, as `LlamaModel.permute` lays them. */
function neighbours(values: Float32Array, rows: number, headSize: number): Float32Array {
  const columns = values.length / rows;
  const order = Array.from({ length: rows }, (_, row) => {
    const inHead = row % headSize;
    return row - inHead + (inHead % 2) * (headSize / 2) + Math.floor(inHead / 2);
  });
  return Float32Array.from(order.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]));
}

const transposed = (values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array =>
  Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);

/** The model's file as llama.cpp's converter writes it, in 32-bit floats. */
export function converted({ config, tensors }: MadeModel) {
  const number = (key: string, otherwise?: number) => (config[key] ?? otherwise) as number;
  const isGpt2 = config.model_type === "gpt2";
  const architecture = config.model_type as string;
  const width = number(isGpt2 ? "n_embd" : "hidden_size");
  const heads = number(isGpt2 ? "n_head" : "num_attention_heads");
  const headSize = number("head_dim", width / heads);
  const own: Record<string, GgufValue> = {
    block_count: number(isGpt2 ? "n_layer" : "num_hidden_layers"),
    context_length: 64,
    embedding_length: width,
    feed_forward_length: isGpt2 ? 4 * width : number("intermediate_size"),
    "attention.head_count": heads,
    ...(isGpt2
      ? { "attention.layer_norm_epsilon": number("layer_norm_epsilon") }
      : {
          "attention.head_count_kv": number("num_key_value_heads", heads),
          "attention.layer_norm_rms_epsilon": number("rms_norm_eps"),
          "attention.key_length": headSize,
          "attention.value_length": headSize,
          "rope.dimension_count": headSize,
        }),
  };
  const head: Record<string, GgufValue> = {
    "general.architecture": architecture,
    "general.type": "model",
    "general.name": "made",
    "tokenizer.ggml.tokens": ["a", "b"],
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${architecture}.${key}`, value])),
  };
  const parts = tensors.map(({ name, shape, values }): GgufTensor => {
    const ggufName = NAMES.reduce((text, [pattern, to]) => text.replace(pattern, to), name);
    if (isGpt2 && /(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(ggufName))
      return floats(ggufName, [...shape].reverse(), transposed(values, shape as [number, number]));
    const isTurned = architecture === "llama" && /attn_[qk]\.weight$/.test(ggufName);
    return floats(ggufName, shape, isTurned ? neighbours(values, shape[0]!, headSize) : values);
  });
  const theta = Math.fround(number("rope_theta", 10_000));
  // FLOAT32 by the converter; whole numbers would be integers here.
  if (!isGpt2) head[`${architecture}.rope.freq_base`] = theta;
  const scaling = config.rope_scaling as Record<string, number> | undefined;
  if (scaling !== undefined)
    parts.push(floats("rope_freqs.weight", [headSize / 2], stretch(headSize, theta, scaling)));
  return { head, parts };
}

/** Factors of Llama 3's positions, as the converter computes them (`generate_extra_tensors`). */
export function stretch(headSize: number, theta: number, scaling: Record<string, number>): Float32Array {
  const {
    factor,
    high_freq_factor: high,
    low_freq_factor: low,
    original_max_position_embeddings: context,
  } = scaling;
  return Float32Array.from({ length: headSize / 2 }, (_, i) => {
    const wave = 2 * Math.PI * theta ** ((2 * i) / headSize);
    if (wave < context! / high!) return 1;
    if (wave > context! / low!) return factor!;
    const smooth = (context! / wave - low!) / (high! - low!);
    return 1 / ((1 - smooth) / factor! + smooth);
  });
}
