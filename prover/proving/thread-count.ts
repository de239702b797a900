/** Number of threads of a proof: the setting PROVER_THREADS, else one per core. */
import { availableParallelism } from "node:os";

/** Threads of a proof: PROVER_THREADS of the environment, else one per core. */
export function proofThreadCount(environment: NodeJS.ProcessEnv = process.env): number {
  const chosen = Number(environment.PROVER_THREADS ?? 0);
  return Number.isSafeInteger(chosen) && chosen > 0 ? chosen : availableParallelism();
}
