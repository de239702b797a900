/** Pins the bytes of a small tuned model's feature matrix G, the same on every machine and with every set of kernels. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantiseFeatures } from "@openledger/attribution/features/quantise";
import { afterAll, beforeAll, expect, it } from "vitest";
import { adapterMatrices } from "../../engine/architecture/adapter-layout.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { NONE } from "../../engine/kernels/kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { loadForTuning, tuningRecipe, tuningRows } from "../../testing/tuned-model.ts";
import { RowTeam, tuneAdapter } from "../training/tune-adapter.ts";
import { mapTexts } from "./text-features.ts";
import { planTextFeatures, type TextFeatureOffsets, type TextFeatureOptions } from "./text-offsets.ts";

/** SHA-256 of G after 100 steps: a registered model is the same bytes on every machine. */
const PINNED = "bfd28d7565c2ad8d609ece68aa7fe19a7e4ed2c30e82fa849b8149f09e14de8a";
const FEATURES = 16;

const base = mkdtempSync(join(tmpdir(), "openledger-pinned-"));
beforeAll(() => writeMadeModel(base, makeModel(madeConfigs.qwen3)));
afterAll(() => rmSync(base, { recursive: true }));

it.each(["wasm", ...nativeKernelSets()] as KernelChoice[])(
  "G of a model that was tuned for 100 steps has the pinned bytes, by %s",
  async (kernels) => {
    let options!: TextFeatureOptions;
    let offsets!: TextFeatureOffsets;
    const loaded = await loadForTuning(base, kernels, 1, (plan, layout) => {
      options = {
        rowCount: tuningRows.length,
        gradientCount: layout.floatCount,
        featureCount: FEATURES,
        seed: "pinned",
        matrices: adapterMatrices(layout),
      };
      offsets = planTextFeatures(plan, options);
    });
    const team = new RowTeam(loaded);
    expect(tuningRecipe.steps).toBe(100);
    await tuneAdapter(loaded, team, tuningRows, tuningRecipe);
    await team.run(
      tuningRows.map((row, i) => {
        const at = offsets.gradients + i * options.gradientCount;
        const block = { at, floatCount: options.gradientCount };
        return { row, block, into: { parameters: NONE, adapter: at } };
      }),
    );
    const features = mapTexts(loaded.model.kernels, offsets, options);
    const { values } = quantiseFeatures(features, tuningRows.length, FEATURES);
    expect(new Set(values).size).toBeGreaterThan(10);
    expect(createHash("sha256").update(values).digest("hex")).toBe(PINNED);
  },
);
