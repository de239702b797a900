import { expect, it } from "vitest";
import { nextStepAt } from "./model-register.ts";

const GATE = "0x00000000000000000000000000000000000000aa";
const step = (recipe: object) =>
  nextStepAt(GATE, "speeches", { modelId: 13, cap: 32, model: { recipe } as never });

it("names the command that lets the gate take the genesis, for each kind of models", () => {
  const claiming = step({ family: "text", tracing: { claimant: GATE, digest: "0x00" } });
  expect(claiming).toContain(`openledger disputes register ${GATE} speeches --model-id 13 --cap 32`);
  expect(claiming).not.toContain("disputes admit");
  const admit = `openledger disputes admit ${GATE} speeches --model-id 13 --cap 32`;
  const ofRows = step({ family: "text", tracing: { claimant: GATE, digest: "0x00", rows: true } });
  const order = ["register", "post", "admit"].map((name) => ofRows.indexOf(`openledger disputes ${name}`));
  expect(order[0]).toBeGreaterThan(0);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(step({ family: "text" })).toContain(admit);
  const posted = step({ isChallengeable: true });
  expect(posted.indexOf("openledger disputes post")).toBeGreaterThan(0);
  expect(posted.indexOf(admit)).toBeGreaterThan(posted.indexOf("openledger disputes post"));
});
