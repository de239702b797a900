/** A model with a base: trained, answered, published, verified; and every way in which it is not the card's. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_QUERY } from "../features/quantise.ts";
import { recipeFor, sampleInputs, sampleRows } from "../testing/sample-rows.ts";
import { answeringModel } from "./answering-model.ts";
import { baseOfCard } from "./base-policy.ts";
import type { ClassifierParts } from "./classifier-family.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "./model-files.ts";
import { parseRecipe } from "./recipe.ts";
import { isQueryOfBase } from "./recipe-fields.ts";
import { registerModel } from "./registration.ts";
import { type TrainedModel, trainModel } from "./trained-model.ts";
import { verifyModel } from "./verify-model.ts";

const RULES = { normQuantile: 0.99, nearDuplicatesShare: false };
const BASE = { flatPermille: 500, trustPermille: 1000, oddsPermille: 500 };
const COLUMNS = 20;
const FEATURES = 16;
const SIZE = { rows: 48, features: COLUMNS, earners: 6, draws: 2 };

const card = nameCard({
  ...sampleCard(),
  rewards: { ...sampleCard().rewards, basePermille: 500, trust: { permille: 1000, oddsPermille: 500 } },
});
const rows = sampleRows("email", 48);
let trained: TrainedModel;
let model: PublishedModel<ClassifierParts>;

beforeAll(async () => {
  await initPoseidon();
  const recipe = recipeFor(rows, { rules: { ...RULES, base: baseOfCard(card.text)! } });
  trained = trainModel(rows, recipe);
  const terms = { split: { ownerParts: 1000n, validatorParts: 8192n } };
  const registered = publishedModel(trained, registerModel(trained, terms, SIZE), {
    publishRows: true,
    card: card.text,
  });
  model = decodeModel(encodeModel(registered));
});

const facts = () => ({
  staticsHash: model.staticsHash,
  rowsRoot: BigInt(model.recipe.datanet.rowsRoot),
  policy: card.policy,
});
const differs = (what: string) =>
  expect.objectContaining({ code: "ATT_MODEL_MISMATCH", data: expect.objectContaining({ what }) });

describe("a model with a base", () => {
  it("takes its strength from the card, and is verified against it", async () => {
    expect(model.recipe.rules.base).toEqual(BASE);
    expect(model.card).toBe(card.text);
    for (const depth of ["train", "features"] as const) {
      expect(await verifyModel({ model, facts: facts(), depth })).toMatchObject({ isBaseOfCard: true });
    }
  });

  it("differs from the same model without one in the last columns, and in the scale alone", () => {
    const plain = trainModel(rows, recipeFor(rows, { rules: RULES }));
    expect(plain.recipe.rules).not.toHaveProperty("base");
    expect(plain.parameters).toEqual(trained.parameters);
    const bases = [...rows.keys()].map((i) => {
      const row = trained.features.values.subarray(i * COLUMNS, (i + 1) * COLUMNS);
      for (let t = 0; t < FEATURES; t++) {
        const was = plain.features.values[i * COLUMNS + t]! * plain.features.scale;
        expect(Math.abs(row[t]! * trained.features.scale - was)).toBeLessThanOrEqual(trained.features.scale);
      }
      expect(plain.features.values.subarray(i * COLUMNS + FEATURES, (i + 1) * COLUMNS)).toEqual(
        new Int8Array(4),
      );
      return row.subarray(FEATURES).reduce((sum, entry) => sum + entry, 0);
    });
    expect(Math.max(...bases)).toBeGreaterThan(0);
    expect(Math.min(...bases)).toBeLessThan(Math.max(...bases));
  });

  it("is asked with the same entry in all of its base columns, whatever is asked", () => {
    for (const { input } of sampleInputs("email", 5, "asked")) {
      const { query } = answeringModel(model).answer(input);
      expect([...query.subarray(FEATURES)]).toEqual(Array(COLUMNS - FEATURES).fill(MAX_QUERY));
      expect(isQueryOfBase(model.recipe, query)).toBe(true);
      query[COLUMNS - 1] = -MAX_QUERY;
      expect(isQueryOfBase(model.recipe, query)).toBe(false);
    }
  });

  it("is refused where the base is not what rows and card give", async () => {
    const verify = (changed: object, options: object = {}) =>
      expect(verifyModel({ model: { ...model, ...changed }, facts: facts(), depth: "features", ...options }))
        .rejects;
    const values = model.features.values.slice();
    const last = 3 * COLUMNS + COLUMNS - 1;
    values[last] = values[last]! + 1;
    await verify({ features: { ...model.features, values } }).toThrow(differs("features"));
    const stronger = { ...model.recipe, rules: { ...RULES, base: { ...BASE, flatPermille: 501 } } };
    await verify({ recipe: stronger }).toThrow(differs("base"));
    await verify({ recipe: { ...model.recipe, rules: RULES } }).toThrow(differs("base"));
    await verify({ card: null }).toThrow(differs("card"));
    const other = nameCard({ ...sampleCard(), name: "Another" });
    await verify({}, { card: other.text }).toThrow(differs("card"));
  });
});

describe("a recipe's base", () => {
  it("needs a column, and is something", () => {
    const recipe = recipeFor(rows, { rules: { ...RULES, base: BASE } });
    expect(() => parseRecipe({ ...recipe, columnCount: FEATURES })).toThrow(/and a base do not fit/);
    const nothing = { flatPermille: 0, trustPermille: 0, oddsPermille: 500 };
    expect(() => parseRecipe({ ...recipe, rules: { ...RULES, base: nothing } })).toThrow(/leave it out/);
  });

  it("is none where the card names none, and where the text is no card", () => {
    expect(baseOfCard(nameCard(sampleCard()).text)).toBe(null);
    expect(baseOfCard("{}")).toBe(null);
    expect(baseOfCard("not JSON")).toBe(null);
  });
});
