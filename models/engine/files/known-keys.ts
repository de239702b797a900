/**
 * Finds the keys in a published model's config.json, or an adapter's adapter_config.json, that could change the arithmetic, so
 * that the model is refused: a key is computed, or listed here as without effect, or listed with the values that leave the
 * arithmetic as it is. Any other key is refused by its name.
 */

export interface KnownKeys {
  readonly withoutEffect: ReadonlySet<string>;
  /** Keys that are not computed, with a test for the values that change nothing. */
  readonly neutral: Readonly<Record<string, (value: unknown) => boolean>>;
}

/** The first key that could change the arithmetic; null if there is none. */
export function foreignKey(
  config: object,
  computed: readonly string[],
  { neutral, withoutEffect }: KnownKeys,
): { readonly key: string; readonly value: unknown; readonly isKnown: boolean } | null {
  for (const [key, value] of Object.entries(config)) {
    // A null setting is not set.
    if (value === null || computed.includes(key) || withoutEffect.has(key)) continue;
    const isNeutral = Object.hasOwn(neutral, key) ? neutral[key] : undefined;
    if (isNeutral?.(value) !== true) return { key, value, isKnown: isNeutral !== undefined };
  }
  return null;
}

const isOff = (value: unknown): boolean =>
  value === null ||
  value === false ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);
const is =
  (...neutral: readonly unknown[]) =>
  (value: unknown) =>
    neutral.includes(value);
const all = (neutral: unknown) => (value: unknown) =>
  Array.isArray(value) && value.every((one) => one === neutral);
const words = (text: string) => text.trim().split(/\s+/);

/** Keys as transformers writes them, versions 4 and 5, and tools on top of it. */
export const MODEL_KEYS: KnownKeys = {
  withoutEffect: new Set(
    words(`
      model_type architectures auto_map torch_dtype dtype transformers_version transformers.js_config _name_or_path _commit_hash
      _attn_implementation _attn_implementation_internal _attn_implementation_autoset attn_implementation use_cache
      initializer_range bos_token_id eos_token_id pad_token_id sep_token_id cls_token_id unk_token_id mask_token_id
      decoder_start_token_id forced_bos_token_id forced_eos_token_id
      attention_dropout hidden_dropout attn_pdrop embd_pdrop resid_pdrop neftune_noise_alpha gradient_checkpointing
      pretraining_tp chunk_size_feed_forward output_attentions output_hidden_states output_scores output_past
      return_dict return_dict_in_generate use_return_dict torchscript use_bfloat16 tf_legacy_loss
      finetuning_task id2label label2id num_labels _num_labels problem_type task_specific_params tokenizer_class prefix
      max_length min_length max_new_tokens do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature
      top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
      num_return_sequences exponential_decay_length_penalty suppress_tokens begin_suppress_tokens remove_invalid_values
      n_ctx n_special predict_special_tokens reorder_and_upcast_attn
      summary_activation summary_first_dropout summary_last_dropout summary_proj_to_labels summary_type summary_use_proj
      is_llama_config is_decoder sliding_window max_window_layers unsloth_fixed unsloth_version model_name
    `),
  ),
  neutral: {
    quantization_config: isOff,
    quantization: isOff,
    compression_config: isOff,
    layer_types: all("full_attention"),
    no_rope_layers: isOff,
    attn_logit_softcapping: isOff,
    final_logit_softcapping: isOff,
    query_pre_attn_scalar: isOff,
    attention_multiplier: isOff,
    logits_scaling: is(1),
    embedding_multiplier: is(1),
    residual_multiplier: is(1),
    partial_rotary_factor: is(1),
    rope_interleaved: isOff,
    use_qk_norm: isOff,
    qk_layernorm: isOff,
    qk_layer_norms: isOff,
    use_mrope: isOff,
    dual_chunk_attention_config: isOff,
    is_encoder_decoder: isOff,
    add_cross_attention: isOff,
    cross_attention_hidden_size: isOff,
    tie_encoder_decoder: isOff,
    pruned_heads: isOff,
  },
};

/** The same of encoders, which are no decoders of theirs and whose pooling is told elsewhere. */
export const ENCODER_KEYS: KnownKeys = {
  withoutEffect: new Set([
    ...[...MODEL_KEYS.withoutEffect].filter((key) => key !== "is_decoder" && key !== "auto_map"),
    ...words("attention_probs_dropout_prob hidden_dropout_prob classifier_dropout"),
  ]),
  neutral: {
    ...MODEL_KEYS.neutral,
    is_decoder: isOff,
    // Code of the model's own may attend in another way.
    auto_map: isOff,
    position_embedding_type: is("absolute"),
  },
};

/** Keys as PEFT writes LoRA's, up to 0.20. */
export const ADAPTER_KEYS: KnownKeys = {
  withoutEffect: new Set(
    words(`
      auto_mapping peft_version base_model_name_or_path revision inference_mode task_type lora_dropout fan_in_fan_out
      layers_pattern megatron_core loftq_config eva_config corda_config lora_ga_config qalora_group_size ensure_weight_tying
      runtime_config
    `),
  ),
  neutral: {
    // The base stays as it is: only where A and B begin differs. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA change the base.
    init_lora_weights: is(true, false, "gaussian", "orthogonal", "eva"),
    use_qalora: isOff,
    use_bdlora: isOff,
    lora_bias: isOff,
    modules_to_save: isOff,
    layers_to_transform: isOff,
    layer_replication: isOff,
    exclude_modules: isOff,
    target_parameters: isOff,
    trainable_token_indices: isOff,
    alora_invocation_tokens: isOff,
    arrow_config: isOff,
    kasa_config: isOff,
    velora_config: isOff,
    monteclora_config: isOff,
    megatron_config: isOff,
  },
};
