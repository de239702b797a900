import { expect, test } from "vitest";
import { Admissions } from "./admissions.ts";

const genesis = { modelId: 7, settlementHash: 99n };
const codeOf = (admissions: Admissions, hasL1Head = true): unknown => {
  try {
    admissions.require(genesis, hasL1Head);
    return "taken";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test("a genesis waits for the bridge, and then for the gate", () => {
  const admissions = new Admissions();
  expect(codeOf(admissions, false)).toBe("SEQ_L1_HEAD_UNKNOWN");
  // A rollup without a gate.
  admissions.note(null);
  expect(codeOf(admissions)).toBe("taken");
  // Another model, another word, the very one.
  admissions.note([
    { modelId: 8, word: 99n },
    { modelId: 7, word: 98n },
  ]);
  expect(codeOf(admissions)).toBe("SEQ_GENESIS_NOT_ADMITTED");
  admissions.note([{ modelId: 7, word: 99n }]);
  expect(codeOf(admissions)).toBe("taken");
  expect(codeOf(admissions, false)).toBe("SEQ_L1_HEAD_UNKNOWN");
});
