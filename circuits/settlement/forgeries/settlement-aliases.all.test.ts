/**
 * Choices that a prover of a settlement may try once z is known: every input and wire alone, by small steps
 * and aliases.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { freeInputs, type InputWidths, looseWires } from "../../testing/forgeries/alias-check.ts";
import { loadSettlementTester, tester } from "../../testing/settlement/settlement-forgery-check.ts";
import {
  acceptedWitness,
  epochOf,
  SMALL_SIZE,
  statedInputs,
} from "../../testing/settlement/settlement-world.ts";
import { settleEpoch } from "../settlement-rules.ts";

beforeAll(loadSettlementTester);

/** Inputs with a range of their own. The others are bound by a hash, by L1's element or by the score equation. */
const WIDTHS: InputWidths = {
  modelId: [24],
  epoch: [24, 24],
  closingBatch: [40, 24, 48],
  amount: [96, 24],
  origin: [56],
  predecessor: [24, 88],
  ownerParts: [16],
  validatorParts: [16, 16],
  present: [1],
  active: [1],
  isValid: [1, 128],
  earned: [96, 40, 48],
  remainder: [40, 80],
  hits: [Math.log2(SMALL_SIZE.draws) + 1],
  queryBytes: [8],
};
const SHIFTS = [24, 40, 96];

/** A padding row, an absent payee and an absent payment; draw 0 is void, draw 1 has no positive score. */
const WORLD = {
  seed: 6,
  rowCounts: [2, 3, 1],
  amountsWei: [10n ** 18n, 10n ** 18n, 1n],
  entry: () => -1,
  query: (i: number) => (i === 0 ? null : Int16Array.of(1, 3, 5, 7)),
};

describe("under the honest z", () => {
  it("a prover chooses nothing that counts: hints of scores, an absent payment, a void draw's opening", async () => {
    const settled = settleEpoch(epochOf(WORLD));
    expect(settled.draws.map(({ isValid }) => isValid)).toEqual([false, true]);
    const { inputs } = statedInputs(settled);
    const free = await freeInputs(tester, inputs, WIDTHS);
    const hints = free.filter((name) => /^(scores|blindScore)\./.test(name));
    const rest = free.filter((name) => !hints.includes(name)).sort();
    // The last payment's place is empty; its receipt and packed amount enter no sum and no chain.
    expect(rest).toEqual(["answerHash.0", "packed.3", "receipt.3", "salt.0"]);
  });

  it("no inner wire can hold an alias alone", async () => {
    const settled = settleEpoch(epochOf({ seed: 6, rowCounts: [2, 3, 1] }));
    const witness = await acceptedWitness(tester, settled);
    // IsZero's inverse at 0 is free, and nothing reads it; likewise the hit bits of absent payments are 0 by their square.
    const loose = looseWires(tester, witness, SHIFTS).filter((signal) => !signal.endsWith(".equal.inverse"));
    expect(loose).toEqual([]);
  });
});
