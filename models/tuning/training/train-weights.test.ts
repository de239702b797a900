import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parameterLayout } from "../../engine/architecture/model-shape.ts";
import { loadModel } from "../../engine/files/load-model.ts";
import { parseModelConfig } from "../../engine/files/model-config.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { madeConfigs } from "../../testing/made-models.ts";
import { tuningRows } from "../../testing/tuned-model.ts";
import { type TrainingRecipe, trainingBlocks, trainWeights } from "./train-weights.ts";
import { RowTeam, usualRecipe } from "./tune-adapter.ts";

/** SHA-256 of all weights after the last step: with every set of kernels, on any number of threads. */
const PINNED = "8f15442e1690fa8b88de859cdc7b249150e906d7919d242ac5222a84d748b133";

const recipe: TrainingRecipe = {
  ...usualRecipe,
  steps: 60,
  rowsPerStep: 5,
  lanes: 2,
  rate: 0.01,
  warmupSteps: 5,
  lastPart: 0.1,
  decay: 0.01,
  longest: 0.5,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "openledger-weights-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function train(
  kernels: KernelChoice,
  threadCount: number,
  change: Partial<TrainingRecipe> = {},
  state?: string,
  lastStep = Number.POSITIVE_INFINITY,
) {
  const shape = parseModelConfig(new TextEncoder().encode(JSON.stringify(madeConfigs.qwen3)));
  const opened = {
    shape,
    layout: parameterLayout(shape),
    load: async () => undefined,
    close: async () => undefined,
  };
  const loaded = await loadModel(opened, {
    kernels,
    maxRows: 20,
    isTraining: true,
    fullBlocks: trainingBlocks(recipe),
    threadCount,
  });
  const team = new RowTeam(loaded);
  const losses: number[] = [];
  try {
    await trainWeights(
      loaded,
      team,
      tuningRows,
      { ...recipe, ...change },
      {
        ...(state === undefined ? {} : { folder: state, stepsPerCheckpoint: 7 }),
        onStep: ({ loss, step }) => {
          losses.push(loss);
          if (step === lastStep) throw new Error("stopped");
        },
      },
    );
  } finally {
    await team.close();
  }
  const { kernels: own, layout, parameters } = loaded.model;
  const weights = own.arena.slice(parameters, parameters + layout.floatCount);
  const hash = createHash("sha256").update(new Uint8Array(weights.buffer)).digest("hex");
  return { hash, losses };
}

describe("training all weights", () => {
  it.each(["wasm", ...nativeKernelSets()] as KernelChoice[])(
    "learns, to the pinned bytes, by %s",
    async (kernels) => {
      const { hash, losses } = await train(kernels, 1);
      expect(losses[0]!).toBeCloseTo(Math.log(70), 0);
      expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
      expect(hash).toBe(PINNED);
    },
  );

  it("gives the same bytes on three threads", async () => {
    expect((await train("wasm", 3)).hash).toBe(PINNED);
  });

  it("goes on from its last state to the same bytes, and from no other training's", async () => {
    const state = join(folder, "state");
    await expect(train("wasm", 1, {}, state, 25)).rejects.toThrow("stopped");
    const { hash, losses } = await train("wasm", 1, {}, state);
    expect(losses).toHaveLength(60 - 21);
    expect(hash).toBe(PINNED);
    await expect(train("wasm", 1, { lastPart: 0.2 }, state)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      data: { reason: expect.stringMatching(/damaged|it is of another base, recipe or text/) },
    });
  });

  it("refuses settings out of range", async () => {
    for (const change of [{ lanes: 0 }, { lanes: 1.5 }, { longest: 0 }, { lastPart: 2 }, { steps: 0 }])
      await expect(train("wasm", 1, change)).rejects.toMatchObject({ code: "MOD_INPUT_INVALID" });
  });
});
