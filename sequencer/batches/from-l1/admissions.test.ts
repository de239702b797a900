import { expect, test } from "vitest";
import { Admissions } from "./admissions.ts";

const activation = { modelId: 7, settlementHash: 99n };
const codeOf = (admissions: Admissions, hasL1Head = true): unknown => {
  try {
    admissions.require(activation, hasL1Head);
    return "taken";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

const codeOfSettlement = (admissions: Admissions, modelId: number, commitment: bigint): unknown => {
  try {
    admissions.requireSettlement(modelId, commitment);
    return "taken";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test("a settlement by draws waits where its model's do, and then for its very commitment", () => {
  const admissions = new Admissions();
  admissions.note({ from: 0, found: [], isComplete: true });
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("taken");
  admissions.note({ from: 0, found: [{ modelId: 7, word: 0n }], isComplete: true });
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("SEQ_NOT_ADMITTED");
  expect(codeOfSettlement(admissions, 8, 5n)).toBe("taken");
  admissions.note({ from: 1, found: [{ modelId: 7, word: 5n }], isComplete: true });
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("taken");
  expect(codeOfSettlement(admissions, 7, 6n)).toBe("SEQ_NOT_ADMITTED");
});

test("after a start a settlement by draws waits until everything was told, or that there is no gate", () => {
  const admissions = new Admissions();
  const found = [{ modelId: 7, word: 0n }];
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("SEQ_L1_HEAD_UNKNOWN");
  // What was told before the start is not told again at once.
  expect(admissions.note({ from: 1, found: [], isComplete: true })).toBe(0);
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("SEQ_L1_HEAD_UNKNOWN");
  expect(admissions.note({ from: 0, found: [], isComplete: false })).toBe(0);
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("SEQ_L1_HEAD_UNKNOWN");
  expect(admissions.note({ from: 0, found, isComplete: true })).toBe(1);
  expect(codeOfSettlement(admissions, 7, 5n)).toBe("SEQ_NOT_ADMITTED");
  expect(codeOfSettlement(admissions, 8, 5n)).toBe("taken");
  const ungated = new Admissions();
  ungated.note(null);
  expect(codeOfSettlement(ungated, 7, 5n)).toBe("taken");
});

test("an activation waits for the bridge, and then for the gate", () => {
  const admissions = new Admissions();
  expect(codeOf(admissions, false)).toBe("SEQ_L1_HEAD_UNKNOWN");
  // A rollup without a gate.
  admissions.note(null);
  expect(codeOf(admissions)).toBe("taken");
  // Another model, another word, the very one.
  const others = [
    { modelId: 8, word: 99n },
    { modelId: 7, word: 98n },
  ];
  expect(admissions.note({ from: 0, found: others, isComplete: true })).toBe(2);
  expect(codeOf(admissions)).toBe("SEQ_NOT_ADMITTED");
  const found = [{ modelId: 7, word: 99n }];
  // A page from further on than what is known, one that is known in part, one that joins it.
  expect(admissions.note({ from: 3, found, isComplete: true })).toBe(2);
  expect(codeOf(admissions)).toBe("SEQ_NOT_ADMITTED");
  expect(admissions.note({ from: 1, found: others.slice(1), isComplete: true })).toBe(2);
  expect(admissions.note({ from: 2, found, isComplete: true })).toBe(3);
  expect(codeOf(admissions)).toBe("taken");
  expect(codeOf(admissions, false)).toBe("SEQ_L1_HEAD_UNKNOWN");
});
