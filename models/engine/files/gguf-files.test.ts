/** Bases as GGUF: the same numbers as the published model's, and refusals by name. tiny.gguf and blocks.json are llama.cpp's own (../../testing/gguf). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  converted,
  encodeGguf,
  floats,
  type GgufTensor,
  type GgufValue,
  stretch,
  TYPE_NUMBERS,
} from "../../testing/made-gguf.ts";
import { type MadeName, madeConfigs, makeModel } from "../../testing/made-models.ts";
import type { WeightNumbers } from "../architecture/model-shape.ts";
import { computeLogits, readTokens } from "../architecture/transformer.ts";
import { folderSource } from "./folder-source.ts";
import { decodeBlocks, GGUF_BLOCKS } from "./gguf-blocks.ts";
import { loadModel, openModel } from "./load-model.ts";
import { memorySource } from "./memory-source.ts";
import { encodeTensors, type NamedTensor } from "./safetensors.ts";

const golden = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../../testing/gguf/${file}`, import.meta.url)));
type Files = Readonly<Record<string, Uint8Array>>;

const sourceOf = (config: object, files: Files) =>
  memorySource(
    "base",
    new Map([["config.json", Buffer.from(JSON.stringify(config))], ...Object.entries(files)]),
  );

async function load(config: object, files: Files, weights: WeightNumbers = "float32") {
  const opened = await openModel(sourceOf(config, files));
  try {
    return (await loadModel(opened, { kernels: "wasm", maxRows: 8, isTraining: false, weights })).model;
  } finally {
    await opened.close();
  }
}

/** All weights as they lie in memory, and logits. */
async function numbersOf(config: object, files: Files, weights?: WeightNumbers) {
  const model = await load(config, files, weights);
  const { kernels, layout, parameters } = model;
  const own = kernels.arena.slice(parameters, parameters + layout.floatCount);
  readTokens(model, [3, 1, 7]);
  return { weights: Buffer.from(own.buffer).toString("base64"), logits: computeLogits(model, 2, 1).slice() };
}

describe("blocks of llama.cpp", () => {
  it.each(["Q8_0", "Q4_K", "Q6_K"] as const)("%s are the floats that its Python package has", (type) => {
    const { bytes, floats } = JSON.parse(golden("blocks.json").toString())[type] as Record<string, string>;
    const expected = new Float32Array(new Uint8Array(Buffer.from(floats!, "base64")).buffer);
    expect(decodeBlocks(Buffer.from(bytes!, "base64"), type, "w", 0)).toEqual(expected);
    expect(expected.length).toBe(3 * GGUF_BLOCKS[type].numbers);
  });

  it("that are no numbers are refused by the tensor's name and the number", () => {
    const bytes = Buffer.alloc(68);
    bytes.writeUInt16LE(0x7c00, 34);
    bytes[36] = 1;
    expect(() => decodeBlocks(bytes, "Q8_0", "blk.0.ffn_up.weight", 64)).toThrow(
      expect.objectContaining({
        code: "MOD_FILE_INVALID",
        data: { reason: "tensor-not-finite", tensor: "blk.0.ffn_up.weight", index: 96 },
      }),
    );
  });
});

/** The numbers of write.py. */
function tinyTensor(name: string, seed: number, ...shape: number[]): NamedTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) =>
    i % 32 === 0 ? 127 / 256 : (((i * 31 + seed * 17) % 255) - 127) / 256,
  );
  return { name, shape, values };
}
const TINY = {
  model_type: "llama",
  vocab_size: 12,
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};
const LAYER = "model.layers.0";
const tinyTensors = [
  tinyTensor("model.embed_tokens.weight", 1, 12, 32),
  tinyTensor("model.norm.weight", 2, 32),
  tinyTensor("lm_head.weight", 3, 12, 32),
  tinyTensor(`${LAYER}.input_layernorm.weight`, 4, 32),
  tinyTensor(`${LAYER}.post_attention_layernorm.weight`, 5, 32),
  tinyTensor(`${LAYER}.self_attn.q_proj.weight`, 6, 32, 32),
  tinyTensor(`${LAYER}.self_attn.k_proj.weight`, 7, 16, 32),
  tinyTensor(`${LAYER}.self_attn.v_proj.weight`, 8, 16, 32),
  tinyTensor(`${LAYER}.self_attn.o_proj.weight`, 9, 32, 32),
  tinyTensor(`${LAYER}.mlp.gate_proj.weight`, 10, 32, 32),
  tinyTensor(`${LAYER}.mlp.up_proj.weight`, 11, 32, 32),
  tinyTensor(`${LAYER}.mlp.down_proj.weight`, 12, 32, 32),
];

describe("a file by llama.cpp's own writer", () => {
  it.each(["float32", "int8"] as const)(
    "has the published model's weights and logits, by %s",
    async (weights) => {
      const own = await numbersOf(TINY, { "model.gguf": golden("tiny.gguf") }, weights);
      expect(own).toEqual(
        await numbersOf(TINY, { "model.safetensors": encodeTensors(tinyTensors) }, weights),
      );
    },
  );
});

const made = (name: MadeName) => makeModel(madeConfigs[name], `gguf ${name}`);
const fileOf = ({ head, parts }: ReturnType<typeof converted>): Files => ({
  "model.gguf": encodeGguf(head, parts),
});

describe.each(Object.keys(madeConfigs) as MadeName[])("%s as GGUF", (name) => {
  it("has the published model's weights and logits", async () => {
    const model = made(name);
    const own = await numbersOf(model.config, fileOf(converted(model)));
    expect(own).toEqual(await numbersOf(model.config, { "model.safetensors": encodeTensors(model.tensors) }));
  });
});

describe("blocks of 256", () => {
  const config = { ...TINY, hidden_size: 256, intermediate_size: 256, tie_word_embeddings: true };
  const model = makeModel(config, "blocks");
  const { head, parts } = converted(model);
  const types = ["Q4_K", "Q6_K", "Q8_0"] as const;
  /** Any bytes with a small scale are blocks. */
  const quantised = parts.map((part, i): GgufTensor => {
    if (part.shape.length === 1) return part;
    const type = types[i % 3]!;
    const { bytes: size, numbers } = GGUF_BLOCKS[type];
    const count = (part.shape[0]! * part.shape[1]!) / numbers;
    const bytes = Buffer.from(
      Uint8Array.from({ length: count * size }, (_, j) => (j * j * 37 + 11 * j + i) >> 3),
    );
    for (let block = 0; block < count; block++)
      for (const at of { Q4_K: [0, 2], Q6_K: [208], Q8_0: [0] }[type])
        bytes.writeUInt16LE(0x0400 + ((block * 13) % 512), block * size + at);
    return { ...part, type: TYPE_NUMBERS[type], bytes };
  });
  const decoded = quantised.map((part): GgufTensor => {
    const type = types.find((one) => TYPE_NUMBERS[one] === part.type);
    if (type === undefined) return part;
    return floats(part.name, part.shape, decodeBlocks(part.bytes, type, part.name, 0));
  });

  it.each(["float32", "int8"] as const)("are computed as their floats are, by %s", async (weights) => {
    const own = await numbersOf(config, { "model.gguf": encodeGguf(head, quantised) }, weights);
    expect(own).toEqual(await numbersOf(config, { "model.gguf": encodeGguf(head, decoded) }, weights));
    expect(own.logits.slice(0, 12).every((logit) => Number.isFinite(logit) && logit !== 0)).toBe(true);
  });
});

describe("a file that says something else", () => {
  const model = made("smollm2");
  const whole = converted(model);
  const open = async (
    head: Readonly<Record<string, GgufValue>>,
    parts: readonly GgufTensor[],
    config: object = model.config,
  ) => {
    const opened = await openModel(sourceOf(config, { "model.gguf": encodeGguf(head, parts) }));
    await opened.close();
  };

  it.each<readonly [string, GgufValue]>([
    ["general.architecture", "qwen2"],
    ["general.type", "adapter"],
    ["split.count", 2],
    ["llama.block_count", 3],
    ["llama.embedding_length", 64],
    ["llama.feed_forward_length", 128],
    ["llama.attention.head_count", 6],
    ["llama.attention.head_count_kv", 3],
    ["llama.attention.key_length", 32],
    ["llama.attention.layer_norm_rms_epsilon", 1.5e-6],
    ["llama.attention.sliding_window", 4_096],
    ["llama.rope.freq_base", 10_000],
    ["llama.rope.dimension_count", 8],
    ["llama.rope.scaling.type", "linear"],
    ["llama.rope.scaling.factor", 2],
    ["llama.expert_count", 8],
    ["llama.logit_scale", 0.5],
  ])("by %s = %j is refused by the key", async (field, value) => {
    await expect(open({ ...whole.head, [field]: value }, whole.parts)).rejects.toMatchObject({
      code: "MOD_CONFIG_UNSUPPORTED",
      data: { field },
      message: expect.stringContaining(field),
    });
  });

  it("by a key that it lacks is refused, but not by those without effect", async () => {
    const { "llama.rope.freq_base": _, ...head } = whole.head;
    await expect(open(head, whole.parts)).rejects.toMatchObject({ data: { field: "llama.rope.freq_base" } });
    await open(
      { ...whole.head, "llama.vocab_size": 1, "quantize.imatrix.file": "x", "someone.note": 7 },
      whole.parts,
    );
  });

  it("by factors of positions is refused, whether config.json has some or not", async () => {
    const scaled = made("llama");
    const { head, parts } = converted(scaled);
    const last = parts.at(-1)!;
    const others = parts.slice(0, -1);
    await open(head, parts, scaled.config);
    await expect(open(head, others, scaled.config)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      message: expect.stringContaining("rope_freqs.weight"),
    });
    const changed = Float32Array.from({ length: last.shape[0]! }, (_, i) => 1 + i);
    for (const [config, values] of [
      [scaled.config, changed],
      [
        { ...scaled.config, rope_scaling: null },
        stretch(16, 500_000, madeConfigs.llama.rope_scaling as never),
      ],
    ] as const)
      await expect(
        open(head, [...others, floats("rope_freqs.weight", [8], values)], config),
      ).rejects.toMatchObject({
        code: "MOD_CONFIG_UNSUPPORTED",
        data: { field: "rope_freqs.weight" },
      });
  });

  it("by a tensor that no part of the model takes, or of a type that is not read, is refused by its name", async () => {
    const bias = floats("blk.0.attn_q.bias", [48], new Float32Array(48));
    for (const extra of [bias, { ...bias, name: "blk.0.ffn_gate_inp.weight" }])
      await expect(open(whole.head, [...whole.parts, extra])).rejects.toMatchObject({
        code: "MOD_FILE_INVALID",
        data: { reason: "tensor-unused" },
      });
    const others = whole.parts.map((part) =>
      part.name === "blk.1.ffn_up.weight"
        ? { ...part, type: TYPE_NUMBERS.Q5_0, bytes: new Uint8Array(2_112) }
        : part,
    );
    await expect(open(whole.head, others)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      message: expect.stringMatching(
        /blk\.1\.ffn_up\.weight.*Q5_0, and F32, F16, BF16, Q8_0, Q4_K, Q6_K are computed/,
      ),
    });
    await expect(open(whole.head, whole.parts.slice(1))).rejects.toMatchObject({
      data: { reason: "tensor-missing" },
    });
    await expect(open(whole.head, [...whole.parts, whole.parts[3]!])).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
    });
  });

  it("without the other files of a model is refused with their names", async () => {
    const alone = memorySource("base", new Map(Object.entries(fileOf(whole))));
    await expect(openModel(alone)).rejects.toMatchObject({
      code: "MOD_SOURCE_UNREADABLE",
      message: expect.stringContaining("put config.json and tokenizer.json of the model"),
    });
    const file = fileURLToPath(new URL("../../testing/gguf/tiny.gguf", import.meta.url));
    await expect(openModel(folderSource(file))).rejects.toMatchObject({
      code: "MOD_SOURCE_UNREADABLE",
      message: expect.stringContaining("name its folder, where a GGUF file is called model.gguf"),
    });
  });

  it("beside safetensors is refused: one of them has to go", async () => {
    for (const other of ["model.safetensors", "model.safetensors.index.json"])
      await expect(
        openModel(sourceOf(model.config, { ...fileOf(whole), [other]: encodeTensors(model.tensors) })),
      ).rejects.toMatchObject({ code: "MOD_FILE_INVALID", data: { reason: "two-weights" } });
  });

  it("or is cut or damaged, is refused with a typed error, or is a model", async () => {
    const bytes = golden("tiny.gguf");
    const outcome = async (file: Uint8Array): Promise<string> => {
      try {
        await load(TINY, { "model.gguf": file });
        return "taken";
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    };
    for (const length of [0, 3, 8, 30, 400, 700, bytes.length - 1_000, bytes.length - 1])
      expect(await outcome(bytes.subarray(0, length)), `${length}`).toBe("MOD_FILE_INVALID");
    const headEnd = 1_600;
    await fc.assert(
      fc.asyncProperty(fc.nat(headEnd), fc.nat(255), async (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        expect(await outcome(changed)).toMatch(/^(taken|MOD_FILE_INVALID|MOD_CONFIG_UNSUPPORTED)$/);
      }),
      { numRuns: runs(100) },
    );
  });
});
