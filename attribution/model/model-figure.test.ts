/** Figure of unseen rows: the same numbers for everyone, beside the model's files, and compared by whoever verifies. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { madeLabels, madeTexts } from "../testing/made-rows.ts";
import { recipeFor } from "../testing/sample-rows.ts";
import type { DirectParts } from "./direct/direct-family.ts";
import { directTraining, trainDirect } from "./direct/direct-training.ts";
import {
  FIGURE_FILE,
  figureDifference,
  figureSchema,
  figureWords,
  type ModelFigure,
} from "./model-figure.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "./model-files.ts";
import { registerModel } from "./registration.ts";
import { modelDifference, verifyModel } from "./verify-model.ts";

const BUCKETS = 96;
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };
const split = { ownerParts: 16_384n, validatorParts: 13_107n };
const classes = madeLabels(3);
const rows = madeTexts(3, 42, "figure");

/** Functions of which ECMAScript leaves the last bits to the engine. */
const ENGINES_OWN = [
  "exp",
  "log",
  "log2",
  "log10",
  "pow",
  "sin",
  "cos",
  "tan",
  "tanh",
  "cbrt",
  "hypot",
] as const;

let model: PublishedModel<DirectParts>;
let figure: ModelFigure;
let facts: Parameters<typeof verifyModel>[0]["facts"];

beforeAll(async () => {
  await initPoseidon();
  const recipe = recipeFor(rows, BUCKETS, {
    classes,
    rules: { normQuantile: 1, nearDuplicatesShare: false },
  });
  const trained = await trainDirect(rows, recipe);
  model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  figure = model.figure!;
  facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
});

describe("the figure of a model", () => {
  it("has the judged rows by label, beside both baselines", () => {
    expect(figure.labels.map(({ label }) => label)).toEqual(classes);
    expect(figure.labels.map(({ rowCount }) => rowCount)).toEqual([14, 14, 14]);
    expect(figure.foldCount).toBe(5);
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it("is beside the model's files, outside of the manifest, and read back", () => {
    const files = encodeModel(model);
    expect(files.has(FIGURE_FILE)).toBe(true);
    expect(new TextDecoder().decode(files.get("manifest.json"))).not.toContain(FIGURE_FILE);
    expect(decodeModel(files).figure).toEqual(figure);
    const changed = new Map(files).set(FIGURE_FILE, new TextEncoder().encode('{"foldCount":5}'));
    expect(() => decodeModel(changed)).toThrow(expect.objectContaining({ code: "ATT_MODEL_FILE_INVALID" }));
    const without = new Map(files);
    without.delete(FIGURE_FILE);
    expect(decodeModel(without).figure).toBeNull();
  });

  it("is computed to the same numbers, by functions that every engine has to the bit", async () => {
    const spies = ENGINES_OWN.map((name) =>
      vi.spyOn(Math, name).mockImplementation(() => {
        throw new Error(`Math.${name} may differ in its last bits`);
      }),
    );
    try {
      expect(await directTraining.figure!(rows, model.recipe, {})).toEqual(figure);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    const threefold = await directTraining.figure!(rows, model.recipe, { foldCount: 3 });
    expect(threefold).toMatchObject({ foldCount: 3, labels: [{ rowCount: 14 }, {}, {}] });
  });

  it("is compared by whoever verifies the model, and the first number that differs is named", async () => {
    const verify = (changed: ModelFigure, versionRoot = model.recipe.datanet.rowsRoot) =>
      verifyModel({
        ...{ model: { ...model, figure: null }, facts, depth: "train" },
        figure: { figure: changed, versionRoot },
      });
    expect(await verify(figure)).toMatchObject({ figure, rowCount: 42 });
    await expect(verify(figure, `0x${"7".repeat(64)}`)).rejects.toMatchObject({
      code: "ATT_MODEL_MISMATCH",
      data: { what: "figure", field: "versionRoot" },
    });
    const [first, ...others] = figure.labels as [ModelFigure["labels"][number]];
    const one = first.rightCount === 0 ? 1 : -1;
    const cases: [string, ModelFigure][] = [
      ["logisticCount", { ...figure, logisticCount: figure.logisticCount - 1 }],
      ["majorityCount", { ...figure, majorityCount: figure.majorityCount + 1 }],
      ["isByContributor", { ...figure, isByContributor: !figure.isByContributor }],
      [
        "labels.0.rightCount",
        { ...figure, labels: [{ ...first, rightCount: first.rightCount + one }, ...others] },
      ],
      ["labels.0.label", { ...figure, labels: [{ ...first, label: "another" }, ...others] }],
      ["labels.2.label", { ...figure, labels: figure.labels.slice(0, 2) }],
    ];
    for (const [field, changed] of cases)
      expect(figureDifference(changed, figure), field).toMatchObject({ field });
    const [field, changed] = cases[0]!;
    const error = await verify(changed).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "ATT_MODEL_MISMATCH", data: { what: "figure", field } });
    expect(modelDifference(error)).toEqual({ file: FIGURE_FILE, row: null });
  });

  it("is not computed again without a training, nor where none is published", async () => {
    const quick = await verifyModel({ model, facts, depth: "features" });
    expect(quick.figure).toBeNull();
    const computing = vi.spyOn(directTraining, "figure");
    const without = await verifyModel({ model: { ...model, figure: null }, facts, depth: "train" });
    expect([without.figure, computing.mock.calls.length]).toEqual([null, 0]);
    computing.mockRestore();
  });
});

describe("a figure that contradicts itself", () => {
  const sound: ModelFigure = {
    foldCount: 5,
    isByContributor: true,
    labels: [
      { label: "a", rowCount: 52, rightCount: 40 },
      { label: "b", rowCount: 68, rightCount: 42 },
    ],
    majorityCount: 52,
    logisticCount: 85,
  };
  const labels = (change: object) => ({
    ...sound,
    labels: [{ ...sound.labels[0]!, ...change }, sound.labels[1]!],
  });

  it.each([
    ["more right rows than rows", labels({ rightCount: 53 })],
    ["a label twice", labels({ label: "b" })],
    ["a label of no letters", labels({ label: "" })],
    ["more rows by a baseline than there are", { ...sound, logisticCount: 121 }],
    ["no rows", { ...sound, labels: sound.labels.map((one) => ({ ...one, rowCount: 0, rightCount: 0 })) }],
    ["one fold", { ...sound, foldCount: 1 }],
    ["more folds than anybody computes", { ...sound, foldCount: 21 }],
    ["parts of rows", labels({ rightCount: 1.5 })],
    ["one label", { ...sound, labels: [sound.labels[0]!] }],
    ["a field more", { ...sound, accuracy: 1 }],
  ])("is refused for %s", (_, figure) => {
    expect(figureSchema.safeParse(figure).success).toBe(false);
  });

  it("is said with its interval, beside the baselines", () => {
    expect(figureSchema.parse(sound)).toEqual(sound);
    expect(figureDifference(sound, sound)).toBeNull();
    expect(figureWords(sound)).toBe(
      "right on 82 of 120 unseen rows (60 to 76 %); counting labels 43 %, plain logistic regression 71 %",
    );
  });
});
