/**
 * Daily cross-check: another back end proves the witness of one batch too. A back end alone would not notice
 * its own fault. proof-maker.ts runs it.
 */

import type { Logger } from "@openledger/foundation/logger";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import type { BackendName } from "../backends.ts";
import { verifyProof } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import type { ProofJob, ProofResult, Prover } from "../proving/prover.ts";

/** A process that is being set up proves first. */
const FIRST_AFTER_MS = 10 * 60_000;

interface CrossCheckModules {
  readonly logger: Logger;
  /** Opens another back end, if possible one that shares no arithmetic with `backend`. */
  readonly openOther: (backend: BackendName) => Promise<Prover>;
  readonly clock?: () => number;
  /** Called after every check. */
  readonly onChecked?: (result: "same" | "failed") => void;
}

/** Counterpart of a back end: another implementation of the field and of the sums. */
export function otherBackend(backend: BackendName): BackendName {
  return backend === "wasm" ? "snarkjs" : "wasm";
}

export class CrossCheck {
  /** PRV_CROSS_CHECK_FAILED after a failed check, until one succeeds; else null. A human has to look. */
  failureCode: string | null = null;
  readonly #backend: BackendName;
  readonly #modules: CrossCheckModules;
  #dueAtMs: number;

  constructor(backend: BackendName, modules: CrossCheckModules) {
    this.#backend = backend;
    this.#modules = modules;
    this.#dueAtMs = this.#nowMs + FIRST_AFTER_MS;
  }

  get #nowMs(): number {
    return (this.#modules.clock ?? Date.now)();
  }

  get isDue(): boolean {
    return this.#nowMs >= this.#dueAtMs;
  }

  /**
   * Proves the job again if a check is due. The proof is already delivered; jobs wait for the check, once a
   * day. Never throws: a check that fails, or cannot be made, is logged at level "error", counted, and stored
   * in `failureCode`.
   */
  async afterProof(job: ProofJob, proven: ProofResult, signal: AbortSignal): Promise<void> {
    if (!this.isDue || signal.aborted) return;
    this.#dueAtMs = this.#nowMs + ONE_DAY_MS;
    const { logger, onChecked, openOther } = this.#modules;
    const circuit = job.circuit.name;
    try {
      const again = await this.#proveAgain(job, openOther, signal);
      requireSame(job, proven, again);
      this.failureCode = null;
      logger.info(
        { circuit, backend: proven.backend, other: again.backend },
        "proof checked by another back end",
      );
      onChecked?.("same");
    } catch (error) {
      if (signal.aborted) return;
      this.failureCode = "PRV_CROSS_CHECK_FAILED";
      logger.error(
        { err: error, code: this.failureCode, circuit, backend: proven.backend },
        "another back end does not confirm a proof; a human has to look",
      );
      onChecked?.("failed");
    }
  }

  async #proveAgain(
    job: ProofJob,
    openOther: CrossCheckModules["openOther"],
    signal: AbortSignal,
  ): Promise<ProofResult> {
    const other = await openOther(otherBackend(this.#backend));
    try {
      return await other.prove(job, { signal });
    } finally {
      await other.close();
    }
  }
}

/**
 * Requires that both proofs have the same public signals, and that each is valid by the key. @throws
 * PRV_CROSS_CHECK_FAILED
 */
function requireSame({ circuit }: ProofJob, first: ProofResult, second: ProofResult): void {
  const isSame =
    first.publicSignals.length === second.publicSignals.length &&
    first.publicSignals.every((signal, i) => signal === second.publicSignals[i]);
  const areValid = [first, second].every(({ proof }) =>
    verifyProof(circuit.verificationKey, proof, second.publicSignals),
  );
  if (isSame && areValid) return;
  throw proverError(
    "PRV_CROSS_CHECK_FAILED",
    `${circuit.name}: ${first.backend} and ${second.backend} ${isSame ? "have a proof that is not valid" : "prove other public signals"}`,
    { data: { circuit: circuit.name, backend: first.backend, other: second.backend } },
  );
}
