/** Hessian products and metagradients against differences of the same computation in doubles. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowLoss, type TokenRow } from "../../engine/architecture/loss-gradient.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { type LoadedModel, loadModel, openModel } from "../../engine/files/load-model.ts";
import { createKernels } from "../../engine/kernels/create-kernels.ts";
import { NONE } from "../../engine/kernels/kernels.ts";
import { rowsOfStep } from "../../tuning/training/step-plan.ts";
import { RowTeam, tuneAdapter, tuningBlocks, usualRecipe } from "../../tuning/training/tune-adapter.ts";
import { type MadeName, madeConfigs, makeModel, writeMadeModel } from "../made-models.ts";
import { testKernels } from "../test-kernels.ts";
import { tuningRows } from "../tuned-model.ts";
import { doubleKernels } from "./double-kernels.ts";
import { openHessianProducts } from "./hessian-product.ts";
import { metagradients } from "./metagradients.ts";

const NAMES = ["qwen3", "smollm2", "gpt2"] as const satisfies readonly MadeName[];
const folder = mkdtempSync(join(tmpdir(), "openledger-metagradient-"));
beforeAll(async () => {
  for (const name of NAMES) await writeMadeModel(join(folder, name), makeModel(madeConfigs[name]));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Weights have few digits: as floats, a part more or less of them is exact. */
const WEIGHT = 2 ** -4;
const PART = 2 ** -18;
/** Part of a direction by which a gradient's change is measured. */
const STEP = 1e-5;
const rows = tuningRows.map((row) => ({ ...row, weight: WEIGHT }));
const query: TokenRow = { tokens: [3, 14, 15, 9, 2, 6], targets: [14, 15, 9, 2, 6, 5] };
/** Ten rows in fifteen places: half of them are used once, the others twice. */
const recipe = { ...usualRecipe, steps: 5, rowsPerStep: 3, rate: 0.02, warmupSteps: 3, decay: 0.01 };

async function load(name: (typeof NAMES)[number]): Promise<LoadedModel> {
  const opened = await openModel(folderSource(join(folder, name)));
  const targets =
    name === "gpt2" ? (["c_attn", "c_fc"] as const) : (["q_proj", "v_proj", "down_proj"] as const);
  const loaded = await loadModel(opened, {
    ...{ kernels: testKernels, maxRows: 20, isTraining: true, adapterBlocks: tuningBlocks(recipe) },
    adapter: { rank: 4, alpha: 8, targets: [...targets] },
  });
  await opened.close();
  return loaded;
}

/** The same model in doubles. */
function inDoubles(loaded: LoadedModel): LoadedModel {
  const { kernels } = loaded.model;
  const own = doubleKernels(kernels.arena.length);
  own.arena.set(kernels.arena);
  const models = loaded.models.map((model) => ({ ...model, kernels: own }));
  return { ...loaded, models, model: models[0]! };
}

describe("Hessian products", () => {
  it.each(NAMES)("are the change of the gradient along each direction, of %s", async (name) => {
    const { adapterBlocks, model } = inDoubles(await load(name));
    const { at, layout } = model.adapter!;
    const { arena } = model.kernels;
    const { floatCount } = layout;
    const numbers = Float64Array.from({ length: floatCount }, (_, i) => 0.3 * Math.sin(i * i + 1));
    const directions = [2, 5].map((k) =>
      Float64Array.from({ length: floatCount }, (_, i) => Math.cos(k * i * i)),
    );
    const two = rows.slice(0, 2);
    const gradient = (along: Float64Array, step: number) => {
      for (let i = 0; i < floatCount; i++) arena[at + i] = numbers[i]! + STEP * step * along[i]!;
      const to = adapterBlocks[0]!;
      arena.fill(0, to, to + floatCount);
      for (const row of two) rowLoss(model, row, { parameters: NONE, adapter: to });
      return arena.slice(to, to + floatCount);
    };
    const hessian = openHessianProducts(model, 20, 2, doubleKernels);
    // The second time calls are repeated.
    hessian.products(numbers, two, directions);
    const products = hessian.products(numbers, two, directions);
    const inFloats = openHessianProducts(model, 20, 1, (count) => createKernels(testKernels, count).kernels);
    const floats = directions.map((direction) => inFloats.products(numbers, two, [direction])[0]!);
    for (const [k, direction] of directions.entries()) {
      const [up, down, far, below] = [1, -1, 2, -2].map((step) => gradient(direction, step));
      // Richardson's: errors grow by the step's fourth power.
      const expected = Float64Array.from(
        up!,
        (x, i) => (8 * (x - down![i]!) - (far![i]! - below![i]!)) / (12 * STEP),
      );
      const size = Math.hypot(...expected);
      expect(size).toBeGreaterThan(0.01);
      expect(Math.hypot(...expected.map((x, i) => x - products[k]![i]!)) / size).toBeLessThan(1e-7);
      expect(Math.hypot(...expected.map((x, i) => x - floats[k]![i]!)) / size).toBeLessThan(1e-4);
    }
    expect(() => hessian.products(numbers, two, [...directions, numbers])).toThrow(RangeError);
  });
});

describe("metagradients", () => {
  it.each(["qwen3", "gpt2"] as const)(
    "are the change of a query's loss by rows' weights, of %s",
    async (name) => {
      const loaded = inDoubles(await load(name));
      const team = new RowTeam(loaded);
      const uses = rows.map(() => 0);
      for (let step = 1; step <= recipe.steps; step++)
        for (const row of rowsOfStep(rows.length, recipe, step)) uses[row]! += 1;
      const some = [...rows.keys()].filter((row) => row % 3 !== 2);
      expect(new Set(some.map((row) => uses[row]))).toEqual(new Set([1, 2]));
      const found = await metagradients(loaded, team, rows, recipe, [query, rows[0]!], {
        ...{ queriesAtOnce: 1, createKernels: doubleKernels, derivative: "exact" },
      });
      const { at, layout } = loaded.model.adapter!;
      const left = loaded.model.kernels.arena.slice(at, at + layout.floatCount);
      const lossWith = async (row: number, part: number) => {
        const weighed = rows.map((own, i) => (i === row ? { ...own, weight: WEIGHT * (1 + part) } : own));
        await tuneAdapter(loaded, team, weighed, recipe);
        return rowLoss(loaded.model, query, null);
      };
      await tuneAdapter(loaded, team, rows, recipe);
      expect(left).toEqual(loaded.model.kernels.arena.slice(at, at + layout.floatCount));
      for (const row of some) {
        const expected = ((await lossWith(row, PART)) - (await lossWith(row, -PART))) / (2 * PART);
        expect(Math.abs(found.slopes[row]! - expected), `row ${row}`).toBeLessThan(1e-5 * Math.abs(expected));
      }
    },
  );
});
