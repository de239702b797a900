import type { BackendName } from "@openledger/prover/backends";

export interface GriefOptions {
  readonly backend: BackendName;
  /** Operations in a batch. */
  readonly slots: number;
  /** How long each measurement lasts at least, with an attacker and without. */
  readonly seconds: number;
  /** How often each attack is measured. */
  readonly rounds: number;
  /** Where logs and data stay; null: they are removed. */
  readonly keepIn: string | null;
  readonly progress: (text: string) => void;
}

export interface GriefResult {
  /** Signed operations that L1 took. */
  readonly operationsPerHour: { readonly attacked: number; readonly unattacked: number };
  /** Nothing was published any more after the attacker had gone. */
  readonly stoppedForGood: boolean;
  /** On L1, in all measurements under attack. */
  readonly attackerGas: number;
  readonly operatorGas: number;
}

/** Somebody who disturbs the bridge while the attack runs. */
export interface Attack {
  readonly name: "settleOnly" | "outOfGas" | "staleNode";
  /** What they do, in words. */
  readonly description: string;
  start(): Promise<void>;
  /** @returns what it cost them since `start`, and what they did, in words */
  stop(): Promise<{ gas: number; did: string }>;
}
