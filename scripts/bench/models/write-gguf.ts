/**
 * Writes the weights of a model that the benchmark has made in llama.cpp's format GGUF, with a vocabulary of names: models.ts
 * measures both programs by them.
 */
import { open } from "node:fs/promises";
import { roundToBlocks } from "@openledger/models/engine/files/pack-weights";
import type { MadeModel } from "@openledger/models/testing/made-models";

const TYPES = { F32: 0, Q8_0: 8 } as const;
const [UINT32, INT32, FLOAT32, STRING, ARRAY] = [4, 5, 6, 8, 9];
const [PLAIN_TOKEN, BYTE_TOKEN] = [1, 6];
const ALIGNMENT = 32;

const NAMES: readonly (readonly [string | RegExp, string])[] = [
  ["model.embed_tokens", "token_embd"],
  ["model.norm", "output_norm"],
  ["lm_head", "output"],
  ["model.layers", "blk"],
  ["post_attention_layernorm", "ffn_norm"],
  ["input_layernorm", "attn_norm"],
  ["self_attn.o_proj", "attn_output"],
  [/self_attn\.(.)_proj/, "attn_$1"],
  [/mlp\.(\w+)_proj/, "ffn_$1"],
];

/** @param numbers of all matrices; vectors are floats */
export async function writeGguf(
  path: string,
  { config, tensors }: MadeModel,
  numbers: keyof typeof TYPES,
): Promise<void> {
  const size = (name: string) => config[name] as number;
  const family = config.model_type === "qwen2" ? "qwen2" : "llama";
  const headSize = size("hidden_size") / size("num_attention_heads");
  const facts: readonly (readonly [string, number, number | string])[] = [
    ["general.architecture", STRING, family],
    ["tokenizer.ggml.model", STRING, "llama"],
    [`${family}.vocab_size`, UINT32, size("vocab_size")],
    [`${family}.context_length`, UINT32, size("max_position_embeddings")],
    [`${family}.embedding_length`, UINT32, size("hidden_size")],
    [`${family}.block_count`, UINT32, size("num_hidden_layers")],
    [`${family}.feed_forward_length`, UINT32, size("intermediate_size")],
    [`${family}.attention.head_count`, UINT32, size("num_attention_heads")],
    [`${family}.attention.head_count_kv`, UINT32, size("num_key_value_heads")],
    [`${family}.rope.dimension_count`, UINT32, headSize],
    [`${family}.attention.layer_norm_rms_epsilon`, FLOAT32, size("rms_norm_eps")],
    [`${family}.rope.freq_base`, FLOAT32, size("rope_theta")],
  ];
  const header: Buffer[] = [
    Buffer.from("GGUF"),
    uint32(3),
    uint64(tensors.length),
    uint64(facts.length + 2),
    ...facts.flatMap(([name, type, value]) => [text(name), uint32(type), encoded(type, value)]),
    text("tokenizer.ggml.tokens"),
    uint32(ARRAY),
    uint32(STRING),
    uint64(size("vocab_size")),
    // Bytes come first, as this kind of tokenizer asks for.
    ...Array.from({ length: size("vocab_size") }, (_, i) =>
      text(i < 256 ? `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>` : `t${i}`),
    ),
    text("tokenizer.ggml.token_type"),
    uint32(ARRAY),
    uint32(INT32),
    uint64(size("vocab_size")),
    words(Uint32Array.from({ length: size("vocab_size") }, (_, i) => (i < 256 ? BYTE_TOKEN : PLAIN_TOKEN))),
  ];
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const type = shape.length === 1 ? "F32" : numbers;
    const dimensions = [...shape].reverse().map(uint64);
    const own = NAMES.reduce((known, [from, to]) => known.replace(from, to), name);
    header.push(text(own), uint32(shape.length), ...dimensions, uint32(TYPES[type]), uint64(end));
    end += aligned(type === "F32" ? 4 * values.length : (34 * values.length) / 32);
  }
  const file = await open(path, "w");
  try {
    const write = (bytes: Uint8Array) =>
      file.write(Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]));
    await write(Buffer.concat(header));
    for (const { name, shape, values } of tensors) {
      const isPaired = family === "llama" && /self_attn\.[qk]_proj/.test(name);
      const rows = isPaired ? pairTurns(values, shape[1]!, headSize) : values;
      const isFloat = shape.length === 1 || numbers === "F32";
      await write(isFloat ? new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength) : blocks(rows));
    }
  } finally {
    await file.close();
  }
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const words = (array: Uint32Array | BigUint64Array | Float32Array): Buffer => Buffer.from(array.buffer);
const uint32 = (value: number): Buffer => words(Uint32Array.of(value));
const uint64 = (value: number): Buffer => words(BigUint64Array.of(BigInt(value)));
const text = (value: string): Buffer => Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);
const encoded = (type: number, value: number | string): Buffer => {
  if (typeof value === "string") return text(value);
  return type === FLOAT32 ? words(Float32Array.of(value)) : uint32(value);
};

/** Puts the two numbers that turn together side by side, as this family's files have them. */
function pairTurns(values: Float32Array, columns: number, headSize: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    const position = row % headSize;
    const from = row - position + (position % 2) * (headSize / 2) + (position >> 1);
    out.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return out;
}

/** Encodes blocks of 32 numbers: a half-precision scale, then the integers. */
function blocks(values: Float32Array): Uint8Array {
  const { integers, scales } = roundToBlocks(values);
  const out = new Uint8Array(34 * scales.length);
  const view = new DataView(out.buffer);
  for (const [b, half] of scales.entries()) {
    view.setUint16(34 * b, half, true);
    out.set(new Uint8Array(integers.buffer, 32 * b, 32), 34 * b + 2);
  }
  return out;
}
