/** A direct model of pictures of digits: dense inputs as blocks of buckets, with the circuits of direct models of texts. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { directLogits, directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { beforeAll, describe, expect, it } from "vitest";
import { writeGradients } from "../../features/exact-influence.ts";
import { contrastBasis } from "../../features/sensitivities.ts";
import { hashContents } from "../../rows/labelled-rows.ts";
import { inputOf } from "../../rows/row-content.ts";
import { judgePrompt } from "../../scores/drawn-prompts.ts";
import { alignColumns, exactInfluence } from "../../testing/exact-influence.ts";
import { recipeFor, SAMPLE_CLASSES, sampleInputs, sampleRows } from "../../testing/sample-rows.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "../model-files.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { directMatrix, registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import { type DirectParts, directFamily, directModel } from "./direct-family.ts";
import { directInputs } from "./direct-inputs.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { directTraining, trainDirect } from "./direct-training.ts";

const BUCKETS = 1_008;
const CLASSES = SAMPLE_CLASSES.image;
const INPUTS = { kind: "image", side: 7, bucketCount: BUCKETS } as const;
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true as const };
const prompts = sampleInputs("image", 40, "example");

let rows: OwnedRow[];
let recipe: DirectRecipe;
let model: PublishedModel<DirectParts>;

beforeAll(async () => {
  await initPoseidon();
  rows = sampleRows("image", 60);
  recipe = recipeFor(rows, BUCKETS, {
    inputs: INPUTS,
    rules: { normQuantile: 1, nearDuplicatesShare: false },
  });
  const trained = trainDirect(rows, recipe);
  expect(trained.accuracy).toBeGreaterThan(0.9);
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
});

describe("a direct model of pictures", () => {
  it("has these bytes on every machine", () => {
    expect({
      matrix: hashContents([new Uint8Array(model.features.values.slice().buffer)]),
      parameters: hashContents([new Uint8Array(model.parameters.slice().buffer)]),
    }).toMatchInlineSnapshot(`
      {
        "matrix": "25f2ff987d38b5b2a9422bd2d7468078a504259995229c4747d3b13790e0f113",
        "parameters": "0b13141d3daa3ed32cbc16a8ffffc9492556fe4aa1b595a4e7b420ceca194e97",
      }
    `);
  });

  it("answers most questions right, and proves that the answer beats the runner-up that it names", async () => {
    const answering = await directFamily.open(model);
    let right = 0;
    for (const { input, label } of prompts) {
      const answer = answering.answer(input);
      const query = answer.query as DirectQuery;
      const { over } = JSON.parse(answer.text) as { over: string };
      expect(answer.text).toBe(JSON.stringify({ label: answer.label, over }));
      expect(query.answeredClass).toBe(1);
      expect(directLogits(directMatrix(model.features), query.counts)[1]).toBeGreaterThanOrEqual(0);
      expect(answering.queryOf!(input, answer.text)).toEqual(query);
      // The same holds for labels that the answer does not name: no other beats it.
      for (const other of CLASSES.filter((name) => name !== answer.label)) {
        const lost = answering.queryOf!(input, JSON.stringify({ label: other, over: answer.label! }));
        expect(
          directLogits(directMatrix(model.features), (lost as DirectQuery).counts)[1],
        ).toBeLessThanOrEqual(0);
      }
      if (answer.label === CLASSES[label]) right += 1;
    }
    // Guessing gets four of 60 rows right, with six rows a label.
    expect(right).toBeGreaterThan(16);
  });

  it("scores as exact influence on the answer's lead does", async () => {
    const inputs = directInputs(recipe);
    const examples = {
      inputs: inputs.examples(rows.map(({ content }) => inputOf("image", content))),
      labels: Int32Array.from(rows, ({ label }) => CLASSES.indexOf(label!)),
    };
    const real = directModel(recipe);
    const own = real.sensitivities(model.parameters, examples);
    const answering = await directFamily.open(model);
    const basis = contrastBasis(10);
    for (const { input } of prompts.slice(0, 8)) {
      const { query, text } = answering.answer(input);
      const { label, over } = JSON.parse(text) as { label: string; over: string };
      const example = { inputs: inputs.examples([input]), labels: Int32Array.of(0) };
      const answered = real.sensitivities(model.parameters, example);
      // The gradient of the lead in place of that of a loss: −(e_label − e_over) in contrasts.
      const residuals = Float64Array.from(
        { length: 9 },
        (_, b) => basis[10 * b + Number(over)]! - basis[10 * b + Number(label)]!,
      );
      const { rows: aligned, queries } = alignColumns(own, { ...answered, residuals });
      const influence = exactInfluence(aligned, recipe.method.damping);
      expect(writeGradients(queries, influence.size).some((x) => x !== 0)).toBe(true);
      const exact = influence.scores(queries);
      const scores = directScores(directMatrix(model.features), query as DirectQuery).map(Number);
      const largest = exact.indexOf(exact.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
      const unit = exact[largest]! / scores[largest]!;
      expect(unit).toBeGreaterThan(0);
      for (const [k, score] of scores.entries())
        expect(Math.abs(score * unit - exact[k]!)).toBeLessThan(0.02 * Math.abs(exact[largest]!));
    }
  });

  it("is read back from its files, and verified", async () => {
    const read = decodeModel<DirectParts>(encodeModel(model), [directFamily]);
    expect({ ...read, family: null }).toEqual({ ...model, family: null });
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    for (const depth of ["train", "features"] as const)
      expect(
        await verifyModel({ model: read as never, facts, depth, trainings: [directTraining as never] }),
      ).toMatchObject({ rowCount: 60 });
  });

  it("tells counts of the picture from dictated ones, and from another answer's", async () => {
    const { input } = prompts[0]!;
    const { query, text } = (await directFamily.open(model)).answer(input);
    const opening = { answerHash: answerHash(input, text), prompt: input, query: query as DirectQuery };
    expect(judgePrompt(recipe, opening)).toBe("same");
    const other = (await directFamily.open(model)).answer(prompts[1]!.input).query as DirectQuery;
    expect(judgePrompt(recipe, { ...opening, query: other })).toBe("dictated");
    const unsaid = { ...opening, answerHash: answerHash(input, '{"label":"7","over":"7"}') };
    expect(judgePrompt(recipe, unsaid)).toBe("another-prompt");
    expect(() => directInputs(recipe).examples(["AAAA"])).toThrow(
      expect.objectContaining({ code: "ATT_ROW_INVALID" }),
    );
  });
});
