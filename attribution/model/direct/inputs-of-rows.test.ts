import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, it } from "vitest";
import { encodeTableRow } from "../../rows/table-rows.ts";
import { wordsOf } from "../../rows/words.ts";
import { recipeFor, sampleRows } from "../../testing/sample-rows.ts";
import { publishedModel } from "../model-files.ts";
import { registerModel } from "../registration.ts";
import { verifyModel } from "../verify-model.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { trainDirect } from "./direct-training.ts";
import { fittedInputs } from "./fitted-inputs.ts";
import { areInputsOfRows } from "./inputs-of-rows.ts";

beforeAll(initPoseidon);

const BUCKETS = 256;
const ROOM = { bucketCount: BUCKETS, baseBuckets: 0 };
const rows = sampleRows("text", 60);
const usual = recipeFor(rows, BUCKETS);
const withInputs = (inputs: DirectRecipe["inputs"]): DirectRecipe => ({ ...usual, inputs });

/** Words that five rows of one contributor have, and nobody else's. */
function friendsWords(): number[] {
  const friends = new Set(rows.filter(({ contributorId }) => contributorId === 5).slice(0, 5));
  const wordsIn = ({ content }: { content: Uint8Array }) => [...wordsOf(content, true)];
  const honest = new Set(rows.filter((row) => !friends.has(row)).flatMap(wordsIn));
  return [...new Set([...friends].flatMap(wordsIn))].filter((word) => !honest.has(word)).slice(0, 200);
}

it("tells a list of words that one friend's rows alone have, though the model verifies to the byte", async () => {
  const own = friendsWords();
  expect(own.length).toBeGreaterThan(20);
  const recipe = withInputs({ kind: "text", words: { own, shared: [] }, bucketCount: BUCKETS });
  const trained = await trainDirect(rows, recipe, { withHeldOut: false });
  const size = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true };
  const registration = registerModel(
    trained,
    { split: { ownerParts: 13_107n, validatorParts: 6_553n } },
    size,
  );
  const model = publishedModel(trained, registration, { publishRows: true });
  const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
  expect((await verifyModel({ model, facts, depth: "train" })).areInputsOfRows).toBe(false);
  expect((await verifyModel({ model, facts, depth: "features" })).areInputsOfRows).toBeNull();
});

it("knows the choice by inner folds, the simplest way, and ways that no rows decide", async () => {
  const shape = { kind: "text", labelCount: usual.classes.length } as const;
  const { classes } = usual;
  const fitted = await fittedInputs(shape, rows, ROOM, { classes, decayOf: () => usual.model.decay });
  expect(await areInputsOfRows(rows, withInputs(fitted))).toBe(true);
  expect(await areInputsOfRows(rows, withInputs({ kind: "text", bucketCount: BUCKETS }))).toBe(true);
  const foreign = { name: "own", sizeBytes: 16 + 9, sha256: "0".repeat(64), dimensions: 4 };
  expect(
    await areInputsOfRows(
      rows,
      withInputs({ kind: "text", vectors: foreign, wordCount: 0, bucketCount: BUCKETS }),
    ),
  ).toBe(false);
});

it("tells a table whose limits are not its rows'", async () => {
  const fields = [{ name: "size", type: "number" }] as const;
  const tables = Array.from({ length: 30 }, (_, i) => ({
    content: encodeTableRow(fields, [i]),
    label: usual.classes[i % 2]!,
  }));
  const fitted = await fittedInputs({ kind: "table", fields, labelCount: 2 }, tables, ROOM, {
    classes: usual.classes,
    decayOf: () => 0.01,
  });
  expect(await areInputsOfRows(tables, withInputs(fitted))).toBe(true);
  const moved = {
    kind: "table",
    fields: [{ ...fields[0], knots: [0, 1, 2] }],
    bucketCount: BUCKETS,
  } as const;
  expect(await areInputsOfRows(tables, withInputs(moved as never))).toBe(false);
  // Which fields count is in the recipe for all to see; how each counts follows from the rows.
  const two = [...fields, { name: "id", type: "number" }, { name: "code", type: "category" }] as const;
  const wider = tables.map(({ label }, i) => ({ label, content: encodeTableRow(two, [i % 7, i, "x"]) }));
  const chosen = await fittedInputs(
    { kind: "table", fields: two, labelCount: 2, leftOut: ["id", "code"] },
    wider,
    ROOM,
    { classes: usual.classes, decayOf: () => 0.01 },
  );
  expect(await areInputsOfRows(wider, withInputs(chosen))).toBe(true);
});
