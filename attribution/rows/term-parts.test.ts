import { expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { measureTerms, termParts } from "./term-parts.ts";

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

it("weighs a text's pieces together as the text, and no text as nothing", () => {
  const from = (first: number, count: number) => Array.from({ length: count }, (_, k) => `w${first + k}`);
  const others = Array.from({ length: 6 }, (_, k) => from(4 * k, 36));
  const pieces = [0, 9, 18, 27].map((first) => from(first, 9));
  const texts = [...others, from(0, 36), ...pieces, ["unknown"]];
  const encoded = texts.map((text) => new TextEncoder().encode(text.join(" ")));
  const { partOf, parts, weightOf } = measureTerms(encoded);
  const weights = Array.from(parts, weightOf);
  expect(sum(weights.slice(7, 11))).toBeCloseTo(weights[6]!, 10);
  expect(weights.at(-1)).toBeCloseTo(weights[6]! / 36, 10);
  expect(sum(weights)).toBeCloseTo(weights.length, 10);
  // Of a text that is not among them all words count that one of them has.
  expect(partOf(new TextEncoder().encode([...from(0, 18), "nobody"].join(" ")))).toBe(0.5);
});
