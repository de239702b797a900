/**
 * Reads config.json as transformers writes it: a shape for the engine, or a refusal of what the engine does not
 * compute. load-model.ts begins with it. No key is ignored in silence: one that could change the arithmetic and is not
 * known here is refused.
 */
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import {
  EPSILON,
  HEADS,
  LAYERS,
  POSITIONS,
  parseClosed,
  readConfig,
  requireSixteens,
  size,
  unsupported,
  VOCABULARY,
  WIDTH,
} from "./config-fields.ts";
import { MODEL_KEYS } from "./known-keys.ts";

const gpt2Config = z.object({
  vocab_size: VOCABULARY,
  n_embd: WIDTH,
  n_layer: LAYERS,
  n_head: HEADS,
  n_inner: WIDTH.nullish(),
  n_positions: POSITIONS,
  layer_norm_epsilon: EPSILON.default(1e-5),
  activation_function: z.string().default("gelu_new"),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
});

const scalingConfig = z.strictObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().optional(),
  partial_rotary_factor: z.literal(1).optional(),
  factor: z.number().min(1).max(1e4).optional(),
  low_freq_factor: z.number().min(1e-3).max(1e4).optional(),
  high_freq_factor: z.number().min(1e-3).max(1e4).optional(),
  original_max_position_embeddings: POSITIONS.optional(),
});

const llamaConfig = z.object({
  vocab_size: VOCABULARY,
  hidden_size: WIDTH,
  intermediate_size: WIDTH,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  num_key_value_heads: HEADS.nullish(),
  head_dim: size(1_024).nullish(),
  max_position_embeddings: POSITIONS,
  rms_norm_eps: EPSILON.default(1e-6),
  hidden_act: z.string().default("silu"),
  rope_theta: z.number().min(1).max(1e9).nullish(),
  rope_scaling: scalingConfig.nullish(),
  rope_parameters: scalingConfig.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
});

/**
 * A model's shape from its config.json.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED
 */
export function parseModelConfig(bytes: Uint8Array): ModelShape {
  const config = readConfig(bytes);
  const { model_type: type } = (config ?? {}) as { model_type?: unknown };
  const shape =
    type === "gpt2"
      ? gpt2Shape(parseClosed(gpt2Config, config, MODEL_KEYS))
      : type === "llama" || type === "qwen2" || type === "qwen3"
        ? llamaShape(type, parseClosed(llamaConfig, config, MODEL_KEYS))
        : null;
  if (shape === null) throw unsupported("model_type", type);
  const { headCount, headSize, innerWidth, keyHeadCount, width } = shape;
  requireSixteens({ width, headSize, innerWidth });
  if (headCount % keyHeadCount !== 0) throw unsupported("num_key_value_heads", keyHeadCount);
  return shape;
}

function gpt2Shape(config: z.infer<typeof gpt2Config>): ModelShape {
  if (config.activation_function !== "gelu_new" && config.activation_function !== "gelu_pytorch_tanh")
    throw unsupported("activation_function", config.activation_function);
  if (!config.scale_attn_weights || config.scale_attn_by_inverse_layer_idx)
    throw unsupported("scale_attn_weights", config.scale_attn_weights);
  const width = config.n_embd;
  return {
    family: "gpt2",
    vocabularySize: config.vocab_size,
    width,
    layerCount: config.n_layer,
    headCount: config.n_head,
    keyHeadCount: config.n_head,
    headSize: width / config.n_head,
    innerWidth: config.n_inner ?? 4 * width,
    maxPositions: config.n_positions,
    norm: "layer",
    epsilon: config.layer_norm_epsilon,
    activation: "gelu",
    positions: "learned",
    hasHeadNorms: false,
    hasQkvBias: true,
    hasOutputBias: true,
    hasInnerBias: true,
    isTied: config.tie_word_embeddings,
  };
}

function llamaShape(type: "llama" | "qwen2" | "qwen3", config: z.infer<typeof llamaConfig>): ModelShape {
  if (config.hidden_act !== "silu") throw unsupported("hidden_act", config.hidden_act);
  if (config.use_sliding_window) throw unsupported("use_sliding_window", true);
  if (config.mlp_bias) throw unsupported("mlp_bias", true);
  const hasBias = config.attention_bias ?? type === "qwen2";
  // Llama's option gives the output a bias, too.
  if (hasBias && type !== "qwen2") throw unsupported("attention_bias", true);
  const rope = ropeOf(config);
  return {
    family: "llama",
    vocabularySize: config.vocab_size,
    width: config.hidden_size,
    layerCount: config.num_hidden_layers,
    headCount: config.num_attention_heads,
    keyHeadCount: config.num_key_value_heads ?? config.num_attention_heads,
    headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    innerWidth: config.intermediate_size,
    maxPositions: config.max_position_embeddings,
    norm: "rms",
    epsilon: config.rms_norm_eps,
    activation: "gated",
    positions: { theta: thetaOf(rope.rope_theta ?? config.rope_theta ?? 10_000), scaling: scalingOf(rope) },
    hasHeadNorms: type === "qwen3",
    hasQkvBias: hasBias,
    hasOutputBias: false,
    hasInnerBias: false,
    isTied: config.tie_word_embeddings,
  };
}

/**
 * Options of positions. Versions 4 and 5 of transformers write them at two offsets and each reads another one first, so
 * two offsets must say the same.
 *
 * @throws RollupError MOD_CONFIG_UNSUPPORTED
 */
function ropeOf({
  rope_parameters: newer,
  rope_scaling: older,
  rope_theta: theta,
}: z.infer<typeof llamaConfig>) {
  const rope = newer ?? older ?? {};
  const inner = rope.rope_theta ?? null;
  if (inner !== null && (theta ?? inner) !== inner) throw unsupported("rope_theta", [theta, inner]);
  if (newer == null || older == null) return rope;
  const scalings = [newer, older].map((one) => JSON.stringify(scalingOf(one)));
  const thetas = [newer, older].map((one) => one.rope_theta ?? theta ?? null);
  if (scalings[0] !== scalings[1] || thetas[0] !== thetas[1]) throw unsupported("rope_scaling", older);
  return rope;
}

function thetaOf(theta: number): number {
  if (theta >= 1 && theta <= 1e9) return theta;
  throw modelError("MOD_FILE_INVALID", `config.json: rope_theta ${theta} is out of range`, {
    data: { reason: "config-invalid", field: "rope_theta" },
  });
}

function scalingOf(rope: z.infer<typeof scalingConfig>) {
  const type = rope.rope_type ?? rope.type ?? "default";
  if (type === "default") return null;
  const { factor, low_freq_factor: low, high_freq_factor: high } = rope;
  const original = rope.original_max_position_embeddings;
  if (type !== "llama3") throw unsupported("rope_scaling", type);
  if (
    factor === undefined ||
    low === undefined ||
    high === undefined ||
    original === undefined ||
    low >= high
  )
    throw unsupported("rope_scaling", rope);
  return { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions: original };
}
