/**
 * What strangers can do to the publishing of signed operations, for gas alone. Each attack is measured against the same
 * load without it: out of gas and the stale node on real processes with real proofs, settlements in one process with
 * proofs by known trapdoors (grief-settle-only.ts says what stands in).
 */
import type { BackendName } from "../../prover/backends.ts";
import { griefPublisher } from "./grief-publisher.ts";
import { griefSettleOnly } from "./grief-settle-only.ts";

export interface GriefOptions {
  readonly backend: BackendName;
  /** How long each measurement lasts, with the attacker and without. */
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

export interface GriefResult {
  /** Signed operations that L1 took. */
  readonly operationsPerHour: { readonly attacked: number; readonly unattacked: number };
  /** Nothing was published any more after the attacker had gone. */
  readonly stoppedForGood: boolean;
  /** On L1, while the attack lasted. */
  readonly attackerGas: number;
  readonly operatorGas: number;
}

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
