import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { parseRecipe, type Recipe } from "@openledger/attribution/model/recipe";
import { requireTrainable, rowFacts } from "@openledger/attribution/model/trainable";
import { trainModel } from "@openledger/attribution/model/trained-model";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { recipeFor, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import { completeRecipe, type PresetName, presetRecipe } from "./recipe-presets.ts";

beforeAll(initPoseidon);

const WORDS = ["win", "money", "now", "lunch", "meeting", "report", "free", "prize", "monday", "invoice"];
/** Mails of three words: what somebody tries first. */
const shortMails = (count: number, labelOf: (i: number) => number = (i) => i % 2): OwnedRow[] =>
  Array.from({ length: count }, (_, i) => ({
    content: encodeRow("email", {
      label: labelOf(i),
      input: `${WORDS[i % 10]} ${WORDS[(7 * i + 3) % 10]} ${i}`,
    }),
    contributorId: 5,
    validatorId: 8,
  }));
const contentsOf = (rows: readonly OwnedRow[]) => rows.map(({ content }) => content);

function fitted(name: PresetName, rows: readonly OwnedRow[], columnCount: number): Recipe {
  const { id, version, rowsRoot } = recipeFor(rows).datanet;
  const datanet = { id, version, rowsRoot: BigInt(rowsRoot) };
  return parseRecipe(completeRecipe(presetRecipe(name, contentsOf(rows), columnCount), datanet, columnCount));
}

describe("recipe presets", () => {
  const datanet = { id: 10, version: 1, rowsRoot: 5n };

  it.each([
    [4, 32],
    [8, 32],
    [30, 32],
    [30, 256],
    [100, 256],
  ])(
    "train on %i short mails and on as many real ones, with %i columns",
    { timeout: 300_000 },
    (count, columns) => {
      for (const rows of [shortMails(count), sampleRows("email", count)]) {
        const recipe = fitted("emails", rows, columns);
        requireTrainable(rowFacts(contentsOf(rows), recipe.inputs), recipe);
        const { accuracy, features } = trainModel(rows, recipe);
        expect(accuracy).toBeGreaterThan(0.8);
        expect(features).toMatchObject({ rowCount: count, featureCount: columns });
        // No row is all zeros: each can earn.
        for (let i = 0; i < count; i++)
          expect(features.values.subarray(i * columns, (i + 1) * columns).some((x) => x !== 0)).toBe(true);
      }
    },
  );

  it("train on 30 digits", { timeout: 300_000 }, () => {
    const rows = sampleRows("digit", 30);
    expect(trainModel(rows, fitted("digits", rows, 64)).accuracy).toBeGreaterThan(0.8);
  });

  it("have no more features than the rows, the columns and the words allow", () => {
    const features = (rows: OwnedRow[], columns: number) =>
      fitted("emails", rows, columns).method.featureCount;
    expect(features(shortMails(8), 256)).toBe(8);
    expect(features(shortMails(30), 256)).toBe(32);
    expect(features(shortMails(30), 20)).toBe(16);
    expect(features(sampleRows("email", 400), 256)).toBe(256);
    expect(fitted("emails", sampleRows("email", 400), 256).model).toMatchObject({ decay: 0.001 });
  });

  it("leave what a file says as it is", () => {
    const file = { ...presetRecipe("emails", contentsOf(shortMails(8)), 32), columnCount: 1024 };
    expect(parseRecipe(completeRecipe(file, datanet, 256)).columnCount).toBe(1024);
  });
});

describe("rows that cannot be trained on", () => {
  const check = (rows: OwnedRow[], changed: Partial<Recipe> = {}) => {
    const recipe = { ...fitted("emails", rows, 256), ...changed };
    requireTrainable(rowFacts(contentsOf(rows), recipe.inputs), recipe);
  };

  it("are too few, or of one label: the message says how many of which", () => {
    expect(() => check(shortMails(3))).toThrowError(
      expect.objectContaining({
        code: "ATT_TOO_FEW_ROWS",
        message: "version 1 of datanet 4 has 3 rows (2 ham, 1 spam); a model needs 1 more rows",
      }),
    );
    expect(() => check(shortMails(8, () => 0))).toThrowError(
      expect.objectContaining({
        code: "ATT_TOO_FEW_ROWS",
        message: "version 1 of datanet 4 has 8 rows (8 ham); a model needs rows with another label (spam)",
      }),
    );
  });

  it("are fewer words than a recipe's features: the message has the number to write", () => {
    const method = { kind: "influence", damping: 0.001, featureCount: 256 } as const;
    let caught = { code: "none", message: "", data: { mostFeatureCount: 0 } };
    try {
      check(shortMails(8), { method });
    } catch (error) {
      caught = error as typeof caught;
    }
    expect(caught.code).toBe("ATT_RECIPE_INVALID");
    const { mostFeatureCount } = caught.data;
    expect(caught.message).toContain(`set it to ${mostFeatureCount} or less`);
    const rows = shortMails(8);
    const featureCount = mostFeatureCount;
    check(rows, { method: { ...method, featureCount } });
    // What is said to work does.
    expect(
      trainModel(rows, { ...fitted("emails", rows, 256), method: { ...method, featureCount } }).accuracy,
    ).toBe(1);
    expect(() => check(rows, { method: { ...method, featureCount: 2 * featureCount } })).toThrow();
  });
});
