/** Check that the rollup is not frozen, for users who post batches without the operator (verifier/without-operator/). */
import { bridgeError } from "../bridge-errors.ts";
import type { RollupContract } from "./rollup-contract.ts";

/** Requires that the rollup is not frozen, before a batch is made that L1 would refuse. @throws BRG_FROZEN, BRG_L1_* */
export async function requireRunning(rollup: RollupContract): Promise<void> {
  const { batchNumber, isFrozen } = await rollup.state();
  if (!isFrozen) return;
  throw bridgeError("BRG_FROZEN", `the rollup is frozen after batch ${batchNumber}: it takes no other`, {
    data: { batchNumber },
  });
}
