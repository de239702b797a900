import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { proverError } from "../prover-errors.ts";
import { HelperThread } from "./helper-thread.ts";
import type { WorkerAnswer, WorkerTask } from "./helper-worker.ts";
import type { ProofJob } from "./prover.ts";

/** Helper thread of our back ends: it calculates witnesses, and verifies proofs before they leave. */
export class ProofHelper {
  readonly #thread = new HelperThread();

  /**
   * Returns the job's witness; calculates it if the job has none. @throws PRV_NO_WITNESS, PRV_PROVE_FAILED,
   * PRV_WORKER_DIED
   */
  async witnessOf({ circuit, inputs, witness }: ProofJob): Promise<Uint8Array> {
    if (witness !== undefined) return witness;
    const { name, wasmPath } = circuit;
    const answer = await this.#run(name, { kind: "witness", wasmPath, inputs: inputs ?? {} });
    if (answer.kind === "witness") return answer.witness;
    const isRefused = answer.kind === "failed" && answer.isRefused;
    const message = answer.kind === "failed" ? answer.message : answer.kind;
    throw proverError(isRefused ? "PRV_NO_WITNESS" : "PRV_PROVE_FAILED", `${name}: ${message}`, {
      data: { circuit: name, reason: message },
    });
  }

  /**
   * @throws PRV_PROOF_INVALID, PRV_WORKER_DIED; PRV_PROVE_FAILED if the verifier itself failed
   */
  async requireValid({ circuit }: ProofJob, proof: Groth16Proof, publicSignals: bigint[]): Promise<void> {
    const { name, verificationKey: key } = circuit;
    const answer = await this.#run(name, { kind: "verify", key, proof, publicSignals });
    if (answer.kind === "verify" && answer.isValid) return;
    if (answer.kind === "failed") {
      throw proverError("PRV_PROVE_FAILED", `${name}: ${answer.message}`, {
        data: { circuit: name, reason: answer.message },
      });
    }
    throw proverError(
      "PRV_PROOF_INVALID",
      `${name}: the proof does not verify; does the witness meet all constraints?`,
      { data: { circuit: name } },
    );
  }

  /** Ends the thread and its task; the next task starts another thread. */
  end(): Promise<void> {
    return this.#thread.end();
  }

  #run(name: string, task: WorkerTask): Promise<WorkerAnswer> {
    return this.#thread.run(task).catch((cause: Error) => {
      throw proverError("PRV_WORKER_DIED", `the thread that worked on ${name} ended: ${cause.message}`, {
        data: { circuit: name, reason: cause.message },
        cause,
      });
    });
  }
}
