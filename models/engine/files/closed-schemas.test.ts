/** Files of bases and adapters as real tools write them: what is published is read, what would compute otherwise is refused by name. */
import { describe, expect, it } from "vitest";
import { makeAdapter } from "../../testing/made-adapters.ts";
import { madeConfigs, makeModel } from "../../testing/made-models.ts";
import { adapterFactor, adapterLayout } from "../architecture/adapter-layout.ts";
import { computeLogits, readTokens } from "../architecture/transformer.ts";
import { encodeAdapter, readAdapter, readAdapterSettings } from "./adapter-files.ts";
import { loadModel, openModel } from "./load-model.ts";
import { memoryFile, memorySource } from "./memory-source.ts";
import { parseModelConfig } from "./model-config.ts";
import { encodeTensors, type NamedTensor, readTensorEntries } from "./safetensors.ts";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** config.json of published bases, as their authors' versions of transformers have written them. */
const PUBLISHED = {
  "SmolLM2-135M": {
    architectures: ["LlamaForCausalLM"],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: 0,
    eos_token_id: 0,
    hidden_act: "silu",
    hidden_size: 576,
    initializer_range: 0.041666666666666664,
    intermediate_size: 1536,
    is_llama_config: true,
    max_position_embeddings: 8192,
    model_type: "llama",
    num_attention_heads: 9,
    num_hidden_layers: 30,
    num_key_value_heads: 3,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_interleaved: false,
    rope_scaling: null,
    rope_theta: 100000,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    transformers_version: "4.40.1",
    use_cache: true,
    vocab_size: 49152,
    "transformers.js_config": { kv_cache_dtype: { q4f16: "float16" } },
  },
  "Qwen2.5-0.5B": {
    architectures: ["Qwen2ForCausalLM"],
    attention_dropout: 0.0,
    bos_token_id: 151643,
    eos_token_id: 151643,
    hidden_act: "silu",
    hidden_size: 896,
    initializer_range: 0.02,
    intermediate_size: 4864,
    max_position_embeddings: 32768,
    max_window_layers: 24,
    model_type: "qwen2",
    num_attention_heads: 14,
    num_hidden_layers: 24,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000.0,
    sliding_window: 32768,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    transformers_version: "4.40.1",
    use_cache: true,
    use_mrope: false,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  "Qwen3-0.6B": {
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: 151643,
    eos_token_id: 151645,
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 1024,
    initializer_range: 0.02,
    intermediate_size: 3072,
    max_position_embeddings: 40960,
    max_window_layers: 28,
    model_type: "qwen3",
    num_attention_heads: 16,
    num_hidden_layers: 28,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1000000,
    sliding_window: null,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    transformers_version: "4.51.0",
    use_cache: true,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  "Qwen3-0.6B, saved by transformers 5": {
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: null,
    dtype: "bfloat16",
    eos_token_id: 151645,
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 1024,
    initializer_range: 0.02,
    intermediate_size: 3072,
    max_position_embeddings: 40960,
    max_window_layers: 28,
    layer_types: Array(28).fill("full_attention"),
    model_type: "qwen3",
    num_attention_heads: 16,
    num_hidden_layers: 28,
    num_key_value_heads: 8,
    pad_token_id: null,
    rms_norm_eps: 1e-6,
    rope_parameters: { rope_theta: 1000000, rope_type: "default" },
    sliding_window: null,
    tie_word_embeddings: true,
    transformers_version: "5.0.0",
    use_cache: true,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  "Llama-3.2-1B": {
    architectures: ["LlamaForCausalLM"],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: 128000,
    eos_token_id: [128001, 128008, 128009],
    head_dim: 64,
    hidden_act: "silu",
    hidden_size: 2048,
    initializer_range: 0.02,
    intermediate_size: 8192,
    max_position_embeddings: 131072,
    mlp_bias: false,
    model_type: "llama",
    num_attention_heads: 32,
    num_hidden_layers: 16,
    num_key_value_heads: 8,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_theta: 500000.0,
    tie_word_embeddings: true,
    rope_scaling: {
      factor: 32.0,
      high_freq_factor: 4.0,
      low_freq_factor: 1.0,
      original_max_position_embeddings: 8192,
      rope_type: "llama3",
    },
    torch_dtype: "bfloat16",
    transformers_version: "4.45.0.dev0",
    use_cache: true,
    vocab_size: 128256,
  },
  gpt2: {
    activation_function: "gelu_new",
    architectures: ["GPT2LMHeadModel"],
    attn_pdrop: 0.1,
    bos_token_id: 50256,
    embd_pdrop: 0.1,
    eos_token_id: 50256,
    initializer_range: 0.02,
    layer_norm_epsilon: 1e-5,
    model_type: "gpt2",
    n_ctx: 1024,
    n_embd: 768,
    n_head: 12,
    n_layer: 12,
    n_positions: 1024,
    resid_pdrop: 0.1,
    summary_activation: null,
    summary_first_dropout: 0.1,
    summary_proj_to_labels: true,
    summary_type: "cls_index",
    summary_use_proj: true,
    vocab_size: 50257,
    task_specific_params: { "text-generation": { do_sample: true, max_length: 50 } },
  },
};

const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as { code: string; data: { field?: string }; message: string };
  }
  throw new Error("it was taken");
};

describe("config.json", () => {
  it.each(Object.entries(PUBLISHED))("of %s is read", (_, config) => {
    const shape = parseModelConfig(json(config));
    expect(shape.vocabularySize).toBe(config.vocab_size);
    expect(shape.isTied).toBe(true);
  });

  it.each([
    ["attn_logit_softcapping", 50],
    ["final_logit_softcapping", 30],
    ["logits_scaling", 8],
    ["embedding_multiplier", 12],
    ["residual_multiplier", 0.22],
    ["attention_multiplier", 0.0078125],
    ["query_pre_attn_scalar", 256],
    ["layer_types", ["full_attention", "sliding_attention"]],
    ["quantization_config", { quant_method: "awq", bits: 4 }],
    ["quantization", { group_size: 64, bits: 4 }],
    ["partial_rotary_factor", 0.5],
    ["rope_interleaved", true],
    ["no_rope_layers", [1, 1, 1, 0]],
    // Nobody here knows what it does.
    ["attention_temperature_tuning", true],
  ])("that says %s is refused by the name", (field, value) => {
    const config = { ...madeConfigs.llama, [field]: value };
    const { code, data, message } = refusal(() => parseModelConfig(json(config)));
    expect([code, data.field]).toEqual(["MOD_CONFIG_UNSUPPORTED", field]);
    expect(message).toContain(field);
    // A setting that is not set changes nothing.
    expect(() => parseModelConfig(json({ ...config, [field]: null }))).not.toThrow();
  });

  it("with a name twice, or an option of positions that is not computed, is refused", () => {
    const twice = JSON.stringify(madeConfigs.llama).replace("{", '{"rms_norm_eps":1e-3,');
    expect(refusal(() => parseModelConfig(Buffer.from(twice))).code).toBe("MOD_FILE_INVALID");
    const scaled = {
      ...madeConfigs.llama,
      rope_scaling: { rope_type: "default", mrope_section: [16, 24, 24] },
    };
    expect(refusal(() => parseModelConfig(json(scaled))).message).toContain("mrope_section");
  });

  it("with options of positions at two places is refused where they differ: which of them counts depends on the reader", () => {
    const {
      rope_scaling: _scaling,
      rope_theta: _theta,
      ...base
    } = madeConfigs.llama as Record<string, unknown>;
    const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const older = { ...llama3, original_max_position_embeddings: 32 };
    for (const changed of [
      { rope_theta: 10_000, rope_parameters: { rope_type: "default", rope_theta: 500_000 } },
      { rope_scaling: older, rope_parameters: { rope_type: "default" } },
      { rope_scaling: { ...older, factor: 32 }, rope_parameters: older },
      { rope_scaling: { rope_type: "default", rope_theta: 5 }, rope_parameters: { rope_type: "default" } },
    ])
      expect(refusal(() => parseModelConfig(json({ ...base, ...changed }))).code).toBe(
        "MOD_CONFIG_UNSUPPORTED",
      );
    for (const same of [
      { rope_theta: 500_000, rope_parameters: { rope_type: "default", rope_theta: 500_000 } },
      { rope_theta: 500_000, rope_scaling: older, rope_parameters: { ...older, rope_theta: 500_000 } },
    ])
      expect(parseModelConfig(json({ ...base, ...same })).positions).toMatchObject({ theta: 500_000 });
  });
});

/** adapter_config.json as PEFT 0.19 writes it. */
const PEFT = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  base_model_name_or_path: "made",
  bias: "none",
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_alpha: 8,
  lora_bias: false,
  lora_dropout: 0.05,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: "megatron.core",
  modules_to_save: null,
  peft_type: "LORA",
  peft_version: "0.19.1",
  qalora_group_size: 16,
  r: 4,
  rank_pattern: {},
  revision: null,
  target_modules: ["v_proj", "q_proj"],
  target_parameters: null,
  task_type: "CAUSAL_LM",
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
};
const settingsOf = (config: object) =>
  readAdapterSettings(memorySource("adapter", new Map([["adapter_config.json", json(config)]])));

describe("adapter_config.json", () => {
  it("of PEFT is read, with every start that leaves the base alone", async () => {
    expect(await settingsOf(PEFT)).toEqual({ rank: 4, alpha: 8, targets: ["q_proj", "v_proj"] });
    for (const init of [false, "gaussian", "orthogonal", "eva"])
      await expect(settingsOf({ ...PEFT, init_lora_weights: init })).resolves.toBeDefined();
  });

  it.each<readonly [string, unknown]>([
    ...["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga"].map(
      (init) => ["init_lora_weights", init] as const,
    ),
    ["alora_invocation_tokens", [1, 2, 3]],
    ["layer_replication", [[0, 4]]],
    ["layers_to_transform", [0]],
    ["exclude_modules", ["lm_head"]],
    ["target_parameters", ["mlp.experts.gate_up_proj"]],
    ["trainable_token_indices", [5]],
    ["lora_bias", true],
    ["use_qalora", true],
    ["modules_to_save", ["lm_head"]],
    ["alpha_pattern", { "(q|v+)+_proj": 4 }],
    ["some_later_option", true],
  ])("that says %s = %j is refused by the name", async (field, value) => {
    await expect(settingsOf({ ...PEFT, [field]: value })).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      data: { field },
      message: expect.stringContaining(field),
    });
  });

  it("of rsLoRA divides by the root of the rank", async () => {
    const settings = await settingsOf({ ...PEFT, use_rslora: true });
    // alpha 8, rank 4: 8 / √4 is 4, where plain LoRA has 8 / 4 = 2.
    expect([adapterFactor(settings), adapterFactor({ rank: 4, alpha: 8 })]).toEqual([4, 2]);
    expect(adapterFactor({ rank: 2, alpha: 3, isRankStabilized: true })).toBe(2.1213203435596424);
    const { config, tensors } = makeModel(madeConfigs.llama);
    const base = memorySource(
      "base",
      new Map([
        ["config.json", json(config)],
        ["model.safetensors", encodeTensors(tensors)],
      ]),
    );
    const logitsOf = async (input: typeof settings) => {
      const opened = await openModel(base);
      const { model } = await loadModel(opened, {
        kernels: "wasm",
        maxRows: 3,
        isTraining: false,
        adapter: input,
      });
      await opened.close();
      const { at, layout } = model.adapter!;
      const files = encodeAdapter(model.shape, layout, makeAdapter(model.shape, input, "rs"), 0, "made");
      const source = memorySource("adapter", new Map(files));
      expect(await readAdapterSettings(source)).toEqual(input);
      await readAdapter(source, model.shape, adapterLayout(model.shape, input), model.kernels.arena, at);
      readTokens(model, [1, 2, 3]);
      return computeLogits(model, 2, 1).slice(0, 70);
    };
    const stabilized = await logitsOf(settings);
    // The same numbers with alpha 16: 16 / 4 is 4, too.
    expect(await logitsOf({ rank: 4, alpha: 16, targets: settings.targets })).toEqual(stabilized);
    expect(await logitsOf({ rank: 4, alpha: 8, targets: settings.targets })).not.toEqual(stabilized);
  });
});

describe("tensors that the model does not take", () => {
  const open = async (config: object, tensors: readonly NamedTensor[]) => {
    const opened = await openModel(
      memorySource(
        "base",
        new Map([
          ["config.json", json(config)],
          ["model.safetensors", encodeTensors(tensors)],
        ]),
      ),
    );
    await opened.close();
  };
  const { config, tensors } = makeModel(madeConfigs.smollm2);
  const extra = (name: string, shape: readonly number[], fill = 1): NamedTensor => ({
    name,
    shape,
    values: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(fill),
  });

  it("are refused by name: biases, a further layer, and a head of its own beside a tie", async () => {
    for (const other of [
      extra("model.layers.0.self_attn.q_proj.bias", [48]),
      extra("model.layers.2.mlp.up_proj.weight", [64, 48]),
      extra("model.layers.0.self_attn.q_proj.weight_scale", [1]),
      extra("lm_head.weight", [70, 48]),
    ])
      await expect(open(config, [...tensors, other]), other.name).rejects.toMatchObject({
        code: "MOD_FILE_INVALID",
        data: { reason: "tensor-unused", name: other.name },
      });
    // The same head is the model's if the configuration says so.
    await open({ ...config, tie_word_embeddings: false }, [...tensors, extra("lm_head.weight", [70, 48])]);
  });

  it("are refused by name in types that are no floats which are read, in a base and in an adapter", async () => {
    const added = (
      name: string,
      dtype: string,
      shape: readonly number[],
      sizeBytes: number,
      to = tensors,
    ) => {
      const file = Buffer.from(encodeTensors(to));
      const end = 8 + Number(file.readBigUInt64LE());
      const header = JSON.parse(file.toString("utf8", 8, end)) as Record<string, object>;
      const from = file.length - end;
      header[name] = { dtype, shape, data_offsets: [from, from + sizeBytes] };
      const text = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, file.subarray(end), Buffer.alloc(sizeBytes, 1)]);
    };
    const openFile = async (weights: Buffer, settings: object = config) => {
      const content = new Map<string, Uint8Array>([
        ["config.json", json(settings)],
        ["model.safetensors", weights],
      ]);
      await (await openModel(memorySource("base", content))).close();
    };
    for (const [name, type, shape, sizeBytes] of [
      ["model.layers.0.self_attn.q_proj.bias", "F64", [48], 384],
      ["model.layers.0.self_attn.q_proj.qweight", "I32", [2], 8],
      ["lm_head.weight", "I8", [4], 4],
    ] as const)
      await expect(openFile(added(name, type, shape, sizeBytes)), name).rejects.toMatchObject({
        code: "MOD_FILE_INVALID",
        data: { reason: "tensor-unused", name },
      });
    const gpt2 = makeModel(madeConfigs.gpt2);
    await openFile(added("h.0.attn.bias", "BOOL", [4], 4, gpt2.tensors), gpt2.config);

    const opened = await openModel(
      memorySource(
        "base",
        new Map([
          ["config.json", json(config)],
          ["model.safetensors", encodeTensors(tensors)],
        ]),
      ),
    );
    await opened.close();
    const layout = adapterLayout(opened.shape, { rank: 4, alpha: 8, targets: ["q_proj"] });
    const arena = new Float32Array(layout.floatCount);
    const files = new Map(encodeAdapter(opened.shape, layout, arena, 0, "made"));
    const weights = Buffer.from(files.get("adapter_model.safetensors")!);
    const length = 8 + Number(weights.readBigUInt64LE());
    const header = JSON.parse(weights.toString("utf8", 8, length)) as Record<string, object>;
    const from = weights.length - length;
    const magnitude = "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector";
    header[magnitude] = { dtype: "F64", shape: [1], data_offsets: [from, from + 8] };
    const text = Buffer.from(JSON.stringify(header));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(text.length));
    files.set(
      "adapter_model.safetensors",
      Buffer.concat([head, text, weights.subarray(length), Buffer.alloc(8)]),
    );
    await expect(
      readAdapter(memorySource("adapter", files), opened.shape, layout, arena, 0),
    ).rejects.toMatchObject({ code: "MOD_FILE_INVALID", data: { field: magnitude } });
  });

  it("are passed over where they change nothing: the embedding once more, masks and frequencies", async () => {
    const embedding = tensors.find(({ name }) => name === "model.embed_tokens.weight")!;
    await open(config, [...tensors, { ...embedding, name: "lm_head.weight" }]);
    await open(config, [...tensors, extra("model.layers.0.self_attn.rotary_emb.inv_freq", [8])]);
    const gpt2 = makeModel(madeConfigs.gpt2);
    await open(gpt2.config, [
      ...gpt2.tensors,
      extra("h.0.attn.bias", [1, 1, 4, 4]),
      extra("h.0.attn.masked_bias", []),
    ]);
  });
});

describe("safetensors of today", () => {
  const file = (header: string, dataBytes: number) => {
    const bytes = Buffer.from(header);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return memoryFile("file", Buffer.concat([length, bytes, Buffer.alloc(dataBytes)]));
  };

  it("have types that are passed over beside the floats that are read", async () => {
    const header = {
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "F8_E8M0", shape: [3], data_offsets: [4, 7] },
      c: { dtype: "C64", shape: [1], data_offsets: [7, 15] },
      // Two numbers a byte.
      d: { dtype: "F4", shape: [4], data_offsets: [15, 17] },
      e: { dtype: "F6_E2M3", shape: [4], data_offsets: [17, 20] },
    };
    expect([...(await readTensorEntries(file(JSON.stringify(header), 20))).keys()]).toEqual(["a"]);
  });

  it("are refused with a name twice, and with metadata that is no text", async () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    for (const header of [
      `{"a":${entry},"a":${entry}}`,
      `{"__metadata__":{"format":"pt","format":"pt"},"a":${entry}}`,
      `{"__metadata__":{"version":1},"a":${entry}}`,
      `{"__metadata__":["pt"],"a":${entry}}`,
    ])
      await expect(readTensorEntries(file(header, 4)), header).rejects.toMatchObject({
        code: "MOD_FILE_INVALID",
      });
    await readTensorEntries(file(`{"__metadata__":{"format":"pt"},"a":${entry}}`, 4));
  });
});
