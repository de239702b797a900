/** Tests of direct models (classifiers) of two labels as a whole: training, registration, answers, verification. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  type DirectQuery,
  directQueryCommitment,
  directShape,
  encodeDirectQuery,
} from "@openledger/circuits/ledger/direct-query";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { answerHash, receiptHash } from "@openledger/circuits/ledger/model-query";
import { commitDirectColumns, directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { beforeAll, describe, expect, it } from "vitest";
import type { Progress } from "../../progress.ts";
import { hashContents } from "../../rows/labelled-rows.ts";
import { inputOf } from "../../rows/row-content.ts";
import { estimateAttribution } from "../../scores/attribution-estimate.ts";
import { alignColumns, exactInfluence } from "../../testing/exact-influence.ts";
import { recipeFor, SAMPLE_CLASSES, sampleInputs, sampleRows } from "../../testing/sample-rows.ts";
import { openCheckable } from "../model-family.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "../model-files.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { payeeTable, rowOwners } from "../payee-table.ts";
import { circuitColumns } from "../recipe-fields.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { type DirectParts, directFamily, directModel } from "./direct-family.ts";
import { type DirectInputs, directInputs } from "./direct-inputs.ts";
import { parseDirectRecipe } from "./direct-recipe.ts";
import { directTraining, trainDirect } from "./direct-training.ts";

const BUCKETS = 64;
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };
const code = (name: string) => expect.objectContaining({ code: name });
const CLASSES = SAMPLE_CLASSES.text;
let mails: DirectInputs;
const prompts = sampleInputs("text", 12, "prompts").map(({ input }) => input);

let rows: OwnedRow[];
let model: PublishedModel<DirectParts>;

beforeAll(async () => {
  await initPoseidon();
  rows = sampleRows("text", 40);
  mails = await directInputs({ inputs: { kind: "text", bucketCount: BUCKETS }, classes: [...CLASSES] });
  const trained = await trainDirect(rows, recipeFor(rows, BUCKETS));
  expect(trained.accuracy).toBeGreaterThan(0.7);
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), {
    publishRows: true,
  }) as typeof model;
});

describe("a direct model", () => {
  it("has these bytes on every machine", () => {
    expect({
      matrix: hashContents([new Uint8Array(model.features.values.slice().buffer)]),
      parameters: hashContents([new Uint8Array(model.parameters.slice().buffer)]),
      statics: model.staticsHash.toString(16),
    }).toMatchInlineSnapshot(`
      {
        "matrix": "18faafca1a98c2ded6578b0bcda9741bb382d1364a48809a8eb2326818493cfd",
        "parameters": "4a11ca87f5fce30501824120563db04cca06c7e87874a9c7d00c49fc0281361d",
        "statics": "27b321b33b6efa4cf9919f01f768680c2c5c6b209ba7e20827563d788a7d4e57",
      }
    `);
    expect(model.features).toMatchObject({ rowCount: 40, featureCount: BUCKETS + 1 });
    expect(Math.max(...model.features.values.subarray(0, 40 * (BUCKETS + 1)).map(Math.abs))).toBe(511);
  });

  it("registers columns and a binding that name its own circuits", () => {
    const columns = commitDirectColumns(directMatrix(model.features));
    expect(model.columns).toEqual([columns]);
    expect(model.statics.featuresCommitment).toBe(
      shardedFeatures([columns], model.answeringHash, circuitColumns(model.recipe)),
    );
    expect(unpackBinding(model.statics.binding).featureCount).toBe(BigInt(directShape(BUCKETS)));
    const { isDirect: _, ...older } = SIZE;
    for (const other of [{ ...SIZE, features: 2 * BUCKETS }, older])
      expect(() => registerModel({ ...model, accuracy: null } as never, { split: SPLIT }, other)).toThrow(
        code("ATT_BEYOND_CIRCUIT"),
      );
  });

  it("answers by its integers, and scores as exact influence does", async () => {
    const free = await trainDirect(
      rows,
      recipeFor(rows, BUCKETS, { rules: { normQuantile: 1, nearDuplicatesShare: false } }),
    );
    const examples = {
      inputs: mails.examples(rows.map(({ content }) => inputOf("text", content))),
      labels: Int32Array.from(rows, ({ label }) => CLASSES.indexOf(label!)),
    };
    const real = directModel(free.recipe);
    const own = real.sensitivities(free.parameters, examples);
    const answering = await directFamily.open(free);
    const features = free.features as PublishedModel<DirectParts>["features"];
    for (const prompt of prompts) {
      const { label, text, query } = answering.answer(prompt);
      expect(text).toBe(JSON.stringify({ label }));
      const inputs = mails.examples([prompt]);
      const labels = Int32Array.of(CLASSES.indexOf(label!));
      const aligned = alignColumns(own, real.sensitivities(free.parameters, { inputs, labels }));
      const exact = exactInfluence(aligned.rows, 0.01).scores(aligned.queries);
      const scores = directScores(directMatrix(features), query as never).map(Number);
      // Compared in the exact scores' own units, by the largest of them: rounding is one in 511, the bias' length one in
      // 8 √n.
      const largest = exact.indexOf(exact.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
      const unit = exact[largest]! / scores[largest]!;
      expect(unit).toBeGreaterThan(0);
      for (const [k, score] of scores.entries())
        expect(Math.abs(score * unit - exact[k]!)).toBeLessThan(0.02 * Math.abs(exact[largest]!));
    }
  });

  it("is read back from its files, and verified by training and by its parameters", async () => {
    const files = encodeModel(model);
    expect(files.get("features.bin")).toHaveLength(2 * 41 * (BUCKETS + 1));
    expect(files.get("query-map.bin")).toHaveLength(0);
    const read = decodeModel(files);
    expect({ ...read, family: null }).toEqual({ ...model, family: null });
    expect(() => decodeModel(files, [])).toThrow(code("ATT_RECIPE_INVALID"));
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(model.recipe.datanet.rowsRoot) };
    const trainings = [directTraining] as never;
    for (const depth of ["train", "features"] as const) {
      const verified = await verifyModel({ model: read as never, facts, depth, trainings });
      expect(verified).toMatchObject({
        rowCount: 40,
        accuracy: depth === "train" ? expect.any(Number) : null,
      });
      for (const at of [5, 40 * (BUCKETS + 1) + 3]) {
        const values = model.features.values.slice();
        values[at] = values[at]! === 0 ? 1 : 0;
        const lie = { ...read, features: { ...model.features, values } } as never;
        await expect(verifyModel({ model: lie, facts, depth, trainings })).rejects.toThrow(
          expect.objectContaining({
            code: "ATT_MODEL_MISMATCH",
            data: expect.objectContaining({ what: "features", row: Math.floor(at / (BUCKETS + 1)) }),
          }),
        );
      }
    }
  });

  it("refuses recipes without a circuit, or with a base out of range", async () => {
    const recipe = recipeFor(rows, BUCKETS);
    const base = { flatPermille: 1_001 };
    const digits = { classes: [...SAMPLE_CLASSES.image] };
    const picture = { kind: "image", side: 14, colours: 1, levels: 3, ground: "black" } as const;
    const names = Array.from({ length: 51 }, (_, k) => `label ${k}`);
    for (const right of [
      { ...digits, inputs: { ...picture, bucketCount: 208 }, columnCount: 209 },
      { classes: names.slice(1) },
    ])
      expect(() => parseDirectRecipe({ ...recipe, ...right })).not.toThrow();
    for (const wrong of [
      { ...recipe, inputs: { kind: "text", bucketCount: 100 }, columnCount: 101 },
      { ...recipe, inputs: { kind: "text", bucketCount: 8_192 }, columnCount: 8_193 },
      { ...recipe, ...digits, inputs: { ...picture, bucketCount: 192 }, columnCount: 193 },
      // 50 labels take 60 buckets for their base.
      {
        ...recipe,
        classes: names.slice(1),
        inputs: { kind: "text", bucketCount: 48 },
        columnCount: 49,
        rules: { ...recipe.rules, base: { flatPermille: 5 } },
      },
      { ...recipe, classes: ["ham"] },
      { ...recipe, classes: names },
      { ...recipe, classes: ["ham", "ham"] },
      { ...recipe, datanet: { ...recipe.datanet, labels: undefined } },
      { ...recipe, columnCount: BUCKETS },
      { ...recipe, rules: { ...recipe.rules, base } },
      { ...recipe, method: { kind: "influence", damping: 0.01, featureCount: 16 } },
      { ...recipe, family: undefined },
    ])
      expect(() => parseDirectRecipe(wrong)).toThrow(code("ATT_RECIPE_INVALID"));
    const require = (value: readonly OwnedRow[]) => directTraining.requireTrainable(value, recipe);
    await expect(require(rows.slice(0, 3))).rejects.toThrow(code("ATT_TOO_FEW_ROWS"));
    const large = { ...recipe, columnCount: 2 ** 22 };
    await expect(directTraining.requireTrainable(rows, large)).rejects.toThrow(code("ATT_RECIPE_INVALID"));
    const relabelled = (label: string | null) => rows.map((row, i) => (i === 3 ? { ...row, label } : row));
    for (const label of [null, "eggs"])
      await expect(require(relabelled(label))).rejects.toThrow(
        expect.objectContaining({
          code: "ATT_LABEL_INVALID",
          data: { index: 3, label, classes: [...CLASSES] },
        }),
      );
  });
});

describe("trainDirect", () => {
  it("refuses other rows, another order and other owners than the root's", async () => {
    const recipe = recipeFor(rows, BUCKETS);
    const swapped = [rows[1]!, rows[0]!, ...rows.slice(2)];
    const moved = [{ ...rows[0]!, contributorId: 4 }, ...rows.slice(1)];
    for (const wrong of [rows.slice(1), swapped, moved, rows.toReversed(), []])
      await expect(trainDirect(wrong, recipe)).rejects.toThrow(code("ATT_ROWS_MISMATCH"));
  });

  it("refuses other labels than the root's, labels that nobody has looked up, and rows without one", async () => {
    const recipe = recipeFor(rows, BUCKETS);
    const turned = (label: string | null) => (label === "ham" ? "spam" : "ham");
    const one = (label: (value: string | null) => string | null) =>
      rows.map((row, i) => (i === 3 ? { ...row, label: label(row.label ?? null) } : row));
    for (const wrong of [one(turned), one(() => null), rows.map(({ label: _, ...row }) => row)])
      await expect(trainDirect(wrong, recipe)).rejects.toThrow(code("ATT_LABELS_MISMATCH"));
    const unlabelled = one(() => null);
    await expect(trainDirect(unlabelled, recipeFor(unlabelled, BUCKETS))).rejects.toThrow(
      code("ATT_LABEL_INVALID"),
    );
    const moved = one(turned);
    expect((await trainDirect(moved, recipeFor(moved, BUCKETS))).parameters).not.toEqual(model.parameters);
  });

  it("refuses a row that is none and a row that is there twice", async () => {
    const with3 = (content: Uint8Array) => rows.map((row, i) => (i === 3 ? { ...row, content } : row));
    const broken = with3(Uint8Array.of(0xff));
    await expect(trainDirect(broken, recipeFor(broken, BUCKETS))).rejects.toThrow(
      expect.objectContaining({ code: "ATT_ROW_INVALID", data: { index: 3 } }),
    );
    const twice = with3(rows[0]!.content);
    await expect(trainDirect(twice, recipeFor(twice, BUCKETS))).rejects.toThrow(code("ATT_DUPLICATE_ROW"));
  });

  it("tells its progress, stage after stage, and computes the same with and without", async () => {
    const seen: Progress[] = [];
    const observed = await trainDirect(rows, recipeFor(rows, BUCKETS), {
      onProgress: (progress) => seen.push(progress),
    });
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(["train", "influence", "held-out"]);
    expect(seen.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
    expect(observed.features).toEqual(model.features);
  });
});

describe("payeeTable", () => {
  it("counts each payee's rows, and owners follow it", () => {
    const rows = sampleRows("text", 40);
    const payees = payeeTable(rows);
    expect(payees.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(40);
    const owners = rowOwners(payees);
    for (const [i, { contributorId, validatorId }] of rows.entries()) {
      expect(payees[owners[i]!]).toMatchObject({ contributorId, validatorId });
    }
  });
});

describe("checkAnswer of a direct model", () => {
  const answerTo = async (
    prompt: string,
    changed: (query: DirectQuery) => DirectQuery = (query) => query,
    words: { label?: string; answer?: string } = {},
  ) => {
    const own = (await openCheckable(model)).answer(prompt);
    const query = changed(own.query);
    const text = words.answer ?? own.text;
    const opening = {
      statics: model.staticsHash,
      payerId: 4,
      answerHash: answerHash(prompt, text),
      queryCommitment: directQueryCommitment(query),
      salt: 5n,
    };
    return {
      label: words.label ?? own.label,
      answer: text,
      receipt: receiptHash(opening),
      payerId: 4,
      answerHash: opening.answerHash,
      queryBytes: encodeDirectQuery(query),
      queryCommitment: opening.queryCommitment,
      salt: 5n,
      priceWei: 7n,
      expiresAtMs: 0,
      estimate: { ...estimateAttribution(model, own.query) } as never,
    };
  };
  const wrong = (what: string) =>
    expect.objectContaining({ code: "CLI_ANSWER_WRONG", data: expect.objectContaining({ what }) });
  /** A reader who has only the recipe and a tokeniser. */
  const lightly = async () => {
    const { queryOf, staticsHash } = await openCheckable(model);
    const answer = (): never => {
      throw new Error("needs parameters");
    };
    return { staticsHash, answer, queryOf: queryOf! };
  };

  it("takes what the model says, with the tokeniser alone", async () => {
    const expected = { prompt: prompts[0]!, payerId: 4, staticsHash: model.staticsHash };
    const answer = await answerTo(prompts[0]!);
    checkAnswer(await lightly(), answer, expected);
    checkAnswer(await openCheckable(model), answer, { ...expected, isAnsweredAgain: true });
  });

  it("Attack: refuses a list that is not the prompt's, another class than the label's, and another label", async () => {
    const expected = { prompt: prompts[0]!, payerId: 4, staticsHash: model.staticsHash };
    const light = await lightly();
    const { counts } = mails.queryOf(prompts[1]!, '{"label":"ham"}');
    const dictated = await answerTo(prompts[0]!, (query) => ({ ...query, counts }));
    expect(() => checkAnswer(light, dictated, expected)).toThrow(wrong("query"));
    const flipped = await answerTo(prompts[0]!, (query) => ({
      ...query,
      answeredClass: query.answeredClass === 0 ? 1 : 0,
    }));
    expect(() => checkAnswer(light, flipped, expected)).toThrow(wrong("query"));
    const answered = (await openCheckable(model)).answer(prompts[0]!).label;
    const label = answered === "ham" ? "spam" : "ham";
    expect(() => checkAnswer(light, { ...dictated, label }, expected)).toThrow(wrong("label"));
    const odd = await answerTo(prompts[0]!, undefined, { answer: '{"label":"eggs"}' });
    expect(() => checkAnswer(light, odd, expected)).toThrow(wrong("answer"));
    // A lie that fits itself is not seen without parameters: no settlement pays by it. With them it is.
    const lie = await answerTo(
      prompts[0]!,
      (query) => ({ ...query, answeredClass: query.answeredClass === 0 ? 1 : 0 }),
      {
        label,
        answer: JSON.stringify({ label }),
      },
    );
    checkAnswer(light, lie, expected);
    const { counts: own } = (await openCheckable(model)).answer(prompts[0]!).query;
    const query = { counts: own, answeredClass: label === "ham" ? 0 : 1, pair: 0 } as const;
    expect(() => directScores(directMatrix(model.features), query)).toThrow(code("CIR_QUERY_INVALID"));
    const again = { ...expected, isAnsweredAgain: true };
    const full = await openCheckable(model);
    expect(() => checkAnswer(full, lie, again)).toThrow(wrong("answer"));
  });
});
