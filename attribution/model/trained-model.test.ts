import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeQueryMap, encodeQueryMap } from "../features/query-map.ts";
import type { Progress } from "../progress.ts";
import { hashContents } from "../rows/labelled-rows.ts";
import { decodeRow, encodeRow } from "../rows/row-content.ts";
import { integerScores } from "../scores/integer-scores.ts";
import { recipeFor, sampleInputs, sampleRows } from "../testing/sample-rows.ts";
import { answeringModel } from "./answering-model.ts";
import { earnerTable, rowOwners } from "./owned-rows.ts";
import { hashRecipe, parseRecipe, type Recipe } from "./recipe.ts";
import { type TrainedModel, trainModel } from "./trained-model.ts";

const code = (name: string) => expect.objectContaining({ code: name });
const MLP: Recipe["model"] = {
  kind: "mlp",
  hiddenCount: 4,
  decay: 0.001,
  epochs: 5,
  batchSize: 8,
  rate: 0.1,
  momentum: 0.9,
};

beforeAll(initPoseidon);

function hashesOf(model: TrainedModel) {
  return {
    accuracy: model.accuracy,
    features: hashContents([new Uint8Array(model.features.values.buffer)]),
    map: hashContents([encodeQueryMap(model.map)]),
    parameters: hashContents([new Uint8Array(model.parameters.slice().buffer)]),
    recipe: hashRecipe(model.recipe),
    rows: hashContents(model.rows.map(({ content }) => content)),
  };
}

describe("trainModel", () => {
  it("gives these bytes on every machine, for e-mails", () => {
    expect(
      hashesOf(trainModel(sampleRows("email", 64), recipeFor(sampleRows("email", 64)))),
    ).toMatchInlineSnapshot(`
      {
        "accuracy": 0.796875,
        "features": "2b95b975cc6c1762ebea74a937cac659e9884705c4d0c7818250450e010e2005",
        "map": "911a577274310ed9cf5a800d25ca514d148b09aa33d86364e7d68cc7d8ba714c",
        "parameters": "a559975a5e9c1193439a894147e1cfad846118792a505ac51f0190b9c4268cbd",
        "recipe": "62fa7b49b2bfe21ce5c59a84f144da87b0576aa3fb7a3fa124734d74431e15ec",
        "rows": "23a9690dd2a89701f0439e201dd8a7bc5fdabee552b842bf55d1fcb588e30344",
      }
    `);
  });

  it("gives these bytes on every machine, for digits with a logistic model and with a perceptron", () => {
    const rows = sampleRows("digit", 64);
    const recipe = recipeFor(rows, { inputs: { kind: "digit", side: 14 } });
    expect(hashesOf(trainModel(rows, recipe))).toMatchInlineSnapshot(`
      {
        "accuracy": 1,
        "features": "78eb367ba82afa0138117108c27ccc54401a28c1c5fbfe8d3e9a7fe0b8efd551",
        "map": "fbd9ad2fe784b7dfd32d1ba716e5da5cdfa1695563e07f43bb183adfe9116841",
        "parameters": "4331ea57d69f8afb12f5d332cdd0d6ad46d2114ee12133e57c19da076aa6c749",
        "recipe": "058e84ca5c3723d112a9cd8a863cd493ba20863ec62aeabc56fe9ae60f54a2c8",
        "rows": "68125cb11bf009d09f0811d4ff205c3c128e337067bf8f5f8047ff44c25c4378",
      }
    `);
    expect(hashesOf(trainModel(rows, { ...recipe, model: MLP }))).toMatchInlineSnapshot(`
      {
        "accuracy": 0.5625,
        "features": "2d4e6bae84de23c8ffc7bc64632c1a53000e4e775f3b8458733ae342fdbb1cd6",
        "map": "02232785fad1054c98f306cb5c4493275549b8b520617b1c16307cd88111b2f9",
        "parameters": "62e0b42b0f7264a7888d19d93c9f3aa771d0a4db59d8596f38a6059e570e7b39",
        "recipe": "fcc0c4676fd0d8388876863dd0ae2ff29d8b3c1a4c5efdcbe9d8807f8ef78a27",
        "rows": "68125cb11bf009d09f0811d4ff205c3c128e337067bf8f5f8047ff44c25c4378",
      }
    `);
  });

  it("refuses other rows, another order and other owners than the root's", () => {
    const rows = sampleRows("email", 12);
    const recipe = recipeFor(rows);
    const swapped = [rows[1]!, rows[0]!, ...rows.slice(2)];
    const moved = [{ ...rows[0]!, contributorId: 4 }, ...rows.slice(1)];
    for (const wrong of [rows.slice(1), swapped, moved, rows.toReversed(), []]) {
      expect(() => trainModel(wrong, recipe)).toThrow(code("ATT_ROWS_MISMATCH"));
    }
  });

  it("refuses a row that is none and a row that is there twice", () => {
    const rows = sampleRows("email", 6);
    const broken = rows.map((row, i) => (i === 3 ? { ...row, content: Buffer.from("spam: buy") } : row));
    expect(() => trainModel(broken, recipeFor(broken))).toThrow(
      expect.objectContaining({ code: "ATT_ROW_INVALID", data: { index: 3 } }),
    );
    const twice = rows.map((row, i) => (i === 3 ? { ...row, content: rows[0]!.content } : row));
    expect(() => trainModel(twice, recipeFor(twice))).toThrow(code("ATT_DUPLICATE_ROW"));
  });

  it("tells its progress, stage after stage, and computes the same with and without", () => {
    const rows = sampleRows("email", 24);
    const seen: Progress[] = [];
    const told = trainModel(rows, recipeFor(rows), { onProgress: (progress) => seen.push(progress) });
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(["train", "features"]);
    expect(seen.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
    expect(seen.at(-1)).toEqual({ stage: "features", done: 5, total: 5 });
    expect(told.features).toEqual(trainModel(rows, recipeFor(rows)).features);
  });

  it("fills G up with zero columns and the query with ones", () => {
    const rows = sampleRows("email", 24);
    const model = trainModel(rows, recipeFor(rows));
    const { values, rowCount, featureCount } = model.features;
    expect([rowCount, featureCount, values.length]).toEqual([24, 20, 480]);
    const padding = [...values.keys()].filter((k) => k % 20 >= 16);
    expect(padding.every((k) => values[k] === 0)).toBe(true);
    expect(Math.max(...values.map(Math.abs))).toBe(127);
    const { query } = answeringModel(model).answer("Subject: buy now\ncheap");
    expect([...query.slice(16)]).toEqual([1, 1, 1, 1]);
    expect(query.every((q) => Math.abs(q) % 2 === 1 && Math.abs(q) <= 255)).toBe(true);
  });

  it("applies the rules against gaming", () => {
    const rows = sampleRows("email", 24);
    const plain = trainModel(
      rows,
      recipeFor(rows, { rules: { normQuantile: 1, nearDuplicatesShare: false } }),
    );
    const clipped = trainModel(
      rows,
      recipeFor(rows, { rules: { normQuantile: 0.5, nearDuplicatesShare: false } }),
    );
    const spread = ({ features: { values, featureCount } }: TrainedModel) => {
      const norms = Array.from({ length: 24 }, (_, i) =>
        Math.hypot(...values.subarray(i * featureCount, (i + 1) * featureCount)),
      ).sort((a, b) => a - b);
      return norms[23]! / norms[11]!;
    };
    expect(spread(plain)).toBeGreaterThan(1.2);
    expect(spread(clipped)).toBeLessThan(1.05);
  });
});

describe("earnerTable", () => {
  it("counts each earner's rows, and owners follow it", () => {
    const rows = sampleRows("email", 40);
    const earners = earnerTable(rows);
    expect(earners.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(40);
    const owners = rowOwners(earners);
    for (const [i, { contributorId, validatorId }] of rows.entries()) {
      expect(earners[owners[i]!]).toMatchObject({ contributorId, validatorId });
    }
  });
});

describe("answeringModel", () => {
  const rows = sampleRows("email", 64);

  it("answers with label, confidence and a query that scores rows of the label higher", () => {
    const model = trainModel(rows, recipeFor(rows));
    const answering = answeringModel(model);
    const { features, rowCount, featureCount } = { ...model.features, features: model.features.values };
    const labels = rows.map(({ content }) => decodeRow("email", content).label);
    let agreed = 0;
    for (const { input } of sampleInputs("email", 20, "asked")) {
      const { label, confidence, text, query } = answering.answer(input);
      expect(JSON.parse(text)).toEqual({ label, confidence });
      expect(confidence).toBeGreaterThanOrEqual(0.5);
      const scores = integerScores({ features, rowCount, featureCount, query });
      const mean = (of: number) => {
        const theirs = [...scores].filter((_, i) => labels[i] === of);
        return theirs.reduce((sum, score) => sum + score, 0) / theirs.length;
      };
      if (mean(label === "spam" ? 1 : 0) > mean(label === "spam" ? 0 : 1)) agreed += 1;
    }
    expect(agreed).toBeGreaterThanOrEqual(18);
  });

  it("answers from the published map as from the trained one", () => {
    const model = trainModel(rows, recipeFor(rows));
    const published = { ...model, map: decodeQueryMap(encodeQueryMap(model.map)) };
    expect(answeringModel(published).answer("hello")).toEqual(answeringModel(model).answer("hello"));
  });

  it("refuses an empty prompt, and parameters of another model", () => {
    const model = trainModel(rows, recipeFor(rows));
    expect(() => answeringModel(model).answer("  ")).toThrow(code("ATT_ROW_INVALID"));
    const parameters = model.parameters.slice(1);
    expect(() => answeringModel({ ...model, parameters })).toThrow(code("ATT_MODEL_FILE_INVALID"));
  });

  it("refuses a query map that is cut off, too long or points nowhere", () => {
    const bytes = encodeQueryMap(trainModel(rows, recipeFor(rows)).map);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    const huge = bytes.slice();
    huge.set([255, 255, 255, 255], 8);
    for (const wrong of [bytes.slice(0, -1), longer, huge, new Uint8Array(0)]) {
      expect(() => decodeQueryMap(wrong)).toThrow(code("ATT_MODEL_FILE_INVALID"));
    }
  });
});

describe("row contents", () => {
  it("come back as they were written", () => {
    for (const row of sampleInputs("email", 30, "back")) {
      expect(decodeRow("email", encodeRow("email", row))).toEqual(row);
    }
    const [digit] = sampleInputs("digit", 1, "back");
    expect(decodeRow("digit", encodeRow("digit", digit!))).toEqual(digit);
  });

  it("have one spelling", () => {
    const wrong = [
      '{"label":"spam", "text":"a"}',
      '{"text":"a","label":"spam"}',
      '{"label":"spam","text":"\\u0061"}',
      '{"label":"spam","text":"a","more":1}',
      '{"label":1,"text":"a"}',
      '{"label":"eggs","text":"a"}',
      '{"label":"spam","text":" "}',
      "null",
      "\ufeff{}",
    ];
    for (const text of wrong) {
      expect(() => decodeRow("email", Buffer.from(text)), text).toThrow(code("ATT_ROW_INVALID"));
    }
    expect(decodeRow("email", Buffer.from('{"label":"spam","text":"a"}'))).toEqual({ label: 1, input: "a" });
    expect(() => decodeRow("digit", Buffer.from('{"label":"3","pixels":"AAAA"}'))).toThrow(
      code("ATT_ROW_INVALID"),
    );
    expect(() => encodeRow("email", { label: 0, input: "x".repeat(70_000) })).toThrow(
      code("ATT_ROW_INVALID"),
    );
    expect(() => encodeRow("email", { label: 0, input: "\ud800" })).toThrow(code("ATT_ROW_INVALID"));
  });
});

describe("parseRecipe", () => {
  it("takes its own JSON back", () => {
    const recipe = recipeFor(sampleRows("email", 3));
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  it("refuses what it does not know, and more features than columns", () => {
    const recipe = recipeFor(sampleRows("email", 3));
    for (const wrong of [
      { ...recipe, version: 1 },
      { ...recipe, surprise: 1 },
      { ...recipe, columnCount: 8 },
      { ...recipe, columnCount: 2073 },
      { ...recipe, datanet: { ...recipe.datanet, rowsRoot: "0x1" } },
    ]) {
      expect(() => parseRecipe(wrong)).toThrow(code("ATT_RECIPE_INVALID"));
    }
  });
});
