import { expect, test } from "vitest";
import { RecentValues } from "./recent-values.ts";

const MAX_BYTES = 10;

function loading(bytes: number, missing: readonly number[] = []) {
  const loads: number[] = [];
  const models = new RecentValues<number, string>(MAX_BYTES);
  const get = (modelId: number) =>
    models.get(modelId, async () => {
      loads.push(modelId);
      if (missing.includes(modelId)) throw new Error("no such model");
      return { value: `model ${modelId}`, bytes };
    });
  return { loads, models: { get } };
}

test("models that fit are loaded once, and the least recently used goes first", async () => {
  const { loads, models } = loading(4);
  for (const modelId of [1, 2, 1, 3, 1, 2]) expect(await models.get(modelId)).toBe(`model ${modelId}`);
  expect(loads).toEqual([1, 2, 3, 2]);
});

test("one model is held, however large it is", async () => {
  const { loads, models } = loading(2 * MAX_BYTES);
  for (const modelId of [1, 1, 2, 2, 1]) await models.get(modelId);
  expect(loads).toEqual([1, 2, 1]);
});

test("room is made before a model is loaded, and not after it", async () => {
  const { loads, models } = loading(6, [2]);
  await models.get(1);
  await expect(models.get(2)).rejects.toThrow("no such model");
  await models.get(1);
  expect(loads).toEqual([1, 2, 1]);
});
