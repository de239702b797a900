import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import type { VerificationKey } from "../formats/verification-key.ts";

/** Values of a circuit's input signals by name; arrays nest as the signals' dimensions do. */
export interface CircuitInputs {
  [signal: string]: SignalValue;
}
export type SignalValue = bigint | number | boolean | string | readonly SignalValue[];

/**
 * Where the native prover has a key's points between proofs: in memory, in the path's own form, or in the key's file alone,
 * which every proof reads piece by piece. "auto" decides by the key's size. Proofs are the same bytes either way.
 */
export const KEY_MEMORIES = ["auto", "resident", "mapped"] as const;
export type KeyMemory = (typeof KEY_MEMORIES)[number];

/** A circuit with the keys to prove it. */
export interface ProvingCircuit {
  name: string;
  /** circom's witness calculator; of a composed circuit its composition.json. */
  wasmPath: string;
  /** snarkjs' proving key; its folder also holds the meta.json that names the key's hash. */
  zkeyPath: string;
  verificationKey: VerificationKey;
  /** Content hash of the circuit (CompiledCircuit.contentHash), hex. */
  contentHash: string;
  /** True: the key's secrets are public, and its proofs convince nobody. */
  isDevelopment: boolean;
}

/** Exactly one of inputs and witness. */
export interface ProofJob {
  circuit: ProvingCircuit;
  inputs?: CircuitInputs;
  /** Bytes of a .wtns file. */
  witness?: Uint8Array;
  /** What its public signals have to be, for a prover that does not make the witness itself. */
  publicSignals?: readonly bigint[];
}

export type ProofStage = "witness" | "prove" | "verify";

export interface ProveOptions {
  signal?: AbortSignal;
  /** Of a queue's jobs the smallest goes first, 0 to 2^20; absent: behind all. A prover that takes jobs in order ignores it. */
  priority?: number;
  /** Called when a stage begins, with the time since the job left the queue. */
  onProgress?: (progress: { stage: ProofStage; elapsedMs: number }) => void;
}

export interface ProofResult {
  proof: Groth16Proof;
  publicSignals: bigint[];
  timings: { witnessMs: number; proveMs: number; verifyMs: number };
  /** The back end that made the proof: what ran, not what was asked for. */
  backend: string;
  /** Of a back end that has both ways: whether its key was in memory or was read from its file. */
  keyMemory?: "resident" | "mapped";
}

/** Makes proofs. Every proof was verified before it leaves. */
export interface Prover {
  readonly backend: string;
  /**
   * Queues a job and resolves with its proof.
   *
   * @throws RollupError PRV_CANCELLED, PRV_CLOSED, PRV_WORKER_DIED (retryable), PRV_NO_WITNESS,
   * PRV_PROOF_INVALID, PRV_KEY_INVALID, PRV_PROVE_FAILED
   */
  prove(job: ProofJob, options?: ProveOptions): Promise<ProofResult>;
  /** Ends the running job and all queued ones with PRV_CLOSED, and everything the prover started. */
  close(): Promise<void>;
}
