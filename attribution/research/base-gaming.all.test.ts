import { expect, it } from "vitest";
import { simulateBase } from "./base-gaming.ts";
import { QUICK_GAMING } from "./gaming.ts";

it("dilutes attacks by the base, takes pay from wrong labels by trust, and is blind to accounts where it is flat", () => {
  const stages: string[] = [];
  const { card, flat, none } = simulateBase(
    {
      none: null,
      flat: { flatPermille: 1_000, trustPermille: 0, oddsPermille: 500 },
      card: { flatPermille: 1_000, trustPermille: 1_000, oddsPermille: 500 },
    },
    "card",
    { ...QUICK_GAMING, halves: 10, log: (line) => stages.push(line) },
  );
  for (const { sybil } of [none, flat]) expect(sybil).toBeCloseTo(1, 9);
  // By trust accounts matter as far as folds do: with a hundred rows more than with a thousand.
  expect(Math.abs(card.sybil - 1)).toBeLessThan(0.2);
  expect(flat.outlier).toBeLessThan(none.outlier);
  expect(card.outlier).toBeLessThan(none.outlier);
  expect(card.allWrong).toBeLessThan(0.75 * none.allWrong);
  expect(card.wrong).toBeLessThan(0.75 * none.wrong);
  // What is the same for all rows leaves the order of halves alone, but for rounding.
  expect(Math.abs(flat.lds - none.lds)).toBeLessThan(0.02);
  expect(none).toMatchObject({ honestMove: 0, honestLeast: 1, honestMost: 1 });
  expect(stages.some((line) => line.startsWith("whiteBox: none "))).toBe(true);
});
