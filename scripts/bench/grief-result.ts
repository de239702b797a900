import type { BackendName } from "../../prover/backends.ts";

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
