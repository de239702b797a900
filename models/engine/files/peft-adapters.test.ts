/**
 * Adapters that PEFT computes otherwise than plain LoRA: DoRA, rank_pattern, alpha_pattern and rsLoRA. The reference is a small one
 * of its own: it merges an adapter into the base's weights by PEFT's formulas, in 64 bits, and the base alone computes the rest.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MadeModel, madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { generate } from "../../tuning/training/generate.ts";
import { AdapterPool } from "../adapters/adapter-pool.ts";
import { AdapterStore } from "../adapters/adapter-store.ts";
import { adapterLayout } from "../architecture/adapter-layout.ts";
import { patternExpression } from "../architecture/adapter-modules.ts";
import type { WeightNumbers } from "../architecture/model-shape.ts";
import { computeLogits, readTokens } from "../architecture/transformer.ts";
import { BatchLoop } from "../batches/batch-loop.ts";
import { loadBatchModel } from "../batches/batch-model.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { readAdapter, readAdapterSettings } from "./adapter-files.ts";
import { outputReader, weightsOf } from "./base-weights.ts";
import type { FileSource } from "./byte-source.ts";
import { folderSource } from "./folder-source.ts";
import { loadModel, openModel } from "./load-model.ts";
import { memorySource } from "./memory-source.ts";
import { encodeTensors, type NamedTensor } from "./safetensors.ts";

const choices: KernelChoice[] = ["wasm", ...nativeKernelSets()];
const TOKENS = [5, 61, 17, 2, 33];

/** A module of the base: its rank and alpha as PEFT resolves them, and whether its weight is stored inputs × outputs. */
interface Module {
  readonly name: string;
  readonly rank: number;
  readonly alpha: number;
}

interface Published {
  readonly config: Readonly<Record<string, unknown>>;
  readonly modules: readonly Module[];
  readonly tensors: readonly NamedTensor[];
}

const weightName = (base: MadeModel, module: string): string =>
  base.config.model_type === "gpt2" ? `${module.replace("transformer.", "")}.weight` : `${module}.weight`;

function weightOf(base: MadeModel, module: string) {
  const { shape, values } = base.tensors.find(({ name }) => name === weightName(base, module))!;
  const isInputsFirst = base.config.model_type === "gpt2";
  const [rows, columns] = shape as [number, number];
  const [outputs, inputs] = isInputsFirst ? [columns, rows] : [rows, columns];
  const place = (output: number, input: number) =>
    isInputsFirst ? input * columns + output : output * columns + input;
  return { inputs, outputs, values, place };
}

/** An adapter's files as PEFT writes them: numbers from a generator, magnitudes near the lengths of the base's outputs. */
function publish(base: MadeModel, config: Published["config"], modules: readonly Module[]): Published {
  const random = new SeededRandom(JSON.stringify(config));
  const numbers = (count: number, spread: number) =>
    Float32Array.from({ length: count }, () => spread * (2 * random.nextFraction() - 1));
  const tensors = modules.flatMap(({ name, rank }): NamedTensor[] => {
    const { inputs, outputs, place, values } = weightOf(base, name);
    const at = `base_model.model.${name}`;
    const lengths = Float32Array.from({ length: outputs }, (_, output) => {
      const squares = Array.from({ length: inputs }, (_, input) => values[place(output, input)]! ** 2);
      return (
        Math.sqrt(squares.reduce((sum, square) => sum + square, 0)) * (0.7 + 0.6 * random.nextFraction())
      );
    });
    return [
      { name: `${at}.lora_A.weight`, shape: [rank, inputs], values: numbers(rank * inputs, 0.3) },
      { name: `${at}.lora_B.weight`, shape: [outputs, rank], values: numbers(outputs * rank, 0.3) },
      ...(config.use_dora === true
        ? [{ name: `${at}.lora_magnitude_vector`, shape: [outputs], values: lengths }]
        : []),
    ];
  });
  return { config, modules, tensors };
}

const sourceOf = ({ config, tensors }: Published): FileSource =>
  memorySource(
    "adapter",
    new Map([
      ["adapter_config.json", Buffer.from(JSON.stringify({ peft_type: "LORA", bias: "none", ...config }))],
      ["adapter_model.safetensors", encodeTensors(tensors)],
    ]),
  );

/**
 * The base with the adapter merged into its weights. PEFT, src/peft/tuners/lora: `update_layer` in layer.py has the scaling, alpha
 * / r or alpha / √r with `use_rslora`; `get_delta_weight` is scaling · B A; `get_weight_norm` and `DoraLinearLayer` in dora.py
 * bring each output of W + scaling · B A to its magnitude.
 */
function merged(base: MadeModel, { config, modules, tensors }: Published): MadeModel {
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  const changed = new Map<string, Float32Array>();
  for (const { alpha, name, rank } of modules) {
    const { inputs, outputs, place, values } = weightOf(base, name);
    const scaling = config.use_rslora === true ? alpha / Math.sqrt(rank) : alpha / rank;
    const [a, b, magnitudes] = ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"].map((part) =>
      named.get(`base_model.model.${name}.${part}`),
    );
    const weights = Float32Array.from(values);
    for (let output = 0; output < outputs; output++) {
      const row = Array.from({ length: inputs }, (_, input) => {
        let product = 0;
        for (let i = 0; i < rank; i++) product += b![output * rank + i]! * a![i * inputs + input]!;
        return values[place(output, input)]! + scaling * product;
      });
      const norm = Math.sqrt(row.reduce((sum, weight) => sum + weight * weight, 0));
      const length = magnitudes === undefined ? norm : magnitudes[output]!;
      for (const [input, weight] of row.entries()) weights[place(output, input)] = (length / norm) * weight;
    }
    changed.set(weightName(base, name), weights);
  }
  return {
    config: base.config,
    tensors: base.tensors.map((tensor) => ({ ...tensor, values: changed.get(tensor.name) ?? tensor.values })),
  };
}

const openMade = ({ config, tensors }: MadeModel) =>
  openModel(
    memorySource(
      "base",
      new Map([
        ["config.json", Buffer.from(JSON.stringify(config))],
        ["model.safetensors", encodeTensors(tensors)],
      ]),
    ),
  );

async function load(
  base: MadeModel,
  adapter: Published | null,
  kernels: KernelChoice,
  weights?: WeightNumbers,
) {
  const source = adapter === null ? null : sourceOf(adapter);
  const opened = await openMade(base);
  const { model } = await loadModel(opened, {
    kernels,
    maxRows: 24,
    isTraining: false,
    ...(weights === undefined ? {} : { weights }),
    ...(source === null ? {} : { adapter: await readAdapterSettings(source) }),
  });
  await opened.close();
  if (source !== null) {
    const { at, layout } = model.adapter!;
    await readAdapter(source, model.shape, layout, model.kernels.arena, at, weightsOf(model));
  }
  return model;
}

async function logitsOf(base: MadeModel, adapter: Published | null, kernels: KernelChoice = "wasm") {
  const model = await load(base, adapter, kernels);
  readTokens(model, TOKENS);
  return computeLogits(model, TOKENS.length - 1, 1).slice(0, model.shape.vocabularySize);
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);

const qwen2 = makeModel(madeConfigs.qwen2, "peft");
const gpt2 = makeModel(madeConfigs.gpt2, "peft");
const LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
const llamaModules = (of: (layer: number, target: string) => Omit<Module, "name">): Module[] =>
  [0, 1].flatMap((layer) =>
    LLAMA_TARGETS.map((target) => {
      const block = /^(gate|up|down)/.test(target) ? "mlp" : "self_attn";
      return { name: `model.layers.${layer}.${block}.${target}`, ...of(layer, target) };
    }),
  );
const gpt2Modules = (of: (name: string) => Omit<Module, "name">): Module[] =>
  [0, 1].flatMap((layer) =>
    ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"].map((name) => ({
      name: `transformer.h.${layer}.${name}`,
      ...of(name),
    })),
  );
const plain = { r: 3, lora_alpha: 5, target_modules: LLAMA_TARGETS };

/** Patterns with the ranks and alphas that `get_pattern_key` of PEFT chooses for each module: the first pattern that matches. */
const patterned = {
  ...plain,
  rank_pattern: {
    "model.layers.1.self_attn.q_proj": 7,
    "layers\\.[0-9]+\\.mlp\\.(up|gate)_proj": 10,
    "^mlp.down_proj": 2,
  },
  alpha_pattern: { v_proj: 2.5, "0.mlp.up_proj": 9, up_proj: 20, "model.layers.1.self_attn.q_pro": 40 },
};
const patternedModules = llamaModules((layer, target) => ({
  rank: target === "q_proj" && layer === 1 ? 7 : target === "up_proj" || target === "gate_proj" ? 10 : 3,
  alpha: target === "v_proj" ? 2.5 : target === "up_proj" ? (layer === 0 ? 9 : 20) : 5,
}));

const cases: readonly (readonly [string, MadeModel, Published])[] = [
  ["rank_pattern and alpha_pattern", qwen2, publish(qwen2, patterned, patternedModules)],
  ["the same with rsLoRA", qwen2, publish(qwen2, { ...patterned, use_rslora: true }, patternedModules)],
  [
    "DoRA beside biases",
    qwen2,
    publish(
      qwen2,
      { ...plain, use_dora: true },
      llamaModules(() => ({ rank: 3, alpha: 5 })),
    ),
  ],
  [
    "DoRA of some modules, with rsLoRA and patterns",
    qwen2,
    publish(
      qwen2,
      { ...patterned, target_modules: ["q_proj", "v_proj", "down_proj"], use_dora: true, use_rslora: true },
      patternedModules.filter(({ name }) => /(q|v|down)_proj$/.test(name)),
    ),
  ],
  [
    "DoRA of weights that are stored inputs first",
    gpt2,
    publish(
      gpt2,
      {
        r: 9,
        lora_alpha: 6,
        target_modules: ["c_attn", "c_proj", "c_fc"],
        use_dora: true,
        alpha_pattern: { "mlp.c_proj": 3 },
      },
      gpt2Modules((name) => ({ rank: 9, alpha: name === "mlp.c_proj" ? 3 : 6 })),
    ),
  ],
];

describe.each(cases)("%s", (_, base, adapter) => {
  it("computes what PEFT's formulas give, with every set of kernels", async () => {
    const expected = await logitsOf(merged(base, adapter), null);
    const own = await logitsOf(base, adapter);
    expect(largestDifference(own, expected)).toBeLessThan(2e-5);
    // The adapter does something, and every part of its configuration counts.
    expect(largestDifference(await logitsOf(base, null), expected)).toBeGreaterThan(0.1);
    for (const key of ["use_rslora", "use_dora", "alpha_pattern"])
      if (adapter.config[key] !== undefined) {
        const { [key]: __, ...config } = adapter.config;
        const tensors = adapter.tensors.filter(({ name }) => key !== "use_dora" || !name.endsWith("_vector"));
        expect(
          largestDifference(await logitsOf(base, { ...adapter, config, tensors }), own),
          key,
        ).toBeGreaterThan(1e-3);
      }
    for (const kernels of choices) expect(await logitsOf(base, adapter, kernels)).toEqual(own);
  });
});

describe("a batch", () => {
  let folder: string;
  const bases = { qwen2, gpt2 };
  const of = (base: MadeModel) => cases.filter(([, own]) => own === base).map(([, , adapter]) => adapter);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "openledger-peft-"));
    for (const [name, base] of Object.entries(bases)) {
      await writeMadeModel(join(folder, name), base);
      for (const [i, adapter] of of(base).entries()) {
        const own = join(folder, "adapters", name, `a${i}`);
        await mkdir(own, { recursive: true });
        const source = sourceOf(adapter);
        for (const file of ["adapter_config.json", "adapter_model.safetensors"]) {
          const opened = (await source.open(file))!;
          await writeFile(join(own, file), await opened.read(0, opened.byteLength));
        }
      }
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const serving = async (name: string, kernels: KernelChoice, weights: WeightNumbers, base = name) => {
    const opened = await openModel(folderSource(join(folder, base)));
    const sizes = { threadCount: 1, batch: 8, maxPositions: 24, kvBytes: 2 ** 20, adapterBytes: 2 ** 20 };
    const loaded = await loadBatchModel(opened, { kernels, weights, ...sizes });
    await opened.close();
    const model = loaded.models[0]!;
    const store = new AdapterStore({
      shape: opened.shape,
      base: () => weightsOf(model),
      folders: [join(folder, "adapters", name)],
      cacheFolder: join(folder, "cache", name),
    });
    const { at, floatCount } = loaded.adapters;
    return { model, pool: new AdapterPool(model.kernels.arena, at, floatCount, store) };
  };

  it.each(["qwen2", "gpt2"] as const)(
    "of %s gives each request its tokens alone, by floats and int8",
    async (name) => {
      const adapters = of(bases[name]);
      const prompts = [...adapters.keys(), null, ...adapters.keys()].map((adapter, i) => ({
        adapter,
        prompt: TOKENS.slice(i % 3),
      }));
      const requests = prompts.slice(0, 8);
      for (const weights of ["float32", "int8"] as const) {
        const expected = await Promise.all(
          requests.map(async ({ adapter, prompt }) => {
            const model = await load(
              bases[name],
              adapter === null ? null : adapters[adapter]!,
              "wasm",
              weights,
            );
            return [...generate(model, prompt, { tokenCount: 6, temperature: 0, seed: "0" })];
          }),
        );
        for (const kernels of weights === "int8" ? choices.slice(-1) : choices) {
          const { model, pool } = await serving(name, kernels, weights);
          const loop = new BatchLoop(model);
          const tokens: number[][] = requests.map(() => []);
          for (const [i, { adapter, prompt }] of requests.entries())
            loop.join({
              id: i,
              prompt,
              adapter: adapter === null ? null : (await pool.lease(`a${adapter}`)).adapter,
              temperature: 0,
              topP: 1,
              maxTokens: 6,
              seed: "0",
              pages: [2 * i + 1, 2 * i],
              endTokens: [],
            });
          while (loop.size > 0) for (const { id, token } of loop.step()) tokens[id]!.push(token);
          expect(tokens, `${weights}, ${kernels}`).toEqual(expected);
        }
      }
    },
  );

  it("compiles DoRA again where the base has other weights, and plain LoRA not", async () => {
    const timesOf = async () => {
      const names = (await readdir(join(folder, "cache", "qwen2"))).sort();
      return Promise.all(
        names.map(async (name) => (await stat(join(folder, "cache", "qwen2", name))).mtimeMs),
      );
    };
    const lease = async (base: string) => {
      const { pool } = await serving("qwen2", "wasm", "float32", base);
      const leases = [];
      for (const i of [0, 2]) leases.push((await pool.lease(`a${i}`)).adapter.sha256);
      return { leases, times: await timesOf() };
    };
    const first = await lease("qwen2");
    expect(await lease("qwen2")).toEqual(first);
    const other = makeModel(madeConfigs.qwen2, "other");
    await writeMadeModel(join(folder, "other"), other);
    const second = await lease("other");
    expect(second.leases[0]).toBe(first.leases[0]);
    expect(second.leases[1]).not.toBe(first.leases[1]);
    expect(second.times[0]).toBe(first.times[0]);
  });

  it("refuses DoRA by name where the base's weights are not there", async () => {
    const store = new AdapterStore({
      shape: (await openMade(qwen2)).shape,
      folders: [join(folder, "adapters", "qwen2")],
      cacheFolder: join(folder, "cache", "none"),
    });
    await expect(store.open("a2", store.stamp("a2"))).rejects.toMatchObject({
      code: "MOD_SERVE_ADAPTER_UNUSABLE",
      message: expect.stringContaining("use_dora"),
    });
    await expect(store.open("a0", store.stamp("a0"))).resolves.toBeDefined();
    expect(await readFile(join(folder, "cache", "none", "a0.adapter"))).toBeDefined();
  });
});

describe("files with DoRA", () => {
  const dora = cases[2]![2];
  it("are refused without a magnitude vector, with one that is not asked for, and where an output has no length", async () => {
    const without = dora.tensors.filter(({ name }) => !name.endsWith("1.mlp.up_proj.lora_magnitude_vector"));
    const name = "base_model.model.model.layers.1.mlp.up_proj.lora_magnitude_vector";
    await expect(logitsOf(qwen2, { ...dora, tensors: without })).rejects.toMatchObject({
      data: { field: name },
    });
    const { use_dora: _, ...config } = dora.config;
    await expect(logitsOf(qwen2, { ...dora, config })).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      message: expect.stringContaining("lora_magnitude_vector"),
    });
    const weights = qwen2.tensors.map((tensor) =>
      tensor.name === "model.layers.0.self_attn.k_proj.weight"
        ? { ...tensor, values: new Float32Array(tensor.values.length) }
        : tensor,
    );
    const tensors = dora.tensors.map((tensor) => ({
      ...tensor,
      values: tensor.name.includes("lora_B") ? new Float32Array(tensor.values.length) : tensor.values,
    }));
    await expect(logitsOf({ ...qwen2, tensors: weights }, { ...dora, tensors })).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      data: { field: "use_dora" },
      message: expect.stringContaining("k_proj"),
    });
  });

  it("have lengths of the weights that are computed with: int8 as the kernels unpack it", async () => {
    const model = await load(qwen2, dora, "wasm", "int8");
    const { kernels, layout, parameters, workspace } = model;
    const map = layout.layers[1]!.linears.down!;
    const read = outputReader(weightsOf(model), 1, "down");
    const row = new Float64Array(map.inputs);
    for (const output of [0, 15, 16, 31]) {
      read(output, row);
      kernels.blocks.unpack({ ...map, weights: parameters + map.weight }, output, 1, workspace.lastInput);
      const unpacked = kernels.arena.slice(workspace.lastInput, workspace.lastInput + map.inputs);
      expect(Float32Array.from(row)).toEqual(unpacked);
    }
  });
});

describe("patterns of modules", () => {
  it.each([
    ["q_proj", "model.layers.3.self_attn.q_proj", true],
    ["3.self_attn.q_proj", "model.layers.13.self_attn.q_proj", false],
    ["^model.layers.3.self_attn.q_proj", "model.layers.3.self_attn.q_proj", true],
    ["^layers.3.self_attn.q_proj", "model.layers.3.self_attn.q_proj", false],
    ["layers\\.(1|3)\\..*q_proj", "model.layers.3.self_attn.q_proj", true],
    ["layers.[0-2].self_attn.q_proj", "model.layers.3.self_attn.q_proj", false],
    ["proj", "model.layers.3.self_attn.q_proj", false],
  ] as const)("%s and %s: %s, as re.match of PEFT says", (pattern, name, isMatch) => {
    expect(patternExpression(pattern)!.test(name)).toBe(isMatch);
  });

  it("are refused by name where they are not read here", async () => {
    for (const pattern of [
      "(a+)+b",
      ".*.*.*x",
      "(?!q)_proj",
      "q_proj$",
      "a{2,}",
      "\\w+",
      "[",
      "",
      "x".repeat(300),
      "[9-0]",
    ]) {
      const rejected = expect(
        readAdapterSettings(
          sourceOf({ config: { ...plain, rank_pattern: { [pattern]: 4 } }, modules: [], tensors: [] }),
        ),
      ).rejects;
      await rejected.toMatchObject({ code: "MOD_FILE_INVALID", data: { field: "rank_pattern" } });
    }
    for (const value of [0, 1.5, 2_000, "8"])
      await expect(
        readAdapterSettings(
          sourceOf({ config: { ...plain, rank_pattern: { q_proj: value } }, modules: [], tensors: [] }),
        ),
      ).rejects.toMatchObject({ code: "MOD_FILE_INVALID" });
  });

  it("size an adapter by its largest rank", async () => {
    const opened = await openMade(qwen2);
    const layout = adapterLayout(opened.shape, await readAdapterSettings(sourceOf(cases[0]![2])));
    expect([layout.rank, layout.factor, layout.settings.rank]).toEqual([10, 5 / 3, 3]);
  });
});
