import { expect, it } from "vitest";
import { influenceSteps } from "./step-plan.ts";

it("counts a tuning's middle run into the time of the rows' influence", () => {
  const recipe = { steps: 113, rowsPerStep: 8 };
  expect(influenceSteps({ ...recipe, isTangent: false }, 40)).toBe(10);
  // As many rows again as the tuning took.
  expect(influenceSteps({ ...recipe, isTangent: true }, 40)).toBe(10 + 114);
  expect(influenceSteps({ ...recipe, lastStep: 50, isTangent: true }, 40)).toBe(10 + 50);
});
