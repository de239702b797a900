/** Tests of what models of questions answer by the default settings, on two lists that were written before any rule. */
import { expect, it } from "vitest";
import { QUESTION_LISTS } from "../texts/question-pairs.ts";
import { measure } from "./answers.ts";

const listOf = (name: string) => QUESTION_LISTS.find((list) => list.name === name)!;

it("says few wrong answers of rows that share words, and refuses nearly all that no row answers", async () => {
  const { of, otherRow, own, unknownAnswered, unknownOf } = await measure(listOf("library"));
  expect([of, own, unknownOf]).toEqual([60, 60, 30]);
  expect(otherRow).toBeLessThanOrEqual(3);
  expect(unknownAnswered).toBeLessThanOrEqual(2);
});

it("finds general questions in other words nearly as often as without a rule", async () => {
  const { otherRow, otherWords, own, unknownAnswered } = await measure(listOf("general"));
  expect(own).toBe(40);
  expect(otherWords).toBeGreaterThanOrEqual(29);
  expect(otherRow).toBeLessThanOrEqual(5);
  expect(unknownAnswered).toBeLessThanOrEqual(2);
});
