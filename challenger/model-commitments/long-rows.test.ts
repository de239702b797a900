/** A row of the version that has no room in a transaction. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { datanetOf, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { afterAll, beforeAll, expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import { directModelCommitment } from "../statements/direct-model-commitment.ts";
import { encodeLeaves } from "../statements/leaf-file.ts";
import { type DirectCase, directCase, registeredDirect } from "./testing/direct-case.ts";
import { type DisputeFixture, startDisputes } from "./testing/dispute-fixture.ts";

const [ROW, ROW_BYTES] = [5, 140_000];
let f: DisputeFixture;
let made: DirectCase;

/** Its words are the same, however often they are repeated. */
const withRow = (rows: readonly OwnedRow[], times: number): OwnedRow[] => {
  const content = new TextEncoder().encode(`{"label":"ham","text":"${"a ".repeat(times)}a"}`);
  return rows.with(ROW, { ...rows[ROW]!, content });
};

beforeAll(async () => {
  const trained = directCase(withRow(sampleRows("email", 24), 2));
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), trained]);
});
afterAll(() => f?.stop());

test("is asked for, which nobody can answer, and that refutes", async () => {
  const rows = withRow(made.rows, ROW_BYTES / 2);
  const recipe = { ...made.model.recipe, datanet: datanetOf(rows) };
  const model = registeredDirect({ ...made.model, rows, recipe, accuracy: null });
  const posted = directModelCommitment(
    model,
    rows.map((row) => row.content),
    11,
  );
  await f.post(posted.statement);
  const files = { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null };
  const [seen] = await watchFiles(f, files);
  expect(seen!.examined!.wanted).toEqual([{ tree: "rows", index: ROW }]);
  expect(seen!.sent?.what).toBe("challengeAvailability");
  await f.passTime(86_401n);
  expect((await watchFiles(f, files))[0]!.sent?.what).toBe("unanswered");
});
