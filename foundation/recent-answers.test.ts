import { expect, it } from "vitest";
import { RecentAnswers } from "./recent-answers.ts";

it("caches no more answers than its maximum, those used last", async () => {
  const answers = new RecentAnswers<number, number>({ maxItems: 1_000 });
  const question: number[] = [];
  const get = (key: number) =>
    answers.get(key, async () => {
      question.push(key);
      return key;
    });
  await get(-1);
  for (let key = 0; key < 100_000; key++) {
    await get(key);
    if (key % 500 === 0) await get(-1);
  }
  expect(answers.itemCount).toBe(1_000);
  expect(question).toHaveLength(100_001);
  await get(99_999);
  await get(0);
  expect(question.slice(100_001)).toEqual([0]);
});

it("counts an answer by its items; one above the maximum is the only one", async () => {
  const answers = new RecentAnswers<string, readonly number[]>({
    maxItems: 10,
    sizeOf: ({ length }) => length,
  });
  const list = (length: number) => () => Promise.resolve(Array.from({ length }, () => 0));
  for (const name of ["a", "b", "c"]) await answers.get(name, list(4));
  expect(answers.itemCount).toBe(8);
  await answers.get("long", list(1_000));
  expect(answers.itemCount).toBe(10);
  expect(await answers.get("long", list(1))).toHaveLength(1_000);
});

it("asks again for what has failed, and for what is too old", async () => {
  let nowMs = 0;
  const answers = new RecentAnswers<string, number>({ maxItems: 10, cacheMs: 5, nowMs: () => nowMs });
  await expect(answers.get("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await answers.get("a", async () => 1)).toBe(1);
  nowMs = 4;
  expect(await answers.get("a", async () => 2)).toBe(1);
  nowMs = 5;
  expect(await answers.get("a", async () => 3)).toBe(3);
  nowMs = -1;
  expect(await answers.get("a", async () => 4)).toBe(4);
  answers.delete("a");
  expect(answers.itemCount).toBe(0);
});
