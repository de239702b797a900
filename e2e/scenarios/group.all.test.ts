import { expect, it } from "vitest";
import { groupScenario } from "./group.ts";

it("names silent members, and keeps the key where a share is lost", { timeout: 400_000 }, async () => {
  const steps: string[] = [];
  const outcome = await groupScenario.run({ keep: null } as never, (text) => steps.push(text));
  expect(outcome, steps.join("\n")).toMatchObject({
    isGood: true,
    facts: { silent: { nobody: ["ben", "cat"], ended: ["cat"] }, signedCount: 2 },
  });
});
