/**
 * Interface of provers, and the jobs and results that pass through it. Four back ends, the child process and
 * the queue implement it; the sequencer, settling servers and commands call it. Times are milliseconds.
 */
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import type { VerificationKey } from "../formats/verification-key.ts";

/** Values of a circuit's input signals by name; arrays nest as the signals' dimensions do. */
export interface CircuitInputs {
  [signal: string]: SignalValue;
}
export type SignalValue = bigint | number | boolean | string | readonly SignalValue[];

/**
 * Location of a key's points between proofs of the native prover: in memory, in the path's own form
 * ("resident"), or only in the key's file, which every proof reads piece by piece ("mapped"). "auto" decides
 * by the key's size. Proofs are the same bytes either way.
 */
export const KEY_MEMORIES = ["auto", "resident", "mapped"] as const;
export type KeyMemory = (typeof KEY_MEMORIES)[number];

/** A circuit with the keys to prove it. */
export interface ProvingCircuit {
  name: string;
  /** circom's witness calculator; of a composed circuit its composition.json. */
  wasmPath: string;
  /** Path of snarkjs' proving key. Its folder also holds the meta.json that names the key's hash. */
  zkeyPath: string;
  verificationKey: VerificationKey;
  /** Content hash of the circuit (CompiledCircuit.contentHash), hex. */
  contentHash: string;
  /** True if the key's secrets are public: its proofs convince nobody. */
  isDevelopment: boolean;
}

/** Job of a prover, with exactly one of inputs and witness. */
export interface ProofJob {
  circuit: ProvingCircuit;
  inputs?: CircuitInputs;
  /** Bytes of a .wtns file. */
  witness?: Uint8Array;
  /** Expected public signals, for a prover that does not make the witness itself. */
  publicSignals?: readonly bigint[];
}

export const PROOF_STAGES = ["witness", "prove", "verify"] as const;
export type ProofStage = (typeof PROOF_STAGES)[number];

export interface ProveOptions {
  signal?: AbortSignal;
  /**
   * Priority in a queue, 0 to 2^31 - 1: the smallest goes first; without one a job goes last. A prover that takes
   * jobs in order ignores it.
   */
  priority?: number;
  /** Called when a stage begins, with the time since the job left the queue. */
  onProgress?: (progress: { stage: ProofStage; elapsedMs: number }) => void;
}

/** A verified proof. */
export interface ProofResult {
  proof: Groth16Proof;
  publicSignals: bigint[];
  timings: { witnessMs: number; proveMs: number; verifyMs: number };
  /** Back end that made the proof, which may differ from the requested one. */
  backend: string;
  /**
   * Location of the key during the proof, for a back end with both ways: in memory, or read from its file.
   */
  keyMemory?: "resident" | "mapped";
}

/** Maker of proofs. Every proof is verified before it leaves. */
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
