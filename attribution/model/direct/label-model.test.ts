/** Direct models of 2, 3 and 7 labels: from rows to answers, scores by pair, files and verification. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, pairOf } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import {
  answerOf,
  commitDirectColumns,
  directLogits,
  directScores,
} from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, describe, expect, it } from "vitest";
import { contrastBasis } from "../../features/sensitivities.ts";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { alignColumns, exactInfluence } from "../../testing/exact-influence.ts";
import { madeLabels, madeText, madeTexts } from "../../testing/made-rows.ts";
import { recipeFor } from "../../testing/sample-rows.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "../model-files.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { type DirectParts, directFamily, directModel } from "./direct-family.ts";
import { type DirectInputs, directInputs } from "./direct-inputs.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { directTraining, trainDirect } from "./direct-training.ts";

const BUCKETS = 96;
const ROWS = 42;
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };

beforeAll(initPoseidon);

describe.each([2, 3, 7])("a direct model of %i labels", (labelCount) => {
  const classes = madeLabels(labelCount);
  const random = new SeededRandom(`prompts/${labelCount}`);
  const prompts = Array.from({ length: 21 }, (_, k) => madeText(k % labelCount, random));
  let rows: OwnedRow[];
  let recipe: DirectRecipe;
  let inputs: DirectInputs;
  let model: PublishedModel<DirectParts>;
  let heldOut: unknown;

  beforeAll(async () => {
    rows = madeTexts(labelCount, ROWS, `rows/${labelCount}`);
    recipe = recipeFor(rows, BUCKETS, { classes, rules: { normQuantile: 1, nearDuplicatesShare: false } });
    inputs = await directInputs(recipe);
    const trained = await trainDirect(rows, recipe);
    heldOut = trained.heldOut;
    expect(trained.accuracy).toBeGreaterThan(0.9);
    const split = { ownerParts: 16_384n, validatorParts: 13_107n };
    const registration = registerModel(trained, { split }, SIZE);
    model = publishedModel(trained, registration, { publishRows: true }) as typeof model;
  });

  it("answers with all labels' parts, and names the runner-up of more than two", async () => {
    const answering = await directFamily.open(model);
    let right = 0;
    for (const [k, prompt] of prompts.entries()) {
      const { label, labels, query, text } = answering.answer(prompt);
      const { answeredClass, counts, pair } = query as DirectQuery;
      const matrix = directMatrix(model.features);
      const expected = answerOf(matrix, counts);
      expect({ answeredClass, pair }).toEqual({
        answeredClass: expected.answeredClass,
        pair: expected.pair,
      });
      const over = classes[expected.runnerUp];
      expect(JSON.parse(text)).toEqual(labelCount === 2 ? { label } : { label, over });
      expect(label).toBe(classes[expected.label]);
      expect(answering.queryOf!(prompt, text)).toEqual(query);
      // Parts of 1 in the order of the registered logits.
      expect(labels!.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
      expect(labels!.slice(0, 2).map((one) => one.label)).toEqual([label, over]);
      const logits = directLogits(matrix, counts);
      const byLogit = labels!.map((one) => logits[classes.indexOf(one.label)]!);
      expect(byLogit).toEqual(byLogit.toSorted((a, b) => b - a));
      if (label === classes[k % labelCount]) right += 1;
    }
    // Guessing gets 21 ÷ labels of them.
    expect(right).toBeGreaterThan(labelCount === 2 ? 15 : 42 / labelCount);
  });

  it("scores each pair as exact influence on the lead does", async () => {
    const prompted = inputs.examples(rows.map(({ content }) => new TextDecoder().decode(content)));
    const labels = Int32Array.from(rows, ({ label }) => classes.indexOf(label!));
    const real = directModel(recipe);
    const own = real.sensitivities(model.parameters, { inputs: prompted, labels });
    const basis = contrastBasis(labelCount);
    const matrix = directMatrix(model.features);
    for (const [k, prompt] of prompts.entries()) {
      const query = (await directFamily.open(model)).answer(prompt).query as DirectQuery;
      // Other pairs than the answer's are scored as well, by what the model says of them.
      const [i, j] = k % 2 === 0 || labelCount === 2 ? pairOf(query.pair) : [k % 2, 2];
      const logits = directLogits(matrix, query.counts);
      const answeredClass = logits[j]! >= logits[i]! ? 1 : 0;
      const question = { ...query, answeredClass, pair: (j * (j - 1)) / 2 + i } as const;
      const [won, lost] = answeredClass === 1 ? [j, i] : [i, j];
      const answered = real.sensitivities(model.parameters, {
        inputs: inputs.examples([prompt]),
        labels: Int32Array.of(0),
      });
      // The gradient of the lead in place of that of a loss: −(e_won − e_lost) in contrasts.
      const residuals = Float64Array.from(
        { length: labelCount - 1 },
        (_, b) => basis[labelCount * b + lost]! - basis[labelCount * b + won]!,
      );
      const { queries, rows: aligned } = alignColumns(own, { ...answered, residuals });
      const exact = exactInfluence(aligned, recipe.method.damping).scores(queries);
      const scores = directScores(matrix, question).map(Number);
      const largest = exact.indexOf(exact.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
      const unit = exact[largest]! / scores[largest]!;
      expect(unit).toBeGreaterThan(0);
      for (const [row, score] of scores.entries())
        expect(Math.abs(score * unit - exact[row]!)).toBeLessThan(0.02 * Math.abs(exact[largest]!));
    }
  });

  it("predicts what the lead does without a row", async () => {
    const prompted = inputs.examples(rows.map(({ content }) => new TextDecoder().decode(content)));
    const labels = Int32Array.from(rows, ({ label }) => classes.indexOf(label!));
    const real = directModel({ ...recipe, model: { ...recipe.model, tolerance: 1e-10 } });
    const full = real.train({ inputs: prompted, labels });
    const all = Int32Array.from(labels.keys());
    const question = prompts.slice(0, 6);
    const queries = await Promise.all(
      question.map(async (prompt) => (await directFamily.open(model)).answer(prompt).query as DirectQuery),
    );
    const leadOf = (parameters: Float64Array, k: number) => {
      const x = inputs.examples([question[k]!]);
      const { answeredClass, pair } = queries[k]!;
      const [i, j] = pairOf(pair);
      const logit = (label: number) => {
        let sum = parameters[x.columnCount * labelCount + label]!;
        for (const [e, column] of x.columns.entries())
          sum += x.values[e]! * parameters[column * labelCount + label]!;
        return sum;
      };
      return answeredClass === 1 ? logit(j) - logit(i) : logit(i) - logit(j);
    };
    const scores = queries.map((query) => directScores(directMatrix(model.features), query).map(Number));
    const pairs: [number, number][] = [];
    for (let row = 0; row < ROWS; row += 5) {
      const without = real.train(
        { inputs: prompted, labels },
        { indices: all.filter((i) => i !== row), start: full },
      );
      for (const k of question.keys()) {
        const norm = Math.sqrt(inputs.counter.countsOf(question[k]!).reduce((sum, count) => sum + count, 0));
        pairs.push([scores[k]![row]! / norm, leadOf(full, k) - leadOf(without, k)]);
      }
    }
    expect(correlation(pairs)).toBeGreaterThan(0.97);
  });

  it("is read back from its files, and verified", async () => {
    const files = encodeModel(model);
    expect(files.get("features.bin")).toHaveLength(2 * (ROWS + 1) * (labelCount - 1) * (BUCKETS + 1));
    expect(files.get("columns.bin")).toHaveLength(64 * (labelCount - 1) * (BUCKETS + 1));
    const read = decodeModel<DirectParts>(files, [directFamily]);
    expect({ ...read, family: null }).toEqual({ ...model, family: null });
    expect(model.columns).toEqual([commitDirectColumns(directMatrix(model.features))]);
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    const trainings = [directTraining] as never;
    for (const depth of ["train", "features"] as const)
      expect(await verifyModel({ model: read as never, facts, depth, trainings })).toMatchObject({
        rowCount: ROWS,
      });
    const values = model.features.values.slice();
    const at = 3 * (labelCount - 1) * (BUCKETS + 1) + 5;
    values[at] = values[at]! === 0 ? 1 : 0;
    const lie = { ...read, features: { ...model.features, values } } as never;
    await expect(verifyModel({ model: lie, facts, depth: "features", trainings })).rejects.toThrow(
      expect.objectContaining({
        code: "ATT_MODEL_MISMATCH",
        data: expect.objectContaining({ what: "features", row: 3 }),
      }),
    );
  });

  it("has figures of rows that it had not seen", () => {
    const { accuracy, confusion, labels, rowCount } = heldOut as {
      accuracy: number;
      confusion: number[][];
      labels: string[];
      rowCount: number;
    };
    expect({ labels, rowCount }).toEqual({ labels: classes, rowCount: ROWS });
    expect(confusion.map((counts) => counts.reduce((sum, count) => sum + count, 0))).toEqual(
      classes.map(() => ROWS / labelCount),
    );
    const right = confusion.reduce((sum, counts, label) => sum + counts[label]!, 0);
    expect(accuracy).toBe(right / ROWS);
    expect(accuracy).toBeGreaterThan(1.5 / labelCount);
  });

  it("refuses answers that it does not give, and labels twice", () => {
    const text = (json: object) => JSON.stringify(json);
    const [first, second] = classes as [string, string];
    for (const wrong of [
      "",
      "null",
      text({ label: "eggs" }),
      text({ label: first, over: first }),
      ...(labelCount === 2
        ? [text({ label: first, over: second })]
        : [text({ label: first }), text({ over: second, label: first })]),
    ])
      expect(() => inputs.queryOf(prompts[0]!, wrong), wrong).toThrow(
        expect.objectContaining({ code: "ATT_ANSWER_INVALID" }),
      );
    expect(answerHash(prompts[0]!, "x")).not.toBe(0n);
  });
});

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (k: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [a, b] = [mean(0), mean(1)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [x, y] of pairs) {
    ab += (x - a) * (y - b);
    aa += (x - a) ** 2;
    bb += (y - b) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
