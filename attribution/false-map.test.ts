import { expect, it } from "vitest";
import { exactScores } from "../circuits/draw-scores.ts";
import { initPoseidon } from "../circuits/poseidon.ts";
import { queryBytes, queryCommitment } from "../circuits/query.ts";
import { answerHash, receiptHash } from "../circuits/receipt.ts";
import { checkAnswer } from "../client/check-answer.ts";
import { checkableModel } from "./answering-model.ts";
import { decodeModel, encodeModel, publishedModel } from "./model-files.ts";
import { registerModel } from "./registration.ts";
import { recipeFor, sampleRows } from "./sample-rows.ts";
import { trainModel } from "./trained-model.ts";
import { verifyModel } from "./verify-model.ts";

const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };

it("⚔ a false query map has the same statics: the customer's check passes, and verifyModel finds it", async () => {
  await initPoseidon();
  const rows = sampleRows("email", 32);
  const trained = trainModel(rows, recipeFor(rows));
  const size = { rows: 64, features: 20, slots: 16 };
  const honest = publishedModel(trained, registerModel(trained, { split: SPLIT }, size), {
    publishRows: true,
  });
  // The same files but for the map, whose matrix is turned round: rows that helped most now earn nothing.
  const { linear } = honest.map;
  const map = { ...honest.map, linear: { ...linear, matrix: linear.matrix.map((entry) => -entry) } };
  const served = decodeModel(encodeModel({ ...honest, map }));
  expect(served.staticsHash).toBe(honest.staticsHash);

  const prompt = "Subject: lunch at noon?";
  const [right, wrong] = [honest, served].map((model) => checkableModel(model).answer(prompt));
  expect(wrong!.text).toBe(right!.text);
  const scores = (query: Int16Array) => exactScores(honest.features.values, query);
  const best = scores(right!.query).reduce((at, score, k, all) => (score > all[at]! ? k : at), 0);
  expect(scores(right!.query)[best]! > 0n && scores(wrong!.query)[best]! < 0n).toBe(true);

  const opening = {
    statics: honest.staticsHash,
    payerId: 4,
    answerHash: answerHash(prompt, wrong!.text),
    queryCommitment: queryCommitment(wrong!.query),
    salt: 5n,
  };
  const answer = {
    label: "",
    confidence: 1,
    answer: wrong!.text,
    receipt: receiptHash(opening),
    payerId: 4,
    answerHash: opening.answerHash,
    queryBytes: queryBytes(wrong!.query),
    queryCommitment: opening.queryCommitment,
    salt: 5n,
    priceWei: 7n,
    expiresAtMs: 0,
    estimate: { isEstimate: true as const, isEven: false, topRows: [], contributors: [], backend: "int32" },
  };
  const expected = { prompt, payerId: 4, staticsHash: honest.staticsHash };
  expect(() => checkAnswer(checkableModel(served), answer, expected)).not.toThrow();
  expect(() => checkAnswer(checkableModel(honest), answer, expected)).toThrow(
    expect.objectContaining({ code: "CLI_ANSWER_WRONG" }),
  );
  const facts = { staticsHash: honest.staticsHash, rowsRoot: BigInt(honest.recipe.datanet.rowsRoot) };
  expect(() => verifyModel({ model: served, facts, depth: "features" })).toThrow(
    expect.objectContaining({ code: "ATT_MODEL_MISMATCH" }),
  );
}, 120_000);
