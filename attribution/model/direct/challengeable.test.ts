/** A recipe that promises a model commitment marks the statics, and cannot be read as one without. */

import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { cutPayees } from "@openledger/circuits/ledger/payee-shards";
import { TAG } from "@openledger/circuits/protocol";
import { beforeAll, expect, test } from "vitest";
import { toFixed40 } from "../../maths/fixed-point.ts";
import { recipeFor, sampleRows } from "../../testing/sample-rows.ts";
import { answeringFiles, answeringHash, rawAnsweringHash } from "../answering-hash.ts";
import { decodeModel, encodeModel, publishedModel } from "../model-files.ts";
import { registerModel, staticsOf } from "../registration.ts";
import { parseDirectRecipe } from "./direct-recipe.ts";
import { trainDirect } from "./direct-training.ts";

beforeAll(() => initPoseidon());

const rows = sampleRows("email", 24);
const recipeOf = (changed: object) => ({ ...recipeFor(rows, 64), isChallengeable: true, ...changed });

test("a marked model is registered under the hash of its files and rules, and read back", () => {
  const recipe = parseDirectRecipe(recipeOf({}));
  const trained = trainDirect(rows, recipe);
  const size = { rows: 24, payees: trained.payees.length, features: 64, draws: 4, isDirect: true };
  const registration = registerModel(trained, { split: { ownerParts: 1n, validatorParts: 2n } }, size);
  const files = answeringFiles(trained);
  const raw = rawAnsweringHash(files);
  const decay = toFixed40(0.01);
  const rules = 64n | (decay << 16n) | (1n << 80n) | (toFixed40(0.9) << 81n) | (decay << 145n);
  expect(registration.answeringHash).toBe(hashTagged(TAG.challenged, [raw, rules]));
  const model = publishedModel(trained, registration, { publishRows: true });
  expect(decodeModel(encodeModel(model)).staticsHash).toBe(registration.staticsHash);
  // The same files without the mark, or with another rule, are other statics.
  const unmarked = trainDirect(rows, parseDirectRecipe(recipeFor(rows, 64)));
  expect(answeringHash(answeringFiles(unmarked))).toBe(rawAnsweringHash(answeringFiles(unmarked)));
  expect(answeringHash(answeringFiles(unmarked))).not.toBe(registration.answeringHash);
});

test.each([
  ["digits", { inputs: { kind: "digit", side: 7, bucketCount: 1_008 }, columnCount: 1_009 }],
  ["too many buckets", { inputs: { kind: "email", bucketCount: 4_112 }, columnCount: 4_113 }],
  ["a mark that is none", { isChallengeable: false }],
  ["a damping that has no inverse", { method: { kind: "direct", damping: 1e-6 } }],
])("a recipe of %s promises no model commitment", (_, changed) => {
  expect(() => parseDirectRecipe(recipeOf(changed))).toThrow(
    expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
  );
});

test.each([
  ["challenges", { isChallengeable: true }],
  ["claims", { tracing: {} }],
  ["nothing", {}],
])("a model that promises %s has one shard, or says why not", (promised, promises) => {
  const payees = [1, 2, 3].map((contributorId) => ({ contributorId, validatorId: 9, rowCount: 4 }));
  const terms = { split: { ownerParts: 1n, validatorParts: 2n }, drawBits: 2 };
  const statics = (size: { rows: number; payees: number }) => () =>
    staticsOf({ ...recipeFor(rows, 64), ...promises }, cutPayees(payees, size), 5n, terms);
  expect(statics({ rows: 12, payees: 3 })).not.toThrow();
  const two = expect(statics({ rows: 8, payees: 3 }));
  const data = { what: "shards", given: 2, most: 1 };
  if (promised === "nothing") two.not.toThrow();
  else two.toThrow(expect.objectContaining({ code: "ATT_BEYOND_CIRCUIT", data }));
});
