import { expect, it } from "vitest";
import { sayAccuracy, sayFolds } from "./accuracy-words.ts";

it("names interval, baselines and recall", () => {
  const counts = { judgedCount: 60, commonestCount: 40, rightCount: 57, plainCount: 54 };
  // Wilson's interval of 57 of 60; recalls of 40 of 40 and 17 of 20.
  expect(
    sayAccuracy({
      ...counts,
      confusion: [
        [40, 0],
        [3, 17],
      ],
    }),
  ).toBe(
    "57 of 60 unseen rows are labelled correctly (95.0 %; with so few rows 86.3 % to 98.3 %). Always answering the most common label would give 66.7 %, plain logistic regression 90.0 %. The mean of the labels' recalls is 92.5 %.",
  );
});

it("says when a model is no better than its most common label", () => {
  const counts = { judgedCount: 60, commonestCount: 16 };
  expect(sayAccuracy({ ...counts, rightCount: 57 })).toBe(
    "57 of 60 unseen rows are labelled correctly (95.0 %; with so few rows 86.3 % to 98.3 %). Always answering the most common label would give 26.7 %.",
  );
  expect(sayAccuracy({ ...counts, rightCount: 16 })).toBe(
    "16 of 60 unseen rows are labelled correctly (26.7 %; with so few rows 17.1 % to 39.0 %). That is no better than always answering the most common label (26.7 %).",
  );
});

it("says whose rows are judged together", () => {
  expect(sayFolds({ isByContributor: true })).toContain("all rows of a contributor, are in one fold");
  expect(sayFolds({ isByContributor: false })).toContain("are not kept together, since too few people");
});
