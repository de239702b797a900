/** Tests of how a refusal's nearest questions are read: they are a stranger's words. */
import { RollupError } from "@openledger/foundation/rollup-error";
import { expect, it } from "vitest";
import { isUnanswered, nearestQuestionsOf } from "./nearest-questions.ts";

const refusal = (data: object, code = "ATT_NO_ROW_ANSWERS") =>
  new RollupError(code, "no row answers", { data: { ...data } });

it("reads three questions at most, each in one line, from the refusals of both kinds of server", () => {
  const nearest = [1, 2, 3, 4].map((row) => ({
    row,
    digest: "00",
    contributorId: 5,
    question: ` a\n\u202eb ${row} `,
  }));
  const read = [1, 2, 3].map((row) => ({ row, question: `a b ${row}` }));
  expect(nearestQuestionsOf(refusal({ nearest }))).toEqual(read);
  const passedOn = refusal({ nearest, reason: "ATT_NO_ROW_ANSWERS" }, "SRV_BAD_REQUEST");
  expect([isUnanswered(passedOn), nearestQuestionsOf(passedOn)]).toEqual([true, read]);
});

it("reads none of another error, and none that is not as documented", () => {
  for (const data of [
    {},
    { nearest: "a" },
    { nearest: [{ row: -1, question: "a" }] },
    { nearest: [{ row: 1, question: "" }] },
    { nearest: [{ row: 1, question: "a".repeat(401) }] },
    { nearest: [{ row: 1, question: "\u202e" }] },
  ])
    expect(nearestQuestionsOf(refusal(data)), JSON.stringify(data)).toEqual([]);
  const other = refusal({ nearest: [{ row: 1, question: "a" }] }, "ATT_ROW_WITHDRAWN");
  expect([isUnanswered(other), nearestQuestionsOf(other), nearestQuestionsOf("a")]).toEqual([false, [], []]);
});
