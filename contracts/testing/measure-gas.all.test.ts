import { expect, test } from "vitest";
import { MAX_TRANSACTION_GAS } from "../l1/fee-policy.ts";
import { measureBlobGas } from "./measure-blob-gas.ts";
import { measureGas } from "./measure-gas.ts";

// Measured figures plus a few per cent, but never more than docs/ promise: a proof 56,000 and 120,000.
const LIMITS = {
  emptyBatch: 272_000n,
  furtherProofSameCircuit: 56_000n,
  furtherProofOtherCircuit: 120_000n,
  furtherBatchSameCircuit: 66_000n,
  fullBatchPerTransfer: 780n,
  fourFullBatchesPerTransfer: 560n,
  withdrawToNewRecipient: 30_000n,
  createAccount: 8_500n,
  consumeDeposit: 12_500n,
  deposit: 83_000n,
  finalizeWithdrawal: 46_000n,
  closeEpoch: 26_000n,
  recordRandomness: 66_500n,
} as const;
/**
 * Gas that a settlement adds to its batch; 110,000 of it are the precompiles of one proof of another circuit,
 * 5,800 its calldata.
 */
// A contract of its own reads it, which the rollup's code has no room for. Another 2,800 are its event, 2,100 its randomness.
const SETTLEMENT_LIMIT = 134_461n;
/** Gas that a settlement by draws adds to its batch, in shards of 512 payees. */
const SHARDS_LIMITS = { 2: 435_000n, 4: 662_000n, 8: 1_116_000n } as const;
/**
 * Gas of an exit alone, and of one more of the same circuit. Four pairs of a pairing are 181,000 of the
 * first.
 */
const EXIT_LIMITS = { leafExit: 283_000n, payeeExit: 283_000n, furtherSameCircuit: 60_500n } as const;
/** Gas of the call that queues an entry, for each kind. */
const FORCED_LIMITS = {
  withdrawal: 106_000n,
  newKey: 82_500n,
  newOwner: 82_500n,
  transfer: 83_500n,
  claim: 83_000n,
  closeEpoch: 82_500n,
  payment: 84_500n,
  approval: 84_500n,
  revocation: 84_500n,
  commit: 84_500n,
  publication: 86_500n,
} as const;
const TOTALS_LIMITS = { 64: 8_000n, 512: 54_500n } as const;

test("gas stays within its limits", async () => {
  const figures = await measureGas();
  for (const [name, limit] of Object.entries(LIMITS)) {
    expect(figures[name as keyof typeof LIMITS], name).toBeLessThanOrEqual(limit);
  }
  const { alone, joined, totals } = figures.settlement;
  expect(joined - alone, "a settlement").toBeLessThanOrEqual(SETTLEMENT_LIMIT);
  for (const shardCount of [2, 4, 8] as const)
    expect(figures.settlement.shards[shardCount].added, `${shardCount} shards`).toBeLessThanOrEqual(
      SHARDS_LIMITS[shardCount],
    );
  for (const [name, limit] of Object.entries(EXIT_LIMITS)) {
    expect(figures.exits[name as keyof typeof EXIT_LIMITS], name).toBeLessThanOrEqual(limit);
  }
  // A kind that is measured and has no limit fails too.
  for (const [name, gas] of Object.entries(figures.forced)) {
    expect(gas, `forced ${name}`).toBeLessThanOrEqual(FORCED_LIMITS[name as keyof typeof FORCED_LIMITS]);
  }
  for (const slots of [64, 512] as const) {
    expect(totals[slots], `totals of ${slots} slots`).toBeLessThanOrEqual(TOTALS_LIMITS[slots]);
  }

  // Whole transactions, by their receipts; Rollup.largest.test.ts has the largest batches.
  const { burnAccrued, deployRollup, deposit, emptyBatch, exits, finalizeWithdrawal, forced, fullBatch } =
    figures;
  const { furtherOtherCircuit: _other, furtherSameCircuit: _same, ...exitCalls } = exits;
  const blobs = Object.entries(await measureBlobGas()).map(([name, of]) => [name, BigInt(of.executionGas)]);
  const calls = {
    burnAccrued,
    deployRollup,
    deposit,
    emptyBatch,
    finalizeWithdrawal,
    fullBatch,
    settle: joined + totals[512],
    recordRandomness: figures.recordRandomness,
    ...forced,
    ...exitCalls,
    ...Object.fromEntries(blobs),
  };
  for (const [name, gas] of Object.entries(calls))
    expect(gas, `${name} leaves a quarter of a transaction`).toBeLessThanOrEqual(
      (MAX_TRANSACTION_GAS * 3n) / 4n,
    );
});
