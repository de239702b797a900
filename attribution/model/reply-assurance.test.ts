import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { expect, it } from "vitest";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { ANSWERED_AGAIN, assuranceOf, type CheckedReply, defencesOf } from "./reply-assurance.ts";

await initPoseidon();
const direct = recipeFor(sampleRows("text", 8), 64);
const text = { ...direct, family: "text" };
const UNCHECKED: CheckedReply = { isAnsweredAgain: false, areRowsRecomputed: false };

it.each([
  ["nothing checked", text, UNCHECKED, "believed recomputed believed"],
  ["answered again", text, ANSWERED_AGAIN, "recomputed recomputed believed"],
  ["rows computed again", text, { ...UNCHECKED, areRowsRecomputed: true }, "believed recomputed recomputed"],
  ["a direct model, by its settlement", direct, UNCHECKED, "proven recomputed believed"],
  ["one of three labels", { ...direct, classes: ["a", "b", "c"] }, UNCHECKED, "believed recomputed believed"],
  [
    "one of three labels, again",
    { ...direct, classes: ["a", "b", "c"] },
    ANSWERED_AGAIN,
    "recomputed recomputed believed",
  ],
])("%s", (_, recipe, checked, expected) => {
  const { answer, query, rows } = assuranceOf(recipe, checked);
  expect(`${answer} ${query} ${rows}`).toBe(expected);
});

it("says every defence that a recipe has, and that it has none", () => {
  const rules = { ...direct.rules, normQuantile: 1, nearDuplicatesShare: false };
  const all = { ...direct, rules: { ...rules, base: { flatPermille: 400 } } };
  expect(defencesOf(all)).toBe(
    "a base of 0.4 of a typical score a row, its answer proven in each settlement",
  );
  expect(defencesOf({ ...text, rules })).toBe("no base, its answer computed again by who asks");
});
