import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { expect, it } from "vitest";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { AS_PROMISED, assuranceOf, type CheckedReply, defencesOf } from "./reply-assurance.ts";

await initPoseidon();
const direct = recipeFor(sampleRows("email", 8), 64);
const text = { ...direct, family: "text" };
const UNCHECKED: CheckedReply = {
  isAnsweredAgain: false,
  areRowsRecomputed: false,
  onL1: { isCommitted: false, isClaimed: false },
};
const ON_L1: CheckedReply = { ...UNCHECKED, onL1: { isCommitted: true, isClaimed: true } };
const tracing = { claimant: "0x00000000000000000000000000000000000000aa" };

it.each([
  ["nothing checked", text, UNCHECKED, "believed recomputed believed"],
  ["answered again", text, { ...UNCHECKED, isAnsweredAgain: true }, "recomputed recomputed believed"],
  ["rows computed again", text, { ...UNCHECKED, areRowsRecomputed: true }, "believed recomputed recomputed"],
  ["a direct model, by its settlement", direct, UNCHECKED, "proven recomputed believed"],
  ["L1 has what nobody promised", direct, ON_L1, "proven recomputed believed"],
  [
    "promised, and not on L1",
    { ...direct, isChallengeable: true as const },
    UNCHECKED,
    "proven recomputed believed",
  ],
  [
    "a commitment on L1",
    { ...direct, isChallengeable: true as const },
    ON_L1,
    "proven recomputed disputable",
  ],
  ["claims of queries alone", { ...text, tracing }, ON_L1, "believed disputable believed"],
  [
    "claims and rows",
    { ...text, tracing: { ...tracing, rows: true } },
    ON_L1,
    "believed disputable disputable",
  ],
  ["what a server may promise", { ...text, tracing }, AS_PROMISED, "recomputed disputable believed"],
])("%s", (_, recipe, checked, said) => {
  const { answer, query, rows } = assuranceOf(recipe, checked);
  expect(`${answer} ${query} ${rows}`).toBe(said);
});

it("says every defence that a recipe has, and that it has none", () => {
  const rules = { ...direct.rules, normQuantile: 1, nearDuplicatesShare: false };
  const all = { ...direct, isChallengeable: true, rules: { ...rules, base: { flatPermille: 400 } } };
  expect(defencesOf(all)).toBe(
    "a base of 0.4 of a typical score a row, any false number of its rows refuted on L1, its answer proven in each settlement",
  );
  expect(defencesOf({ ...text, rules })).toBe(
    "no base, rows not judged on L1: recompute them, its answer computed again by who asks",
  );
});
