import { expect, test } from "vitest";
import { measureGas } from "./measure-gas.ts";

// Measured figures plus a few per cent, but never more than docs/ promise: a proof 55,000 and 120,000.
const LIMITS = {
  emptyBatch: 272_000n,
  furtherProofSameCircuit: 55_000n,
  furtherProofOtherCircuit: 120_000n,
  furtherBatchSameCircuit: 66_000n,
  fullBatchPerTransfer: 780n,
  fourFullBatchesPerTransfer: 560n,
  withdrawToNewRecipient: 30_000n,
  createAccount: 8_500n,
  consumeDeposit: 12_500n,
  deposit: 83_000n,
  forcedWithdrawal: 106_000n,
  claim: 46_000n,
};

test("gas stays within its limits", async () => {
  const figures = await measureGas();
  for (const [name, limit] of Object.entries(LIMITS)) {
    expect(figures[name as keyof typeof LIMITS], name).toBeLessThanOrEqual(limit);
  }
});
