import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  answerHash,
  queryBytes,
  queryCommitment,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { expect, it } from "vitest";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { checkableModel } from "./answering-model.ts";
import { decodeModel, encodeModel, publishedModel } from "./model-files.ts";
import { registerModel } from "./registration.ts";
import { trainModel } from "./trained-model.ts";
import { verifyModel } from "./verify-model.ts";

const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };

it("Attack: refuses a false query map: the statics bind recipe, parameters and map", async () => {
  await initPoseidon();
  const rows = sampleRows("email", 32);
  const trained = trainModel(rows, recipeFor(rows));
  const size = { rows: 64, features: 20, earners: 16, draws: 4 };
  const honest = publishedModel(trained, registerModel(trained, { split: SPLIT }, size), {
    publishRows: true,
  });
  // The same files, except that the map's matrix is turned round: rows that helped most now earn nothing.
  const { linear } = honest.map;
  const map = { ...honest.map, linear: { ...linear, matrix: linear.matrix.map((entry) => -entry) } };
  expect(() => decodeModel(encodeModel({ ...honest, map }))).toThrow(
    expect.objectContaining({ code: "ATT_MODEL_FILE_INVALID" }),
  );
  const parameters = honest.parameters.map((value) => value + 1);
  expect(() => decodeModel(encodeModel({ ...honest, parameters }))).toThrow(
    expect.objectContaining({ code: "ATT_MODEL_FILE_INVALID" }),
  );
  // A server may publish files that fit each other: they have other statics, which the receipt names.
  const other = publishedModel(
    { ...trained, map },
    registerModel({ ...trained, map }, { split: SPLIT }, size),
    { publishRows: true },
  );
  const served = decodeModel(encodeModel(other));
  expect(served.staticsHash).not.toBe(honest.staticsHash);

  const prompt = "Subject: lunch at noon?";
  const { text, query } = checkableModel(served).answer(prompt);
  const opening = {
    statics: served.staticsHash,
    payerId: 4,
    answerHash: answerHash(prompt, text),
    queryCommitment: queryCommitment(query),
    salt: 5n,
  };
  const answer = {
    label: "",
    confidence: 1,
    answer: text,
    receipt: receiptHash(opening),
    payerId: 4,
    answerHash: opening.answerHash,
    queryBytes: queryBytes(query),
    queryCommitment: opening.queryCommitment,
    salt: 5n,
    priceWei: 7n,
    expiresAtMs: 0,
    estimate: { isEstimate: true as const, isEven: false, topRows: [], contributors: [], backend: "int32" },
  };
  const expected = { prompt, payerId: 4, staticsHash: honest.staticsHash };
  expect(() => checkAnswer(checkableModel(served), answer, expected)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^CLI_/) }),
  );
  const facts = { staticsHash: honest.staticsHash, rowsRoot: BigInt(honest.recipe.datanet.rowsRoot) };
  await expect(verifyModel({ model: served, facts, depth: "features" })).rejects.toThrow(
    expect.objectContaining({ code: "ATT_MODEL_MISMATCH" }),
  );
});
