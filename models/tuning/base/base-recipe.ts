/**
 * Recipe of the language model that this repository trains and ships (the base): shape, tokenizer and training, all that
 * decides its bytes beside the texts (base-corpus.ts). derive-base.ts trains by it.
 */
import type { TokenizerRecipe } from "../../engine/tokens/train-tokenizer.ts";
import type { TrainingRecipe } from "../training/train-weights.ts";

/** Ends a text; none contains it. */
const END_TOKEN = "<|end|>";

/** config.json: 3.7 million numbers in the shape of Llama. */
export const baseConfig = {
  architectures: ["LlamaForCausalLM"],
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: "silu",
  hidden_size: 256,
  intermediate_size: 704,
  max_position_embeddings: 256,
  model_type: "llama",
  num_attention_heads: 4,
  num_hidden_layers: 4,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  torch_dtype: "float16",
  vocab_size: 2_048,
} as const;

/** tokenizer_config.json: decoding gives the text back as it was. */
export const tokenizerConfig = {
  clean_up_tokenization_spaces: false,
  eos_token: END_TOKEN,
  tokenizer_class: "PreTrainedTokenizerFast",
} as const;

export const tokenizerRecipe: TokenizerRecipe = {
  vocabularySize: baseConfig.vocab_size,
  specialTokens: [END_TOKEN],
};

/** Tokens of a row. */
export const ROW_TOKENS = baseConfig.max_position_embeddings;

/** Times that the training goes through the texts. */
export const PASSES = 4;

/** Eight rows a step: many steps teach more than long ones. */
export const trainingRecipe: Omit<TrainingRecipe, "steps"> = {
  rowsPerStep: 8,
  lanes: 4,
  rate: 3e-3,
  warmupSteps: 60,
  lastPart: 0.01,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  decay: 0.1,
  longest: 1,
  seed: "openledger base 2",
};
