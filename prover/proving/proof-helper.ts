/**
 * Thread beside a back end's own: witnesses before a proof, verification after it. The native, wasm and webgpu
 * back ends have one each.
 */
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { proverError } from "../prover-errors.ts";
import type { ProofJob } from "./prover.ts";

/**
 * Helper thread of our back ends: it calculates witnesses, and verifies proofs before they leave. It starts with the
 * first task, takes one at a time, and keeps no process alive while idle.
 */
export class ProofHelper {
  readonly #pool = new TaskPool<typeof import("./helper-tasks.ts")>({
    tasks: new URL("./helper-tasks.ts", import.meta.url),
    threadCount: 1,
    // The circuits are the rollup's own.
    maxHeapMb: OWN_WORK_HEAP_MB,
    ended: (cause) =>
      proverError("PRV_WORKER_DIED", `the helper thread ended: ${cause.message}`, {
        data: { reason: cause.message },
        cause,
      }),
  });
  #ending = new AbortController();

  /**
   * Returns the job's witness; calculates it if the job has none. @throws PRV_NO_WITNESS, PRV_PROVE_FAILED,
   * PRV_WORKER_DIED
   * @param signal ends this calculation alone, with the thread; default: `end` does
   */
  async witnessOf(
    { circuit, inputs, witness }: ProofJob,
    signal: AbortSignal = this.#ending.signal,
  ): Promise<Uint8Array> {
    if (witness !== undefined) return witness;
    const { name, wasmPath } = circuit;
    return this.#pool
      .run("calculateWitness", { wasmPath, inputs: inputs ?? {} }, { signal })
      .catch((cause: Error) => {
        throw failed(name, cause);
      });
  }

  /**
   * Requires a proof that verifies.
   * @throws PRV_PROOF_INVALID, PRV_WORKER_DIED; PRV_PROVE_FAILED if the verifier itself failed
   */
  async requireValid({ circuit }: ProofJob, proof: Groth16Proof, publicSignals: bigint[]): Promise<void> {
    const { name, verificationKey: key } = circuit;
    const { signal } = this.#ending;
    const isValid = await this.#pool
      .run("verify", { key, proof, publicSignals }, { signal })
      .catch((cause: Error) => {
        throw failed(name, cause);
      });
    if (isValid) return;
    throw proverError(
      "PRV_PROOF_INVALID",
      `${name}: the proof does not verify; does the witness meet all constraints?`,
      { data: { circuit: name } },
    );
  }

  /** Ends the thread if it has a task; the next task starts another thread. */
  end(): void {
    this.#ending.abort(
      proverError("PRV_WORKER_DIED", "the helper thread was ended", { data: { reason: "ended" } }),
    );
    this.#ending = new AbortController();
  }

  /** Ends the thread for good. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Turns a thread's error into one that names the circuit. */
function failed(name: string, cause: Error) {
  const code = isRollupError(cause, "PRV_NO_WITNESS") || isRollupError(cause, "PRV_WORKER_DIED");
  const knownCode = code ? (cause.code as "PRV_NO_WITNESS" | "PRV_WORKER_DIED") : "PRV_PROVE_FAILED";
  return proverError(knownCode, `${name}: ${cause.message}`, {
    data: { circuit: name, reason: cause.message },
    cause,
  });
}
