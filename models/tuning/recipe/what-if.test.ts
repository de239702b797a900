import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainedModel } from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { wholeText } from "@openledger/attribution/rows/text-rows";
import { pearson } from "@openledger/attribution/testing/quality-metrics";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { citingWorld, passageRows, passagesOf } from "../../testing/citing-world.ts";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { describeBase, readFrom } from "./base-files.ts";
import { type TextParts, textFamily } from "./text-family.ts";
import type { TextRecipe } from "./text-recipe.ts";
import { type TrainingSetting, textTraining } from "./text-training.ts";
import { type WhatIf, whatIf } from "./what-if.ts";

let folder: string;
let setting: TrainingSetting;
let made: Awaited<ReturnType<typeof trainOn>>;
const prompts = ["The union", "Our country "];
const texts = sampleTexts(24);

/** @param changed in place of the text of row 3 */
async function trainOn(changed: string | null) {
  const rows = ownedTexts(changed === null ? texts : texts.with(3, { text: changed }));
  const plain = textRecipeFor(rows, await describeBase(folderSource(folder), "made"));
  const recipe: TextRecipe = {
    ...plain,
    heldOut: 3,
    tuning: { ...plain.tuning, steps: 20, lastStep: 18, weigh: "tokens" },
    method: { kind: "tangent", fisher: 9, featureCount: 32 },
    answers: { ...plain.answers, weigh: "added" },
    rules: { ...plain.rules, normQuantile: 1 },
  };
  return { rows, trained: await textTraining(textFamily(setting), setting).train(rows, recipe, {}) };
}
const audit = (
  { rows, trained }: { rows: OwnedRow[]; trained: TrainedModel<TextParts> },
  ...groups: number[][]
) => whatIf(trained, rows, groups, setting, { prompts });

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-what-if-"));
  await writeMadeModel(folder, makeModel(byteConfig, "text"));
  setting = { bases: [readFrom(folderSource(folder))], kernels: testKernels, threadCount: 1 };
  made = await trainOn(null);
});
afterAll(() => rm(folder, { recursive: true }));

describe("a language model without some of its rows", () => {
  it("depends on nothing that is in them, and on all others", async () => {
    const changed = await trainOn("#".repeat(wholeText(texts[3]!).length));
    const [[out, kept], [outToo, keptToo]] = [await audit(made, [3], [4]), await audit(changed, [3], [4])];
    const without = (found: WhatIf | undefined) => [
      ...found!.answers.map(({ textWithout }) => textWithout),
      ...found!.losses.flatMap((loss) => (/other|held-out/.test(loss.of) ? [loss.without] : [])),
    ];
    expect(without(outToo)).toEqual(without(out));
    expect(keptToo!.losses.at(-1)).toMatchObject({ of: "held-out rows" });
    expect(keptToo!.losses.at(-1)!.without).not.toBe(kept!.losses.at(-1)!.without);
    for (const { losses } of [out!, outToo!]) {
      const own = losses.find(({ of }) => of === "left-out rows")!;
      expect(own.without).toBeGreaterThan(own.tuned);
    }
  });

  it("is the published one where only rows are left out that were held out anyway", async () => {
    const held = [...made.rows.keys()].filter((i) =>
      made.trained.features.values.subarray(36 * i, 36 * (i + 1)).every((x) => x === 0),
    );
    const [found] = await audit(made, [...held, held[0]!].reverse());
    expect(found).toMatchObject({ without: held, heldOut: held });
    for (const { predicted, tuned, without } of found!.losses) {
      expect(without).toBe(tuned);
      expect(Math.abs(predicted!)).toBe(0);
    }
    expect(found!.answers.every(({ share, text, textWithout }) => text === textWithout && share === 0)).toBe(
      true,
    );
  });

  it("changes as the registered scores say, in the same unit", async () => {
    const found = await audit(made, ...made.rows.map((_, i) => [i]));
    const own = found.flatMap(({ losses }) => losses.filter(({ of }) => of === "left-out rows"));
    const predicted = Float64Array.from(own, (loss) => loss.predicted!);
    const truth = Float64Array.from(own, ({ tuned, without }) => without - tuned);
    expect(pearson(predicted, truth)).toBeGreaterThan(0.7);
    const sum = (values: Float64Array) => values.reduce((total, x) => total + x, 0);
    expect(Math.abs(Math.log(sum(predicted) / sum(truth)))).toBeLessThan(0.5);
    for (const k of prompts.keys())
      expect(found.reduce((total, { answers }) => total + answers[k]!.share, 0)).toBeCloseTo(1, 9);
  });

  it("reads the rows that its prompts find, where its answers cite some", async () => {
    const base = join(folder, "citing");
    const passages = passagesOf(8, 6);
    const rows = passageRows(passages);
    const { recipe, training } = await citingWorld(base, rows, 32);
    const retrieval = { ...recipe.retrieval, citationPermille: 1_000 };
    const trained = await training.train(rows, { ...recipe, retrieval }, {});
    const offsets = { ...setting, bases: [readFrom(folderSource(base))] };
    const prompts = [passages[5]!.split(" ").slice(1, 5).join(" ")];
    const [found] = await whatIf(trained, rows, [[5]], offsets, { prompts });
    expect(found!.answers[0]!.share).toBeGreaterThan(0.3);
  });

  it("is refused for rows that are not there, and for other families", async () => {
    for (const group of [[24], [-1], [1.5]])
      await expect(audit(made, group)).rejects.toMatchObject({ code: "MOD_INPUT_INVALID" });
    const recipe = { ...made.trained.recipe, family: "direct" } as never;
    await expect(audit({ ...made, trained: { ...made.trained, recipe } }, [1])).rejects.toMatchObject({
      code: "ATT_RECIPE_INVALID",
      message: expect.stringContaining('"direct"'),
    });
    await expect(audit({ ...made, rows: made.rows.slice(1) }, [1])).rejects.toMatchObject({
      code: "ATT_ROWS_MISMATCH",
    });
  });
});
