/** Direct models whose inputs scale their counts: what is registered is exact, and circuits see counts alone. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, lengthOf, pairOf } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { directScores, MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, describe, expect, it } from "vitest";
import { contrastBasis } from "../../features/sensitivities.ts";
import { imageCandidates } from "../../inputs/choose-inputs.ts";
import { contentOf } from "../../rows/row-content.ts";
import { judgePrompt } from "../../scores/drawn-prompts.ts";
import { alignColumns, exactInfluence } from "../../testing/exact-influence.ts";
import { madePictures, PICTURE_CLASSES } from "../../testing/made-pictures.ts";
import { recipeFor } from "../../testing/sample-rows.ts";
import type { ModelAnswer } from "../model-family.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "../model-files.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { type DirectParts, directFamily, directModel } from "./direct-family.ts";
import { type DirectInputs, directInputs, registeredLogits } from "./direct-inputs.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { directTraining, trainDirect } from "./direct-training.ts";
import { exportClassifier } from "./exported-classifier.ts";

const BUCKETS = 208;
const ROWS = 48;
const QUESTIONS = 8;
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };
/** Three labels of the twelve. */
const CLASSES = ["red circle", "red triangle", "blue square"];

beforeAll(initPoseidon);

describe("a model of picture numbers", () => {
  let rows: OwnedRow[];
  let prompts: string[];
  let recipe: DirectRecipe;
  let inputs: DirectInputs;
  let model: PublishedModel<DirectParts>;

  beforeAll(async () => {
    const pictures = madePictures(12 * 19, "scaled").filter(({ label }) =>
      CLASSES.includes(PICTURE_CLASSES[label]!),
    );
    rows = pictures.slice(0, ROWS).map(({ input, label }, k) => ({
      content: contentOf("image", input),
      label: PICTURE_CLASSES[label]!,
      contributorId: 5 + Math.floor(k / 20),
      validatorId: 8,
    }));
    prompts = pictures.slice(ROWS, ROWS + QUESTIONS).map(({ input }) => input);
    const room = { bucketCount: BUCKETS, baseBuckets: 0 };
    const candidates = await imageCandidates(
      rows.map(({ content }) => content),
      room,
    );
    const chosen = candidates[2]!;
    if (chosen.numbers === undefined) throw new Error("the third candidate is one of numbers");
    recipe = recipeFor(rows, BUCKETS, {
      // Scales that differ, so that none of them can be left out.
      inputs: { ...chosen, scales: [2, 1, 5, 3] },
      classes: CLASSES,
      rules: { normQuantile: 1, nearDuplicatesShare: false },
    });
    inputs = await directInputs(recipe);
    const trained = await trainDirect(rows, recipe);
    const registration = registerModel(trained, { split: { ownerParts: 0n, validatorParts: 0n } }, SIZE);
    model = publishedModel(trained, registration, { publishRows: true }) as typeof model;
  });

  const examplesOf = () => ({
    inputs: inputs.examples(rows.map(({ content }) => inputs.counter.promptOf(content))),
    labels: Int32Array.from(rows, ({ label }) => CLASSES.indexOf(label!)),
  });
  const queryOf = async (prompt: string) =>
    (await directFamily.open(model)).answer(prompt).query as DirectQuery;

  it("sees scaled counts, and answers and queries with the counts themselves", async () => {
    const counts = inputs.counter.countsOf(prompts[0]!);
    expect((await queryOf(prompts[0]!)).counts).toEqual(counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const { columns, values } = inputs.examples([prompts[0]!]);
    expect([...columns].map((column, e) => [counts[column]!, values[e]!])).toEqual(
      [...columns].map((column) => [
        counts[column]!,
        (inputs.counter.scales[column]! * counts[column]!) / Math.sqrt(total),
      ]),
    );
    expect(new Set([...columns].map((column) => inputs.counter.scales[column]))).toEqual(new Set([2, 5, 3]));
  });

  it("registers the logits that it says, and entries within the circuit's", () => {
    const { scale, values } = registeredLogits(recipe, model.parameters);
    const width = BUCKETS + 1;
    for (const [k, prompt] of prompts.entries()) {
      const counts = inputs.counter.countsOf(prompt);
      const root = Math.sqrt(counts.reduce((sum, count) => sum + count, 0));
      const x = inputs.examples([prompt]);
      const logit = (label: number) => {
        let sum = model.parameters[x.columnCount * CLASSES.length + label]!;
        for (const [e, column] of x.columns.entries())
          sum += x.values[e]! * model.parameters[column * CLASSES.length + label]!;
        return sum;
      };
      for (let label = 1; label < CLASSES.length; label++) {
        const own = values.subarray((label - 1) * width, label * width);
        let registered = own[width - 1]! * root;
        for (const [bucket, count] of counts.entries()) registered += count * own[bucket]!;
        // Each entry is rounded by half a unit at most.
        expect(Math.abs((registered * scale) / root - (logit(label) - logit(0))), `${k}`).toBeLessThan(
          (scale / 2) * (1 + root),
        );
      }
    }
    const entries = Array.from(model.features.values, Math.abs);
    expect(Math.max(...entries)).toBe(MAX_DIRECT_ENTRY);
  });

  it("scores rows as exact influence of the scaled model does", async () => {
    const real = directModel(recipe);
    const own = real.sensitivities(model.parameters, examplesOf());
    const basis = contrastBasis(CLASSES.length);
    for (const prompt of prompts) {
      const query = await queryOf(prompt);
      const [i, j] = pairOf(query.pair);
      const [won, lost] = query.answeredClass === 1 ? [j, i] : [i, j];
      const asked = real.sensitivities(model.parameters, {
        inputs: inputs.examples([prompt]),
        labels: Int32Array.of(0),
      });
      const residuals = Float64Array.from(
        { length: CLASSES.length - 1 },
        (_, b) => basis[CLASSES.length * b + lost]! - basis[CLASSES.length * b + won]!,
      );
      const aligned = alignColumns(own, { ...asked, residuals });
      const exact = exactInfluence(aligned.rows, recipe.method.damping).scores(aligned.queries);
      const scores = directScores(directMatrix(model.features), query).map(Number);
      const largest = exact.indexOf(exact.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
      const unit = exact[largest]! / scores[largest]!;
      expect(unit).toBeGreaterThan(0);
      for (const [row, score] of scores.entries())
        expect(Math.abs(score * unit - exact[row]!)).toBeLessThan(0.02 * Math.abs(exact[largest]!));
    }
  });

  it("scores rows by what the lead is without them", async () => {
    const examples = examplesOf();
    const real = directModel({ ...recipe, model: { ...recipe.model, tolerance: 1e-10 } });
    const full = real.train(examples);
    const all = Int32Array.from(rows.keys());
    const asked = prompts.slice(0, 4);
    const queries = await Promise.all(asked.map(queryOf));
    const leadOf = (parameters: Float64Array, k: number) => {
      const x = inputs.examples([asked[k]!]);
      const { answeredClass, pair } = queries[k]!;
      const [i, j] = pairOf(pair);
      const logit = (label: number) => {
        let sum = parameters[x.columnCount * CLASSES.length + label]!;
        for (const [e, column] of x.columns.entries())
          sum += x.values[e]! * parameters[column * CLASSES.length + label]!;
        return sum;
      };
      return answeredClass === 1 ? logit(j) - logit(i) : logit(i) - logit(j);
    };
    const scores = queries.map((query) => directScores(directMatrix(model.features), query).map(Number));
    const predicted: number[] = [];
    const actual: number[] = [];
    for (let row = 0; row < ROWS; row += 4) {
      const without = real.train(examples, { indices: all.filter((k) => k !== row), start: full });
      for (const k of asked.keys()) {
        predicted.push(scores[k]![row]!);
        actual.push(leadOf(full, k) - leadOf(without, k));
      }
    }
    expect(correlation(predicted, actual)).toBeGreaterThan(0.97);
  });

  it("is exported with the registered logits, by which counts alone give the answer's label", async () => {
    const exported = exportClassifier(model);
    expect(exported.inputs).toEqual(recipe.inputs);
    const answering = await directFamily.open(model);
    for (const prompt of prompts) {
      const counts = inputs.counter.countsOf(prompt);
      const length = lengthOf(counts.reduce((sum, count) => sum + count, 0));
      const logits = exported.logits.map(
        (row) =>
          8 * counts.reduce((sum, count, bucket) => sum + count * row[bucket]!, 0) + length * row.at(-1)!,
      );
      const label = exported.labels[logits.lastIndexOf(Math.max(...logits))];
      expect(label).toBe(answering.answer(prompt).label);
    }
  });

  it("Attack: is judged by the counts that its numbers give, not by scaled ones", async () => {
    const [prompt] = prompts as [string];
    const { query, text } = (await directFamily.open(model)).answer(prompt) as ModelAnswer<DirectQuery>;
    const opening = { prompt, query, answerHash: answerHash(prompt, text) };
    expect(await judgePrompt(recipe, opening)).toBe("same");
    const counts = query.counts.map((count) => Math.min(3, 2 * count));
    expect(await judgePrompt(recipe, { ...opening, query: { ...query, counts } })).toBe("dictated");
  });

  it("is read back from its files, and verified by training and by its parameters", async () => {
    const read = decodeModel<DirectParts>(encodeModel(model), [directFamily]);
    expect({ ...read, family: null }).toEqual({ ...model, family: null });
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    const trainings = [directTraining] as never;
    for (const depth of ["train", "features"] as const)
      expect(await verifyModel({ model: read as never, facts, depth, trainings })).toMatchObject({
        rowCount: ROWS,
      });
  });
});

function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const product = (a: readonly number[], ma: number, b: readonly number[], mb: number) =>
    a.reduce((sum, value, k) => sum + (value - ma) * (b[k]! - mb), 0);
  return product(x, mx, y, my) / Math.sqrt(product(x, mx, x, mx) * product(y, my, y, my));
}
