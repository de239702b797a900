/** Tests of batches of requests: each gets the tokens that it gets alone; and of the adapters' memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAdapter, writeMadeAdapter } from "../../testing/made-adapters.ts";
import { type MadeName, madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { generate } from "../../tuning/training/generate.ts";
import { fromPages } from "../adapters/adapter-pages.ts";
import { AdapterPool } from "../adapters/adapter-pool.ts";
import { AdapterStore } from "../adapters/adapter-store.ts";
import type { AdapterSettings, AdapterTarget } from "../architecture/adapter-layout.ts";
import type { WeightNumbers } from "../architecture/model-shape.ts";
import { folderSource } from "../files/folder-source.ts";
import { loadModel, openModel } from "../files/load-model.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { BatchLoop, type BatchRequest } from "./batch-loop.ts";
import { type LoadedBatchModel, loadBatchModel } from "./batch-model.ts";

const names = Object.keys(madeConfigs) as MadeName[];
const choices: KernelChoice[] = ["wasm", ...nativeKernelSets()];
const REQUESTS = 32;
const ADAPTERS = 6;
let folder: string;

/** Ranks below, at and above a page, floats and halves, other targets. */
function settingsOf(name: MadeName, i: number): AdapterSettings {
  const llama: AdapterTarget[][] = [
    ["q_proj", "v_proj"],
    ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
  ];
  const gpt2: AdapterTarget[][] = [["c_attn"], ["attn.c_proj", "c_attn", "c_fc", "mlp.c_proj"]];
  const targets = (name === "gpt2" ? gpt2 : llama)[i % 2]!;
  return { rank: [8, 3, 16, 12, 1, 8][i]!, alpha: 4 + i, targets };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-serving-"));
  for (const name of names) {
    await writeMadeModel(join(folder, name), makeModel(madeConfigs[name], name));
    const opened = await openModel(folderSource(join(folder, name)));
    await opened.close();
    for (let i = 0; i < ADAPTERS; i++) {
      const settings = settingsOf(name, i);
      const numbers = makeAdapter(opened.shape, settings, `${name} ${i}`, i % 3 === 0);
      await writeMadeAdapter(join(folder, "adapters", name, `a${i}`), opened.shape, settings, numbers);
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serving(name: MadeName, kernels: KernelChoice, weights: WeightNumbers = "float32") {
  const opened = await openModel(folderSource(join(folder, name)));
  const options = { kernels, threadCount: 1, batch: REQUESTS, maxPositions: 40, kvBytes: 2 ** 21, weights };
  const loaded = await loadBatchModel(opened, { ...options, adapterBytes: 2 ** 20 });
  await opened.close();
  const adapterStore = new AdapterStore({
    shape: opened.shape,
    folders: [join(folder, "adapters", name)],
    cacheFolder: join(folder, "cache", name),
  });
  const { at, floatCount } = loaded.adapters;
  return {
    loaded,
    adapterStore,
    pool: new AdapterPool(loaded.models[0]!.kernels.arena, at, floatCount, adapterStore),
  };
}

interface TestRequest {
  readonly prompt: readonly number[];
  readonly adapter: number | null;
  readonly temperature: number;
  readonly noRepeat?: number | undefined;
}

const requests: TestRequest[] = Array.from({ length: REQUESTS }, (_, i) => ({
  prompt: Array.from({ length: 1 + ((5 * i) % 23) }, (_, t) => (i * i + 7 * t) % 70),
  adapter: i % 7 === 6 ? null : i % ADAPTERS,
  temperature: i % 2,
  noRepeat: i % 4 === 2 ? 2 : undefined,
}));
const TOKENS = 9;

/** Answers of some of the questions, in one batch; every step one joins. */
async function answers(
  name: MadeName,
  kernels: KernelChoice,
  which: readonly number[],
  weights: WeightNumbers = "float32",
) {
  const { loaded, pool } = await serving(name, kernels, weights);
  const loop = new BatchLoop(loaded.models[0]!);
  const waiting: BatchRequest[] = [];
  for (const [order, i] of which.entries()) {
    const { adapter, noRepeat, prompt, temperature } = requests[i]!;
    waiting.push({
      id: i,
      prompt,
      adapter: adapter === null ? null : (await pool.lease(`a${adapter}`)).adapter,
      temperature,
      noRepeat,
      topP: 1,
      maxTokens: TOKENS,
      seed: String(i),
      // Not in order, and not side by side.
      pages: [2, 1, 0].map((page) => page * REQUESTS + order),
      endTokens: [],
    });
  }
  const tokens = new Map<number, number[]>(which.map((i) => [i, []]));
  while (waiting.length + loop.size > 0) {
    for (const request of waiting.splice(0, 3)) loop.join(request);
    for (const { id, token } of loop.step()) tokens.get(id)!.push(token);
  }
  return tokens;
}

/** The same question to the same base, without any batch. */
async function alone(name: MadeName, i: number, weights: WeightNumbers = "float32"): Promise<number[]> {
  const { adapter, noRepeat, prompt, temperature } = requests[i]!;
  const opened = await openModel(folderSource(join(folder, name)));
  const settings = adapter === null ? {} : { adapter: settingsOf(name, adapter) };
  const options = { kernels: "wasm", maxRows: 40, isTraining: false, weights } as const;
  const { model } = await loadModel(opened, { ...options, ...settings });
  await opened.close();
  if (adapter !== null) {
    const numbers = makeAdapter(
      opened.shape,
      settingsOf(name, adapter),
      `${name} ${adapter}`,
      adapter % 3 === 0,
    );
    model.kernels.arena.set(numbers, model.adapter!.at);
  }
  return [...generate(model, prompt, { tokenCount: TOKENS, temperature, noRepeat, seed: String(i) })];
}

describe.each(names)("a batch of %s", (name) => {
  it("gives every request the tokens that it has alone, with every set of kernels", async () => {
    const all = Array.from(requests.keys());
    const [first, ...others] = await Promise.all(choices.map((choice) => answers(name, choice, all)));
    for (const other of others) expect(other).toEqual(first);
    for (const i of [0, 1, 2, 3, 6, 11, 22]) {
      expect((await answers(name, choices.at(-1)!, [i])).get(i), `request ${i}`).toEqual(first!.get(i));
      expect(await alone(name, i), `request ${i}`).toEqual(first!.get(i));
    }
    expect(new Set(Array.from(first!.values(), String)).size).toBeGreaterThan(20);
  });

  it("does so by int8 weights, with adapters of floats", async () => {
    const some = [0, 1, 2, 6, 11];
    const [first, ...others] = await Promise.all(
      choices.map((choice) => answers(name, choice, some, "int8")),
    );
    for (const other of others) expect(other).toEqual(first);
    for (const i of [2, 6]) expect(await alone(name, i, "int8"), `request ${i}`).toEqual(first!.get(i));
  });
});

describe("adapters in the store", () => {
  const published = (i: number) => makeAdapter(shapeOf, settingsOf("llama", i), `llama ${i}`, i % 3 === 0);
  let shapeOf: LoadedBatchModel["models"][number]["shape"];

  it("are in memory bit for bit as they were exported", async () => {
    const { loaded, pool } = await serving("llama", "wasm");
    const { kernels, shape } = loaded.models[0]!;
    shapeOf = shape;
    for (let i = 0; i < ADAPTERS; i++) {
      const { adapter } = await pool.lease(`a${i}`);
      expect(adapter.isHalf).toBe(i % 3 === 0);
      const floats = Math.ceil(adapter.rank / 8) * adapter.pageFloats;
      const own = kernels.arena.slice(adapter.at, adapter.at + floats);
      const pages = adapter.isHalf ? Float32Array.from(new Uint16Array(own.buffer), halfToFloat) : own;
      expect(fromPages(shape, settingsOf("llama", i), pages)).toEqual(published(i));
    }
    expect(pool.counts).toEqual({ hits: 0, loads: ADAPTERS, evictions: 0 });
  });

  it("make room for each other, but never for one in use", async () => {
    const { loaded, adapterStore } = await serving("llama", "wasm");
    const { kernels } = loaded.models[0]!;
    // Room for the largest alone.
    const pool = new AdapterPool(kernels.arena, loaded.adapters.at, 9_216, adapterStore);
    const held = await pool.lease("a3");
    let isThere = false;
    const other = pool.lease("a1").then((lease) => {
      isThere = true;
      return lease;
    });
    await new Promise((go) => setTimeout(go, 20));
    expect(isThere).toBe(false);
    held.release();
    expect((await other).isCold).toBe(true);
    expect(pool.counts.evictions).toBe(1);
  });

  it("are refused by themselves when their files are damaged, and taken again when mended", async () => {
    const { pool, adapterStore } = await serving("qwen3", "wasm");
    const path = join(folder, "cache", "qwen3", "a0.adapter");
    (await pool.lease("a0")).release();
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const fresh = (await serving("qwen3", "wasm")).pool;
    await expect(fresh.lease("a0")).rejects.toMatchObject({ code: "MOD_SERVE_ADAPTER_UNUSABLE" });
    expect((await fresh.lease("a0")).isCold).toBe(true);
    for (const name of ["none", "../llama/a1", "..", "a0/", ""])
      expect(() => adapterStore.stamp(name)).toThrow(
        expect.objectContaining({ code: "MOD_SERVE_MODEL_UNKNOWN" }),
      );
    await writeFile(join(folder, "adapters", "qwen3", "a1", "adapter_model.safetensors"), "no tensors");
    await expect(fresh.lease("a1")).rejects.toMatchObject({ code: "MOD_SERVE_ADAPTER_UNUSABLE" });
  });
});

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
