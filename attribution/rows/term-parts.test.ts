import { expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { termParts } from "./term-parts.ts";

const random = new SeededRandom("parts");
const words = (count: number) => Array.from({ length: count }, () => `w${random.nextBelow(200)}`);
const partsOf = (texts: readonly (readonly string[])[]) =>
  termParts(texts.map((text) => new TextEncoder().encode(text.join(" "))));
const sum = (parts: ArrayLike<number>) => Array.from(parts).reduce((total, part) => total + part, 0);

it("gives a text cut into pieces about the base of one, not of as many as there are pieces", () => {
  const whole = Array.from({ length: 100 }, () => words(70));
  const cut = whole
    .slice(0, 5)
    .flatMap((text) => Array.from({ length: 7 }, (_, k) => text.slice(10 * k, 10 * k + 10)));
  const parts = partsOf([...whole.slice(5), ...cut]);
  expect(sum(parts.subarray(95)) / 5).toBeGreaterThan(0.9);
  expect(sum(parts.subarray(95)) / 5).toBeLessThan(1.4);
  expect(sum(parts.subarray(0, 95)) / 95).toBeGreaterThan(0.93);
});

it("counts no words that only one text has, and gives more than the whole to nobody", () => {
  const usual = Array.from({ length: 20 }, () => words(40));
  const padded = [...usual[0]!.slice(0, 8), ...Array.from({ length: 60 }, (_, k) => `invented${k}`)];
  const parts = partsOf([...usual, padded, [...words(400)]]);
  expect(parts[20]).toBeLessThan(0.3);
  expect(parts[21]).toBe(1);
});

it("gives all the whole base where texts have no word in common", () => {
  expect([...partsOf([["a"], ["b", "c"], []])]).toEqual([1, 1, 1]);
  expect([...partsOf([])]).toEqual([]);
});
