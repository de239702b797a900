/**
 * Alterations of every input of a direct settlement that its prover may choose; the rest:
 * direct-settlement-forgeries.test.ts.
 */
import { describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { freeInputs, type InputWidths } from "../../testing/forgeries/alias-check.ts";
import { directEpochOf, SMALL_DIRECT, TWO_DRAWS as WORLD } from "../../testing/settlement/direct-world.ts";
import { statedInputs } from "../../testing/settlement/settlement-world.ts";
import { settleEpoch } from "../settlement-rules.ts";

await initPoseidon();
const tester = await CircuitTester.compileSpec(settlementCircuitSpec(SMALL_DIRECT));

/** Inputs that SampledDraws and PayeeEarnings do not share with Settlement, whose own test alters all others; and draws' openings. */
const WIDTHS: InputWidths = { answeredClass: [1, 16], isValid: [1, 128] };
const OWN = new Set([
  ...Object.keys(WIDTHS),
  "counts",
  "pair",
  "path",
  "columnU",
  "columnV",
  "scores",
  "logitDigits",
  "blindScore",
  "answeringHash",
  "answerHash",
  "salt",
  "receipt",
]);

describe("under the honest z", { timeout: 600_000 }, () => {
  it("a prover chooses nothing that counts: hints of scores, an absent payment, a void draw's opening", async () => {
    // Draw 0 is void, draw 1 has no positive score.
    const entry = (row: number) => (row === 6 ? 1 : 2);
    const settled = settleEpoch(
      directEpochOf({ ...WORLD, entry, terms: (i) => (i === 0 ? null : WORLD.terms(i)) }),
    );
    expect(settled.draws.map(({ isEven }) => isEven)).toEqual([false, true]);
    const free = await freeInputs(tester, statedInputs(settled).inputs, WIDTHS, OWN);
    const rest = free.filter((name) => !/^(scores|blindScore|logitDigits)\./.test(name)).sort();
    // The last payment's place is empty.
    expect(rest).toEqual(["answerHash.0", "receipt.3", "salt.0"]);
  });
});
