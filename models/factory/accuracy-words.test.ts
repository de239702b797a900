import { expect, it } from "vitest";
import { sayAccuracy } from "./accuracy-words.ts";

it("says when a model is no better than its most common label", () => {
  const counts = { judgedCount: 60, commonestCount: 16 };
  expect(sayAccuracy({ ...counts, rightCount: 57 })).toBe(
    "57 of 60 unseen rows are labelled correctly (95.0 %). Always answering the most common label would give 26.7 %.",
  );
  expect(sayAccuracy({ ...counts, rightCount: 16 })).toBe(
    "16 of 60 unseen rows are labelled correctly (26.7 %). That is no better than always answering the most common label (26.7 %).",
  );
});
