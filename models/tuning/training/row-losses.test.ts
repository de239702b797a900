import { expect, it } from "vitest";
import { sayLosses } from "./row-losses.ts";

const loss = (natsPerToken: number) => ({ natsPerToken, bitsPerByte: natsPerToken / 2 });
const trained = { rowCount: 34, before: loss(4.714), after: loss(3.04) };
const told = { steps: 9, keptStep: 9, trained };

it("says in a sentence whether a model foretells unseen rows better", () => {
  const heldOut = { rowCount: 4, before: loss(4.744), after: loss(3.271) };
  expect(sayLosses({ ...told, heldOut })).toBe("Better on unseen rows: loss 4.74 → 3.27.");
  expect(sayLosses({ ...told, heldOut: { ...heldOut, after: loss(4.75) } })).toMatch(
    /^Not better on unseen rows/,
  );
  expect(sayLosses({ ...told, heldOut: null })).toMatch(
    /^Better on the trained rows: .* nothing is known of unseen/,
  );
});
