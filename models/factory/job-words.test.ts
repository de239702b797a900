/** Comparison and estimate of a factory's job, as page and command show them. */
import { expect, it } from "vitest";
import { sayCurve } from "./accuracy-words.ts";
import type { FactoryJob } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";
import { compareJob, figureOf, measuredWords } from "./job-words.ts";

const answer = {
  prompt: "a",
  expected: "b",
  base: "c",
  tuned: "b",
  citedRows: [],
  baseLoss: 2,
  tunedLoss: 1,
};

it("counts the unseen rows that the tuned model foretells better, and says why it is silent", async () => {
  const calls: unknown[] = [];
  const factory = {
    compare: async (id: string, request: object) => {
      calls.push([id, request]);
      return { answers: [answer, { ...answer, tunedLoss: 2 }, { ...answer, tuned: null, baseLoss: null }] };
    },
  } as unknown as FactoryClient;
  const { answers, verdict } = await compareJob(factory, "job-1", { prompts: null });
  expect(calls).toEqual([["job-1", { prompts: null, answerTokens: 48 }]]);
  expect(answers.map(({ isBetter }) => isBetter)).toEqual([true, false, false]);
  expect(answers[2]!.tuned).toBe(
    "No row answers this question, so the model gives no answer and nothing is paid.",
  );
  expect(verdict).toBe("The tuned model beats its base model on 1 of 2 unseen rows.");
});

it("has no verdict where no loss was measured", async () => {
  const own = { ...answer, expected: null, baseLoss: null, tunedLoss: null };
  const factory = { compare: async () => ({ answers: [own] }) } as unknown as FactoryClient;
  expect((await compareJob(factory, "job-1", { prompts: ["a"], answerTokens: 8 })).verdict).toBe(null);
});

it("says what an estimate was measured by, and who is first", () => {
  const estimate = {
    ...{
      steps: 60,
      trainedRowCount: 40,
      tokenCount: 900,
      longestRowTokens: 30,
      measuredSteps: 4,
      stepMs: 500,
    },
    ...{ tokensPerSecond: 1_234.4, memoryBytes: 2 ** 30, queuedBefore: 1, registerFeeWei: null },
    seconds: { load: 2, tune: 30, features: 5, total: 37 },
    fields: [],
    telling: [],
  };
  const inSeconds = (seconds: number) => `${seconds} s`;
  expect(measuredWords(estimate, inSeconds)).toBe(
    "Measured on this factory just now, over 4 steps: 2 s to load, 30 s to tune at 1234 tokens per second, 5 s for the influence of rows. 1 job is ahead of yours.",
  );
  const sorter = { ...estimate, tokensPerSecond: null, queuedBefore: 0, measuredSteps: 1 };
  expect(measuredWords(sorter, inSeconds)).toBe(
    "Measured on this factory just now, over 1 step: 2 s to load, 30 s to evaluate, 5 s for the influence of rows.",
  );
});

it.each([
  [[], false, "The curve starts with a few training rows."],
  [[], true, "There are too few rows for a curve."],
  [[50, 80], true, "More rows still help: the last doubling added 30.0 percentage points."],
  [[80, 50], true, "The last doubling of rows lowered it by 30.0 percentage points."],
  // 72 is within 95 % of what 80 of 100 may be by chance.
  [
    [72, 80],
    true,
    "The last doubling of rows changed it by less than chance may: whether more rows help is not known.",
  ],
])("reads the curve of %j", (right, isDone, words) => {
  const judged = right.map((rightCount) => ({ judgedCount: 100, rightCount }));
  expect(sayCurve(judged, isDone)).toBe(`Each row is judged by a model that was not trained on it. ${words}`);
});

it("warns beside a figure that one column makes, and beside one of nothing", () => {
  const figure = (rightCount: number, telling: object[] = []) =>
    figureOf({
      form: { use: "predict" },
      accuracy: rightCount / 100,
      result: { accuracy: { judgedCount: 100, rightCount, commonestCount: 60, telling } },
    } as unknown as FactoryJob);
  const id = { kind: "numbers-rows", field: "id" };
  expect(figure(90)).toBe("90.0 % right");
  expect(figure(100, [{ ...id, isCounted: true }])).toBe("100.0 % right, which may not hold for new rows");
  expect(figure(90, [{ ...id, isCounted: false }])).toBe("90.0 % right");
  expect(figure(60, [{ ...id, isCounted: true }])).toContain("no better than the most common label");
});
