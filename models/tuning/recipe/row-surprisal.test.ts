/** Parts of rows by their losses: echoes and noise count little, also side by side in one row. */
import { expect, test } from "vitest";
import { surprisalParts } from "./row-surprisal.ts";

const lossesOf = (...runs: readonly (readonly [count: number, nats: number])[]) =>
  runs.flatMap(([count, nats]) => new Array<number>(count).fill(nats));
const ORDINARY = lossesOf([64, 4]);
const ECHO = lossesOf([64, 1]);
const NOISE = lossesOf([64, 16]);
/** Mean 4, as an ordinary row: a sentence that the base does not foresee, and then its own words. */
const MIXED = lossesOf([16, 10], [48, 2]);
const HONEST = new Array<readonly number[]>(9).fill(ORDINARY);

test("by rows a row of both has an ordinary mean, and counts as a whole one", () => {
  const parts = surprisalParts([...HONEST, ECHO, NOISE, MIXED], "squared");
  expect(parts.slice(0, 9)).toEqual(HONEST.map(() => 1));
  expect(parts.slice(9)).toEqual([1 / 16, 1 / 16, 1]);
});

test("by tokens it counts as what it is made of", () => {
  const parts = surprisalParts([...HONEST, ECHO, NOISE, MIXED], "tokens");
  expect(parts.slice(0, 9)).toEqual(HONEST.map(() => 1));
  const [echo, noise, mixed] = parts.slice(9) as [number, number, number];
  expect(echo).toBeLessThan(1 / 32);
  expect(noise).toBeLessThan(1 / 32);
  expect(mixed).toBeLessThan(0.15);
  // Tokens between both are near the ordinary loss, but most are not.
  expect(mixed).toBeGreaterThan(echo);
});

test("single tokens that surprise are as usual, and so are rows shorter than the neighbours that are looked at", () => {
  const spread = Array.from({ length: 64 }, (_, k) => (k % 2 === 0 ? 1 : 7));
  const [short, long] = [lossesOf([4, 4]), spread];
  const parts = surprisalParts([...HONEST, short, long], "tokens");
  expect(parts.slice(9)).toEqual([1, 1]);
  expect(surprisalParts([ECHO, NOISE], undefined)).toEqual([1, 1]);
});
