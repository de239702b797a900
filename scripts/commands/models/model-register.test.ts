import { expect, it } from "vitest";
import { nextStepAt } from "./model-register.ts";

const GATE = "0x00000000000000000000000000000000000000aa";
const step = (recipe: object) =>
  nextStepAt(GATE, "speeches", { modelId: 13, cap: 32, model: { recipe } as never });

it("names the command that lets the gate take the activation, for each kind of promise", () => {
  const claiming = step({ family: "text", tracing: { claimant: GATE, digest: "0x00" } });
  const admit = `openledger disputes admit ${GATE} speeches --model-id 13 --cap 32`;
  expect(claiming).toContain(admit);
  expect(claiming).not.toContain("disputes commit-model");
  const ofRows = step({ family: "text", tracing: { claimant: GATE, digest: "0x00", rows: true } });
  const verbs = [...ofRows.matchAll(/openledger disputes ([a-z-]+)/g)].map(([, verb]) => verb);
  expect(verbs).toEqual(["admit", "commit-model", "admit"]);
  const posted = step({ isChallengeable: true });
  expect(posted.indexOf("openledger disputes commit-model")).toBeGreaterThan(0);
  expect(posted.indexOf(admit)).toBeGreaterThan(posted.indexOf("openledger disputes commit-model"));
});
