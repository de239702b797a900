import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterAll, describe, expect, it } from "vitest";
import { passRow, rowLoss } from "../architecture/loss-gradient.ts";
import { computeLogits, placeLogits, readTokens } from "../architecture/transformer.ts";
import { folderSource } from "../files/folder-source.ts";
import { type LoadedModel, loadModel } from "../files/load-model.ts";
import { openModel } from "../files/open-model.ts";
import { GpuKernels } from "../kernels/webgpu/gpu-kernels.ts";
import { type MadeName, madeConfigs, makeModel, writeMadeModel } from "../testing/made-models.ts";
import { tuningRows } from "../testing/tuned-model.ts";
import { RowTeam } from "./row-team.ts";
import { tuneAdapter, tuningBlocks, usualRecipe } from "./tune-adapter.ts";
import { CARD_BLOCKS, cardLosses, tuneOnCard } from "./tune-on-card.ts";

const MAX_ROWS = 20;
const recipe = { ...usualRecipe, steps: 6, rowsPerStep: 2, rate: 0.01 };
const folder = mkdtempSync(join(tmpdir(), "openledger-card-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(name: MadeName): Promise<{ loaded: LoadedModel; losses: number }> {
  await writeMadeModel(folder, makeModel(madeConfigs[name], name));
  const opened = await openModel(folderSource(folder));
  let losses = 0;
  const loaded = await loadModel(opened, {
    kernels: "wasm",
    maxRows: MAX_ROWS,
    isTraining: true,
    adapter: {
      rank: 4,
      alpha: 8,
      targets: name === "gpt2" ? ["c_attn", "mlp.c_proj"] : ["q_proj", "v_proj"],
    },
    adapterBlocks: Math.max(tuningBlocks(recipe), CARD_BLOCKS),
    fullBlocks: 1,
    placeMore: (plan) => {
      losses = plan.take(cardLosses(recipe, MAX_ROWS));
    },
  });
  await opened.close();
  return { loaded, losses };
}

/** A software adapter's kernels over the model's arena; null, and said loudly, where this machine has none. */
async function openCard({ model }: LoadedModel): Promise<GpuKernels | null> {
  return GpuKernels.open(model.kernels.arena, "software").catch((error: unknown) => {
    if (!isRollupError(error, "PRV_GPU_UNAVAILABLE")) throw error;
    console.error(`SKIPPED, NOT PASSED: models on graphics cards: ${error.message}`);
    return null;
  });
}

/** Within 10^-4 of the largest. */
function expectNear(mine: Float32Array, wanted: Float32Array): void {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest).toBeGreaterThan(0);
  const wrong = mine.findIndex((value, i) => !(Math.abs(value - wanted[i]!) <= 1e-4 * largest));
  expect(wrong, `number ${wrong}: ${mine[wrong]}, not ${wanted[wrong]}, of ${largest}`).toBe(-1);
}

describe.each(["gpt2", "smollm2", "qwen3"] as const)("%s on a graphics card", (name) => {
  it("has the processor's logits, loss and gradients", async ({ skip }) => {
    const { loaded } = await load(name);
    const { adapterBlocks, fullBlocks, model } = loaded;
    const { arena } = model.kernels;
    const { at, layout } = model.adapter!;
    for (let i = 0; i < layout.floatCount; i++) arena[at + i] = 0.2 * Math.sin(i);
    const card = await openCard(loaded);
    if (card === null) return skip();
    try {
      const onCard = { ...model, kernels: card };
      const row = tuningRows[0]!;
      readTokens(model, row.tokens);
      readTokens(onCard, row.tokens);
      placeLogits(onCard, 0, row.tokens.length);
      const logits = computeLogits(model, 0, row.tokens.length);
      const got = await card.read(model.workspace.logits, logits.length);
      // What fills a row up to its stride is nobody's.
      const counts = (_: number, i: number) => i % 80 < 70;
      expectNear(got.filter(counts), logits.filter(counts));
      const into = { parameters: fullBlocks[0]!, adapter: adapterBlocks[0]! };
      const loss = rowLoss(model, row, into);
      passRow(onCard, row, into);
      const losses = await card.read(model.workspace.losses, row.tokens.length);
      expect(losses.reduce((sum, value) => sum + value, 0) / row.tokens.length).toBeCloseTo(loss, 4);
      for (const [block, count] of [
        [into.adapter, layout.floatCount],
        [into.parameters, model.layout.floatCount],
      ] as const)
        expectNear(await card.read(block, count), arena.subarray(block, block + count));
    } finally {
      card.close();
    }
  });
});

describe("tuning on a graphics card", () => {
  it("goes the processor's way, nearly", async ({ skip }) => {
    const onProcessor = await load("qwen2");
    const expected: number[] = [];
    const team = new RowTeam(onProcessor.loaded);
    await tuneAdapter(onProcessor.loaded, team, tuningRows, recipe, {
      onStep: ({ loss }) => expected.push(loss),
    });
    const { loaded, losses } = await load("qwen2");
    const card = await openCard(loaded);
    if (card === null) return skip();
    try {
      const found: number[] = [];
      await tuneOnCard(loaded, card, losses, tuningRows, recipe, ({ loss }) => found.push(loss));
      expect(found).toHaveLength(recipe.steps);
      for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(expected[i]!, 3);
      const { at, layout } = loaded.model.adapter!;
      expect(
        loaded.model.kernels.arena.subarray(at, at + layout.floatCount).some((value) => value !== 0),
      ).toBe(true);
    } finally {
      card.close();
    }
  });
});
