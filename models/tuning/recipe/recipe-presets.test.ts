import { type DirectRecipe, parseDirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { directTraining, trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import {
  datanetOf,
  labelledRow,
  SAMPLE_CLASSES,
  sampleRows,
} from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../../engine/files/memory-source.ts";
import { makeModel } from "../../testing/made-models.ts";
import { byteConfig } from "../../testing/text-rows.ts";
import { baseSourceAt, defaultBase, OWN_BASE, OWN_BASE_NAME } from "../base/base-address.ts";
import { heldOutCount } from "../training/row-losses.ts";
import {
  classifierRecipe,
  completeRecipe,
  labelsPreset,
  PRESET_NAMES,
  presetInstead,
  textPreset,
} from "./recipe-presets.ts";

beforeAll(initPoseidon);

const WORDS = ["win", "money", "now", "lunch", "meeting", "report", "free", "prize", "monday", "invoice"];
/** Mails of three words: what somebody tries first. */
const shortMails = (count: number, labelOf: (i: number) => number = (i) => i % 2): OwnedRow[] =>
  Array.from({ length: count }, (_, i) => ({
    ...labelledRow("text", {
      label: labelOf(i),
      input: `${WORDS[i % 10]} ${WORDS[(7 * i + 3) % 10]} ${i}`,
    }),
    contributorId: 5,
    validatorId: 8,
  }));

async function fitted(
  rows: readonly OwnedRow[],
  bucketCount: number,
  card: object | null = null,
): Promise<DirectRecipe> {
  const { id, labels, rowsRoot, version } = datanetOf(rows);
  const datanet = { id, version, rowsRoot: BigInt(rowsRoot), labelsRoot: BigInt(labels!) };
  const text = card === null ? null : JSON.stringify(card);
  const preset = await labelsPreset({ rows, bucketCount, card: text });
  return parseDirectRecipe(completeRecipe(preset, datanet, bucketCount + 1, text));
}

/** The part of a card that a preset reads. */
const cardOf = (row: object, labels: readonly string[], basePermille = 0) => ({
  row: { fields: [], ...row },
  labels: labels.map((name) => ({ name })),
  rewards: { basePermille },
});
const MAILS = cardOf({ kind: "text" }, SAMPLE_CLASSES.text);

describe("recipe presets", () => {
  it.each([
    [4, 256],
    [8, 256],
    [30, 256],
    [30, 512],
    [100, 512],
  ])(
    "train on %i short mails and on as many real ones, in %i buckets",
    { timeout: 300_000 },
    async (count, buckets) => {
      for (const rows of [shortMails(count), sampleRows("text", count)]) {
        const recipe = await fitted(rows, buckets);
        await directTraining.requireTrainable(rows, recipe);
        const { accuracy, features } = await trainDirect(rows, recipe);
        expect(accuracy).toBeGreaterThan(0.8);
        expect(features).toMatchObject({ rowCount: count, featureCount: buckets + 1 });
        // No row is all zeros: each can earn.
        for (let i = 0; i < count; i++) {
          const row = features.values.subarray(i * (buckets + 1), (i + 1) * (buckets + 1));
          expect(row.some((x: number) => x !== 0)).toBe(true);
        }
      }
    },
  );

  it("train on 30 digits by the grid that the circuit has buckets for", async () => {
    const rows = sampleRows("image", 30);
    const small = await fitted(rows, 64);
    expect(small.inputs).toMatchObject({ kind: "image", side: 7, colours: 1, ground: "black" });
    expect((await trainDirect(rows, small)).accuracy).toBeGreaterThan(0.8);
    // More buckets have room for other ways to count, of which inner folds choose.
    const large = await fitted(rows, 1_024);
    expect(large.inputs).toMatchObject({ kind: "image", bucketCount: 1_024 });
    expect((await trainDirect(rows, large)).accuracy).toBeGreaterThan(0.8);
    await expect(fitted(rows, 16)).rejects.toThrow(expect.objectContaining({ code: "ATT_RECIPE_INVALID" }));
  });

  it("train on a table by its card's fields, without the field that has the labels", async () => {
    const fields = [
      { name: "age", type: "number" },
      { name: "plan", type: "category" },
      { name: "churned", type: "category" },
    ];
    const names = ["no", "yes"];
    const rows = Array.from({ length: 40 }, (_, i): OwnedRow => {
      const label = names[i % 2]!;
      const values = [20 + (i % 2) * 40 + 0.5 * i, i % 3 === 0 ? "basic" : "full", label];
      const content = encodeTableRow(fields as never, values);
      return { content, label, contributorId: 5, validatorId: 8 };
    });
    const recipe = await fitted(rows, 64, cardOf({ kind: "table", fields }, names, 250));
    expect(recipe.inputs).toMatchObject({
      kind: "table",
      fields: [
        { name: "age", type: "number", knots: expect.any(Array) },
        { name: "plan", type: "category" },
        { name: "churned", type: "category", ignored: true },
      ],
    });
    expect(recipe.rules.base).toEqual({ flatPermille: 250 });
    expect((await trainDirect(rows, recipe)).accuracy).toBeGreaterThan(0.9);
  });

  it("leave out what numbers a table's rows, and take the fields that are chosen", async () => {
    const fields = (["id", "age", "plan", "churned"] as const).map((name, i) => ({
      name,
      type: i < 2 ? "number" : "category",
    }));
    const rows = Array.from({ length: 40 }, (_, i): OwnedRow => {
      const label = i < 20 ? "no" : "yes";
      const content = encodeTableRow(fields as never, [
        i,
        20 + ((7 * i) % 30),
        i % 3 === 0 ? "a" : "b",
        label,
      ]);
      return { content, label, contributorId: 5, validatorId: 8 };
    });
    const card = JSON.stringify(cardOf({ kind: "table", fields }, ["no", "yes"]));
    const countedOf = async (countedFields?: string[], some = rows) => {
      const { inputs } = await labelsPreset({ rows: some, bucketCount: 64, card, countedFields });
      return (inputs as { fields: { name: string }[] }).fields.flatMap((field) =>
        "ignored" in field ? [] : [field.name],
      );
    };
    expect(await countedOf()).toEqual(["age", "plan"]);
    expect(await countedOf(["plan", "id"])).toEqual(["id", "plan"]);
    // Of a few rows nobody can tell.
    expect(await countedOf(undefined, rows.slice(10, 29))).toEqual(["id", "age", "plan"]);
    for (const [chosen, message] of [
      [["height"], 'no field is called "height"; there are id, age, plan'],
      [["age", "churned"], 'field "churned" has the labels, and cannot count; there are id, age, plan'],
      [[], "no field counts: choose one or more; there are id, age, plan"],
    ] as const)
      await expect(countedOf([...chosen])).rejects.toThrow(
        expect.objectContaining({ code: "ATT_RECIPE_INVALID", message: expect.stringContaining(message) }),
      );
    await expect(
      labelsPreset({ rows: shortMails(8), bucketCount: 64, card: null, countedFields: ["age"] }),
    ).rejects.toThrow(expect.objectContaining({ message: expect.stringContaining("have no fields") }));
  });

  it("are refused for passages, and told by name where there were two", async () => {
    const card = cardOf({ kind: "passage" }, []);
    await expect(fitted(shortMails(8), 64, card)).rejects.toThrow(
      expect.objectContaining({ code: "ATT_RECIPE_INVALID", message: expect.stringContaining("texts") }),
    );
    expect(PRESET_NAMES).toEqual(["labels"]);
    expect(["labelled-texts", "labelled-images", "labels", "mine.json"].map(presetInstead)).toEqual([
      "labels",
      "labels",
      null,
      null,
    ]);
  });

  it("smooth less where there are more rows, and leave what a file says as it is", () => {
    const classes = ["no", "yes"];
    const text = { kind: "text", bucketCount: 64 } as const;
    const image = {
      kind: "image",
      side: 7,
      colours: 1,
      levels: 3,
      ground: "black",
      bucketCount: 64,
    } as const;
    const decayOf = (rowCount: number, inputs: DirectRecipe["inputs"] = text) =>
      classifierRecipe({ rowCount, inputs, classes }).model.decay;
    expect(decayOf(40)).toBe(0.01);
    expect(decayOf(400)).toBe(0.001);
    expect([400, 1_999, 2_000].map((count) => decayOf(count, image))).toEqual([0.003, 0.003, 0.001]);
    const file = classifierRecipe({ rowCount: 8, inputs: { ...text, bucketCount: 1_024 }, classes });
    const datanet = { id: 10, version: 1, rowsRoot: 5n, labelsRoot: 6n };
    expect(parseDirectRecipe(completeRecipe(file, datanet, 257)).columnCount).toBe(1_025);
  });
});

describe("rules of a card", () => {
  const datanet = { id: 4, version: 1, rowsRoot: 0n };
  const rulesOf = (inputs: { kind: string } | undefined, rewards: object) =>
    completeRecipe(inputs === undefined ? {} : { inputs }, datanet, 257, JSON.stringify({ rewards })) as {
      rules: object;
    };

  it("pay a labelled text's base by its words, and all other rows the whole of it", () => {
    const base = { flatPermille: 300 };
    expect(rulesOf({ kind: "text" }, { basePermille: 300 }).rules).toEqual({ base, baseBy: "terms" });
    for (const inputs of [{ kind: "table" }, { kind: "image" }, undefined])
      expect(rulesOf(inputs, { basePermille: 300 }).rules).toEqual({ base });
    expect(rulesOf({ kind: "text" }, { basePermille: 0 }).rules).toEqual({});
  });

  it("name the comparison by which near-duplicates share", () => {
    const shared = { nearDuplicatesShare: true, comparison: 2 };
    expect(rulesOf(undefined, { basePermille: 0, nearDuplicates: "share" }).rules).toEqual(shared);
    const leftOut = rulesOf(undefined, { basePermille: 0, nearDuplicates: "leave-out" }).rules;
    expect(leftOut).toEqual({ nearDuplicatesShare: false });
  });
});

describe("the preset of texts", () => {
  it("holds a tenth out, ends rows and answers, and says nothing twice", async () => {
    const preset = (rowCount: number) => textPreset(defaultBase(), "base", { rowCount, columnCount: 64 });
    expect(await preset(60)).toMatchObject({
      rowsEnd: true,
      heldOut: 6,
      answers: { endToken: 0, noRepeat: 4 },
      tuning: { steps: 75 },
    });
    expect([(await preset(10)).tuning.steps, (await preset(15)).tuning.steps]).toEqual([700, 1_000]);
    expect([19, 20, 55, 1_000].map(heldOutCount)).toEqual([0, 4, 5, 32]);
  });

  it("goes through twelve questions as often as through forty", async () => {
    const roundsOf = async (rowCount: number, trained: number) => {
      const sizes = { rowCount, columnCount: 64, isCiting: true, isSaying: true };
      const { rowsPerStep, steps } = (await textPreset(defaultBase(), "base", sizes)).tuning;
      return Math.round((steps * rowsPerStep) / trained);
    };
    expect([await roundsOf(12, 12), await roundsOf(40, 36)]).toEqual([25, 25]);
  });

  it("name int8 of a base of 67 million numbers", async () => {
    const vocabularySize = 2 ** 21;
    const tensors: Record<string, object> = {};
    let end = 0;
    for (const { name, shape } of makeModel(byteConfig).tensors) {
      const own = name.endsWith("embed_tokens.weight") ? [vocabularySize, byteConfig.hidden_size] : shape;
      const from = end;
      end += 2 * own.reduce((product, size) => product * size, 1);
      tensors[name] = { dtype: "F16", shape: own, data_offsets: [from, end] };
    }
    const header = JSON.stringify(tensors);
    const weights = Buffer.alloc(8 + header.length + end);
    weights.writeBigUInt64LE(BigInt(header.length));
    weights.write(header, 8);
    const files = new Map([
      ["config.json", Buffer.from(JSON.stringify({ ...byteConfig, vocab_size: vocabularySize }))],
      ["model.safetensors", weights],
    ]);
    const sizes = { rowCount: 60, columnCount: 64 };
    expect((await textPreset(memorySource("large", files), "large", sizes)).weights).toBe("int8");
    expect(await textPreset(defaultBase(), "base", sizes)).not.toHaveProperty("weights");
  });

  it("scores texts by tangents of the run, and by EK-FAC where there is no room", async () => {
    const methodOf = async (rowCount: number) =>
      (await textPreset(baseSourceAt(OWN_BASE), OWN_BASE_NAME, { rowCount, columnCount: 100 })).method;
    const tangent = { kind: "tangent", fisher: 9, featureCount: 96, components: 1_024 };
    expect(await methodOf(1_024)).toEqual(tangent);
    const ekFac = { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 96 };
    expect(await methodOf(1_025)).toEqual(ekFac);
  });
});

describe("rows that cannot be trained on", () => {
  it("are too few, or of one label: the message says how many of which", async () => {
    const check = async (rows: OwnedRow[]) =>
      directTraining.requireTrainable(rows, await fitted(rows, 256, MAILS));
    await expect(check(shortMails(3))).rejects.toThrowError(
      expect.objectContaining({
        code: "ATT_TOO_FEW_ROWS",
        message: "version 1 of datanet 4 has 3 rows (2 ham, 1 spam); a model needs 1 more row",
      }),
    );
    await expect(check(shortMails(8, () => 0))).rejects.toThrowError(
      expect.objectContaining({
        code: "ATT_TOO_FEW_ROWS",
        message: "version 1 of datanet 4 has 8 rows (8 ham); a model needs rows with another label (spam)",
      }),
    );
  });
});
