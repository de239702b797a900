/** The base of direct models: the same for every row in units of the query's length, for any question and answer. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  type DirectQuery,
  lengthOf,
  MAX_TERMS,
  pairCount,
  pairOf,
  termTotal,
} from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, expect, test } from "vitest";
import {
  baseBuckets,
  baseEntries,
  countBase,
  MAX_BASED_TERMS,
  writeBase,
} from "../../features/direct-base.ts";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { termParts } from "../../rows/term-parts.ts";
import { judgePrompt } from "../../scores/drawn-prompts.ts";
import { madeLabels, madeText, madeTexts } from "../../testing/made-rows.ts";
import { recipeFor, SAMPLE_CLASSES, sampleRows } from "../../testing/sample-rows.ts";
import { policyOf } from "../base-policy.ts";
import { publishedModel } from "../model-files.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { directFamily } from "./direct-family.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { trainDirect } from "./direct-training.ts";

beforeAll(() => initPoseidon());

test.each([2, 3, 7, 50])(
  "of %i labels, a prompt counts the root of its terms for its pair, in bounds",
  (labelCount) => {
    const buckets = baseBuckets(labelCount);
    const entries = madeLabels(labelCount).map((_, label) => baseEntries(400, label, labelCount));
    for (let terms = 0; terms <= MAX_BASED_TERMS; terms += terms < 40 ? 13 : 197) {
      const counts = new Uint8Array(1_024);
      for (let k = 0; k < terms; k++) counts[k % (1_024 - buckets)]! += 1;
      for (let pair = 0; pair < pairCount(labelCount); pair += labelCount > 7 ? 17 : 1)
        for (const answeredClass of [0, 1] as const) {
          const based = counts.slice();
          countBase(based, { pair, answeredClass }, labelCount);
          const own = based.subarray(1_024 - buckets);
          expect(Math.max(...own)).toBeLessThanOrEqual(3);
          expect(termTotal(based)).toBe(terms + termTotal(own));
          expect(termTotal(based)).toBeLessThanOrEqual(MAX_TERMS);
          // 400 quarters are 100 units: whatever the pair, the score is 100 times the root.
          const [i, j] = pairOf(pair);
          const sign = answeredClass === 1 ? -1 : 1;
          const sum = own.reduce(
            (total, count, at) => total + sign * count * (entries[j]![at]! - entries[i]![at]!),
            0,
          );
          expect(sum).toBe(100 * Math.floor(Math.sqrt(terms)));
        }
    }
  },
);

test("of two labels the base has ten buckets, as before there were more", () => {
  expect([2, 3, 4, 5, 50].map(baseBuckets)).toEqual([10, 20, 20, 30, 60]);
  expect(baseEntries(510, 1, 2)).toEqual([128, 510, 510, 510, 510, -128, -510, -510, -510, -510]);
});

const cases = [
  [2, 80],
  [3, 60],
  [7, 70],
] as const;

test.each(cases)("of %i labels every score is the influence and the base", async (labelCount, count) => {
  const rows = madeTexts(labelCount, count, "based");
  const base = { flatPermille: 500 };
  const classes = madeLabels(labelCount);
  const recipe = recipeFor(rows, 256, {
    classes,
    rules: { normQuantile: 0.99, nearDuplicatesShare: false, base },
  });
  const trained = await trainDirect(rows, recipe);
  const { featureCount, values } = trained.features as { featureCount: number; values: Int16Array };
  const buckets = baseBuckets(labelCount);
  const from = 256 - buckets;
  const matrix = directMatrix(trained.features as never);
  const without = { ...matrix, values: values.slice() };
  for (let at = 0; at < values.length; at += featureCount)
    without.values.fill(0, at + from, at + from + buckets);
  const units = values[from + 1]!;
  expect(units).toBeGreaterThan(10);
  // The logits have none.
  const logits = values.subarray(rows.length * (labelCount - 1) * featureCount);
  for (let at = 0; at < logits.length; at += featureCount)
    expect(logits.subarray(at + from, at + 256).every((entry) => entry === 0)).toBe(true);
  const model = await directFamily.open(trained as never);
  const pairs = new Set<string>();
  const random = new SeededRandom("asked");
  for (let k = 0; k < 24; k++) {
    const prompt = madeText(k % labelCount, random);
    const { query, text } = model.answer(prompt) as { query: DirectQuery; text: string };
    pairs.add(`${query.pair}/${query.answeredClass}`);
    const [paid, influence] = [matrix, without].map((one) => directScores(one, query).map(Number));
    const added = paid!.map((score, row) => score - influence![row]!);
    // The same for every row: the prompt's length in units, but for its root's rounding.
    expect(new Set(added).size).toBe(1);
    const length = lengthOf(termTotal(query.counts.subarray(0, from)));
    expect(Math.abs(added[0]! - (length * units) / 4)).toBeLessThanOrEqual(2.01 * units + 30);
    const opening = { answerHash: answerHash(prompt, text), prompt, query };
    expect(await judgePrompt(recipe, opening)).toBe("same");
    const dictated = { ...query, counts: query.counts.slice().fill(0, from) };
    expect(await judgePrompt(recipe, { ...opening, query: dictated })).toBe("dictated");
    const otherPair = { ...query, answeredClass: query.answeredClass === 0 ? 1 : 0 } as const;
    expect(await judgePrompt(recipe, { ...opening, query: otherPair })).toBe("another-prompt");
  }
  expect(pairs.size).toBeGreaterThanOrEqual(labelCount);
});

test("a text's base goes by its words where the recipe says so, and is whole in earlier recipes", async () => {
  const [first, ...others] = madeTexts(2, 60, "parts");
  const cut = new TextDecoder().decode(first!.content).split(" ").slice(0, 9).join(" ");
  const rows = [{ ...first!, content: new TextEncoder().encode(cut) }, ...others];
  const rules = { normQuantile: 0.99, nearDuplicatesShare: false, base: { flatPermille: 500 } };
  const unitsBy = async (changed: Partial<DirectRecipe["rules"]>) => {
    const recipe = recipeFor(rows, 256, { classes: madeLabels(2), rules: { ...rules, ...changed } });
    const { features } = await trainDirect(rows, recipe, { withHeldOut: false });
    const { featureCount, values } = features as { featureCount: number; values: Int16Array };
    return Array.from(rows, (_, k) => values[k * featureCount + 256 - baseBuckets(2) + 1]!);
  };
  const [whole, byTerms] = [await unitsBy({}), await unitsBy({ baseBy: "terms" })];
  expect(new Set(whole).size).toBe(1);
  const parts = termParts(rows.map(({ content }) => content));
  expect(byTerms).toEqual(whole.map((units, k) => Math.floor(units / (1 / parts[k]!))));
  expect(byTerms[0]! / whole[0]!).toBeLessThan(0.55);
  const { base: _, ...baseless } = rules;
  const bad = { ...baseless, baseBy: "terms" } as const;
  expect(() => parseDirectRecipe(recipeFor(rows, 256, { classes: madeLabels(2), rules: bad }))).toThrowError(
    expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
  );
});

test("a text weighs by its words where the recipe says so, and as any other in earlier recipes", async () => {
  const [first, ...others] = madeTexts(2, 60, "parts");
  const words = new TextDecoder().decode(first!.content).split(" ");
  const pieces = [words.slice(0, 8), words.slice(8, 16), words.slice(16)];
  const rows = [
    ...pieces.map((piece) => ({ ...first!, content: new TextEncoder().encode(piece.join(" ")) })),
    ...others,
  ];
  const rules = { normQuantile: 1, nearDuplicatesShare: false };
  const lengthsBy = async (rowWeights: Partial<DirectRecipe["model"]>) => {
    const model = { kind: "logistic", decay: 0.01, tolerance: 1e-7, ...rowWeights } as const;
    const recipe = recipeFor(rows, 256, { classes: madeLabels(2), rules, model });
    const { features } = await trainDirect(rows, recipe, { withHeldOut: false });
    const { featureCount, scale, values } = features as {
      featureCount: number;
      scale: number;
      values: Int16Array;
    };
    return rows.map(
      (_, k) => scale * Math.hypot(...values.subarray(k * featureCount, (k + 1) * featureCount)),
    );
  };
  const [alike, byTerms] = [await lengthsBy({}), await lengthsBy({ rowWeights: "terms" })];
  const mean = (lengths: readonly number[]) => lengths.reduce((sum, one) => sum + one, 0) / lengths.length;
  const piecesOf = (lengths: readonly number[]) => lengths.slice(0, pieces.length);
  const wholesOf = (lengths: readonly number[]) => lengths.slice(pieces.length);
  // Alike, each piece moves the model at least as a whole text does.
  expect(mean(piecesOf(alike)) / mean(wholesOf(alike))).toBeGreaterThan(0.9);
  expect(mean(piecesOf(byTerms)) / mean(wholesOf(byTerms))).toBeLessThan(0.7);
  const side = { kind: "image", side: 7, colours: 1, levels: 3, ground: "black", bucketCount: 64 } as const;
  const model = { kind: "logistic", decay: 0.01, tolerance: 1e-7, rowWeights: "terms" } as const;
  const pictures = recipeFor(sampleRows("image", 12), 64, { inputs: side, model });
  expect(() => parseDirectRecipe(pictures)).toThrow(expect.objectContaining({ code: "ATT_RECIPE_INVALID" }));
  const { rowWeights: _, ...unweighed } = model;
  expect(parseDirectRecipe({ ...pictures, model: unweighed }).model).toEqual(unweighed);
});

test("buckets on which no row has an entry leave the base as it is", () => {
  const random = new SeededRandom("entries");
  const rows = Array.from({ length: 5 }, () =>
    Int16Array.from({ length: 8 }, () => random.nextBelow(101) - 50),
  );
  const baseOf = (empty: number) => {
    const featureCount = 8 + empty + baseBuckets(2) + 1;
    const values = new Int16Array(rows.length * featureCount);
    for (const [k, row] of rows.entries()) values.set(row, k * featureCount);
    writeBase(
      { values, rowCount: rows.length, labelCount: 2, featureCount },
      { flatPermille: 500 },
      [1, 1, 1, 1, 1],
    );
    return values.slice(8 + empty, featureCount - 1);
  };
  expect(baseOf(0)[1]).toBeGreaterThan(20);
  expect(baseOf(1_000)).toEqual(baseOf(0));
});

test("a base out of range, or without buckets, is no recipe; a card that says another is no match", async () => {
  const rows = sampleRows("text", 24);
  const withBase = (flatPermille: number, changed: Partial<DirectRecipe> = {}) =>
    recipeFor(rows, 64, {
      rules: { normQuantile: 0.9, nearDuplicatesShare: false, base: { flatPermille } },
      ...changed,
    });
  const side = { kind: "image", side: 7, colours: 1, levels: 3, ground: "black", bucketCount: 64 } as const;
  for (const wrong of [
    withBase(1_001),
    withBase(0),
    withBase(-1),
    withBase(5, { inputs: side, classes: [...SAMPLE_CLASSES.image], columnCount: 65 }),
  ])
    expect(() => parseDirectRecipe(wrong)).toThrow(expect.objectContaining({ code: "ATT_RECIPE_INVALID" }));
  const trained = await trainDirect(rows, withBase(300));
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
