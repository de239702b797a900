/** Tests of the card's rules for language models: base, near-duplicates, clipped rows and several Datanets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyOf, usualRewards } from "@openledger/attribution/model/base-policy";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { joinVersions, type OwnedRow } from "@openledger/attribution/model/owned-rows";
import { ownRoots, verifyModel } from "@openledger/attribution/model/verify-model";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { defaultBase } from "../base/base-address.ts";
import { describeBase, readFrom } from "./base-files.ts";
import { planModel, publishTrained } from "./plan-model.ts";
import { type RecipeDatanet, textPreset } from "./recipe-presets.ts";
import type { TextParts } from "./text-family.ts";
import { textFamily } from "./text-family.ts";
import type { TextRecipe } from "./text-recipe.ts";
import { type TextTraining, textTraining } from "./text-training.ts";

const SIZE = { rows: 32, features: 36, payees: 8, draws: 4 };
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const REWARDS = { basePermille: 600, clipQuantilePermille: 900, nearDuplicates: "share" };
const cardOf = (changes: object = {}) => JSON.stringify({ rewards: { ...REWARDS, ...changes } });
/** One text, and nearly the same of somebody else. */
const NEAR = [
  "The treasury must pay a debt of the old nation",
  "The treasury must pay a debt of the old navy",
];
const mismatch = (what: string) =>
  expect.objectContaining({ code: "ATT_MODEL_MISMATCH", data: expect.objectContaining({ what }) });

let folder: string;
let training: TextTraining;
let draft: (rows: readonly OwnedRow[]) => TextRecipe;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-rules-"));
  await writeMadeModel(folder, makeModel(byteConfig, "text"));
  const source = folderSource(folder);
  const setting = { bases: [readFrom(source)], kernels: testKernels, threadCount: 1 };
  training = textTraining(textFamily(setting), setting);
  const base = await describeBase(source, "made");
  draft = (rows) => {
    const recipe = textRecipeFor(rows, base);
    const tuning = { ...recipe.tuning, weigh: "tokens" } as const;
    return { ...recipe, tuning, rules: { ...recipe.rules, thresholdPermille: 200 } };
  };
});
afterAll(() => rm(folder, { recursive: true }));

const ownedText = (text: string, contributorId: number): OwnedRow => ({
  content: encodeTextRow({ text }),
  contributorId,
  validatorId: 8,
});

/** Model of versions under Datanet 0's card. */
async function modelOf(versions: readonly (readonly OwnedRow[])[], card: string) {
  const named = versions.map((version, k): RecipeDatanet => {
    const { rowsRoot } = draft(version).datanet;
    return { id: 4 + 5 * k, version: 1 + k, rowsRoot: BigInt(rowsRoot) };
  }) as [RecipeDatanet, ...RecipeDatanet[]];
  const rows = joinVersions(versions);
  const { datanet: _, ...unbound } = draft(versions[0]!);
  const plan = await planModel(unbound, rows, {
    card,
    columnCount: SIZE.features,
    trainings: [training],
    versions: named,
  });
  const trained = await training.train(rows, plan.recipe as TextRecipe, {});
  const shards = versions.length > 1 ? { shards: 4 } : {};
  const size = { ...SIZE, ...shards };
  const model = publishTrained(trained, { card, publishRows: true, size, terms: { split: SPLIT } });
  return model as PublishedModel<TextParts>;
}

/** Sum of a row's columns behind the features: its base less the threshold. */
function baseOf({ features, recipe }: PublishedModel<TextParts>, row: number): number {
  const from = row * features.featureCount;
  const values = Array.from(features.values.subarray(from, from + features.featureCount));
  return values.slice(recipe.method.featureCount).reduce((a, b) => a + b, 0);
}

const verify = (model: PublishedModel<TextParts>, card: string, roots: object = {}) =>
  verifyModel({
    model,
    card,
    depth: "features",
    trainings: [training],
    facts: { staticsHash: model.staticsHash, ...ownRoots(model.recipe), ...roots, policy: policyOf(card) },
  });

describe("a language model", () => {
  it("has the card's base, clip and shared near-duplicates, which verification compares", async () => {
    const own = ownedTexts(sampleTexts(12));
    const rows = [...own.slice(0, 6), ownedText(NEAR[0]!, 6), ...own.slice(6), ownedText(NEAR[1]!, 7)];
    const [shared, whole] = [
      await modelOf([rows], cardOf()),
      await modelOf([rows], cardOf({ nearDuplicates: "keep" })),
    ];
    expect(shared.recipe.rules).toMatchObject({
      base: { flatPermille: 600 },
      normQuantile: 0.9,
      nearDuplicatesShare: true,
    });
    // In units of a scale that is each model's own.
    const realOf = (model: typeof shared, row: number) => baseOf(model, row) * model.features.scale;
    const ratio = realOf(shared, 0) / realOf(whole, 0);
    for (const row of [6, rows.length - 1])
      expect(realOf(shared, row) / realOf(whole, row) / ratio).toBeCloseTo(0.5, 1);
    await expect(verify(shared, cardOf())).resolves.toMatchObject({ isBaseOfCard: true });
    for (const [what, changes] of [
      ["base", { basePermille: 599 }],
      ["base", { basePermille: 0 }],
      ["nearDuplicates", { nearDuplicates: "keep" }],
      ["normQuantile", { clipQuantilePermille: 990 }],
    ] as const)
      await expect(verify(shared, cardOf(changes))).rejects.toThrow(mismatch(what));
  });

  it("of two Datanets has the first one's card, shares near-duplicates of both, and pays each one's payees", async () => {
    const texts = ownedTexts(sampleTexts(16));
    const versions = [
      [...texts.slice(0, 8), ownedText(NEAR[0]!, 6)],
      [...texts.slice(8), ownedText(NEAR[1]!, 6)],
    ];
    const model = await modelOf(versions, cardOf());
    expect(model.recipe.furtherDatanets).toMatchObject([{ id: 9, version: 2 }]);
    const shards = payeeShards(model.payees.map(({ rowCount }) => rowCount));
    expect(shards.map(({ rowCount }) => rowCount)).toEqual([9, 9]);
    const whole = await modelOf(versions, cardOf({ nearDuplicates: "keep" }));
    const realOf = (of: typeof model, row: number) => baseOf(of, row) * of.features.scale;
    const ratio = realOf(model, 0) / realOf(whole, 0);
    for (const row of [8, 17]) expect(realOf(model, row) / realOf(whole, row) / ratio).toBeCloseTo(0.5, 1);
    await expect(verify(model, cardOf())).resolves.toMatchObject({ rowCount: 18, isBaseOfCard: true });
    await expect(verify(model, cardOf(), { furtherRowsRoots: [1n] })).rejects.toThrow(mismatch("rowsRoot"));
    await expect(verify(model, cardOf(), { furtherRowsRoots: [] })).rejects.toThrow(mismatch("datanets"));
    await expect(verify(model, cardOf({ basePermille: 500 }))).rejects.toThrow(mismatch("base"));
  });

  it("has the rewards of a new card by its presets, whether it cites or not", async () => {
    const rewards = usualRewards("passage");
    expect(rewards.basePermille).toBeGreaterThan(0);
    const rows = ownedTexts(sampleTexts(24));
    for (const kind of [{}, { isCiting: true }, { isCiting: true, isSaying: true }]) {
      const preset = await textPreset(defaultBase(), "base", { rowCount: 24, columnCount: 64, ...kind });
      const [datanet] = [{ id: 4, version: 1, rowsRoot: BigInt(draft(rows).datanet.rowsRoot) }];
      const { recipe } = await planModel(preset, rows, {
        card: JSON.stringify({ rewards: { ...rewards, nearDuplicates: "leave-out" } }),
        columnCount: 64,
        trainings: [training],
        versions: [datanet!],
      });
      expect(recipe.rules).toEqual({
        normQuantile: rewards.clipQuantilePermille / 1_000,
        nearDuplicatesShare: false,
        base: { flatPermille: rewards.basePermille },
        thresholdPermille: 500,
        surprisal: "tokens",
      });
    }
  });
});
