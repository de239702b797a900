/**
 * What strangers can do to the publishing of signed operations, for gas alone: attacks on real processes, an L1 of anvil's and
 * real proofs. Each attack is measured against the same load without it.
 */
import type { BackendName } from "../../prover/backends.ts";
import { griefPublisher } from "./grief-publisher.ts";

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
  // A stranger's settlements before the operator's batches: an attack of its own, measured in a file of its own.
  const settleOnly: GriefResult | null = null;
  const { outOfGas, staleNode } = await griefPublisher(options);
  return { grief: { settleOnly, outOfGas, staleNode } };
}
