/** A direct model that counts texts by word vectors: from rows to answers, files, verification and judged draws. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, requireDirectQuery } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, describe, expect, it } from "vitest";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import { judgePrompt } from "../../scores/drawn-prompts.ts";
import { recipeFor } from "../../testing/sample-rows.ts";
import { tinyVectors } from "../../testing/tiny-vectors.ts";
import { openCheckable } from "../model-family.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "../model-files.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { type DirectParts, directFamily, directFamilyOf, vectorsFileName } from "./direct-family.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { directTraining, directTrainingOf } from "./direct-training.ts";

const BUCKETS = 64;
const SIZE = { rows: 32, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };
const CLASSES = ["money", "water"];
/** Words of one meaning are near each other: a question may have words that no row has. */
const { bytes, file, read } = tinyVectors({
  refund: [110, 10, -5],
  invoice: [100, -20, 10],
  payment: [120, 5, 15],
  price: [90, 25, -10],
  boat: [-10, 115, 20],
  harbour: [15, 100, -25],
  sail: [-20, 105, 5],
  paddle: [5, 120, 10],
});
const TEXTS = [
  ["refund my invoice", "invoice of payment", "my refund", "a payment and an invoice"],
  ["boat in the harbour", "sail to the harbour", "the boat", "a sail and a boat"],
];

beforeAll(initPoseidon);

describe.each([0, 1, 3])("a model of vectors, with words × %i", (wordCount) => {
  let rows: OwnedRow[];
  let recipe: DirectRecipe;
  let model: PublishedModel<DirectParts>;
  const family = directFamilyOf(read);
  const trainings = [directTrainingOf(read)] as never;

  beforeAll(async () => {
    rows = TEXTS.flatMap((texts, label) =>
      texts.map((text, k) => ({
        content: new TextEncoder().encode(text),
        label: CLASSES[label]!,
        contributorId: 5 + label,
        validatorId: 8 + (k % 1),
      })),
    );
    recipe = recipeFor(rows, BUCKETS, {
      classes: CLASSES,
      inputs: { kind: "text", vectors: file, wordCount, bucketCount: BUCKETS },
      rules: { normQuantile: 1, nearDuplicatesShare: false },
    });
    const trained = await directTrainingOf(read).train(rows, recipe, {});
    expect(trained.accuracy).toBe(1);
    const split = { ownerParts: 16_384n, validatorParts: 13_107n };
    model = publishedModel(trained, registerModel(trained, { split }, SIZE), {
      publishRows: true,
    }) as typeof model;
  });

  it("answers words that no row has, and pays the rows of their meaning", async () => {
    const answering = await openCheckable({ ...model, family });
    for (const [prompt, label] of [
      ["price", 0],
      ["paddle", 1],
    ] as const) {
      const { query, text } = answering.answer(prompt);
      expect(JSON.parse(text)).toEqual({ label: CLASSES[label] });
      requireDirectQuery(query as DirectQuery);
      expect(answering.queryOf!(prompt, text)).toEqual(query);
      const scores = directScores(directMatrix(model.features), query as DirectQuery);
      const paid = (from: number) =>
        scores.slice(from, from + 4).reduce((sum, score) => sum + Number(score), 0);
      expect(paid(4 * label)).toBeGreaterThan(paid(4 * (1 - label)));
    }
  });

  it("is read back from its files, and verified from the rows", async () => {
    const files = encodeModel(model);
    const found = decodeModel<DirectParts>(files, [family]);
    expect({ ...found, family: null }).toEqual({ ...model, family: null });
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    for (const depth of ["train", "features"] as const) {
      const verified = await verifyModel({ model: found as never, facts, depth, trainings });
      expect(verified).toMatchObject({ rowCount: 8 });
      const without = verifyModel({
        model: found as never,
        facts,
        depth,
        trainings: [directTraining] as never,
      });
      await expect(without).rejects.toMatchObject({ code: "ATT_VECTORS_MISSING" });
    }
    await expect(directFamily.open(found)).rejects.toMatchObject({ code: "ATT_VECTORS_MISSING" });
    await expect(directTraining.requireTrainable(rows, recipe)).rejects.toMatchObject({
      code: "ATT_VECTORS_MISSING",
    });
    await directTrainingOf(read).requireTrainable(rows, recipe);
    const parts = await directTrainingOf(read).fit!(rows, recipe);
    expect(parts.parameters).toEqual(model.parameters);
    expect((await directTrainingOf(read).unseen(parts, rows, {})).values.size).toBe(8);
  });

  it("judges a drawn answer by the file alone that the recipe names", async () => {
    const prompt = "price of a paddle";
    const { query, text } = (await family.open(model)).answer(prompt);
    const opening = { answerHash: answerHash(prompt, text), prompt, query: query as DirectQuery };
    expect(await judgePrompt(recipe, opening, read)).toBe("same");
    const counts = (query as DirectQuery).counts.slice().fill(0, 1).fill(1, 0, 1);
    const dictated = { ...opening, query: { ...(query as DirectQuery), counts } };
    expect(await judgePrompt(recipe, dictated, read)).toBe("dictated");
    // Nobody has the file, somebody has another one, and an answer of its server that fails.
    const other: ReadVectors = async () =>
      bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
    for (const reader of [undefined, async () => null, other]) {
      expect(await judgePrompt(recipe, opening, reader)).toBe("unverifiable");
      expect(await judgePrompt(recipe, dictated, reader)).toBe("unverifiable");
      expect(await judgePrompt(recipe, { ...opening, prompt: "price" }, reader)).toBe("another-prompt");
    }
  });

  it("hands out the file by its hash, and nothing else", async () => {
    expect(await family.readShared!(model, vectorsFileName(file))).toEqual(bytes);
    for (const name of ["recipe.json", `${"0".repeat(64)}.bin`, "../../etc/passwd"])
      expect(await family.readShared!(model, name)).toBeNull();
    expect(await directFamily.readShared!(model, vectorsFileName(file))).toBeNull();
  });
});
