/** Tests of the plan of a job: what rows and a form make, and what is refused before there is a job. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rowLabelsRoot } from "@openledger/attribution/model/rows-root";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { datanetOf, SAMPLE_CLASSES, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { baseSourceAt } from "../../tuning/base/base-address.ts";
import { describeBase } from "../../tuning/recipe/base-files.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import type { FactoryDataset, SortForm, WriteForm } from "../factory-api.ts";
import { requireUse, usesOf } from "../model-uses.ts";
import { accuracyOf, judgeRows, judgingFolds } from "./judge-rows.ts";
import { planOrder } from "./plan-order.ts";
import type { PlanOrder } from "./task-messages.ts";
import { requireMemory } from "./task-model.ts";

const folder = mkdtempSync(join(tmpdir(), "plan-order-"));
const basePath = join(folder, "base");
const machine = {
  basePlace: basePath,
  rowsFolder: folder,
  kernels: "wasm",
  threadCount: 1,
  maxMemoryBytes: 2 ** 30,
} as const;
const code = (name: string, data: object = {}) =>
  expect.objectContaining({ code: name, data: expect.objectContaining(data) });
const { rewards } = sampleCard();
const card = nameCard(
  sampleCard({
    labels: SAMPLE_CLASSES.text.map((name) => ({ name, description: "" })),
    examples: [],
    rewards: { ...rewards, basePermille: 300, clipQuantilePermille: 700, nearDuplicates: "share" },
  }),
).text;
const common = {
  name: "a model",
  seed: "factory",
  ownerPercent: 20,
  validatorPercent: 12.5,
  predecessorId: 0,
  publishRows: true,
};

beforeAll(async () => {
  await initPoseidon();
  await writeMadeModel(basePath, makeModel(byteConfig, "text"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type View = Pick<FactoryDataset, "labels" | "rowCount" | "rowKind">;
const rowsOf = (labels: View["labels"], rowCount = 8): View => ({ labels, rowCount, rowKind: "text" });

describe("rows", () => {
  it("offer what they can become, and why not, with a remedy", () => {
    const [ham, spam] = [4, 4].map((rowCount, i) => ({ name: ["ham", "spam"][i]!, rowCount }));
    const whyOf = (view: View) => usesOf(view).map(({ use, whyNot }) => [use, whyNot]);
    expect(whyOf(rowsOf([ham!, spam!]))).toEqual([["sort", null]]);
    expect(whyOf(rowsOf([ham!, spam!], 9))).toEqual([["sort", "1 of 9 rows have no accepted label"]]);
    expect(whyOf(rowsOf([ham!, { name: "spam", rowCount: 0 }], 4))).toEqual([
      ["sort", "all rows have the label ham"],
    ]);
    expect(whyOf(rowsOf([ham!]))).toEqual([["sort", "the Datanet's card names fewer than two labels"]]);
    expect(whyOf(rowsOf([ham!, spam!], 3))).toEqual([
      ["sort", "the version has 3 rows, and a model needs 4"],
    ]);
    expect(whyOf({ labels: null, rowCount: 8, rowKind: "passage" })).toEqual([["write", null]]);
    for (const { remedy, whyNot } of usesOf(rowsOf([ham!]))) expect([whyNot, remedy]).not.toContain(null);
    expect(() => requireUse(rowsOf([ham!, spam!]), "write")).toThrow(
      code("MOD_FACTORY_NOT_TRAINABLE", { use: "write" }),
    );
  });
});

describe("a model that sorts", () => {
  const rows = sampleRows("text", 24);
  const order = (changes: Partial<SortForm> = {}): PlanOrder => {
    const { id, labels, rowsRoot: root, version } = datanetOf(rows);
    const datanet = {
      id,
      version,
      rowsRoot: root,
      labelsRoot: labels!,
      hostUrl: "",
      isPublic: true,
      licence: null,
    };
    const view = {
      datanet,
      further: [],
      rowKind: "text",
      rowCount: rows.length,
      labels: SAMPLE_CLASSES.text.map((name) => ({ name, rowCount: 12 })),
    };
    return {
      form: { use: "sort", ...common, decay: null, folds: 4, ...changes },
      dataset: { card, view: view as never },
      base: null,
      features: 256,
    };
  };

  it("repeats the card's rules, and takes what people typed", async () => {
    const { recipe } = await planOrder(order(), rows, machine);
    expect(recipe).toMatchObject({
      rules: { base: { flatPermille: 300 }, normQuantile: 0.7, nearDuplicatesShare: true },
      datanet: { labels: hex32(rowLabelsRoot(rows)!) },
      seed: "factory",
    });
    const typed = await planOrder(order({ decay: 0.02 }), rows, machine);
    expect(typed.recipe).toMatchObject({ model: { decay: 0.02 }, method: { damping: 0.02 } });
    await expect(planOrder(order({ countedFields: ["age"] }), rows, machine)).rejects.toThrow(
      code("ATT_RECIPE_INVALID"),
    );
    await expect(requireMemory({ ...machine, maxMemoryBytes: 1_000 }, recipe, rows.length)).rejects.toThrow(
      code("MOD_TOO_LARGE", { maxMemoryBytes: 1_000 }),
    );
  });

  it("takes memory by its labels, too", async () => {
    const { recipe } = await planOrder(order(), rows, machine);
    const bytesOf = (labelCount: number) => {
      const classes = Array.from({ length: labelCount }, (_, i) => `label ${i}`);
      return requireMemory(machine, { ...recipe, classes } as never, rows.length);
    };
    const two = await bytesOf(2);
    expect(two).toBeGreaterThan(8 * 2 * rows.length * recipe.columnCount);
    expect(await bytesOf(15)).toBeGreaterThan(8 * 15 * rows.length * recipe.columnCount);
  });

  it("is judged on rows that it has not learned from, each once in every part", async () => {
    const plan = await planOrder(order(), rows, machine);
    const parts = [];
    const folds = await judgingFolds(plan, rows, 4);
    for await (const part of judgeRows(plan, rows, 4, folds)) if (part !== null) parts.push(part);
    expect(parts.map(({ trainedRowCount }) => trainedRowCount)).toEqual([5, 9, 18]);
    for (const { judged } of parts)
      expect(judged.map(({ row }) => row).sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
    const figures = await accuracyOf(plan, parts.at(-1)!.judged, rows, {
      ...folds,
      foldCount: 4,
      labels: SAMPLE_CLASSES.text,
    });
    expect(figures.plainCount).toBeGreaterThan(4);
    expect(figures).toMatchObject({ isByContributor: false, telling: [] });
    const right = parts.at(-1)!.judged.filter(({ answered, row }) => answered === rows[row]!.label);
    expect(figures).toMatchObject({ judgedCount: 24, rightCount: right.length, foldCount: 4 });
    const own = SAMPLE_CLASSES.text.map((name) => rows.filter(({ label }) => label === name).length);
    expect(figures.confusion.map((counts) => counts.reduce((sum, count) => sum + count, 0))).toEqual(own);
    expect(figures.commonestCount).toBe(Math.max(...own));
  });
});

describe("a language model", () => {
  const rows = ownedTexts(sampleTexts(12));
  const form: WriteForm = {
    use: "write",
    ...common,
    rank: 2,
    alpha: 4,
    targets: ["q_proj", "v_proj"],
    rounds: 1,
    rowsPerStep: 4,
    rate: 0.01,
    lastPart: 1,
    decay: 0,
    rowTokens: 48,
    heldOutRows: 2,
    answerTokens: 12,
    temperature: 0,
    samplePrompts: [],
    citationPercent: 0,
  };
  const order = async (changes: Partial<WriteForm> = {}, text: string | null = card): Promise<PlanOrder> => {
    const base = await describeBase(baseSourceAt(basePath), "small");
    const { rowsRoot } = textRecipeFor(rows, base).datanet;
    const datanet = {
      id: 4,
      version: 1,
      rowsRoot,
      labelsRoot: null,
      hostUrl: "",
      isPublic: true,
      licence: null,
    };
    const view = { datanet, further: [], rowKind: "passage", rowCount: rows.length, labels: null };
    return {
      form: { ...form, ...changes },
      dataset: { card: text, view: view as never },
      base,
      features: 36,
    };
  };

  it("has the card's base, near-duplicates and limit of length, and one that cites the card's part, too", async () => {
    const { recipe } = await planOrder(await order(), rows, machine);
    expect(recipe.rules).toMatchObject({
      base: { flatPermille: 300 },
      normQuantile: 0.7,
      nearDuplicatesShare: true,
    });
    const cited = { ...rewards, basePermille: 300, nearDuplicates: "share", citationPermille: 250 } as const;
    const cards = nameCard(sampleCard({ rewards: cited })).text;
    const citing = await planOrder(await order({ citationPercent: 40 }, cards), rows, machine);
    expect((citing.recipe as TextRecipe).retrieval!.citationPermille).toBe(250);
    expect(citing.recipe.rules).toEqual({ ...recipe.rules, normQuantile: 0.99 });
    const own = await planOrder(await order({ citationPercent: 40 }, null), rows, machine);
    expect((own.recipe as TextRecipe).retrieval!.citationPermille).toBe(400);
  });

  it("that cites says the answers of rows that all have one, and reads others", async () => {
    const cites = await order({ citationPercent: 40 }, null);
    const says = async (input: typeof rows) => {
      const view = { ...cites.dataset.view, rowCount: input.length };
      const { recipe } = await planOrder({ ...cites, dataset: { ...cites.dataset, view } }, input, machine);
      return (recipe as TextRecipe).retrieval!.says;
    };
    const questions = rows.map((row, i) => ({
      ...row,
      content: encodeTextRow({ prompt: `What is ${i}?`, answer: `It is ${i}.` }),
    }));
    expect(await says(questions)).toBe("row");
    expect(await says([...questions.slice(1), rows[0]!])).toBeUndefined();
  });

  it("is refused with rows that are too long, layers that the base lacks, and too little memory", async () => {
    await expect(planOrder(await order({ rowTokens: 8, answerTokens: 2 }), rows, machine)).rejects.toThrow(
      code("ATT_ROW_INVALID"),
    );
    await expect(planOrder(await order({ targets: ["c_attn"] }), rows, machine)).rejects.toThrow(
      code("MOD_FILE_INVALID"),
    );
    const { recipe } = await planOrder(await order(), rows, machine);
    await expect(requireMemory({ ...machine, maxMemoryBytes: 65_536 }, recipe, rows.length)).rejects.toThrow(
      code("MOD_TOO_LARGE"),
    );
  });
});
