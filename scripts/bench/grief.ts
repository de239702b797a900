/**
 * What strangers can do to the publishing of signed operations, for gas alone. Each attack is measured against the same
 * load without it: out of gas and the stale node on real processes with real proofs, settlements in one process with
 * proofs by known trapdoors (grief-settle-only.ts says what stands in).
 */
import { griefPublisher } from "./grief-publisher.ts";
import type { GriefOptions, GriefResult } from "./grief-result.ts";
import { griefSettleOnly } from "./grief-settle-only.ts";

export async function benchGrief(options: GriefOptions) {
  options.progress("settlements of strangers before each of the operator's batches");
  const { attackerGas, operatorGas, ...settling } = await griefSettleOnly();
  const settleOnly: GriefResult = {
    ...settling,
    attackerGas: Number(attackerGas),
    operatorGas: Number(operatorGas),
  };
  const { outOfGas, staleNode } = await griefPublisher(options);
  return { grief: { settleOnly, outOfGas, staleNode } };
}
