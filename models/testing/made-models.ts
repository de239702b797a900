/** Small models of every published shape, with weights from a generator: files as others would publish them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { encodeTensors, type NamedTensor, tensorParts } from "../engine/files/safetensors.ts";

export interface MadeModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly NamedTensor[];
}

const llama = {
  model_type: "llama",
  vocab_size: 70,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
};

/** config.json of each architecture, in miniature. */
export const madeConfigs = {
  gpt2: {
    model_type: "gpt2",
    vocab_size: 70,
    n_embd: 32,
    n_layer: 2,
    n_head: 2,
    n_positions: 40,
    layer_norm_epsilon: 1e-5,
  },
  llama: {
    ...llama,
    num_key_value_heads: 1,
    rope_theta: 500_000,
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    },
  },
  smollm2: {
    ...llama,
    hidden_size: 48,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    intermediate_size: 64,
    tie_word_embeddings: true,
    rope_theta: 100_000,
  },
  qwen2: {
    ...llama,
    model_type: "qwen2",
    num_attention_heads: 2,
    num_key_value_heads: 1,
    tie_word_embeddings: true,
  },
  qwen3: {
    ...llama,
    model_type: "qwen3",
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    rope_theta: 1_000_000,
  },
} as const satisfies Record<string, Record<string, unknown>>;

export type MadeName = keyof typeof madeConfigs;

/** The tensors that a config asks for, by the names and in the shapes that are published. */
export function makeModel(
  config: Readonly<Record<string, unknown>>,
  seed = "weights",
  random: Pick<SeededRandom, "nextFraction"> = new SeededRandom(seed),
): MadeModel {
  const tensors: NamedTensor[] = [];
  const add = (name: string, shape: number[], spread: number, middle = 0) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = middle + spread * (2 * random.nextFraction() - 1);
    tensors.push({ name, shape, values });
  };
  const size = (name: string, otherwise?: number) => (config[name] ?? otherwise) as number;
  if (config.model_type === "gpt2") {
    const width = size("n_embd");
    const inner = size("n_inner", 4 * width);
    add("wte.weight", [size("vocab_size"), width], 0.3);
    add("wpe.weight", [size("n_positions"), width], 0.1);
    const norm = (name: string) => {
      add(`${name}.weight`, [width], 0.2, 1);
      add(`${name}.bias`, [width], 0.1);
    };
    const linear = (name: string, inputs: number, outputs: number) => {
      add(`${name}.weight`, [inputs, outputs], 1.7 / Math.sqrt(inputs));
      add(`${name}.bias`, [outputs], 0.1);
    };
    for (let i = 0; i < size("n_layer"); i++) {
      norm(`h.${i}.ln_1`);
      norm(`h.${i}.ln_2`);
      linear(`h.${i}.attn.c_attn`, width, 3 * width);
      linear(`h.${i}.attn.c_proj`, width, width);
      linear(`h.${i}.mlp.c_fc`, width, inner);
      linear(`h.${i}.mlp.c_proj`, inner, width);
    }
    norm("ln_f");
    return { config, tensors };
  }
  const width = size("hidden_size");
  const inner = size("intermediate_size");
  const heads = size("num_attention_heads");
  const keyHeads = size("num_key_value_heads", heads);
  const headSize = size("head_dim", width / heads);
  const norm = (name: string, count: number) => add(`${name}.weight`, [count], 0.2, 1);
  const linear = (name: string, outputs: number, inputs: number) =>
    add(`${name}.weight`, [outputs, inputs], 1.7 / Math.sqrt(inputs));
  add("model.embed_tokens.weight", [size("vocab_size"), width], 0.3);
  for (let i = 0; i < size("num_hidden_layers"); i++) {
    const at = `model.layers.${i}`;
    norm(`${at}.input_layernorm`, width);
    norm(`${at}.post_attention_layernorm`, width);
    linear(`${at}.self_attn.q_proj`, heads * headSize, width);
    linear(`${at}.self_attn.k_proj`, keyHeads * headSize, width);
    linear(`${at}.self_attn.v_proj`, keyHeads * headSize, width);
    linear(`${at}.self_attn.o_proj`, width, heads * headSize);
    if (config.model_type === "qwen2") {
      add(`${at}.self_attn.q_proj.bias`, [heads * headSize], 0.1);
      add(`${at}.self_attn.k_proj.bias`, [keyHeads * headSize], 0.1);
      add(`${at}.self_attn.v_proj.bias`, [keyHeads * headSize], 0.1);
    }
    if (config.model_type === "qwen3") {
      norm(`${at}.self_attn.q_norm`, headSize);
      norm(`${at}.self_attn.k_norm`, headSize);
    }
    linear(`${at}.mlp.gate_proj`, inner, width);
    linear(`${at}.mlp.up_proj`, inner, width);
    linear(`${at}.mlp.down_proj`, width, inner);
  }
  norm("model.norm", width);
  if (config.tie_word_embeddings !== true) add("lm_head.weight", [size("vocab_size"), width], 0.3);
  return { config, tensors };
}

/** Writes config.json and model.safetensors. */
export async function writeMadeModel(folder: string, { config, tensors }: MadeModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "model.safetensors"), tensorParts(tensors));
}

/** Writes a model whose tensors lie in two shards, with their index, as large models are published. */
export async function writeShardedModel(folder: string, { config, tensors }: MadeModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const half = Math.ceil(tensors.length / 2);
  const map: Record<string, string> = {};
  for (const [i, part] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
    const name = `model-0000${i + 1}-of-00002.safetensors`;
    for (const { name: own } of part) map[own] = name;
    await writeFile(join(folder, name), encodeTensors(part));
  }
  const metadata = { total_size: tensors.reduce((sum, { values }) => sum + 4 * values.length, 0) };
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata, weight_map: map }),
  );
}
