/** The base of direct models: the same for every row in units of the query's length, for any question and answer. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, lengthOf, MAX_TERMS, termTotal } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, expect, test } from "vitest";
import { BASE_BUCKETS, baseEntries, countBase, MAX_BASED_TERMS } from "../../features/direct-base.ts";
import { judgePrompt } from "../../scores/drawn-prompts.ts";
import { recipeFor, SAMPLE_CLASSES, sampleInputs, sampleRows } from "../../testing/sample-rows.ts";
import { policyOf } from "../base-policy.ts";
import { publishedModel } from "../model-files.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { directFamily } from "./direct-family.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { trainDirect } from "./direct-training.ts";

beforeAll(() => initPoseidon());

test("a prompt counts the root of its terms for the answered class, within the circuit's bounds", () => {
  for (let terms = 0; terms <= MAX_BASED_TERMS; terms += terms < 40 ? 1 : 97) {
    const counts = new Uint8Array(1_024);
    for (let k = 0; k < terms; k++) counts[k % 1_000]! += 1;
    for (const answeredClass of [0, 1]) {
      const based = counts.slice();
      countBase(based, answeredClass);
      const own = based.subarray(1_014 + 5 * answeredClass, 1_019 + 5 * answeredClass);
      expect(Math.max(...own)).toBeLessThanOrEqual(3);
      expect(own[0]! + 4 * (own[1]! + own[2]! + own[3]! + own[4]!)).toBe(Math.floor(Math.sqrt(terms)));
      expect(termTotal(based)).toBe(terms + termTotal(own));
      expect(termTotal(based)).toBeLessThanOrEqual(MAX_TERMS);
    }
  }
  expect(baseEntries(510)).toEqual([128, 510, 510, 510, 510, -128, -510, -510, -510, -510]);
});

const cases = [
  ["text", 80, { kind: "text", bucketCount: 256 }],
  ["image", 40, { kind: "image", side: 7, bucketCount: 1_024 }],
] as const;

test.each(cases)("of %s: every score is the influence and the base", async (kind, count, inputs) => {
  const rows = sampleRows(kind, count);
  const base = { flatPermille: 500 };
  const recipe = recipeFor(rows, inputs.bucketCount, {
    inputs,
    rules: { normQuantile: 0.99, nearDuplicatesShare: false, base },
  });
  const trained = trainDirect(rows, recipe);
  const { featureCount, values } = trained.features as { featureCount: number; values: Int16Array };
  const from = inputs.bucketCount - BASE_BUCKETS;
  const matrix = directMatrix(trained.features as never);
  const without = { ...matrix, values: values.slice() };
  for (let k = 0; k <= rows.length; k++)
    without.values.fill(0, k * featureCount + from, k * featureCount + from + 10);
  const units = values[from + 1]!;
  expect(units).toBeGreaterThan(10);
  // The logit has none.
  expect(values.subarray(rows.length * featureCount + from).slice(0, 10)).toEqual(new Int16Array(10));
  const model = await directFamily.open(trained as never);
  const classes = new Set<number>();
  for (const { input } of sampleInputs(kind, 12, "asked")) {
    const { query, text } = model.answer(input) as { query: DirectQuery; text: string };
    classes.add(query.answeredClass);
    const [paid, influence] = [matrix, without].map((one) => directScores(one, query).map(Number));
    const added = paid!.map((score, k) => score - influence![k]!);
    // The same for every row: the prompt's length in units, but for its root's rounding.
    expect(new Set(added).size).toBe(1);
    const length = lengthOf(termTotal(query.counts.subarray(0, from)));
    expect(Math.abs(added[0]! - (length * units) / 4)).toBeLessThanOrEqual(2.01 * units + 30);
    const opening = { answerHash: answerHash(input, text), prompt: input, query };
    expect(judgePrompt(recipe, opening)).toBe("same");
    const dictated = { ...query, counts: query.counts.slice().fill(0, from) };
    expect(judgePrompt(recipe, { ...opening, query: dictated })).toBe("dictated");
  }
  expect(classes.size).toBe(kind === "text" ? 2 : 1);
});

test("a base out of range, or without buckets, is no recipe; a card that says another is no match", async () => {
  const rows = sampleRows("text", 24);
  const withBase = (flatPermille: number, changed: Partial<DirectRecipe> = {}) =>
    recipeFor(rows, 64, {
      rules: { normQuantile: 0.9, nearDuplicatesShare: false, base: { flatPermille } },
      ...changed,
    });
  const side = { kind: "image", side: 7, bucketCount: 1_008 } as const;
  for (const wrong of [
    withBase(1_001),
    withBase(0),
    withBase(-1),
    withBase(5, { inputs: side, classes: [...SAMPLE_CLASSES.image], columnCount: 1_009 }),
  ])
    expect(() => parseDirectRecipe(wrong)).toThrow(expect.objectContaining({ code: "ATT_RECIPE_INVALID" }));
  const trained = trainDirect(rows, withBase(300));
  const size = { rows: 24, payees: trained.payees.length, features: 64, draws: 4, isDirect: true };
  const registration = registerModel(trained, { split: { ownerParts: 1n, validatorParts: 2n } }, size);
  const model = publishedModel(trained, registration, { publishRows: true });
  const cardOf = (basePermille: number) => JSON.stringify({ rewards: { basePermille } });
  const verified = (card: string) =>
    verifyModel({
      model: model as never,
      card,
      depth: "features",
      facts: {
        staticsHash: model.staticsHash,
        rowsRoot: BigInt(model.recipe.datanet.rowsRoot),
        policy: policyOf(card),
      },
    });
  expect(await verified(cardOf(300))).toMatchObject({ isBaseOfCard: true });
  for (const other of [0, 299, 1_001])
    await expect(verified(cardOf(other))).rejects.toThrow(
      expect.objectContaining({
        code: "ATT_MODEL_MISMATCH",
        data: expect.objectContaining({ what: "base" }),
      }),
    );
  const ruled = (rewards: object) => JSON.stringify({ rewards: { basePermille: 300, ...rewards } });
  const { nearDuplicatesShare, normQuantile } = model.recipe.rules;
  const clipQuantilePermille = 1_000 * normQuantile;
  const nearDuplicates = nearDuplicatesShare ? "share" : "leave-out";
  expect(await verified(ruled({ nearDuplicates, clipQuantilePermille }))).toMatchObject({
    isBaseOfCard: true,
  });
  for (const [what, rewards] of [
    ["nearDuplicates", { nearDuplicates: nearDuplicatesShare ? "keep" : "share" }],
    ["normQuantile", { clipQuantilePermille: clipQuantilePermille === 500 ? 600 : 500 }],
  ] as const)
    await expect(verified(ruled(rewards))).rejects.toThrow(
      expect.objectContaining({
        code: "ATT_MODEL_MISMATCH",
        data: expect.objectContaining({ what }),
      }),
    );
});
