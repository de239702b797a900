/** Compares logits, losses and gradients of the engine with an independent one, and the kernels with each other. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oracle } from "../../testing/jax-oracle.ts";
import { type MadeName, madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { halfToFloat } from "../files/float-formats.ts";
import { folderSource } from "../files/folder-source.ts";
import { type LoadedModel, loadModel, openModel } from "../files/load-model.ts";
import type { NamedTensor } from "../files/safetensors.ts";
import { tensorTargets } from "../files/tensor-targets.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { type BlockKernels, NONE, type PackedMap, packedViews } from "../kernels/kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { type AdapterTarget, adapterMatrices } from "./adapter-layout.ts";
import { rowLoss } from "./loss-gradient.ts";
import { WEIGHT_NUMBERS, type WeightNumbers } from "./model-shape.ts";
import { repeatCalls } from "./repeated-calls.ts";
import { computeLogits, readTokens, type Transformer } from "./transformer.ts";

const names = Object.keys(madeConfigs) as MadeName[];
const choices: KernelChoice[] = ["wasm", ...nativeKernelSets()] as KernelChoice[];
const TOKENS = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32, 38, 46, 26, 43, 38, 3, 27, 69, 0];
/** The first of them are a prompt. */
const TARGETS = TOKENS.map((_, t) => (t < 5 ? -1 : TOKENS[(t + 1) % TOKENS.length]!));
const targetsOf = (name: MadeName): AdapterTarget[] =>
  name === "gpt2"
    ? ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"]
    : ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
const moduleOf = (name: MadeName, layer: number, target: AdapterTarget): string => {
  if (name === "gpt2")
    return `h.${layer}.${{ c_attn: "attn.c_attn", c_fc: "mlp.c_fc" }[target as string] ?? target}`;
  const block = /^(gate|up|down)/.test(target) ? "mlp" : "self_attn";
  return `model.layers.${layer}.${block}.${target}`;
};
const settings = (name: MadeName) => ({ rank: 3, alpha: 6, targets: targetsOf(name) });

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-models-"));
  for (const name of names) await writeMadeModel(join(folder, name), makeModel(madeConfigs[name], name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads a model with an adapter of random numbers. */
async function load(
  name: MadeName,
  kernels: KernelChoice,
  weights: WeightNumbers = "float32",
): Promise<LoadedModel> {
  const opened = await openModel(folderSource(join(folder, name)));
  const loaded = await loadModel(opened, {
    kernels,
    maxRows: 24,
    isTraining: true,
    adapter: settings(name),
    weights,
    adapterBlocks: 1,
    fullBlocks: weights === "int8" ? 0 : 1,
  });
  await opened.close();
  const { arena } = loaded.model.kernels;
  const { at, layout } = loaded.model.adapter!;
  const random = new SeededRandom(`adapter ${name}`);
  for (const { a, b, inputs, outputs } of layout.parts) {
    for (let i = 0; i < inputs * 3; i++) arena[at + a + i] = (random.nextFraction() - 0.5) * 0.4;
    for (let i = 0; i < outputs * 3; i++) arena[at + b + i] = (random.nextFraction() - 0.5) * 0.4;
  }
  return loaded;
}

/**
 * The model with products of int8 weights in doubles. The first pass rounds rows, and later ones move them by as much: a
 * gradient that takes roundings for moves is the gradient of these.
 */
function withFixedRounding(model: Transformer): Transformer {
  const { kernels } = model;
  const { arena, blocks } = kernels;
  const moves: Float64Array[] = [];
  let [call, moved]: [number, Float64Array] = [0, new Float64Array()];
  const weightsAt = new Map<number, Float64Array>();
  const weightsOf = (map: PackedMap) => {
    const { integers, placeOf, scales } = packedViews(arena, map);
    return Float64Array.from({ length: map.outputs * map.inputs }, (_, i) => {
      const column = i % map.inputs;
      const { integer, scale } = placeOf(Math.floor(i / map.inputs), column >> 5);
      return integers[integer + 64 * ((column >> 2) & 7) + (i & 3)]! * halfToFloat(scales[scale]!);
    });
  };
  const own: BlockKernels = {
    ...blocks,
    // A pass begins by reading the embedding.
    unpack(...input) {
      call = 0;
      blocks.unpack(...input);
    },
    quantise(rows, width, x) {
      const row = Float64Array.from(arena.subarray(x, x + rows * width));
      moves[call] ??= row.map((value, k) => {
        const from = k - ((k % width) % 32);
        const block = row.subarray(from, Math.min(from + 32, k - (k % width) + width));
        const step = block.reduce((max, one) => Math.max(max, Math.abs(one)), 0) / 127;
        return step === 0 ? 0 : Math.round(value / step) * step - value;
      });
      moved = row.map((value, k) => value + moves[call]![k]!);
      call += 1;
    },
    multiply({ accumulate, rows, y, yStride, ...map }) {
      const { inputs, outputs } = map;
      const weights = weightsAt.get(map.weights) ?? weightsOf(map);
      weightsAt.set(map.weights, weights);
      for (let t = 0; t < rows; t++)
        for (let o = 0; o < outputs; o++) {
          // Two sums at a time, since each waits for its own last product.
          let [even, odd] = [accumulate ? arena[y + t * yStride + o]! : 0, 0];
          for (let i = 0; i < inputs; i += 2) {
            even += moved[t * inputs + i]! * weights[o * inputs + i]!;
            odd += moved[t * inputs + i + 1]! * weights[o * inputs + i + 1]!;
          }
          arena[y + t * yStride + o] = even + odd;
        }
    },
  };
  const fixed = { ...kernels, blocks: own };
  return { ...model, kernels: { ...fixed, record: (make) => () => make(fixed) } };
}

/** A matrix of the arena, the other way round. */
function flipped(arena: Float32Array, at: number, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [column, row] = [Math.floor(i / rows), i % rows];
    return arena[at + row * columns + column]!;
  });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}

/** Expects gradients within 10^-4 of the largest one of the tensor. */
function expectNear(mine: Float32Array, wish: Float32Array, name: string): void {
  const largest = wish.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  // A bias of keys moves all scores of a query alike, so its gradient is 0 but for rounding.
  if (!name.endsWith("k_proj.bias")) expect(largest, name).toBeGreaterThan(1e-4);
  expect(largestDifference(mine, wish), name).toBeLessThan(1e-4 * largest + 1e-7);
}

describe.each(names)("%s", (name) => {
  it("has the logits, the loss and every gradient of an independent engine", async () => {
    const {
      adapterBlocks,
      fullBlocks: [fullGradient = NONE],
      model,
    } = await load(name, "wasm");
    const { arena } = model.kernels;
    const { at, layout } = model.adapter!;
    const adapterTensors = layout.parts.flatMap(({ a, b, inputs, layer, outputs, target }): NamedTensor[] => [
      {
        name: `${moduleOf(name, layer, target)}.lora_A`,
        shape: [3, inputs],
        values: flipped(arena, at + a, inputs, 3),
      },
      {
        name: `${moduleOf(name, layer, target)}.lora_B`,
        shape: [outputs, 3],
        values: flipped(arena, at + b, 3, outputs),
      },
    ]);
    const expected = await oracle(
      makeModel(madeConfigs[name], name),
      { tokens: TOKENS, targets: TARGETS },
      { factor: 2, tensors: adapterTensors },
    );
    readTokens(model, TOKENS);
    const rowStride = 80;
    const logits = computeLogits(model, 0, TOKENS.length);
    const plain = Float32Array.from(
      { length: TOKENS.length * 70 },
      (_, i) => logits[Math.floor(i / 70) * rowStride + (i % 70)]!,
    );
    expect(largestDifference(plain, expected.logits)).toBeLessThan(1e-4);

    const into = { parameters: fullGradient, adapter: adapterBlocks[0]! };
    const loss = rowLoss(model, { tokens: TOKENS, targets: TARGETS }, into);
    expect(loss).toBeCloseTo(expected.loss, 4);
    for (const { a, b, inputs, layer, outputs, target } of layout.parts) {
      const module = moduleOf(name, layer, target);
      for (const [part, offset, rows, columns] of [
        ["lora_A", a, inputs, 3],
        ["lora_B", b, 3, outputs],
      ] as const) {
        const wish = expected.adapterGradients.get(`${module}.${part}`)!;
        const mine = flipped(arena, adapterBlocks[0]! + offset, rows, columns);
        expectNear(mine, wish, `${module}.${part}`);
      }
    }
    let checked = 0;
    for (const target of tensorTargets(model.shape, model.layout)) {
      const wish = expected.gradients.get(target.name) ?? expected.gradients.get(`model.${target.name}`)!;
      const columns = target.shape.at(-1)!;
      const mine = Float32Array.from({ length: wish.length }, (_, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        return arena[fullGradient + target.at + row * target.rowStride + column * target.columnStride]!;
      });
      expectNear(mine, wish, target.name);
      checked += 1;
    }
    expect(checked).toBe(expected.gradients.size);
  });

  it.each(WEIGHT_NUMBERS)("gives the same bytes with every set of kernels, by %s", async (weights) => {
    const hashes = new Set<string>();
    for (const choice of choices) {
      const {
        adapterBlocks,
        fullBlocks: [fullGradient = NONE],
        model,
      } = await load(name, choice, weights);
      const into = { parameters: fullGradient, adapter: adapterBlocks[0]! };
      const loss = rowLoss(model, { tokens: TOKENS, targets: TARGETS }, into);
      const { arena } = model.kernels;
      const block = (at: number, count: number) => Buffer.from(arena.slice(at, at + count).buffer);
      const whole = fullGradient === NONE ? "" : block(fullGradient, model.layout.floatCount);
      // Passes that are made again, beside those of another length and another block.
      const { floatCount } = model.adapter!.layout;
      const gradient = block(into.adapter, floatCount);
      const short = TOKENS.length - 1;
      for (const count of [TOKENS.length, short, TOKENS.length, short, TOKENS.length]) {
        const again = fullGradient === NONE ? into : { parameters: NONE, adapter: fullGradient };
        arena.fill(0, again.adapter, again.adapter + floatCount);
        const row = { tokens: TOKENS.slice(0, count), targets: TARGETS.slice(0, count) };
        const isWhole = count === TOKENS.length;
        expect(rowLoss(model, row, again) === loss).toBe(isWhole);
        expect(block(again.adapter, floatCount).equals(gradient)).toBe(isWhole);
      }
      hashes.add(
        createHash("sha256")
          .update(String(loss))
          .update(block(adapterBlocks[0]!, model.adapter!.layout.floatCount))
          .update(whole)
          .digest("hex"),
      );
    }
    expect(choices.length).toBeGreaterThan(0);
    expect([...hashes]).toHaveLength(1);
  });

  it("has by int8 weights the gradients of a pass in which roundings are fixed moves", async () => {
    const {
      adapterBlocks: [gradient = NONE],
      model,
    } = await load(name, "wasm", "int8");
    const row = { tokens: TOKENS, targets: TARGETS };
    const loss = rowLoss(model, row, { parameters: NONE, adapter: gradient });
    const fixed = withFixedRounding(model);
    expect(rowLoss(fixed, row, null)).toBeCloseTo(loss, 4);
    const { arena } = model.kernels;
    const { at, layout } = model.adapter!;
    for (const { at: offset, columns, rows } of adapterMatrices(layout)) {
      const slope = arena.slice(gradient + offset, gradient + offset + rows * columns);
      const square = slope.reduce((sum, x) => sum + x * x, 0);
      const own = arena.subarray(at + offset, at + offset + rows * columns);
      const before = own.slice();
      // A step along the gradient that changes the loss by a thousandth, either way.
      const [up, down] = [1e-3, -1e-3].map((change) => {
        own.set(before.map((x, i) => x + (change / square) * slope[i]!));
        return rowLoss(fixed, row, null);
      }) as [number, number];
      own.set(before);
      expect(Math.abs((up - down) / 2e-3 - 1)).toBeLessThan(0.01);
    }
  });

  it("reads on from where it was, to the same bytes as at once", async () => {
    const { model } = await load(name, "wasm");
    readTokens(model, TOKENS);
    const atOnce = computeLogits(model, TOKENS.length - 1, 1).slice();
    const opened = await openModel(folderSource(join(folder, name)));
    const options = { kernels: "wasm", maxRows: 24, isTraining: false, adapter: settings(name) } as const;
    const { model: reading } = await loadModel(opened, options);
    await opened.close();
    const [from, to] = [model.adapter!.at, reading.adapter!.at];
    reading.kernels.arena.set(
      model.kernels.arena.subarray(from, from + model.adapter!.layout.floatCount),
      to,
    );
    readTokens(reading, TOKENS.slice(0, 9));
    readTokens(reading, TOKENS.slice(9, 12), 9);
    for (const t of TOKENS.keys()) if (t >= 12) readTokens(reading, [TOKENS[t]!], t);
    expect(computeLogits(reading, 0, 1).slice()).toEqual(atOnce);
  });

  it("has by int8 weights the same bytes with every set of kernels, at once and in parts, near the floats' logits", async () => {
    const opened = await openModel(folderSource(join(folder, name)));
    const logitsBy = async (kernels: KernelChoice, weights: WeightNumbers, parts: readonly number[]) => {
      const { model } = await loadModel(opened, { kernels, maxRows: 24, isTraining: false, weights });
      for (const [i, from] of parts.entries()) readTokens(model, TOKENS.slice(from, parts[i + 1]), from);
      const last = TOKENS.length - 1 - parts.at(-1)!;
      return computeLogits(model, last, 1).slice(0, model.shape.vocabularySize);
    };
    const floats = await logitsBy("wasm", "float32", [0]);
    const mine = await logitsBy("wasm", "int8", [0]);
    for (const choice of choices) expect(await logitsBy(choice, "int8", [0, 9, 12, 20])).toEqual(mine);
    await opened.close();
    // Rounding to steps of 1 / 127 of a block's largest number is off by 1 / 127 / √12 of that, root mean square. The largest is
    // √3 times the root mean square of weights, which are evenly spread here, and at most √32 times that of any block. Nine
    // products follow one another: four in each of two layers, and the head. Twice that is allowed, for one row of 70 logits.
    const root = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / 70);
    const error = root(mine.map((value, i) => value - floats[i]!)) / root(floats);
    expect(error).toBeLessThan((2 * Math.sqrt((9 * (3 + 32)) / 12)) / 127);
    expect(error).toBeGreaterThan(1e-4);
  });
});

describe("tokens and targets", () => {
  it("are refused outside the vocabulary and beyond the room", async () => {
    const { model } = await load("llama", "wasm");
    const block = { parameters: NONE, adapter: NONE };
    const code = (run: () => unknown) =>
      expect(run).toThrow(expect.objectContaining({ code: "MOD_INPUT_INVALID" }));
    code(() => readTokens(model, []));
    code(() => readTokens(model, [70]));
    code(() => readTokens(model, [-1]));
    code(() => readTokens(model, [0.5]));
    code(() => readTokens(model, Array(25).fill(1)));
    code(() => readTokens(model, [1], 24));
    code(() => rowLoss(model, { tokens: [1, 2], targets: [1] }, block));
    code(() => rowLoss(model, { tokens: [1, 2], targets: [-1, -1] }, block));
    code(() => rowLoss(model, { tokens: [1, 2], targets: [1, 70] }, block));
  });
});

describe("repeated passes", () => {
  it("are one native call from the second time on, those made last", async () => {
    const [native] = nativeKernelSets();
    if (native === undefined) return;
    const { model } = await load("llama", native);
    let made = 0;
    const pass = (name: string) => repeatCalls(model, name, () => void made++);
    for (let i = 0; i < 4; i++) pass("one");
    expect(made).toBe(2);
    for (let i = 0; i < 16; i++) pass(`other ${i}`);
    expect(made).toBe(18);
    pass("one");
    pass("other 15");
    pass("other 15");
    expect(made).toBe(20);
  });
});
